//! The flags on how to get to the server: whom to trust, and who we say we are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use sseproof_net::{Tls, TlsGiven, Ways};

/// How to get to the server.
#[derive(Args)]
pub(crate) struct WaysGiven {
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
}

impl WaysGiven {
    /// Reads the files.
    pub(crate) fn ways(&self) -> anyhow::Result<Ways> {
        let given = TlsGiven {
            ca: read("--ca", self.ca.as_deref())?,
            cert: read("--cert", self.cert.as_deref())?,
            key: read("--key", self.key.as_deref())?,
            insecure: self.insecure,
        };
        let tls = Tls::new(given).context("cannot use what was given for TLS")?;
        Ok(Ways { tls, ..Ways::default() })
    }
}

fn read(flag: &str, file: Option<&Path>) -> anyhow::Result<Option<(String, Vec<u8>)>> {
    let Some(file) = file else { return Ok(None) };
    let name = file.display().to_string();
    let bytes = fs::read(file).with_context(|| format!("cannot read {flag} {name}"))?;
    Ok(Some((name, bytes)))
}
