//! What went wrong with TLS, and what to do about it.

use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// What an error in or behind the handshake says; `first` is what the server began with, `alpn` what
/// it was offered.
pub(crate) fn words(error: &io::Error, first: &[u8], alpn: &[&str]) -> String {
    if first.starts_with(b"HTTP/") || first.starts_with(b"<") {
        return "the server speaks plain HTTP on this port, and no TLS; write the URL with http://"
            .to_owned();
    }
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "the server closed the connection in the TLS handshake; if this port speaks plain HTTP, write the URL with http://"
                    .to_owned()
            }
            _ => format!("the TLS handshake failed: {error}"),
        };
    };
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => alerted(*alert, alpn),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what the server answers on this port is not TLS; if it speaks plain HTTP, write the URL with http://"
                .to_owned()
        }
        error => format!("the TLS handshake failed: {error}"),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => {
            "the certificate of the server has expired; renew it (--insecure checks all the same)".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the certificate of the server expired on {}; renew it (--insecure checks all the same)",
            day(*not_after)
        ),
        CertificateError::NotValidYet => {
            "the certificate of the server is not valid yet; look at the clocks of both machines"
                .to_owned()
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the certificate of the server is not valid before {}; look at the clocks of both machines",
            day(*not_before)
        ),
        CertificateError::UnknownIssuer => {
            "nobody whom this system trusts signed the certificate of the server; name who did with --ca FILE, where the authority is your own (--insecure trusts anybody), and see to it that the server sends the intermediate certificates, too"
                .to_owned()
        }
        CertificateError::NotValidForName => {
            "the certificate of the server is for another host; use the host that it is for, or get one for this host (--insecure checks all the same)".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<String> = presented.iter().map(|name| plain(name)).collect();
            let names = if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") };
            format!(
                "the certificate of the server is for {names}, and not for {}; use the host that it is for, or get one for this host (--insecure checks all the same)",
                expected.to_str()
            )
        }
        CertificateError::Revoked => {
            "the certificate of the server was revoked; get a new one".to_owned()
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the certificate of the server is that of an authority, as `openssl req -x509` makes it; name that very certificate with --ca FILE, or use --insecure".to_owned()
        }
        other => format!("the certificate of the server cannot be trusted: {other} (--insecure checks all the same)"),
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
            "the server demands a certificate of the client; give one with --cert FILE --key FILE".to_owned()
        }
        AlertDescription::NoApplicationProtocol => format!(
            "the server speaks none of the versions of HTTP that it was offered ({}); leave --http out, or choose another version",
            alpn.join(", ")
        ),
        AlertDescription::UnknownCA | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown | AlertDescription::CertificateExpired
        | AlertDescription::UnsupportedCertificate | AlertDescription::CertificateRevoked
        | AlertDescription::AccessDenied => format!(
            "the server refuses the certificate of the client ({alert:?}); give another one with --cert FILE --key FILE"
        ),
        AlertDescription::HandshakeFailure => {
            "the server found nothing in common in the TLS handshake: no cipher of TLS 1.2 or 1.3, or it demands a certificate of the client (--cert FILE --key FILE)".to_owned()
        }
        AlertDescription::ProtocolVersion => {
            "the server speaks no TLS 1.2 or 1.3, and what is older is not spoken any more".to_owned()
        }
        AlertDescription::UnrecognisedName => {
            "the server has no certificate for this host; use the host that it is for".to_owned()
        }
        other => format!("the server ended the TLS handshake with the alert {other:?}"),
    }
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).map(|time| time.strftime("%Y-%m-%d").to_string());
    time.unwrap_or_else(|_| "a day long past".to_owned())
}
