//! TLS of a client: its trusted authorities, and its own certificate.
//!
//! A server with a certificate of its own making is the rule in development, so what is wrong with
//! a certificate is reported in words that say what to do ([`words`]).

mod verifier;
mod words;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::verifier::Verifier;
pub(crate) use self::words::words;
use crate::Socket;
use crate::socket::writes_to;

/// A user's options for TLS. Each file comes with its name, for messages.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// Certificates (PEM) that are trusted besides those of the system.
    pub ca: Option<(String, Vec<u8>)>,
    pub cert: Option<(String, Vec<u8>)>,
    pub key: Option<(String, Vec<u8>)>,
    /// Whether any certificate will do.
    pub insecure: bool,
}

/// Why what a user says of TLS cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    #[error(
        "{file} has no {what} in PEM ({message}); such a file begins with -----BEGIN {begins}-----"
    )]
    Pem {
        file: String,
        /// `certificate`, `private key`.
        what: &'static str,
        message: String,
        /// The first line of such a file.
        begins: &'static str,
    },
    /// Certificate and key do not go together, or are of a kind that is not spoken.
    #[error("{cert} and {key} cannot be used together: {message}")]
    Identity { cert: String, key: String, message: String },
    /// A certificate that is to be trusted cannot be.
    #[error("a certificate in {file} cannot be trusted: {message}")]
    Anchor { file: String, message: String },
}

/// TLS as this client speaks it. A clone shares what was loaded.
#[derive(Clone, Default)]
pub struct Tls {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    anchors: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    insecure: bool,
    /// Loaded with the first handshake: a check without TLS need not read a hundred certificates.
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    /// Reads what the user gave.
    ///
    /// # Errors
    /// [`TlsError`] if a file does not have the expected content.
    pub fn new(given: TlsOptions) -> Result<Self, TlsError> {
        let mut inner = Inner { insecure: given.insecure, ..Inner::default() };
        if let Some((file, pem)) = &given.ca {
            inner.anchors = certificates(file, pem)?;
            let mut store = RootCertStore::empty();
            for anchor in &inner.anchors {
                store.add(anchor.clone()).map_err(|error| TlsError::Anchor {
                    file: file.clone(),
                    message: error.to_string(),
                })?;
            }
        }
        if let (Some((cert, chain)), Some((key, private))) = (&given.cert, &given.key) {
            let chain = certificates(cert, chain)?;
            let private =
                PrivateKeyDer::from_pem_slice(private).map_err(|error| TlsError::Pem {
                    file: key.clone(),
                    what: "private key",
                    message: error.to_string(),
                    begins: "PRIVATE KEY",
                })?;
            inner.identity = Some((chain, private));
            let tried = inner.identified(RootCertStore::empty());
            tried.map_err(|message| TlsError::Identity {
                cert: cert.clone(),
                key: key.clone(),
                message,
            })?;
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The configuration of a client that offers these protocols.
    ///
    /// # Errors
    /// The fault, and how to fix it.
    pub fn client_config(&self, alpn: &[&str]) -> Result<ClientConfig, String> {
        let config = self.inner.config.get_or_init(|| self.inner.config()).clone()?;
        let mut config = (*config).clone();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(config)
    }

    /// Shakes hands over the socket.
    ///
    /// # Errors
    /// The fault, and how to fix it.
    pub(crate) async fn handshake(
        &self,
        host: &str,
        socket: Box<dyn Socket>,
        alpn: &[&str],
    ) -> Result<Secured, String> {
        self.secured(host, socket, alpn).await.map_err(|refused| refused.message)
    }

    /// The same, with the cause of an error.
    ///
    /// # Errors
    /// [`Refused`] if the handshake fails.
    pub async fn secured(
        &self,
        host: &str,
        socket: Box<dyn Socket>,
        alpn: &[&str],
    ) -> Result<Secured, Refused> {
        let other = |message| Refused { message, untrusted: None };
        let config = self.client_config(alpn).map_err(other)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| other(format!("`{host}` is not a valid name for a certificate")))?;
        let begun = Begun { socket, first: Vec::new() };
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, begun).into_fallible();
        match connecting.await {
            Ok(stream) => Ok(Secured { stream }),
            Err((error, begun)) => Err(Refused {
                message: words(&error, &begun.first, alpn),
                untrusted: Untrusted::of(&error),
            }),
        }
    }
}

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The fault, and how to fix it.
    pub message: String,
    pub untrusted: Option<Untrusted>,
}

/// Why the certificate of a server is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// No trusted authority has signed it.
    Issuer,
    /// It is not valid any more, or not yet.
    Expired,
    /// It is for another host.
    Name,
}

impl Untrusted {
    fn of(error: &io::Error) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        let Error::InvalidCertificate(error) = error else { return None };
        match error {
            CertificateError::UnknownIssuer => Some(Self::Issuer),
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Some(Self::Expired),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Some(Self::Name)
            }
            _ => None,
        }
    }
}

impl Inner {
    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        if !self.insecure {
            let native = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(native.certs);
            roots.add_parsable_certificates(self.anchors.iter().cloned());
            if roots.is_empty() {
                return Err(
                    "this system has no certificate authorities to trust (install the package ca-certificates, or name one with --ca FILE)"
                        .to_owned(),
                );
            }
        }
        self.identified(roots).map(Arc::new)
    }

    fn identified(&self, roots: RootCertStore) -> Result<ClientConfig, String> {
        let said = |error: Error| error.to_string();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let strict = if roots.is_empty() {
            None
        } else {
            let built =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build();
            Some(built.map_err(|error| error.to_string())?)
        };
        let verifier =
            Verifier { strict, own: self.anchors.clone(), provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(said)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        match &self.identity {
            None => Ok(config.with_no_client_auth()),
            Some((chain, key)) => {
                config.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(said)
            }
        }
    }
}

fn certificates(file: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |message: String| TlsError::Pem {
        file: file.to_owned(),
        what: "certificate",
        message,
        begins: "CERTIFICATE",
    };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| fault(error.to_string()))?;
    if read.is_empty() {
        return Err(fault("no items found".to_owned()));
    }
    Ok(read)
}

/// A socket whose first bytes are kept, to tell what a server speaks that does not speak TLS.
struct Begun {
    socket: Box<dyn Socket>,
    first: Vec<u8>,
}

const FIRST: usize = 16;

/// A connection over TLS.
pub struct Secured {
    stream: TlsStream<Begun>,
}

impl Secured {
    pub(crate) fn version(&self) -> Option<String> {
        self.stream.get_ref().1.protocol_version().map(|version| format!("{version:?}"))
    }

    /// The version of HTTP that was agreed on, as in `h2`.
    pub fn alpn(&self) -> Option<String> {
        let agreed = self.stream.get_ref().1.alpn_protocol()?;
        Some(String::from_utf8_lossy(agreed).into_owned())
    }
}

impl Socket for Secured {
    fn reset(self: Box<Self>) {
        self.stream.into_inner().0.socket.reset();
    }
}

impl AsyncRead for Begun {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        let room = FIRST.saturating_sub(self.first.len());
        self.first.extend(buf.filled()[before..].iter().take(room));
        read
    }
}

writes_to!(Begun, socket);
writes_to!(Secured, stream);

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            // Many servers close without the `close_notify` of TLS; whether something is missing
            // then is known from the framing of HTTP.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            read => read,
        }
    }
}
