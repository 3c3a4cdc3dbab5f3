//! Reads recordings of sseproof and output of curl.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use sseproof_record::{RecordingError, Transcript, read_cut_recording, read_plain};

pub(crate) struct Recorded {
    pub(crate) transcript: Transcript,
    pub(crate) cut: Option<RecordingError>,
}

pub(crate) fn read(flag: &str, file: &Path) -> anyhow::Result<Recorded> {
    let name = file.display();
    let bytes = fs::read(file).with_context(|| format!("cannot read {flag} {name}"))?;
    if !bytes.trim_ascii_start().starts_with(b"{") {
        let transcript = read_plain(&bytes).with_context(|| {
            format!(
                "cannot read {flag} {name} (it must be written by `sseproof check --record FILE` or `curl -isN URL > FILE`)"
            )
        })?;
        return Ok(Recorded { transcript, cut: None });
    }
    let text = String::from_utf8_lossy(&bytes);
    let (transcript, cut) = read_cut_recording(&text).with_context(|| {
        format!("cannot read {flag} {name} (it must be written by `sseproof check --record FILE`)")
    })?;
    Ok(Recorded { transcript, cut })
}
