//! The server that a run has started, and can restart.

use std::time::Duration;

use sseproof_files::{Readiness, Server, ServerFuture, StartHook, StopHook, Termination};
use sseproof_net::ConnectionOptions;
use tokio::sync::{Mutex, MutexGuard};

use crate::started::{Started, port_of, wait_for};

/// How long a server that sseproof starts may take to be ready.
pub(crate) const START_WAIT: Duration = Duration::from_secs(10);

pub(crate) struct Running {
    url: String,
    /// The stream through the proxy that is compared with the server.
    via: Option<String>,
    start: StartHook,
    stop: Option<StopHook>,
    within: Duration,
    connection: ConnectionOptions,
    started: Mutex<Option<Started>>,
}

impl Running {
    pub(crate) fn new(
        (url, via): (String, Option<String>),
        start: StartHook,
        stop: Option<StopHook>,
        within: Duration,
        connection: ConnectionOptions,
    ) -> anyhow::Result<Self> {
        let started = Mutex::new(Some(Started::new(&start.command, &start.ready)?));
        Ok(Self { url, via, start, stop, within, connection, started })
    }

    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        self.ready_as(self.started.lock().await.as_mut()).await
    }

    /// Waits for the server, and for the proxy, which its command may have started, too.
    async fn ready_as(&self, mut started: Option<&mut Started>) -> anyhow::Result<()> {
        let Self { url, via, start, within, connection, .. } = self;
        wait_for(url, &start.ready, *within, started.as_deref_mut(), connection).await?;
        match via {
            Some(via) => wait_for(via, &Readiness::Listening, *within, started, connection).await,
            None => Ok(()),
        }
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
        let ready = self.ready_as(Some(again)).await;
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
