//! `sseproof scrub`: an older recording or result without its secrets.

use std::path::Path;

use sseproof_record::write_recording;

use crate::exit::{Blame, Blamed as _, Exit};
use crate::{load, output, recorded, screen, secrets};

pub(crate) fn run(file: &Path, to: Option<&Path>) -> Result<Exit, Blame> {
    let text = match load::scrubbed(file)? {
        Some(result) => result,
        None => recording(file).usage()?,
    };
    match to {
        Some(file) => output::write("output", file, &text).usage()?,
        None => drop(screen::print_json(&text)?),
    }
    Ok(Exit::Held)
}

fn recording(file: &Path) -> anyhow::Result<String> {
    let recorded = recorded::read("the file", file)?;
    if let Some(cut) = &recorded.cut {
        screen::say(format_args!(
            "sseproof: {}, {cut}; the part before it is written",
            file.display()
        ));
    }
    Ok(write_recording(&secrets::without(recorded.transcript)))
}
