//! Signals to stop: Ctrl-C, a cancelled CI job, or a closed terminal.
//!
//! The first one asks for an end, with what there is until then. A later one ends the program at once,
//! and with it the servers that it started.

use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::exit::Exit;
use crate::group;

static ASKED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));
/// A terminal that closes and its shell both send a signal: these are one.
const ONE: Duration = Duration::from_millis(500);

/// From now on, a signal does not end the program by itself: so this stands before the start of a
/// server that has to be stopped.
///
/// If no handler can be installed, a signal ends the program at once, as it does by default.
pub(crate) fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let Ok(mut signals) = Signals::new() else { return };
        tokio::spawn(async move {
            signals.next().await;
            let first = Instant::now();
            ASKED.send_replace(true);
            while first.elapsed() < ONE {
                signals.next().await;
            }
            group::kill_all();
            std::process::exit(Exit::Interrupted as i32);
        });
    });
}

/// Completes on SIGINT, SIGTERM or SIGHUP, also if it came before.
pub(crate) async fn interrupted() {
    begin();
    // It never fails: its sender is static.
    let _ = ASKED.subscribe().wait_for(|asked| *asked).await;
}

/// A CI server cancels a job by SIGTERM, and a terminal that closes sends SIGHUP.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
