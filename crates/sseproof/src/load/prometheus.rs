//! Metrics of a running load, for Prometheus.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sseproof_load_model::{Interval, Transport};
use sseproof_report::load::prometheus::{Live, render};
use tokio::net::TcpListener;

use crate::exit::{Blame, Blamed as _};
use crate::{screen, secrets};

#[derive(Clone, Default)]
pub(super) struct Prometheus {
    text: Arc<Mutex<String>>,
}

impl Prometheus {
    pub(super) async fn listen(address: SocketAddr) -> Result<Self, Blame> {
        let page = Self::default();
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} for --prometheus"))
            .usage()?;
        let address = listener.local_addr().context("get the port")?;
        screen::say(format_args!("metrics are at http://{address}/metrics"));
        tokio::spawn(page.clone().serve(listener));
        Ok(page)
    }

    /// A listener that fails ends the page, not the run.
    async fn serve(self, listener: TcpListener) {
        while let Ok((socket, _)) = listener.accept().await {
            let page = self.clone();
            let service = service_fn(move |_| {
                let response = page.response();
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(socket), service);
            // A scraper that disconnects early loses its own response only.
            tokio::spawn(async move {
                let _ = connection.await;
            });
        }
    }

    fn response(&self) -> Response<Full<Bytes>> {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut response = Response::new(Full::new(Bytes::from(text)));
        let text_format = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4");
        response.headers_mut().insert(CONTENT_TYPE, text_format);
        response
    }

    pub(super) fn show(&self, transport: Transport, last: &Interval, total: &Interval) {
        // The texts of errors may quote what a server sent.
        let text = secrets::text(&render(&[Live { transport, last, total }]));
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}
