//! The server that a run has started, and can restart.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sseproof_files::{Server, StartHook, StopHook};
use sseproof_net::ConnectionOptions;
use tokio::sync::{Mutex, MutexGuard};

use crate::started::{Started, wait_for};

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
}

impl Server for Running {
    fn restart(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move {
            let mut started = self.started.lock().await;
            self.stopped(&mut started).await;
            let again = Started::new(&self.start.command, &self.start.ready);
            *started = Some(again.map_err(|error| format!("{error:#}"))?);
            wait_for(&self.url, &self.start.ready, self.within, started.as_mut(), &self.connection)
                .await
                .map_err(|error| format!("{error:#}"))
        })
    }
}
