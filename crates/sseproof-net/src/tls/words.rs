//! Messages about faults in TLS, and how to fix them.

use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// The message for an error in or after the handshake; `first` has the server's first bytes, `alpn`
/// what it was offered.
pub(crate) fn words(error: &io::Error, first: &[u8], alpn: &[&str]) -> String {
    if first.starts_with(b"HTTP/") || first.starts_with(b"<") {
        return "the server uses plain HTTP on this port, not TLS; write the URL with http://"
            .to_owned();
    }
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "the server closed the connection in the TLS handshake; if this port uses plain HTTP, write the URL with http://"
                    .to_owned()
            }
            _ => format!("the TLS handshake failed: {error}"),
        };
    };
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => alerted(*alert, alpn),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server's bytes on this port are not TLS; if it uses plain HTTP, write the URL with http://"
                .to_owned()
        }
        error => format!("the TLS handshake failed: {error}"),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => {
            "the certificate of the server has expired; renew it (--insecure skips verification)".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the certificate of the server expired on {}; renew it (--insecure skips verification)",
            day(*not_after)
        ),
        CertificateError::NotValidYet => {
            "the certificate of the server is not valid yet; check the clocks of both machines"
                .to_owned()
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the certificate of the server is not valid before {}; check the clocks of both machines",
            day(*not_before)
        ),
        CertificateError::UnknownIssuer => {
            "the server's certificate is not signed by a trusted CA; pass your CA with --ca FILE, or --insecure to skip verification, and make sure that the server also sends the intermediate certificates"
                .to_owned()
        }
        CertificateError::NotValidForName => {
            "the certificate of the server is for another host; use the host that it is for, or get one for this host (--insecure skips verification)".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<String> = presented.iter().map(|name| plain(name)).collect();
            let names = if names.is_empty() { "no host".to_owned() } else { names.join(", ") };
            format!(
                "the certificate of the server is for {names}, and not for {}; use the host that it is for, or get one for this host (--insecure skips verification)",
                expected.to_str()
            )
        }
        CertificateError::Revoked => {
            "the certificate of the server was revoked; get a new one".to_owned()
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the certificate of the server is a CA certificate, as `openssl req -x509` makes it; pass this certificate with --ca FILE, or use --insecure".to_owned()
        }
        other => format!("the certificate of the server is not valid: {other} (--insecure skips verification)"),
    }
}

/// `DnsName("localhost")` as the host that it names.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

fn alerted(alert: AlertDescription, alpn: &[&str]) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "the server requires a client certificate; pass one with --cert FILE --key FILE".to_owned()
        }
        AlertDescription::NoApplicationProtocol => format!(
            "the server supports none of the offered versions of HTTP ({}); remove --http, or choose another version",
            alpn.join(", ")
        ),
        AlertDescription::UnknownCA | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown | AlertDescription::CertificateExpired
        | AlertDescription::UnsupportedCertificate | AlertDescription::CertificateRevoked
        | AlertDescription::AccessDenied => format!(
            "the server rejects the client certificate ({alert:?}); pass another one with --cert FILE --key FILE"
        ),
        AlertDescription::HandshakeFailure => {
            "the TLS handshake failed: no common cipher of TLS 1.2 or 1.3, or the server requires a client certificate (--cert FILE --key FILE)".to_owned()
        }
        AlertDescription::ProtocolVersion => {
            "the server supports neither TLS 1.2 nor 1.3; older versions are not supported".to_owned()
        }
        AlertDescription::UnrecognisedName => {
            "the server has no certificate for this host name; use a host name of the certificate".to_owned()
        }
        other => format!("the server ended the TLS handshake with the alert {other:?}"),
    }
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).map(|time| time.strftime("%Y-%m-%d").to_string());
    time.unwrap_or_else(|_| "an invalid date".to_owned())
}
