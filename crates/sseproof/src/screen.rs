//! What the terminal can show.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context as _;
use sseproof_report::terminal::{Detail, Options};

use crate::exit::{Blame, Blamed as _};

/// The columns where there is no terminal to ask: a CI job's log.
const COLUMNS: usize = 100;

/// How to write for standard output: colour only on a terminal and without `NO_COLOR`.
pub(crate) fn options(detail: Detail) -> Options {
    let colour = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    Options { width: columns(), colour, detail }
}

/// Writes to standard output; `false` where nobody reads on, as behind `| head`.
pub(crate) fn print(text: &str) -> Result<bool, Blame> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output").usage(),
    }
}

/// The columns of the terminal.
pub(crate) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
}

/// Whether somebody looks at standard error while the program runs.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}
