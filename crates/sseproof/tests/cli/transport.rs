//! The ways to a server, by flags.

use crate::program::{Folder, run, serve, serve_with};
use crate::{HOLDS, quick};

#[test]
fn a_server_over_tls_is_checked_and_one_that_is_not_trusted_is_exit_3() {
    let folder = Folder::new();
    let ca = folder.name("ca.pem");
    let served = serve_with(&["--tls", &ca]);
    assert!(served.url.starts_with("https://"), "{}", served.url);
    quick(&served, &folder, &["--ca", &ca]).ends(0, &["✓ all held"]);
    quick(&served, &folder, &["--insecure"]).ends(0, &["✓ all held"]);
    quick(&served, &folder, &[]).ends(3, &["--ca FILE"]);
    run(&["parse", &served.url]).ends(3, &["--ca FILE"]);

    let plain = served.url.replace("https", "http");
    let scenario = folder.write("holds.yaml", HOLDS);
    run(&["check", &plain, &scenario, "--no-probes"]).ends(3, &["write the URL with https://"]);
}

#[test]
fn a_server_without_tls_is_told_apart() {
    let served = serve(None);
    let url = served.url.replace("http", "https");
    run(&["check", &url, "--insecure"]).ends(3, &["write the URL with http://"]);
}
