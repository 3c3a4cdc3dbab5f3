//! The recording client over TLS: what it says of a server that it cannot trust.

use std::sync::Arc;
use std::time::Duration;

use sseproof_http::{Action, Plan, Request};
use sseproof_net::{
    Client, ConnectionOptions, Dial, Dialled, Dialling, Identity, IdentityOptions, Lab, Leave,
    Limits, ReceiveBuffer, Tls, TlsError, TlsOptions, UnreadIn, Waited, pipe,
};
use sseproof_record::{Ending, Exchange};

const LONG: Duration = Duration::from_secs(100);

fn options() -> IdentityOptions {
    IdentityOptions { hosts: vec!["lab".to_owned()], ..IdentityOptions::default() }
}

fn identity(options: &IdentityOptions) -> Identity {
    Identity::new(options).expect("an identity")
}

fn lab() -> Lab {
    Lab::new(|_| Plan::answer(200, "text/event-stream", "data: x\n\n"))
}

fn trusting(identity: &Identity) -> TlsOptions {
    TlsOptions {
        ca: Some(("ca.pem".to_owned(), identity.authority().as_bytes().to_vec())),
        ..TlsOptions::default()
    }
}

async fn got(dial: impl Dial, given: TlsOptions, url: &str) -> Exchange {
    let ways = ConnectionOptions {
        tls: Tls::new(given).expect("what can be used"),
        ..ConnectionOptions::default()
    };
    let client = Client::new(Arc::new(dial), Limits::default()).with(ways);
    let mut live = client.open(Request::subscribe(url)).expect("a request that can be sent");
    assert_ne!(live.wait(LONG, |_| false).await, Waited::TimedOut);
    live.leave(Leave::Fin).await
}

async fn refused(dial: impl Dial, given: TlsOptions, url: &str) -> String {
    match got(dial, given, url).await.end.how {
        Ending::Handshake(why) => why,
        other => panic!("it shook hands: {other:?}"),
    }
}

async fn over(options: &IdentityOptions, given: impl FnOnce(&Identity) -> TlsOptions) -> String {
    let identity = identity(options);
    let given = given(&identity);
    refused(lab().over_tls(identity).in_process(), given, "https://lab/").await
}

#[tokio::test(start_paused = true)]
async fn a_trusted_server_is_heard() {
    let identity = identity(&options());
    let given = trusting(&identity);
    let exchange = got(lab().over_tls(identity).in_process(), given, "https://lab/").await;
    assert_eq!(exchange.end.how, Ending::Complete);
    assert_eq!(exchange.transport.tls.as_deref(), Some("TLSv1_3"));
    assert_eq!(exchange.body_bytes(), b"data: x\n\n");
    let wire = exchange.wire_bytes();
    assert!(wire.starts_with(b"HTTP/1.1 200"), "the wire is kept above TLS: {wire:?}");
}

#[tokio::test(start_paused = true)]
async fn each_fault_of_a_certificate_is_reported_with_its_fix() {
    let unknown = over(&options(), |_| TlsOptions::default()).await;
    assert!(unknown.contains("--ca") || unknown.contains("ca-certificates"), "{unknown}");

    let old = IdentityOptions { expired: true, ..options() };
    let expired = over(&old, trusting).await;
    assert!(expired.contains("expired on 2021-01-01; renew it"), "{expired}");

    let other = IdentityOptions { hosts: vec!["example.org".to_owned()], ..options() };
    let other = over(&other, trusting).await;
    assert!(other.contains("is for example.org, and not for lab"), "{other}");

    let closed = IdentityOptions { demands_client: true, ..options() };
    let demanded = over(&closed, trusting).await;
    assert!(demanded.contains("--cert FILE --key FILE"), "{demanded}");
}

#[tokio::test(start_paused = true)]
async fn an_insecure_client_connects() {
    for wrong in [
        options(),
        IdentityOptions { expired: true, ..options() },
        IdentityOptions { hosts: vec!["example.org".to_owned()], ..options() },
    ] {
        let given = TlsOptions { insecure: true, ..TlsOptions::default() };
        let dial = lab().over_tls(identity(&wrong)).in_process();
        assert_eq!(got(dial, given, "https://lab/").await.end.how, Ending::Complete, "{wrong:?}");
    }
    let identity = identity(&IdentityOptions { demands_client: true, ..options() });
    let (cert, key) = identity.client();
    let given = TlsOptions {
        cert: Some(("cert.pem".to_owned(), cert.as_bytes().to_vec())),
        key: Some(("key.pem".to_owned(), key.as_bytes().to_vec())),
        ..trusting(&identity)
    };
    let dial = lab().over_tls(identity).in_process();
    assert_eq!(got(dial, given, "https://lab/").await.end.how, Ending::Complete);
}

#[tokio::test(start_paused = true)]
async fn the_wrong_scheme_is_reported() {
    let given = TlsOptions { insecure: true, ..TlsOptions::default() };
    let plain = refused(lab().in_process(), given, "https://lab/").await;
    assert!(plain.contains("write the URL with http://"), "{plain}");

    let secured = lab().over_tls(identity(&options())).in_process();
    let secured = refused(secured, TlsOptions::default(), "http://lab/").await;
    assert!(secured.contains("write the URL with https://"), "{secured}");
}

/// A peer that takes the connection and says nothing, or closes it.
struct Mute {
    closes: bool,
}

impl Dial for Mute {
    fn dial<'a>(&'a self, _host: &'a str, _port: u16, _room: ReceiveBuffer) -> Dialling<'a> {
        let closes = self.closes;
        Box::pin(async move {
            let (ours, theirs) = pipe();
            tokio::spawn(async move {
                if !closes {
                    tokio::time::sleep(LONG * 2).await;
                }
                drop(theirs);
            });
            let unread_in = UnreadIn::Unknown("of a test");
            Ok(Dialled { resolved: None, unread_in, socket: Box::new(ours) })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn silence_and_a_close_in_the_handshake_are_reported() {
    let given = || TlsOptions { insecure: true, ..TlsOptions::default() };
    let silent = refused(Mute { closes: false }, given(), "https://lab/").await;
    assert!(silent.contains("did not answer in the TLS handshake"), "{silent}");
    let closed = refused(Mute { closes: true }, given(), "https://lab/").await;
    assert!(closed.contains("closed the connection in the TLS handshake"), "{closed}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_over_tls_comes_piece_by_piece() {
    let identity = identity(&options());
    let given = trusting(&identity);
    let lab = Lab::new(|_| {
        let mut plan = Plan::answer(200, "text/event-stream", "data: 1\n\n");
        let pause = Action::Wait(Duration::from_secs(1));
        plan.actions.insert(1, pause);
        plan
    });
    let exchange = got(lab.over_tls(identity).in_process(), given, "https://lab/").await;
    let head = exchange.head.as_ref().expect("headers").at;
    assert_eq!((exchange.body[0].at - head).as_secs(), 1);
}

#[test]
fn wrong_files_are_reported() {
    let file = |text: &str| Some(("x.pem".to_owned(), text.as_bytes().to_vec()));
    let wrong = Tls::new(TlsOptions { ca: file("no pem"), ..TlsOptions::default() }).err();
    let wrong = wrong.expect("a file without PEM is rejected").to_string();
    assert!(wrong.contains("x.pem has no certificate in PEM"), "{wrong}");

    let identity = identity(&options());
    let (cert, _) = identity.client();
    let wrong =
        Tls::new(TlsOptions { cert: file(cert), key: file(cert), ..TlsOptions::default() }).err();
    assert!(matches!(wrong, Some(TlsError::Pem { what: "private key", .. })), "{wrong:?}");

    let other = self::identity(&options());
    let key = file(other.client().1);
    let wrong = Tls::new(TlsOptions { cert: file(cert), key, ..TlsOptions::default() }).err();
    assert!(matches!(wrong, Some(TlsError::Identity { .. })), "{wrong:?}");
}
