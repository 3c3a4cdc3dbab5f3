//! Output to the terminal.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context as _;
use sseproof_report::terminal::{Detail, Options};

use crate::exit::{Blame, Blamed as _};

/// The width of output that is not a terminal, such as the log of a CI job.
const COLUMNS: usize = 100;

/// The options of standard output: colour only on a terminal, and without `NO_COLOR`.
pub(crate) fn options(detail: Detail) -> Options {
    let colour = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    Options { width: columns(), colour, detail }
}

/// Writes to standard output; `false` if its reader has closed it, as `| head` does.
pub(crate) fn print(text: &str) -> Result<bool, Blame> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output").usage(),
    }
}

pub(crate) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
}

pub(crate) fn shows_progress() -> bool {
    std::io::stderr().is_terminal()
}
