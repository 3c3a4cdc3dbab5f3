//! A server of HTTP/2, built on the library; its path selects the behaviour.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) connections: Vec<u64>,
    pub(crate) sent: Vec<usize>,
    pub(crate) resets: Vec<Reason>,
    pub(crate) closed: u64,
    pub(crate) last: Option<(Request<()>, Vec<u8>)>,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Observed>>,
}

impl Server {
    /// It permits so many streams on a connection, and sends GOAWAY after so many requests.
    pub(crate) async fn start(permitted: Option<u32>, goaway_after: Option<u64>) -> Self {
        Self::over(permitted, goaway_after, None).await
    }

    pub(crate) async fn over_tls(config: Arc<ServerConfig>) -> Self {
        Self::over(None, None, Some(TlsAcceptor::from(config))).await
    }

    async fn over(
        permitted: Option<u32>,
        goaway_after: Option<u64>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let seen = Arc::<Mutex<Observed>>::default();
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        return connection(stream, permitted, goaway_after, shared).await;
                    };
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, permitted, goaway_after, shared).await;
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn connections(&self) -> Vec<u64> {
        let mut connections = self.seen.lock().expect("what it has seen").connections.clone();
        connections.sort_unstable();
        connections
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    permitted: Option<u32>,
    goaway_after: Option<u64>,
    seen: Arc<Mutex<Observed>>,
) {
    let mut builder = h2::server::Builder::new();
    if let Some(permitted) = permitted {
        builder.max_concurrent_streams(permitted);
    }
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    let number = {
        let mut seen = seen.lock().expect("what it has seen");
        seen.connections.push(0);
        seen.connections.len() - 1
    };
    let mut requests = 0;
    while let Some(Ok((request, response))) = connection.accept().await {
        requests += 1;
        seen.lock().expect("what it has seen").connections[number] += 1;
        tokio::spawn(answer(request, response, Arc::clone(&seen)));
        if Some(requests) == goaway_after {
            connection.graceful_shutdown();
        }
    }
    seen.lock().expect("what it has seen").closed += 1;
}

async fn answer(
    request: Request<RecvStream>,
    mut response: SendResponse<Bytes>,
    seen: Arc<Mutex<Observed>>,
) {
    let (parts, mut content) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let mut body = Vec::new();
    while let Some(Ok(data)) = content.data().await {
        let _ = content.flow_control().release_capacity(data.len());
        body.extend_from_slice(&data);
    }
    seen.lock().expect("what it has seen").last = Some((Request::from_parts(parts, ()), body));
    let head = Response::builder().header("content-type", "text/event-stream; charset=utf-8");
    let head = head.body(()).expect("response headers");
    if path == "/refused" {
        return response.send_reset(Reason::REFUSED_STREAM);
    }
    let Ok(mut stream) = response.send_response(head, false) else { return };
    let number = {
        let mut seen = seen.lock().expect("what it has seen");
        seen.sent.push(0);
        seen.sent.len() - 1
    };
    let send = async |stream: &mut SendStream<Bytes>, n: u64, pad: usize| {
        let data =
            Bytes::from(format!("id: {n}\ndata: {{\"at\":1,\"n\":{n}}}{}\n\n", " ".repeat(pad)));
        let sent = write(stream, data, |sent| {
            seen.lock().expect("what it has seen").sent[number] += sent;
        });
        if let Err(Some(reason)) = sent.await {
            seen.lock().expect("what it has seen").resets.push(reason);
        }
    };
    match path.as_str() {
        // Twenty events, and a proper end.
        "/twenty" => {
            for n in 0..20 {
                send(&mut stream, n, 0).await;
                sleep(Duration::from_millis(5)).await;
            }
            let _ = stream.send_data(Bytes::new(), true);
        }
        // One event, and a reset.
        "/reset" => {
            send(&mut stream, 0, 0).await;
            sleep(Duration::from_millis(50)).await;
            stream.send_reset(Reason::INTERNAL_ERROR);
        }
        // More than any window holds.
        "/much" => {
            for n in 0..200 {
                send(&mut stream, n, 4000).await;
            }
            let _ = stream.send_data(Bytes::new(), true);
        }
        // One event, and then nothing.
        _ => {
            send(&mut stream, 0, 0).await;
            let reset = std::future::poll_fn(|context| stream.poll_reset(context)).await;
            if let Ok(reason) = reset {
                seen.lock().expect("what it has seen").resets.push(reason);
            }
        }
    }
}

/// Writes as the client's windows allow; the reason if it resets the stream.
async fn write(
    stream: &mut SendStream<Bytes>,
    mut data: Bytes,
    mut sent: impl FnMut(usize),
) -> Result<(), Option<Reason>> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await;
        let room = match room {
            Some(Ok(room)) => room.min(data.len()),
            Some(Err(error)) => return Err(error.reason()),
            None => return Err(None),
        };
        stream.send_data(data.split_to(room), false).map_err(|error| error.reason())?;
        sent(room);
    }
    Ok(())
}
