//! Signals to stop: Ctrl-C, a cancelled CI job, or a closed terminal.

/// Completes on SIGINT, SIGTERM or SIGHUP.
///
/// If no handler can be installed, a signal ends the program at once, as it does by default.
pub(crate) async fn interrupted() {
    tokio::select! {
        () = ctrl_c() => {}
        () = ended_by_unix() => {}
    }
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A CI server cancels a job by SIGTERM, and a terminal that closes sends SIGHUP; the processes that
/// sseproof started must then end too.
#[cfg(unix)]
async fn ended_by_unix() {
    use tokio::signal::unix::{SignalKind, signal};
    let one = async |kind| match signal(kind) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = one(SignalKind::terminate()) => {}
        () = one(SignalKind::hangup()) => {}
    }
}

#[cfg(not(unix))]
async fn ended_by_unix() {
    std::future::pending().await
}
