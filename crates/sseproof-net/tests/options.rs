//! Other ways to a server than a straight TCP connection over IPv4.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sseproof_http::{Action, Bytes, Framing, Plan, Request, Version, Visit};
use sseproof_net::{
    Client, ConnectionOptions, Direct, Identity, IdentityOptions, Lab, Leave, Limits, Proxies, Tls,
    TlsOptions,
};
use sseproof_record::{Ending, Exchange};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

fn answer(_: &Visit<'_>) -> Plan {
    let headers = [("Content-Type", "text/event-stream")].into_iter().collect();
    let head = Action::Head { status: 200, headers, framing: Framing::Chunked };
    Plan { actions: vec![head, Action::Write(Bytes::from("data: x\n\n")), Action::Finish] }
}

async fn whole(ways: ConnectionOptions, url: &str) -> Exchange {
    let client = Client::new(Arc::new(Direct), Limits::default()).with(ways);
    let mut live = client.open(Request::subscribe(url)).expect("a request that can be sent");
    live.wait(Duration::from_secs(20), |_| false).await;
    live.leave(Leave::Fin).await
}

fn secured(host: &str) -> (Lab, Tls) {
    let options = IdentityOptions {
        hosts: vec![host.to_owned()],
        alpn: ["h2", "http/1.1"].map(str::to_owned).to_vec(),
        ..IdentityOptions::default()
    };
    let identity = Identity::new(&options).expect("an identity");
    let ca = Some(("ca.pem".to_owned(), identity.authority().as_bytes().to_vec()));
    let tls = Tls::new(TlsOptions { ca, ..TlsOptions::default() }).expect("an authority");
    (Lab::new(answer).over_tls(identity), tls)
}

async fn listening(lab: Lab, at: &str) -> std::io::Result<u16> {
    let listener = TcpListener::bind(at).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { lab.listen(listener).await });
    Ok(port)
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_on_a_unix_socket_is_reached_by_its_path() {
    let path = std::env::temp_dir().join(format!("sseproof-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(Lab::new(answer).serve(Box::new(socket)));
        }
    });
    let url = "http://service.test/events";
    let unix = |path: &std::path::Path| {
        let unix = sseproof_net::UnixSocket::of(path, url).expect("a URL");
        ConnectionOptions { unix: Some(unix), ..ConnectionOptions::default() }
    };
    for http in [Some(Version::Http11), Some(Version::Http2)] {
        let exchange = whole(ConnectionOptions { http, ..unix(&path) }, url).await;
        assert_eq!(exchange.body_bytes(), b"data: x\n\n", "{:?}", exchange.end);
        assert_eq!(exchange.transport.unix_socket, Some(path.display().to_string()));
    }
    // The socket stands for one host alone.
    let elsewhere = whole(unix(&path), "http://127.0.0.1:1/events").await;
    assert_eq!(elsewhere.transport.unix_socket, None);
    std::fs::remove_file(&path).expect("to remove it");
    let Ending::Unconnected(why) = whole(unix(&path), url).await.end.how else { panic!() };
    assert!(why.contains("sseproof-"), "{why}");
}

#[tokio::test]
async fn a_server_is_reached_over_ipv6() {
    let Ok(port) = listening(Lab::new(answer), "[::1]:0").await else {
        eprintln!("this machine has no IPv6: not checked");
        return;
    };
    let plain = whole(ConnectionOptions::default(), &format!("http://[::1]:{port}/events")).await;
    assert_eq!(plain.body_bytes(), b"data: x\n\n", "{:?}", plain.end);
    let (lab, tls) = secured("::1");
    let port = listening(lab, "[::1]:0").await.expect("a port");
    let ways = ConnectionOptions { tls, ..ConnectionOptions::default() };
    let secure = whole(ways, &format!("https://[::1]:{port}/events")).await;
    assert_eq!(secure.body_bytes(), b"data: x\n\n", "{:?}", secure.end);
}

/// A proxy that passes everything on, or answers with this; and what it is asked.
async fn proxy(refusal: Option<&'static str>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await?);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                heard.lock().expect("a lock").push(head.clone());
                if let Some(refusal) = refusal {
                    return client.write_all(refusal.as_bytes()).await;
                }
                let target = head.split(' ').nth(1).unwrap_or_default();
                let is_tunnel = head.starts_with("CONNECT ");
                let host = target.trim_start_matches("http://").split('/').next();
                let mut server = TcpStream::connect(host.unwrap_or_default()).await?;
                if is_tunnel {
                    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                } else {
                    server.write_all(head.replacen(target, "/events", 1).as_bytes()).await?;
                }
                copy_bidirectional(&mut client, &mut server).await.map(drop)
            });
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_proxy_passes_requests_on_or_opens_a_tunnel() {
    let (port, asked) = proxy(None).await;
    let proxies = Proxies::always(&format!("http://ada:secret@127.0.0.1:{port}")).expect("a proxy");
    let name = format!("http://127.0.0.1:{port}");
    let (lab, tls) = secured("127.0.0.1");
    let plain = listening(Lab::new(answer), "127.0.0.1:0").await.expect("a port");
    let secure = listening(lab, "127.0.0.1:0").await.expect("a port");
    for (http, scheme, port, is_tunnel, version) in [
        (None, "http", plain, false, Version::Http11),
        (None, "https", secure, true, Version::Http2),
        (Some(Version::Http2), "http", plain, true, Version::Http2),
    ] {
        let url = format!("{scheme}://127.0.0.1:{port}/events");
        let asks =
            if is_tunnel { format!("CONNECT 127.0.0.1:{port}") } else { format!("GET {url}") };
        let first = format!("{asks} HTTP/1.1\r\n");
        let ways = ConnectionOptions {
            tls: tls.clone(),
            http,
            proxies: proxies.clone(),
            ..ConnectionOptions::default()
        };
        let exchange = whole(ways, &url).await;
        assert_eq!(exchange.body_bytes(), b"data: x\n\n", "{url} {:?}", exchange.end);
        assert_eq!(exchange.head.expect("headers").version, version, "{url}");
        assert_eq!(exchange.transport.proxy.as_ref(), Some(&name));
        let asked = asked.lock().expect("a lock").pop().expect("a request");
        assert!(asked.starts_with(&first), "{asked}");
        let shown = asked.to_ascii_lowercase();
        assert!(shown.contains("proxy-authorization: basic ywrhonnly3jlda=="), "{asked}");
    }
}

#[tokio::test]
async fn an_unreachable_proxy_is_reported() {
    let ending = async |proxy: &str| {
        let proxies = Proxies::always(proxy).expect("a proxy");
        whole(
            ConnectionOptions { proxies, ..ConnectionOptions::default() },
            "https://server.test/events",
        )
        .await
        .end
        .how
    };
    for (answer, part) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "CONNECT with 403"),
        ("HTTP/1.1 407 Authenticate\r\n\r\n", "user:password@"),
        ("what?\r\n\r\n", "not HTTP"),
        ("", "closed the connection"),
    ] {
        let (port, _) = proxy(Some(answer)).await;
        let how = ending(&format!("127.0.0.1:{port}")).await;
        let Ending::Unconnected(why) = how else { panic!("{how:?}") };
        assert!(why.contains(part), "{why}");
    }
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr();
    let how = ending(&free.expect("an address").to_string()).await;
    let Ending::Unconnected(why) = how else { panic!("{how:?}") };
    assert!(why.contains("--proxy"), "{why}");
}
