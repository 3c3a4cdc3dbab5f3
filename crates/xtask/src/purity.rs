//! The pure crates open no socket and use no runtime; `cargo tree` shows it.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::root;

/// The crates that decode and judge, with their features. The codec's adapter for `tokio-util`
/// needs the traits of tokio, so that feature is off.
const PURE: [(&str, &str); 11] = [
    ("sseproof-codec", "--features=futures,http-body,proptest,serde"),
    ("sseproof-corpus", "--all-features"),
    ("sseproof-http", "--all-features"),
    ("sseproof-record", "--all-features"),
    ("sseproof-rules", "--all-features"),
    ("sseproof-client-rules", "--all-features"),
    ("sseproof-load-model", "--all-features"),
    ("sseproof-files", "--all-features"),
    ("sseproof-report", "--all-features"),
    ("sseproof-html", "--all-features"),
    ("sseproof-site", "--all-features"),
];
/// Crates that none of them may depend on.
const BANNED: [&str; 5] = ["tokio", "mio", "socket2", "hyper", "rustix"];

pub(crate) fn run() -> anyhow::Result<()> {
    for (pure, features) in PURE {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--quiet", "--edges", "normal", "--prefix", "none", "--package", pure])
            .args([features, "--format", "{p}"])
            .current_dir(root())
            .output()
            .context("start cargo tree")?;
        if !output.status.success() {
            bail!("cargo tree of {pure}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let tree = String::from_utf8_lossy(&output.stdout);
        for line in tree.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            if BANNED.contains(&name) {
                bail!("{pure} depends on {name}: it must stay pure");
            }
        }
        println!("{pure}: none of {} in its {} crates", BANNED.join(", "), tree.lines().count());
    }
    Ok(())
}
