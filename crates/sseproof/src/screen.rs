//! What the terminal can show.

use std::io::IsTerminal as _;

use anstream::{AutoStream, ColorChoice};
use sseproof_report::terminal::{Detail, Options};

/// The columns where there is no terminal to ask: a CI job's log.
const COLUMNS: usize = 100;

/// How to write for standard output: colour only on a terminal and without `NO_COLOR`.
pub(crate) fn options(detail: Detail) -> Options {
    let colour = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    Options { width: columns(), colour, detail }
}

/// The columns of the terminal.
pub(crate) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
}

/// Whether somebody looks at standard error while the program runs.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}
