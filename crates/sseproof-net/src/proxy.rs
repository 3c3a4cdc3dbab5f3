//! HTTP proxies on the way to a server, from `--proxy` or the environment.
//!
//! Proxies of the environment are never used for this machine, unlike in curl: a check of a local
//! server must not depend on the network, and a proxy elsewhere would reach another machine.
//! Plain HTTP goes to a proxy in absolute form, everything else through a tunnel (CONNECT), also
//! HTTP/2 without TLS. The CONNECT exchange is not part of a record.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use sseproof_http::http1::{Flaw, FlawKind, Part, Reader};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use url::{Host, Url};

const HEAD_BYTES: usize = 16 << 10;

#[derive(Clone, Default)]
pub struct Proxies {
    matcher: Option<Arc<Matcher>>,
    /// Whether it is also used for this machine.
    loopback: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It is not a URL, or one with an unsupported scheme.
    #[error("`{0}` is not a valid proxy URL; write one such as http://127.0.0.1:3128")]
    Unusable(String),
}

impl Proxies {
    /// The proxies that the environment names, as curl reads it: `http_proxy` (in lower case alone:
    /// a CGI script has what a client sends in `HTTP_PROXY`), `https_proxy`, `all_proxy` and
    /// `no_proxy`.
    ///
    /// # Errors
    /// [`ProxyError`] if a variable is not the URL of a proxy.
    pub fn of_environment(get: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let named = |name: &str| get(name).filter(|value| !value.is_empty());
        let either = |name: &str| {
            named(name).or_else(|| named(&name.to_ascii_uppercase())).unwrap_or_default()
        };
        let (all, https) = (either("all_proxy"), either("https_proxy"));
        let http = named("http_proxy").unwrap_or_default();
        for given in [&all, &https, &http] {
            usable(given)?;
        }
        if all.is_empty() && https.is_empty() && http.is_empty() {
            return Ok(Self::default());
        }
        let matcher =
            Matcher::builder().all(all).https(https).http(http).no(either("no_proxy")).build();
        Ok(Self { matcher: Some(Arc::new(matcher)), loopback: false })
    }

    /// One proxy for everything, also for this machine.
    ///
    /// # Errors
    /// [`ProxyError`] if it is not a URL of a proxy.
    pub fn always(proxy: &str) -> Result<Self, ProxyError> {
        usable(proxy)?;
        if proxy.is_empty() {
            return Err(ProxyError::Unusable(String::new()));
        }
        let matcher = Matcher::builder().all(proxy.to_owned()).build();
        Ok(Self { matcher: Some(Arc::new(matcher)), loopback: true })
    }

    /// The proxy on the way to this host and port, if there is one.
    pub fn on_the_way(&self, secure: bool, host: &str, port: u16) -> Option<Proxy> {
        let matcher = self.matcher.as_ref()?;
        if !self.loopback && is_loopback(host) {
            return None;
        }
        let scheme = if secure { "https" } else { "http" };
        let to: Uri = format!("{scheme}://{host}:{port}/").parse().ok()?;
        matcher.intercept(&to).map(|intercept| Proxy::of(&intercept))
    }
}

/// Whether the proxy is one over plain HTTP, or none.
fn usable(given: &str) -> Result<(), ProxyError> {
    if given.is_empty() {
        return Ok(());
    }
    let whole = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
    let is_usable = Url::parse(&whole).is_ok_and(|url| {
        url.scheme() == "http" && url.host_str().is_some_and(|host| !host.is_empty())
    });
    // The part before the @ may be a password.
    let shown = given.rsplit_once('@').map_or(given, |(_, rest)| rest);
    if is_usable { Ok(()) } else { Err(ProxyError::Unusable(shown.to_owned())) }
}

fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

#[derive(Clone)]
pub struct Proxy {
    pub host: String,
    pub port: u16,
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<Vec<u8>>,
}

/// Its URL: credentials are not for a log.
impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url())
    }
}

impl Proxy {
    fn of(intercept: &Intercept) -> Self {
        let uri = intercept.uri();
        Self {
            host: uri.host().unwrap_or_default().to_owned(),
            port: uri.port_u16().unwrap_or(80),
            authorization: intercept.basic_auth().map(|value| value.as_bytes().to_vec()),
        }
    }

    /// Its URL, without credentials.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// Asks it for a tunnel to that server.
    ///
    /// # Errors
    /// Its error message.
    pub async fn tunnel(
        &self,
        socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
        host: &str,
        port: u16,
    ) -> Result<(), String> {
        let mut asked =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
        if let Some(value) = &self.authorization {
            asked.extend_from_slice(b"Proxy-Authorization: ");
            asked.extend_from_slice(value);
            asked.extend_from_slice(b"\r\n");
        }
        asked.extend_from_slice(b"\r\n");
        let lost = |error: std::io::Error| {
            format!("the proxy {} closed the connection: {error}", self.url())
        };
        socket.write_all(&asked).await.map_err(lost)?;
        socket.flush().await.map_err(lost)?;
        let mut reader = Reader::response("CONNECT").with_head_limit(HEAD_BYTES);
        let code = loop {
            // Byte by byte: the bytes after its headers are the server's.
            let byte = [socket.read_u8().await.map_err(lost)?];
            match reader.next(&mut &byte[..]) {
                Some(Part::Head(head)) if head.refusal().is_some() => break None,
                Some(Part::Head(head)) if !head.is_interim() => break Some(head.status()),
                Some(Part::Flaw(Flaw { kind: FlawKind::TooLong { .. }, .. })) => {
                    return Err(format!(
                        "the response of the proxy {} to CONNECT has headers of more than 16 KiB",
                        self.url()
                    ));
                }
                Some(Part::Flaw(_)) => break None,
                _ => {}
            }
        };
        match code {
            Some(200..=299) => Ok(()),
            Some(407) => Err(format!(
                "the proxy {} requires authentication (407); write its URL as http://user:password@host:port",
                self.url()
            )),
            Some(code) => Err(format!(
                "the proxy {} opens no tunnel to {host}:{port}: it answers CONNECT with {code}",
                self.url()
            )),
            None => Err(format!(
                "the proxy {} answers CONNECT with bytes that are not HTTP",
                self.url()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&str, &str)]) -> Result<Proxies, ProxyError> {
        Proxies::of_environment(|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn way(proxies: &Proxies, url: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        let port = url.port_or_known_default().unwrap();
        let secure = url.scheme() == "https";
        proxies.on_the_way(secure, url.host_str().unwrap(), port).map(|proxy| proxy.url())
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let proxies = environment(&[
            ("http_proxy", "http://plain:3128"),
            ("ALL_PROXY", "any:8080"),
            ("no_proxy", "example.org, 10.0.0.0/8"),
        ])
        .unwrap();
        for (url, proxy) in [
            ("http://a.test/s", Some("http://plain:3128")),
            ("https://a.test/s", Some("http://any:8080")),
            ("http://example.org/s", None),
            ("https://www.example.org/s", None),
            ("http://notexample.org/s", Some("http://plain:3128")),
            ("http://10.1.2.3/s", None),
            ("http://[2001:db8::1]/s", Some("http://plain:3128")),
            // This machine is reached without a proxy.
            ("http://localhost:8080/s", None),
            ("http://127.0.0.1:8080/s", None),
            ("https://[::1]:8443/s", None),
        ] {
            assert_eq!(way(&proxies, url).as_deref(), proxy, "{url}");
        }
        // CGI sets `HTTP_PROXY` from a header of the client.
        let cgi = environment(&[("HTTP_PROXY", "http://evil")]).unwrap();
        assert_eq!(way(&cgi, "http://a.test/"), None);
        assert_eq!(way(&environment(&[]).unwrap(), "http://a.test/"), None);
    }

    #[test]
    fn a_proxy_that_was_named_is_used_for_this_machine_too() {
        let proxies = Proxies::always("http://ada:b%40b@proxy:3128").unwrap();
        assert_eq!(way(&proxies, "http://localhost/").as_deref(), Some("http://proxy:3128"));
        let proxy = proxies.on_the_way(true, "localhost", 443).unwrap();
        assert_eq!(proxy.authorization.as_deref(), Some(&b"Basic YWRhOmJAYg=="[..]));
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_password() {
        for given in ["socks5://u:secret@h:1", "https://u:secret@h", "http://"] {
            let error = Proxies::always(given).err().expect("an error").to_string();
            assert!(
                error.contains("http://127.0.0.1:3128") && !error.contains("secret"),
                "{error}"
            );
        }
        assert!(environment(&[("https_proxy", "socks5://h:1")]).is_err());
    }
}
