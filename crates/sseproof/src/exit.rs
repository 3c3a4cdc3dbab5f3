//! All exit codes.
//!
//! Interrupted (130) is separate, because a CI server must not read Ctrl-C as a broken requirement.
//! A server with another response than a stream is judged (1); only a server that cannot be reached
//! is 3.

use std::fmt;
use std::process::ExitCode;

/// The same for the help text.
pub(crate) const HELP: &str = include_str!("help/exit-codes.txt").trim_ascii_end();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Held = 0,
    /// A requirement, a scenario or a threshold is broken, or the run is inconclusive.
    Broken = 1,
    /// Wrong usage, a file that does not parse, or one that cannot be written. clap uses this code
    /// too.
    Usage = 2,
    /// The target could not be reached, or the server to be started did not start.
    Unreachable = 3,
    Fault = 4,
    /// Ended by Ctrl-C with no failure until then (128 + SIGINT, as shells have it).
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[derive(Debug)]
pub(crate) struct Blame {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The alternate form also shows the causes, each after a colon.
        write!(f, "{:#}", self.error)
    }
}

pub(crate) trait Blamed<T> {
    /// Wrong usage, or a file that does not parse.
    fn usage(self) -> Result<T, Blame>;
    /// A target that cannot be reached, or does not start.
    fn unreachable(self) -> Result<T, Blame>;
}

impl<T, E: Into<anyhow::Error>> Blamed<T> for Result<T, E> {
    fn usage(self) -> Result<T, Blame> {
        self.map_err(|error| Blame { exit: Exit::Usage, error: error.into() })
    }

    fn unreachable(self) -> Result<T, Blame> {
        self.map_err(|error| Blame { exit: Exit::Unreachable, error: error.into() })
    }
}

/// An error without an exit code is a bug in sseproof.
impl From<anyhow::Error> for Blame {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Fault, error }
    }
}
