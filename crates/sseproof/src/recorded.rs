//! What was recorded before, by sseproof or by curl.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use sseproof_record::{RecordingError, Transcript, read_cut_recording, read_plain};

/// A transcript out of a file.
pub(crate) struct Recorded {
    pub(crate) transcript: Transcript,
    /// Where and why it is not all that there was.
    pub(crate) cut: Option<RecordingError>,
}

/// Reads a recording, or what `curl -isN URL > file` writes.
pub(crate) fn read(flag: &str, file: &Path) -> anyhow::Result<Recorded> {
    let name = file.display();
    let bytes = fs::read(file).with_context(|| format!("cannot read {flag} {name}"))?;
    if !bytes.trim_ascii_start().starts_with(b"{") {
        let transcript = read_plain(&bytes).with_context(|| {
            format!(
                "cannot read {flag} {name} (it takes what `sseproof check --record FILE` or `curl -isN URL > FILE` wrote)"
            )
        })?;
        return Ok(Recorded { transcript, cut: None });
    }
    let text = String::from_utf8_lossy(&bytes);
    let (transcript, cut) = read_cut_recording(&text).with_context(|| {
        format!("cannot read {flag} {name} (a recording is what `sseproof check --record` writes)")
    })?;
    Ok(Recorded { transcript, cut })
}
