//! The certificates of the servers of cases: made for each run, so that no client can know them
//! from elsewhere.
//!
//! One authority is the one that clients are to trust; each client gets its certificate in a
//! file, which its environment names. The other authority is known to none.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sseproof_client_rules::{Certificate, Transport};
use sseproof_net::{Authority, Identity, IdentityOptions, Lab, Tls, TlsOptions};
use tempfile::TempPath;

/// The variables that name a file of trusted certificates: ours, and those that the TLS libraries
/// and HTTP clients of adapters read by themselves.
const VARIABLES: [&str; 5] =
    ["SSEPROOF_CA", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "DENO_CERT"];

/// Where the servers of cases are reached, over TCP and in memory; `localhost` is the other origin.
const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

/// The certificates of one run. A clone shares them.
#[derive(Clone, Default)]
pub struct Certificates(Arc<OnceLock<Result<Made, String>>>);

struct Made {
    trusted: Identity,
    unknown: Identity,
    expired: Identity,
    other_name: Identity,
}

impl Certificates {
    fn made(&self) -> io::Result<&Made> {
        let made = self.0.get_or_init(|| Made::new().map_err(|error| error.to_string()));
        made.as_ref().map_err(|error| io::Error::other(error.clone()))
    }

    /// The server of a case over that transport; over TLS it takes plain HTTP, too, so that a client
    /// that falls back to it is seen.
    ///
    /// # Errors
    /// If there is no randomness for the keys.
    pub fn over(&self, lab: &Lab, transport: Transport) -> io::Result<Lab> {
        let identity = match transport {
            Transport::Http1 => return Ok(lab.clone()),
            Transport::Tls(Certificate::Trusted) => &self.made()?.trusted,
            Transport::Tls(Certificate::UnknownIssuer) => &self.made()?.unknown,
            Transport::Tls(Certificate::Expired) => &self.made()?.expired,
            Transport::Tls(Certificate::OtherName) => &self.made()?.other_name,
            Transport::Http2 => &self.made()?.trusted.speaking(&["h2", "http/1.1"]),
        };
        Ok(lab.over_tls(identity.clone()).or_plain())
    }

    /// The certificate of the authority that clients are to trust, in PEM.
    ///
    /// # Errors
    /// If there is no randomness for the keys.
    pub fn authority(&self) -> io::Result<&str> {
        Ok(self.made()?.trusted.authority())
    }

    /// The same in a file, which is removed when it is dropped.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn in_file(&self) -> io::Result<TempPath> {
        let mut file = tempfile::Builder::new().prefix("sseproof-ca-").suffix(".pem").tempfile()?;
        file.write_all(self.authority()?.as_bytes())?;
        Ok(file.into_temp_path())
    }

    /// The hash of the key of the trusted certificate, for browsers that trust a key.
    ///
    /// # Errors
    /// If there is no randomness for the keys.
    pub fn key_hash(&self) -> io::Result<String> {
        Ok(BASE64_STANDARD.encode(self.made()?.trusted.key_hash()))
    }

    /// A client in this process that trusts the authority.
    ///
    /// # Errors
    /// If there is no randomness for the keys.
    pub fn client(&self) -> io::Result<Tls> {
        let ca = Some(("the authority".to_owned(), self.authority()?.as_bytes().to_vec()));
        Tls::new(TlsOptions { ca, ..TlsOptions::default() }).map_err(io::Error::other)
    }
}

/// The environment that names this file of trusted certificates.
pub fn trusting(file: &Path) -> impl Iterator<Item = (String, String)> + use<'_> {
    VARIABLES.iter().map(|name| ((*name).to_owned(), file.display().to_string()))
}

impl Made {
    fn new() -> io::Result<Self> {
        let known = Authority::new("the authority of the cases of sseproof")?;
        let unknown = Authority::new("an authority that no client knows")?;
        let right = IdentityOptions {
            hosts: HOSTS.map(str::to_owned).to_vec(),
            alpn: vec!["http/1.1".to_owned()],
            ..IdentityOptions::default()
        };
        Ok(Self {
            trusted: known.identity(&right)?,
            unknown: unknown.identity(&right)?,
            expired: known.identity(&IdentityOptions { expired: true, ..right.clone() })?,
            other_name: known.identity(&IdentityOptions {
                hosts: vec!["sseproof.invalid".to_owned()],
                ..right
            })?,
        })
    }
}
