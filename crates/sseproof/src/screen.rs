//! The only way out: all that the program prints passes here, and has no effect on a terminal or in
//! the log of a CI system after that.
#![expect(clippy::disallowed_methods, reason = "other modules may not print")]

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use anyhow::Context as _;
use sseproof_report::Report;
use sseproof_report::terminal::{self, Detail, Options};
use sseproof_units::{inert, inert_except_colour, inert_json};

use crate::exit::{Blame, Blamed as _, Exit};
use crate::secrets;

/// The width of output that is not a terminal, such as the log of a CI job.
const COLUMNS: usize = 100;
/// How many characters of a line of a message are shown: some of them are chosen by others.
const LINE: usize = 4_000;

/// The options of standard output: colour only on a terminal, and without `NO_COLOR`.
pub(crate) fn options(detail: Detail) -> Options {
    let colour = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    let rows = terminal_size::terminal_size().filter(|_| std::io::stdout().is_terminal());
    Options { width: columns(), rows: rows.map(|(_, rows)| usize::from(rows.0)), colour, detail }
}

/// Writes text to standard output; `false` if its reader has closed it, as `| head` does.
pub(crate) fn print(text: &str) -> Result<bool, Blame> {
    write(&inert(text))
}

/// Writes a page of `sseproof-report`, which has made all text of others inert already, with its
/// colours, if [`options`] has some.
pub(crate) fn print_page(page: &str) -> Result<bool, Blame> {
    match options(Detail::Normal).colour {
        true => write(&inert_except_colour(page)),
        false => print(page),
    }
}

/// Writes the report as `--quiet` and `--verbose` say; to standard error if standard output has a file.
pub(crate) fn print_report(
    report: &Report,
    quiet: bool,
    verbose: bool,
    is_taken: bool,
) -> Result<(), Blame> {
    let detail = match (quiet, verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    };
    let options = options(detail);
    if is_taken {
        print_page_aside(&terminal::render(report, &Options { colour: false, ..options }));
    } else {
        print_page(&terminal::render(report, &options))?;
    }
    Ok(())
}

/// Writes a page without colours to standard error, since standard output has a file.
pub(crate) fn print_page_aside(page: &str) {
    // If its reader has closed it, the page is lost.
    let _ = std::io::stderr().lock().write_all(inert(page).as_bytes());
}

/// Writes lines of JSON to standard output; `false` as in [`print()`].
pub(crate) fn print_json(lines: &str) -> Result<bool, Blame> {
    write(&inert_json(lines))
}

/// Writes bytes that have no text of others, such as a script made from the declarations of the command
/// line, as they are; `false` as in [`print()`].
pub(crate) fn print_own(bytes: &[u8]) -> Result<bool, Blame> {
    write_bytes(bytes)
}

fn write(text: &str) -> Result<bool, Blame> {
    write_bytes(text.as_bytes())
}

fn write_bytes(bytes: &[u8]) -> Result<bool, Blame> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output").usage(),
    }
}

/// Writes a message to standard error, without secrets. If its reader has closed it, the message is lost.
pub(crate) fn say(message: impl Display) {
    let message = secrets::text(&message.to_string());
    let _ = writeln!(std::io::stderr().lock(), "{}", bounded(&inert(&message)));
}

fn bounded(text: &str) -> String {
    let line = |line: &str| match line.char_indices().nth(LINE) {
        None => line.to_owned(),
        Some((at, _)) => format!("{}… ({} more)", &line[..at], line[at..].chars().count()),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Writes commands of GitHub Actions to standard error: the only lines that a CI system shall obey.
/// `sseproof_report::ci::github` has made the text of others in them inert, and has escaped it.
pub(crate) fn commands(lines: &[String]) {
    let mut out = std::io::stderr().lock();
    for line in lines {
        // If its reader has closed it, the annotation is lost.
        let _ = writeln!(out, "{line}");
    }
}

/// Writes the help that the arguments ask for, or why they are wrong.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let (is_wrong, text) = (error.use_stderr(), error.render());
    let choice = match is_wrong {
        true => AutoStream::choice(&std::io::stderr()),
        false => AutoStream::choice(&std::io::stdout()),
    };
    let redacted = |text: String| if is_wrong { secrets::text(&text) } else { text };
    let text = match choice {
        ColorChoice::Never => inert(&redacted(text.to_string())),
        _ => inert_except_colour(&redacted(text.ansi().to_string())),
    };
    // If the reader has closed it, the text is lost.
    let _ = match is_wrong {
        true => std::io::stderr().lock().write_all(text.as_bytes()),
        false => std::io::stdout().lock().write_all(text.as_bytes()),
    };
    u8::try_from(error.exit_code()).map_or(Exit::Usage.into(), ExitCode::from)
}

/// The width of standard output, if it is a terminal.
pub(crate) fn width() -> Option<usize> {
    std::io::stdout().is_terminal().then(columns)
}

pub(crate) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
}

/// Whether the line of the progress can be replaced.
pub(crate) fn shows_progress() -> bool {
    std::io::stderr().is_terminal()
}

/// Replaces the line of the progress, on a terminal, and writes the lines `above` it.
pub(crate) fn progress(above: &[String], line: &str) {
    if shows_progress() {
        let above: String = above.iter().map(|line| format!("{}\n", inert(line))).collect();
        let mut out = std::io::stderr().lock();
        // A terminal that cannot be written to only loses the progress.
        let _ = write!(out, "\r\x1b[K{above}{}", inert(line)).and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_no_endless_line() {
        assert_eq!(bounded("a\nb"), "a\nb");
        let text = bounded(&format!("a\n{}", "é".repeat(LINE + 2)));
        assert!(text.starts_with("a\né") && text.ends_with("é… (2 more)"));
    }
}
