//! The server that a run has started, and can restart.

use std::time::Duration;

use sseproof_files::{Server, ServerFuture, StartHook, StopHook, Termination};
use sseproof_net::ConnectionOptions;
use tokio::sync::{Mutex, MutexGuard};

use crate::started::{Started, port_of, wait_for};

/// How long a server that sseproof starts may take to be ready.
pub(crate) const START_WAIT: Duration = Duration::from_secs(10);

pub(crate) struct Running {
    url: String,
    start: StartHook,
    stop: Option<StopHook>,
    within: Duration,
    connection: ConnectionOptions,
    started: Mutex<Option<Started>>,
}

impl Running {
    pub(crate) fn new(
        url: String,
        start: StartHook,
        stop: Option<StopHook>,
        within: Duration,
        connection: ConnectionOptions,
    ) -> anyhow::Result<Self> {
        let started = Mutex::new(Some(Started::new(&start.command, &start.ready)?));
        Ok(Self { url, start, stop, within, connection, started })
    }

    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        let mut started = self.started.lock().await;
        wait_for(&self.url, &self.start.ready, self.within, started.as_mut(), &self.connection)
            .await
    }

    /// How it ended; `None` while it runs.
    pub(crate) async fn ended(&self) -> anyhow::Result<Option<String>> {
        match self.started.lock().await.as_mut() {
            Some(started) => started.ended().await,
            None => Ok(None),
        }
    }

    pub(crate) async fn stop(&self) {
        let mut started = self.started.lock().await;
        self.stopped(&mut started).await;
    }

    async fn stopped(&self, started: &mut MutexGuard<'_, Option<Started>>) {
        if let Some(started) = started.take() {
            started.stop(self.stop.as_ref()).await;
        }
    }

    async fn again(&self) -> anyhow::Result<()> {
        let mut started = self.started.lock().await;
        self.stopped(&mut started).await;
        let again = started.insert(Started::new(&self.start.command, &self.start.ready)?);
        let within = self.within;
        let ready =
            wait_for(&self.url, &self.start.ready, within, Some(again), &self.connection).await;
        if ready.is_err() {
            // The caller reports why; that it ended is then not news.
            self.stopped(&mut started).await;
        }
        ready
    }
}

impl Server for Running {
    fn restart(&self) -> ServerFuture<'_, ()> {
        Box::pin(async move { self.again().await.map_err(|error| format!("{error:#}")) })
    }

    fn terminate(&self, within: Duration) -> ServerFuture<'_, Termination> {
        Box::pin(async move {
            let mut started = self.started.lock().await;
            let Some(mut running) = started.take() else {
                return Err("it does not run".to_owned());
            };
            let port = port_of(&self.url, &self.connection);
            let ended = running.terminate(self.stop.as_ref(), port, within).await;
            running.kill().await;
            ended.map_err(|error| format!("{error:#}"))
        })
    }
}
