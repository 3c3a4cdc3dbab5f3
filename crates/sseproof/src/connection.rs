//! How to connect to the server, by flags and by a target file or plan: HTTP version, trust, client
//! certificate, socket, proxy.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use sseproof_files::{ConnectionKeys, NamedFile};
use sseproof_http::Version;
use sseproof_net::{ConnectionOptions, Proxies, Tls, TlsOptions, UnixSocket};

use crate::args::given;

fn version() -> impl TypedValueParser<Value = Option<Version>> {
    let value = |name, help| PossibleValue::new(name).help(help);
    PossibleValuesParser::new([
        value(
            "auto",
            "Agreed with the server over TLS (ALPN); HTTP/1.1 without TLS, and under load",
        ),
        value("1.1", "HTTP/1.1"),
        value("2", "HTTP/2, also without TLS"),
    ])
    .map(|name| match name.as_str() {
        "1.1" => Some(Version::Http11),
        "2" => Some(Version::Http2),
        _ => None,
    })
}

#[derive(Clone, Args)]
pub(crate) struct ConnectionFlags {
    /// Use this version of HTTP.
    // With the whole path, clap reads an `Option` as a value: `auto` is one.
    #[arg(long, value_parser = version(), default_value = "auto", value_name = "VERSION", help_heading = "Connection")]
    http: std::option::Option<Version>,
    /// Also trust the CA certificates in this file (PEM).
    #[arg(long, alias = "cacert", value_name = "FILE", help_heading = "Connection")]
    ca: Option<PathBuf>,
    /// Do not verify the server's certificate.
    #[arg(short = 'k', long, help_heading = "Connection")]
    insecure: bool,
    /// Send this client certificate (PEM, the whole chain).
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "Connection")]
    cert: Option<PathBuf>,
    /// The private key of --cert (PEM).
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Connection")]
    key: Option<PathBuf>,
    /// Connect to this unix socket instead of the host and port of the URL.
    #[arg(long, value_name = "PATH", help_heading = "Connection")]
    unix_socket: Option<PathBuf>,
    /// Send all requests through this HTTP proxy (`http_proxy`, `https_proxy` and `all_proxy` of the
    /// environment do not apply to this machine, --proxy does).
    #[arg(long, value_name = "URL", value_parser = given, help_heading = "Connection", conflicts_with = "no_proxy")]
    proxy: Option<String>,
    /// Use no proxy, also if the environment names one.
    #[arg(long, help_heading = "Connection")]
    no_proxy: bool,
}

pub(crate) enum Trust<'a> {
    System,
    Ca(&'a Path),
    Any,
}

impl ConnectionFlags {
    /// The options of connections to this URL, by the flags, and otherwise by the file.
    pub(crate) fn options(
        &self,
        url: Option<&str>,
        file: &ConnectionKeys,
    ) -> anyhow::Result<ConnectionOptions> {
        let (ca, insecure) = match self.trust() {
            Trust::System => (file.ca.as_ref().map(trusted).transpose()?, file.insecure),
            Trust::Ca(_) | Trust::Any => (read("--ca", self.ca.as_deref())?, self.insecure),
        };
        let given = TlsOptions {
            ca,
            cert: read("--cert", self.cert.as_deref())?,
            key: read("--key", self.key.as_deref())?,
            insecure,
        };
        let tls = Tls::new(given).context("cannot use the TLS options")?;
        let socket = self.unix_socket.as_ref().or(file.unix_socket.as_ref());
        let unix = match (socket, url) {
            (Some(path), Some(url)) => {
                Some(UnixSocket::of(path, url).context("cannot read the URL")?)
            }
            (Some(_), None) => anyhow::bail!(
                "--unix-socket needs the URL of the stream, as in http://localhost/events: its host and path are part of the request"
            ),
            (None, _) => None,
        };
        Ok(ConnectionOptions { tls, http: self.http, unix, proxies: self.proxies()? })
    }

    /// Whether HTTP/2 was requested; `None` if the flags leave it open.
    pub(crate) fn is_http2(&self) -> Option<bool> {
        self.http.map(|version| version == Version::Http2)
    }

    pub(crate) fn has_unix_socket(&self) -> bool {
        self.unix_socket.is_some()
    }

    /// `--insecure` makes `--ca` irrelevant.
    pub(crate) fn trust(&self) -> Trust<'_> {
        match &self.ca {
            _ if self.insecure => Trust::Any,
            Some(ca) => Trust::Ca(ca),
            None => Trust::System,
        }
    }

    fn proxies(&self) -> anyhow::Result<Proxies> {
        if self.no_proxy {
            return Ok(Proxies::default());
        }
        if let Some(proxy) = &self.proxy {
            return Proxies::always(proxy).context("cannot use --proxy");
        }
        Proxies::of_environment(|name| std::env::var(name).ok())
            .context("cannot use the proxy of the environment; --no-proxy ignores it")
    }
}

/// The certificates of the key `ca` of a file; errors name the position of the key.
fn trusted(ca: &NamedFile) -> anyhow::Result<(String, Vec<u8>)> {
    let name = ca.path.display().to_string();
    let bytes = fs::read(&ca.path).map_err(|error| {
        let instead = "a relative path starts at the folder of this file";
        anyhow!("{}", ca.mistake(format!("cannot read {name}: {error}"), Some(instead.to_owned())))
    })?;
    let given = TlsOptions { ca: Some((name.clone(), bytes.clone())), ..TlsOptions::default() };
    Tls::new(given).map_err(|error| anyhow!("{}", ca.mistake(error.to_string(), None)))?;
    Ok((name, bytes))
}

fn read(flag: &str, file: Option<&Path>) -> anyhow::Result<Option<(String, Vec<u8>)>> {
    let Some(file) = file else { return Ok(None) };
    let name = file.display().to_string();
    let bytes = fs::read(file).with_context(|| format!("cannot read {flag} {name}"))?;
    Ok(Some((name, bytes)))
}
