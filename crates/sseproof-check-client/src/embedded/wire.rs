//! The connection of one request: over TCP or TLS, in HTTP/1.1 or HTTP/2.

use sseproof_client_rules::{Hooks, Mistrust, State};
use sseproof_http::http1::{self, Progress, Reader, Start};
use sseproof_http::http2::{Client, Over, Part as Frame};
use sseproof_http::{Bytes, Headers, Request};
use sseproof_net::{
    Dial, ReceiveBuffer, Refused, Secured, Socket, Tls, TlsOptions, Untrusted, Written, written,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A part of the response.
pub(super) enum Part {
    Head {
        status: u16,
        headers: Headers,
    },
    Body(Vec<u8>),
    End,
    /// It is not valid HTTP.
    Invalid,
    /// The server gives it up.
    Cut(String),
}

pub(super) struct Wire {
    socket: Box<dyn Socket>,
    http: Http,
}

enum Http {
    One(Reader),
    Two { client: Box<Client>, stream: u32 },
}

/// Why there is no connection.
pub(super) enum Failed {
    /// The request cannot be written.
    Request(String),
    Unreachable(String),
}

/// The settings of connections.
pub(super) struct Dialler<'a> {
    pub(super) hooks: Hooks,
    pub(super) dial: &'a dyn Dial,
    pub(super) tls: &'a Tls,
}

impl Dialler<'_> {
    /// Connects, and sends the request.
    pub(super) async fn open(&self, state: &State, request: &Request) -> Result<Wire, Failed> {
        let written = written(request).map_err(|error| Failed::Request(error.to_string()))?;
        self.send(state, request, &written).await.map_err(Failed::Unreachable)
    }

    async fn send(
        &self,
        state: &State,
        request: &Request,
        written: &Written,
    ) -> Result<Wire, String> {
        let mut socket: Box<dyn Socket> = match written.secure {
            false => self.dialled(written).await?,
            true => {
                let secured = self.secured(state, written).await?;
                if secured.alpn().as_deref() == Some("h2") {
                    let mut client = Box::new(Client::new(None));
                    let stream = client.ask(&written.block, request.body.clone(), false);
                    let http = Http::Two { client, stream };
                    let mut wire = Wire { socket: Box::new(secured), http };
                    wire.flush().await.map_err(|error| error.to_string())?;
                    return Ok(wire);
                }
                Box::new(secured)
            }
        };
        socket.write_all(&written.bytes).await.map_err(|error| error.to_string())?;
        Ok(Wire { socket, http: Http::One(Reader::response(&request.method)) })
    }

    async fn dialled(&self, written: &Written) -> Result<Box<dyn Socket>, String> {
        let dialled = self.dial.dial(&written.host, written.port, ReceiveBuffer::Usual).await;
        dialled.map(|dialled| dialled.socket).map_err(|error| error.to_string())
    }

    async fn secured(&self, state: &State, written: &Written) -> Result<Secured, String> {
        let refused = match self.shaken(self.tls, written).await? {
            Ok(secured) => return Ok(secured),
            Err(refused) => refused,
        };
        let fault = match refused.untrusted {
            Some(Untrusted::Issuer) => Mistrust::UnknownIssuer,
            Some(Untrusted::Expired) => Mistrust::Expired,
            Some(Untrusted::Name) => Mistrust::OtherName,
            None => Mistrust::Other,
        };
        if !(self.hooks.trusts)(state, fault) {
            return Err(refused.message);
        }
        let any = TlsOptions { insecure: true, ..TlsOptions::default() };
        let any = Tls::new(any).map_err(|error| error.to_string())?;
        self.shaken(&any, written).await?.map_err(|refused| refused.message)
    }

    async fn shaken(
        &self,
        tls: &Tls,
        written: &Written,
    ) -> Result<Result<Secured, Refused>, String> {
        let socket = self.dialled(written).await?;
        Ok(tls.secured(&written.host, socket, &["h2", "http/1.1"]).await)
    }
}

impl Wire {
    pub(super) fn is_http2(&self) -> bool {
        matches!(self.http, Http::Two { .. })
    }

    /// Reads once; empty at the end of the connection.
    pub(super) async fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(16 << 10);
        self.socket.read_buf(&mut bytes).await?;
        Ok(bytes)
    }

    /// The parts that these bytes bring.
    pub(super) async fn parts(&mut self, mut bytes: &[u8]) -> Vec<Part> {
        let mut parts = Vec::new();
        match &mut self.http {
            Http::One(reader) => {
                while let Some(part) = reader.next(&mut bytes) {
                    parts.extend(of_http1(part));
                }
            }
            Http::Two { client, stream } => {
                client.feed(&Bytes::from(bytes.to_vec()));
                loop {
                    match client.part() {
                        Ok(Some((id, part))) => {
                            if let Frame::Data { spent, .. } = part {
                                client.read(id, spent);
                            }
                            parts.extend((id == *stream).then(|| of_http2(part)));
                        }
                        Ok(None) => break,
                        Err(_) => {
                            parts.push(Part::Invalid);
                            break;
                        }
                    }
                }
            }
        }
        // An error is seen by the next read.
        let _ = self.flush().await;
        parts
    }

    /// Whether the end of the connection is that of the response.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(&self.http, Http::One(reader) if reader.progress() == Progress::UntilClose)
    }

    /// The end of the connection, in words.
    pub(super) fn ending(&self) -> &'static str {
        match &self.http {
            Http::Two { client, .. } if client.gone().is_some() => {
                "the connection was closed after GOAWAY"
            }
            _ => "the response is cut",
        }
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        if let Http::Two { client, .. } = &mut self.http {
            let out = client.out().to_vec();
            self.socket.write_all(&out).await?;
            self.socket.flush().await?;
            client.wrote(out.len());
        }
        Ok(())
    }
}

fn of_http1(part: http1::Part<'_>) -> Option<Part> {
    Some(match part {
        http1::Part::Head(head) => {
            let Start::Response { status, .. } = head.start else { return None };
            Part::Head { status, headers: head.headers }
        }
        http1::Part::Body(bytes) => Part::Body(bytes.to_vec()),
        http1::Part::End => Part::End,
        http1::Part::Flaw(flaw) if flaw.is_fatal() => Part::Invalid,
        http1::Part::Flaw(_) | http1::Part::After(_) => return None,
    })
}

fn of_http2(part: Frame) -> Part {
    match part {
        Frame::Head { status, headers } => Part::Head { status, headers },
        Frame::Data { content, .. } => Part::Body(content.to_vec()),
        Frame::Over(Over::Complete) => Part::End,
        Frame::Over(Over::Reset(code)) => Part::Cut(format!("RST_STREAM with code {code}")),
        Frame::Over(Over::GoneAway(code)) => Part::Cut(format!("GOAWAY with code {code}")),
        Frame::Over(Over::Malformed(_)) => Part::Invalid,
    }
}
