//! Certificates for a lab server, made when they are needed: no private key lies in a repository,
//! and none expires there.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PublicKeyData as _, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Socket;

/// Signs the certificates of servers.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

#[derive(Clone)]
pub struct Identity {
    authority: String,
    client: (String, String),
    key_hash: Vec<u8>,
    acceptor: TlsAcceptor,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityOptions {
    pub hosts: Vec<String>,
    pub expired: bool,
    pub demands_client: bool,
    /// The versions of HTTP that it agrees to, best first (`h2`, `http/1.1`).
    pub alpn: Vec<String>,
}

impl Authority {
    /// An authority of that name.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn new(name: &str) -> io::Result<Self> {
        let make = || {
            let mut params = CertificateParams::new(Vec::new())?;
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.distinguished_name.push(DnType::CommonName, name);
            CertifiedIssuer::self_signed(params, KeyPair::generate()?)
        };
        make().map(Self).map_err(io::Error::other)
    }

    /// Its certificate, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate that it has signed, and how a server uses it.
    ///
    /// # Errors
    /// Where a host is neither a name nor an address, or there is no randomness to be had.
    pub fn identity(&self, options: &IdentityOptions) -> io::Result<Identity> {
        make(&self.0, options).map_err(io::Error::other)
    }
}

impl Identity {
    /// A certificate with an authority of its own.
    ///
    /// # Errors
    /// Where a host is neither a name nor an address, or there is no randomness to be had.
    pub fn new(options: &IdentityOptions) -> io::Result<Self> {
        Authority::new("sseproof lab authority")?.identity(options)
    }

    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A certificate and a key of a client that the server lets in, in PEM.
    pub fn client(&self) -> (&str, &str) {
        (&self.client.0, &self.client.1)
    }

    /// The SHA-256 of its public key (SubjectPublicKeyInfo), by which browsers name a key.
    pub fn key_hash(&self) -> &[u8] {
        &self.key_hash
    }

    /// The same certificate for these versions of HTTP, best first.
    #[must_use]
    pub fn speaking(&self, alpn: &[&str]) -> Self {
        let mut config = ServerConfig::clone(self.acceptor.config());
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), ..self.clone() }
    }

    /// How a server speaks TLS that shows this of itself.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(self.acceptor.config())
    }

    pub(crate) async fn accept(&self, socket: Box<dyn Socket>) -> io::Result<Box<dyn Socket>> {
        Ok(Box::new(self.acceptor.accept(socket).await?))
    }
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn make(
    authority: &CertifiedIssuer<'static, KeyPair>,
    options: &IdentityOptions,
) -> Result<Identity, Fault> {
    let mut params = CertificateParams::new(options.hosts.clone())?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if options.expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate()?;
    let key_hash = ring::digest::digest(&ring::digest::SHA256, &key.subject_public_key_info());
    let certificate = params.signed_by(&key, authority)?;

    let visitor = KeyPair::generate()?;
    let params = CertificateParams::new(vec!["client".to_owned()])?;
    let client = (params.signed_by(&visitor, authority)?.pem(), visitor.serialize_pem());

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = if options.demands_client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.der().to_vec()))?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = builder.with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = options.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(Identity {
        authority: authority.pem(),
        client,
        key_hash: key_hash.as_ref().to_vec(),
        acceptor: TlsAcceptor::from(Arc::new(config)),
    })
}

impl Socket for TlsStream<Box<dyn Socket>> {
    fn reset(self: Box<Self>) {
        self.into_inner().0.reset();
    }
}
