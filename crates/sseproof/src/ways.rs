//! How to get to the server, by flags and by the target file: whom to trust, and who we say we are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use sseproof_files::{NamedFile, TargetFile};
use sseproof_net::{ConnectionOptions, Proxies, Tls, TlsGiven, UnixSocket};
use sseproof_record::Version;

/// The versions of HTTP that can be asked for.
fn version() -> impl TypedValueParser<Value = Option<Version>> {
    let value = |name, help| PossibleValue::new(name).help(help);
    PossibleValuesParser::new([
        value(
            "auto",
            "What client and server agree on over TLS; HTTP/1.1 without TLS, and under load",
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

/// How to get to the server.
#[derive(Args)]
pub(crate) struct WaysGiven {
    /// Speak this version of HTTP.
    // With the whole path, clap reads an `Option` as a value: `auto` is one.
    #[arg(long, value_parser = version(), default_value = "auto", value_name = "VERSION", help_heading = "Connection")]
    http: std::option::Option<Version>,
    /// Trust the certificates in this file (PEM), too.
    #[arg(long, alias = "cacert", value_name = "FILE", help_heading = "Connection")]
    ca: Option<PathBuf>,
    /// Trust any certificate.
    #[arg(short = 'k', long, help_heading = "Connection")]
    insecure: bool,
    /// Show this certificate to the server (PEM, the whole chain).
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "Connection")]
    cert: Option<PathBuf>,
    /// The private key of --cert (PEM).
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Connection")]
    key: Option<PathBuf>,
    /// Connect to this unix socket in place of the host and port of the URL.
    #[arg(long, value_name = "PATH", help_heading = "Connection")]
    unix_socket: Option<PathBuf>,
    /// Send requests through this HTTP proxy, also those to this machine (the environment's
    /// `http_proxy`, `https_proxy` and `all_proxy` are for others alone).
    #[arg(long, value_name = "URL", help_heading = "Connection", conflicts_with = "no_proxy")]
    proxy: Option<String>,
    /// Use no proxy, whatever the environment says.
    #[arg(long, help_heading = "Connection")]
    no_proxy: bool,
}

/// What a file says of the ways to a server.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    /// The file.
    pub(crate) file: &'a Path,
    pub(crate) ca: Option<&'a NamedFile>,
    pub(crate) insecure: bool,
    pub(crate) unix_socket: Option<&'a Path>,
}

impl<'a> Said<'a> {
    /// What the target file at that path says.
    pub(crate) fn by_target(file: &'a Path, target: &'a TargetFile) -> Self {
        let unix_socket = target.unix_socket.as_deref();
        Self { file, ca: target.ca.as_ref(), insecure: target.insecure, unix_socket }
    }
}

/// Whom the flags say to trust.
pub(crate) enum Trust<'a> {
    /// Whom the system trusts.
    System,
    /// The certificates in this file, too.
    Ca(&'a Path),
    /// Anybody.
    Anybody,
}

impl WaysGiven {
    /// The ways to this URL, as the flags say, and where they say nothing, as a file does.
    pub(crate) fn to(
        &self,
        url: Option<&str>,
        said: Option<Said<'_>>,
    ) -> anyhow::Result<ConnectionOptions> {
        let (ca, insecure) = match (self.trust(), said) {
            (Trust::System, Some(said)) => {
                let ca = said.ca.map(|ca| trusted(said.file, ca)).transpose()?;
                (ca, said.insecure)
            }
            (Trust::System, None) => (None, false),
            (Trust::Ca(_) | Trust::Anybody, _) => {
                (read("--ca", self.ca.as_deref())?, self.insecure)
            }
        };
        let given = TlsGiven {
            ca,
            cert: read("--cert", self.cert.as_deref())?,
            key: read("--key", self.key.as_deref())?,
            insecure,
        };
        let tls = Tls::new(given).context("cannot use what was given for TLS")?;
        let of_file = said.and_then(|said| said.unix_socket);
        let socket = self.unix_socket.as_deref().or(of_file);
        let unix = match (socket, url) {
            (Some(path), Some(url)) => Some(UnixSocket::of(path, url).context("read the URL")?),
            (Some(_), None) => anyhow::bail!(
                "--unix-socket needs the URL of the stream, as in http://localhost/events: its path and its host are sent"
            ),
            (None, _) => None,
        };
        Ok(ConnectionOptions { tls, http: self.http, unix, proxies: self.proxies()? })
    }

    /// Whether HTTP/2 was asked for; nothing where the flags leave it open.
    pub(crate) fn is_http2(&self) -> Option<bool> {
        self.http.map(|version| version == Version::Http2)
    }

    /// The first of these flags that leads there by another way than TCP itself.
    pub(crate) fn beyond_tcp(&self) -> Option<&'static str> {
        match () {
            () if self.unix_socket.is_some() => Some("--unix-socket"),
            () if self.proxy.is_some() => Some("--proxy"),
            () => None,
        }
    }

    /// Whom to trust: `--insecure` leaves nothing to `--ca`.
    pub(crate) fn trust(&self) -> Trust<'_> {
        match &self.ca {
            _ if self.insecure => Trust::Anybody,
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
            .context("cannot use a proxy that the environment names (--no-proxy does without)")
    }
}

/// The certificates that a target file says to trust; what is wrong with them is told at its place.
fn trusted(target: &Path, ca: &NamedFile) -> anyhow::Result<(String, Vec<u8>)> {
    let path = target.parent().unwrap_or(Path::new("")).join(&ca.path);
    let name = path.display().to_string();
    let bytes = fs::read(&path).map_err(|error| {
        let instead = "a relative path begins at the folder of this file";
        anyhow!("{}", ca.mistake(format!("cannot read {name}: {error}"), Some(instead.to_owned())))
    })?;
    let given = TlsGiven { ca: Some((name.clone(), bytes.clone())), ..TlsGiven::default() };
    Tls::new(given).map_err(|error| anyhow!("{}", ca.mistake(error.to_string(), None)))?;
    Ok((name, bytes))
}

fn read(flag: &str, file: Option<&Path>) -> anyhow::Result<Option<(String, Vec<u8>)>> {
    let Some(file) = file else { return Ok(None) };
    let name = file.display().to_string();
    let bytes = fs::read(file).with_context(|| format!("cannot read {flag} {name}"))?;
    Ok(Some((name, bytes)))
}
