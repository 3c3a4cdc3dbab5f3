//! The target of the load, and the request of each client.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use sseproof_load_model::Transport;
use sseproof_net::{ConnectionOptions, Proxy};
use url::{Host, Url};

use crate::wire::permessage;

/// A text, the same or different for each client.
#[derive(Clone)]
pub enum PerClient {
    Same(String),
    Made(Arc<dyn Fn(u64) -> String + Send + Sync>),
}

impl PerClient {
    pub fn of(&self, number: u64) -> String {
        match self {
            Self::Same(text) => text.clone(),
            Self::Made(make) => make(number),
        }
    }
}

impl fmt::Debug for PerClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of(0).fmt(formatter)
    }
}

/// How connections reach the server.
#[derive(Clone, Debug, Default)]
pub enum Route {
    #[default]
    Direct,
    /// A unix socket, in place of the host and port.
    Unix(PathBuf),
    /// Event streams over HTTP/1.1 without TLS go to the proxy in absolute form, everything else
    /// through a tunnel (CONNECT).
    Proxy(Proxy),
}

impl Route {
    /// The route to the host and port of this URL.
    pub fn of(options: &ConnectionOptions, url: &Url) -> Self {
        let (host, port) = (url.host_str().unwrap_or_default(), port(url));
        if let Some(path) = options.unix.as_ref().and_then(|unix| unix.for_host(host, port)) {
            return Self::Unix(path.to_owned());
        }
        let proxy = options.proxies.on_the_way(is_secure(url), host, port);
        proxy.map_or(Self::Direct, Self::Proxy)
    }
}

/// The port of a URL with a known scheme.
fn port(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or(80)
}

fn is_secure(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "wss")
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

#[derive(Clone, Debug)]
pub struct Target {
    /// The URL of the first client: `http`, `https`, `ws` or `wss`.
    pub url: Url,
    pub path: PerClient,
    pub transport: Transport,
    pub method: String,
    pub headers: Vec<(String, PerClient)>,
    pub body: Option<PerClient>,
    pub route: Route,
    /// The addresses of the server, or of the proxy on the way; none of a unix socket.
    pub addresses: Vec<SocketAddr>,
    /// Source addresses, taken in turn; the system chooses if there are none.
    pub bind: Vec<IpAddr>,
    pub tls: Option<Arc<ClientConfig>>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    #[error("`{0}` is not a scheme of a stream; write http, https, ws or wss")]
    Scheme(String),
    #[error("the URL has no host")]
    Host,
    #[error("resolve {host}: {message}")]
    Address { host: String, message: String },
}

impl Target {
    /// A target with `GET`, to which connections are direct; resolves its host.
    ///
    /// # Errors
    /// [`TargetError`] if the URL is not valid for a stream, or its host has no address.
    pub async fn new(url: Url, tls: Option<Arc<ClientConfig>>) -> Result<Self, TargetError> {
        Self::through(url, tls, Route::Direct).await
    }

    /// A target with `GET`; resolves the host to connect to, which may be that of a proxy.
    ///
    /// # Errors
    /// [`TargetError`] if the URL is not valid for a stream, or that host has no address.
    pub async fn through(
        url: Url,
        tls: Option<Arc<ClientConfig>>,
        route: Route,
    ) -> Result<Self, TargetError> {
        let transport = match url.scheme() {
            "http" | "https" => Transport::Sse,
            "ws" | "wss" => Transport::WebSocket,
            other => return Err(TargetError::Scheme(other.to_owned())),
        };
        let host = url.host_str().ok_or(TargetError::Host)?;
        let addresses = match &route {
            Route::Direct => addresses(host, port(&url)).await?,
            Route::Unix(_) => Vec::new(),
            Route::Proxy(proxy) => addresses(&proxy.host, proxy.port).await?,
        };
        let path = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        Ok(Self {
            url,
            path: PerClient::Same(path),
            transport,
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: None,
            route,
            addresses,
            bind: Vec::new(),
            tls,
        })
    }

    pub fn is_secure(&self) -> bool {
        is_secure(&self.url)
    }

    /// Whether the server is on this machine, and so has our clock and shares our processors: each of
    /// its addresses is one that a socket of ours can have. A proxy here may have a server elsewhere,
    /// unless it is asked for one at a loopback address.
    pub fn is_local(&self) -> bool {
        let is_loopback = match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if matches!(self.route, Route::Proxy(_)) && !is_loopback {
            return false;
        }
        let is_ours = |address: &SocketAddr| {
            let ip = address.ip();
            ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok()
        };
        self.addresses.iter().all(is_ours)
    }

    pub fn name(&self) -> Option<ServerName<'static>> {
        ServerName::try_from(bare(self.url.host_str()?).to_owned()).ok()
    }

    /// The proxy, if requests go to it in absolute form.
    pub fn asked_proxy(&self) -> Option<&Proxy> {
        match &self.route {
            Route::Proxy(proxy) if !self.is_secure() && self.transport == Transport::Sse => {
                Some(proxy)
            }
            _ => None,
        }
    }

    /// The host and port of the server, and the proxy that opens a tunnel to it, if one is needed.
    pub(crate) fn tunnel(&self, is_http2: bool) -> Option<(&str, u16, &Proxy)> {
        let Route::Proxy(proxy) = &self.route else { return None };
        let is_asked = self.asked_proxy().is_some() && !is_http2;
        let host = self.url.host_str().unwrap_or_default();
        (!is_asked).then(|| (host, port(&self.url), proxy))
    }

    /// The port that clients connect to; `None` of a unix socket.
    pub fn port(&self) -> Option<u16> {
        self.addresses.first().map(SocketAddr::port)
    }

    fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The host and the port of requests: the `Host` of the client, if it has one.
    fn host(&self, client: u64) -> String {
        let own = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        own.map_or_else(|| self.authority(), |(_, host)| host.of(client))
    }

    /// The request of that client in HTTP/1.1, and the key of its opening handshake.
    pub(crate) fn request(
        &self,
        client: u64,
        last_event_id: &str,
        compress: bool,
    ) -> (Vec<u8>, Option<String>) {
        use std::fmt::Write as _;

        let (path, host) = (self.path.of(client), self.host(client));
        let proxy = self.asked_proxy();
        let origin = proxy.map_or_else(String::new, |_| format!("http://{}", self.authority()));
        let mut head = format!("{} {origin}{path} HTTP/1.1\r\nHost: {host}\r\n", self.method);
        let body = self.body.as_ref().map(|body| body.of(client));
        let key = self.fields(client, last_event_id, compress, body.as_deref(), |name, value| {
            // Writing to a text does not fail.
            let _ = write!(head, "{name}: {value}\r\n");
        });
        let mut bytes = head.into_bytes();
        if let Some(value) = proxy.and_then(|proxy| proxy.authorization.as_ref()) {
            bytes.extend_from_slice(b"Proxy-Authorization: ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.unwrap_or_default().as_bytes());
        (bytes, key)
    }

    /// The request of that client in HTTP/2, and its body.
    ///
    /// # Errors
    /// The part that HTTP/2 cannot carry.
    pub(crate) fn request2(
        &self,
        client: u64,
        last_event_id: &str,
        compress: bool,
    ) -> Result<(http::Request<()>, Option<Bytes>), http::Error> {
        let scheme = if self.is_secure() { "https" } else { "http" };
        let uri = http::Uri::builder().scheme(scheme).authority(self.host(client));
        let uri = uri.path_and_query(self.path.of(client)).build()?;
        let mut request = http::Request::builder()
            .version(http::Version::HTTP_2)
            .method(self.method.as_str())
            .uri(uri);
        let body = self.body.as_ref().map(|body| body.of(client));
        self.fields(client, last_event_id, compress, body.as_deref(), |name, value| {
            // Its builder keeps the first error, and returns it in the end.
            request = std::mem::take(&mut request).header(name, value.as_bytes());
        });
        Ok((request.body(())?, body.map(Bytes::from)))
    }

    /// Calls `each` with every header field but `Host`, including the key of the opening handshake.
    fn fields(
        &self,
        client: u64,
        last_event_id: &str,
        compress: bool,
        body: Option<&str>,
        mut line: impl FnMut(&str, &str),
    ) -> Option<String> {
        let has = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut key = None;
        match self.transport {
            Transport::Sse => {
                if !has("accept") {
                    line("Accept", "text/event-stream");
                }
                if !has("cache-control") {
                    line("Cache-Control", "no-cache");
                }
                if compress && !has("accept-encoding") {
                    line("Accept-Encoding", "gzip");
                }
                if !last_event_id.is_empty() && !has("last-event-id") {
                    line("Last-Event-ID", last_event_id);
                }
            }
            Transport::WebSocket => {
                let made = tungstenite::handshake::client::generate_key();
                line("Upgrade", "websocket");
                line("Connection", "Upgrade");
                line("Sec-WebSocket-Version", "13");
                line("Sec-WebSocket-Key", &made);
                if compress && !has("sec-websocket-extensions") {
                    line("Sec-WebSocket-Extensions", permessage::OFFER);
                }
                key = Some(made);
            }
        }
        if !has("user-agent") {
            line("User-Agent", concat!("sseproof/", env!("CARGO_PKG_VERSION")));
        }
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("host") {
                line(name, &value.of(client));
            }
        }
        if let Some(body) = body {
            if !has("content-type") {
                line("Content-Type", "application/json");
            }
            line("Content-Length", &body.len().to_string());
        }
        key
    }
}

async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, TargetError> {
    let fault = |message: String| TargetError::Address { host: host.to_owned(), message };
    let found = tokio::net::lookup_host((bare(host), port)).await;
    let addresses: Vec<_> = found.map_err(|error| fault(error.to_string()))?.collect();
    if addresses.is_empty() { Err(fault("it has none".to_owned())) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use sseproof_net::{Proxies, UnixSocket};

    use super::*;

    async fn target(url: &str) -> Target {
        Target::new(Url::parse(url).unwrap(), None).await.unwrap()
    }

    #[tokio::test]
    async fn each_client_asks_with_its_own_number() {
        let mut target = target("http://127.0.0.1:81/events").await;
        target.path = PerClient::Made(Arc::new(|n| format!("/events?user={n}")));
        let token = PerClient::Made(Arc::new(|n| format!("Bearer t{n}")));
        target.headers = vec![("Authorization".to_owned(), token)];
        let (bytes, key) = target.request(12, "é4", false);
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            format!(
                "GET /events?user=12 HTTP/1.1\r\nHost: 127.0.0.1:81\r\nAccept: text/event-stream\r\n\
                 Cache-Control: no-cache\r\nLast-Event-ID: é4\r\nUser-Agent: sseproof/{}\r\n\
                 Authorization: Bearer t12\r\n\r\n",
                env!("CARGO_PKG_VERSION")
            )
        );
        assert_eq!(key, None);
    }

    #[tokio::test]
    async fn a_websocket_opens_with_a_key() {
        let target = target("ws://localhost/ws").await;
        let (bytes, key) = target.request(0, "", false);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("\r\nUpgrade: websocket\r\n"), "{text}");
        assert!(text.contains(&format!("Sec-WebSocket-Key: {}\r\n", key.unwrap())), "{text}");
    }

    #[tokio::test]
    async fn compression_is_offered_once() {
        for (url, offer) in [
            ("http://localhost/", "Accept-Encoding: gzip\r\n"),
            (
                "ws://localhost/",
                "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
            ),
        ] {
            let mut target = target(url).await;
            let said = |target: &Target, compress| {
                String::from_utf8(target.request(0, "", compress).0).unwrap()
            };
            assert!(said(&target, true).contains(offer), "{url}");
            assert!(!said(&target, false).contains(offer), "{url}");
            let (name, _) = offer.split_once(':').unwrap();
            target.headers = vec![(name.to_lowercase(), PerClient::Same("own".to_owned()))];
            assert_eq!(said(&target, true).matches("own").count(), 1);
            assert!(!said(&target, true).contains(offer), "{url}");
        }
    }

    #[tokio::test]
    async fn a_server_here_is_distinguished_from_one_elsewhere() {
        for (url, is_local) in [
            ("http://127.0.0.1/", true),
            ("http://127.0.0.9:81/", true),
            ("http://[::1]/", true),
            // Of a network for documentation: no machine has such an address.
            ("http://203.0.113.7/", false),
        ] {
            assert_eq!(target(url).await.is_local(), is_local, "{url}");
        }
    }

    /// The target of a URL, if all connections are made with these options.
    async fn routed(url: &str, options: &ConnectionOptions) -> Target {
        let url = Url::parse(url).unwrap();
        let route = Route::of(options, &url);
        Target::through(url, None, route).await.unwrap()
    }

    #[tokio::test]
    async fn a_proxy_gets_the_whole_url_or_opens_a_tunnel() {
        let proxies = Proxies::always("http://a:b@127.0.0.1:3128").unwrap();
        let options = ConnectionOptions { proxies, ..ConnectionOptions::default() };
        // The proxy resolves the name.
        let plain = routed("http://elsewhere.invalid:81/events", &options).await;
        let request = String::from_utf8(plain.request(0, "", false).0).unwrap();
        assert!(request.starts_with("GET http://elsewhere.invalid:81/events HTTP/1.1\r\n"));
        assert!(request.ends_with("\r\nProxy-Authorization: Basic YTpi\r\n\r\n"), "{request}");
        assert_eq!((plain.port(), plain.is_local()), (Some(3128), false));
        assert!(plain.tunnel(false).is_none());
        let through = |target: &Target, is_http2| {
            target.tunnel(is_http2).map(|(host, port, _)| (host.to_owned(), port))
        };
        assert_eq!(through(&plain, true), Some(("elsewhere.invalid".to_owned(), 81)));
        for (url, port) in [("https://localhost/events", 443), ("ws://localhost/ws", 80)] {
            let target = routed(url, &options).await;
            assert_eq!(through(&target, false), Some(("localhost".to_owned(), port)));
            let request = String::from_utf8(target.request(0, "", false).0).unwrap();
            assert!(request.starts_with("GET /") && !request.contains("Proxy-"), "{request}");
            assert!(target.is_local());
        }
    }

    #[tokio::test]
    async fn a_unix_socket_replaces_one_host() {
        let unix = UnixSocket::of("/a.sock", "http://elsewhere.invalid/events").unwrap();
        let options = ConnectionOptions { unix: Some(unix), ..ConnectionOptions::default() };
        let target = routed("http://elsewhere.invalid/events", &options).await;
        assert!(matches!(&target.route, Route::Unix(path) if path.ends_with("a.sock")));
        assert!(target.is_local() && target.port().is_none());
        let other = routed("http://127.0.0.1:81/publish", &options).await;
        assert!(matches!(other.route, Route::Direct));
    }

    #[tokio::test]
    async fn what_is_no_stream_is_refused() {
        let error = Target::new(Url::parse("ftp://127.0.0.1/x").unwrap(), None).await.err();
        assert_eq!(error, Some(TargetError::Scheme("ftp".to_owned())));
    }
}
