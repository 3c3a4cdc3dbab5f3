//! Connections: TLS, HTTP versions, proxies and sockets.

use crate::program::{Folder, answering, finish, run, serve, serve_with, sseproof};
use crate::{HOLDS, quick};

#[test]
fn a_server_over_tls_is_checked_and_one_that_is_not_trusted_is_exit_3() {
    let folder = Folder::new();
    let ca = folder.name("ca.pem");
    let served = serve_with(&["--tls", &ca]);
    assert!(served.url.starts_with("https://"), "{}", served.url);
    quick(&served, &folder, &["--ca", &ca]).ends(0, &["✓ passed"]);
    quick(&served, &folder, &["--insecure"]).ends(0, &["✓ passed"]);
    quick(&served, &folder, &[]).ends(3, &["--ca FILE"]);
    run(&["parse", &served.url]).ends(3, &["--ca FILE"]);

    let plain = served.url.replace("https", "http");
    let scenario = folder.write("holds.yaml", HOLDS);
    run(&["check", &plain, &scenario, "--no-probes"]).ends(3, &["write the URL with https://"]);
}

#[test]
fn a_server_without_tls_is_recognised() {
    let served = serve(None);
    let url = served.url.replace("http", "https");
    run(&["check", &url, "--insecure"]).ends(3, &["write the URL with http://"]);
}

#[test]
fn http2_is_used_if_agreed_by_alpn_or_required() {
    let folder = Folder::new();
    let ca = folder.name("ca.pem");
    let secured = serve_with(&["--tls", &ca]);
    let over_http2 = "transport/lower-case           must    1 answer";
    quick(&secured, &folder, &["--ca", &ca, "-v"]).ends(0, &[over_http2]);
    let plain = serve(None);
    quick(&plain, &folder, &["--http", "2", "-v"]).ends(0, &[over_http2]);
    quick(&secured, &folder, &["--ca", &ca, "--http", "1.1", "-v"])
        .ends(0, &["no answer came over HTTP/2"]);
}

#[test]
fn http2_against_a_server_of_http1_is_exit_3_with_what_to_do() {
    let (url, _requests) = answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    run(&["check", &url, "--http", "2"]).ends(3, &["remove --http 2"]);
}

#[test]
fn a_proxy_is_used_and_named() {
    // The reference accepts any URL, as a proxy does.
    let served = serve(None);
    let proxy = served.url.trim_end_matches("/events");
    let folder = Folder::new();
    let scenario = folder.write("holds.yaml", HOLDS);
    let arguments = ["check", "http://elsewhere.test/events", &scenario, "--no-probes"];
    let way = format!("through the proxy {proxy}");
    run(&[&arguments[..], &["--proxy", proxy]].concat()).ends(0, &[&way]);
    let mut with_environment = sseproof(&arguments);
    with_environment.env("http_proxy", proxy).env_remove("no_proxy").env_remove("NO_PROXY");
    finish(with_environment.spawn().unwrap()).ends(0, &[&way]);
    run(&[&arguments[..], &["--proxy", "socks5://h:1"]].concat())
        .ends(2, &["`socks5://h:1` is not a valid proxy URL"]);
}

#[test]
fn a_unix_socket_that_is_not_there_is_exit_3() {
    let folder = Folder::new();
    let socket = folder.name("missing.sock");
    run(&["check", "http://localhost/events", "--unix-socket", &socket])
        .ends(3, &["the unix socket", "missing.sock"]);
    run(&["check", "--unix-socket", &socket]).ends(2, &["needs the URL of the stream"]);
}

#[test]
fn a_first_target_file_is_written_of_a_server_over_tls_too() {
    let folder = Folder::new();
    let ca = folder.name("ca.pem");
    let served = serve_with(&["--tls", &ca]);
    let to = folder.name("files");
    run(&["init", &served.url, "--folder", &to]).ends(3, &["--ca FILE"]);
    run(&["init", &served.url, "--folder", &to, "--ca", &ca]).ends(0, &["sseproof.yaml"]);
    // The file has the option that the connection needed.
    let target = folder.name("files/sseproof.yaml");
    let scenario = folder.write("holds.yaml", HOLDS);
    run(&["check", &scenario, "--no-probes", "--target", &target]).ends(0, &["✓ passed"]);
}

#[test]
fn flags_win_over_the_certificates_of_a_target_file() {
    let folder = Folder::new();
    let served = serve_with(&["--tls", &folder.name("ca.pem")]);
    let target =
        |keys: &str| folder.write("sseproof.yaml", &format!("url: {}\n{keys}\n", served.url));
    let scenario = folder.write("holds.yaml", HOLDS);
    let check = |keys: &str, flags: &[&str]| {
        let file = target(keys);
        run(&[&["check", &scenario, "--no-probes", "--target", &file], flags].concat())
    };
    // The path is relative to the folder of the file, not to the current folder.
    check("ca: ca.pem", &[]).ends(0, &["✓ passed"]);
    check("insecure: true", &[]).ends(0, &["✓ passed"]);
    check("insecure: false", &[]).ends(3, &["--ca FILE"]);
    check("ca: ca.pem", &["--insecure"]).ends(0, &["✓ passed"]);
    let other = folder.name("other.pem");
    let _other = serve_with(&["--tls", &other]);
    check("insecure: true", &["--ca", &other]).ends(3, &["certificate"]);

    let starts = "a relative path starts at the folder of this file";
    check("ca: none.pem", &[]).ends(2, &["sseproof.yaml:2:5: cannot read", "none.pem", starts]);
    folder.write("empty.pem", "no certificate");
    check("ca: empty.pem", &[]).ends(2, &["sseproof.yaml:2:5:", "has no certificate in PEM"]);
}
