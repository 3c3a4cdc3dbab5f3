//! The same over TLS.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sseproof_load::server::{Server, ServerOptions};
use sseproof_net::{Identity, IdentityOptions};

use crate::client::{events, numbers};

#[test]
fn tls_carries_the_same() {
    let hosts = vec!["localhost".to_owned()];
    let identity = Identity::new(&IdentityOptions { hosts, ..IdentityOptions::default() }).unwrap();
    let tls = Some(identity.server_config());
    let server = Server::start(&ServerOptions { tls, ..ServerOptions::default() }).unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.authority().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(server.address()).unwrap();
    let mut client = StreamOwned::new(client, stream);
    // More data than TLS and the kernel buffer, and no reader for a while.
    let query = "every=1ms&burst=100&size=10000&count=2000";
    client.write_all(format!("GET /events?{query} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("it ends as TLS ends");
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let got = numbers(events(&answer[head + 4..]).iter().map(|(_, data)| data));
    assert_eq!(got, (0..2000).collect::<Vec<_>>());
}
