//! Metrics of a running load, for Prometheus.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use sseproof_load_model::{Interval, Transport};
use sseproof_net::Lab;
use sseproof_record::Plan;
use sseproof_report::load::prometheus::{Live, render};
use tokio::net::TcpListener;

use crate::exit::{Blame, Blamed as _};

#[derive(Clone, Default)]
pub(super) struct Prometheus {
    text: Arc<Mutex<String>>,
}

impl Prometheus {
    /// Serves the page until the program ends.
    pub(super) async fn listen(address: SocketAddr) -> Result<Self, Blame> {
        let page = Self::default();
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} for --prometheus"))
            .usage()?;
        let address = listener.local_addr().context("get the port")?;
        eprintln!("metrics are at http://{address}/metrics");
        let text = Arc::clone(&page.text);
        let lab = Lab::new(move |_| {
            let text = text.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Plan::answer(200, "text/plain; version=0.0.4", text.into_bytes())
        });
        tokio::spawn(async move {
            // A listener that fails ends the page, not the run.
            let _ = lab.listen(listener).await;
        });
        Ok(page)
    }

    /// Shows the last interval, and the total of all.
    pub(super) fn show(&self, transport: Transport, last: &Interval, total: &Interval) {
        let text = render(&[Live { transport, last, total }]);
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}
