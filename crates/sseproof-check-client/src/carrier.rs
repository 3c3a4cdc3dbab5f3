//! Whatever brings commands to a client and its calls back.

use std::future::Future;
use std::pin::Pin;

use sseproof_client_rules::{Call, Command, Hello};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that a carrier heard, and when.
#[derive(Clone, Debug)]
pub enum Notice {
    Call {
        at: Instant,
        id: u64,
        call: Call,
    },
    /// The client cannot be used any more: it ended, or wrote something else than messages.
    Died(String),
}

/// Why the memory of some clients cannot be read.
pub(crate) const NO_PROCESS: &str = "the client has no process of its own";

pub trait Carrier: Send {
    /// Starts the client, also after it has died; what it says goes to `out` from then on.
    fn start(&mut self, out: UnboundedSender<Notice>) -> BoxFuture<'_, Result<Hello, StartError>>;

    /// Passes on a command; a client that is gone says so by itself.
    fn send(&mut self, command: Command);

    /// Whether `start` begins with a new process.
    fn starts_anew(&self) -> bool {
        true
    }

    /// Ends the client after the last case.
    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// The id of the client's process, if it is one of its own.
    fn process(&self) -> Option<u32> {
        None
    }

    /// The private memory of that process and of those that it has started, in bytes.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn memory(&self) -> Result<u64, String> {
        let process = self.process().ok_or(NO_PROCESS)?;
        sseproof_net::group_memory(process)
    }

    /// The end of its standard error.
    fn stderr(&self) -> String {
        String::new()
    }
}

/// Why a client could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    #[error("cannot start {program}: {error}")]
    Spawn { program: String, error: String },
    #[error("the adapter wrote no `hello` within {0:?}")]
    Silent(std::time::Duration),
    #[error("the adapter ended before its `hello`: {0}")]
    Ended(String),
    #[error("the first line of the adapter is not a `hello`: {why}: {line}")]
    NotHello { line: String, why: String },
    #[error("{0}")]
    Unreachable(String),
}
