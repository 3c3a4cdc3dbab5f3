//! How a browser is started on a page without a driver.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::Trusted;

/// Nothing that a browser does by itself: updates, reports, probes of the network, throttling of
/// pages that are not seen. A container has no user namespaces for a sandbox and a small `/dev/shm`,
/// and the page is ours.
const CHROMIUM: [&str; 16] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--mute-audio",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-quic",
    "--disable-sync",
];

/// The same for Firefox, which reads it from its profile.
const FIREFOX: &str = r#"user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.proxy.type", 0);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.unified", false);
"#;

/// The command that opens this page in a browser, headless; the profile is an empty folder.
///
/// A program with `firefox` in its name is a Firefox, and each other one takes the options of
/// Chromium.
///
/// # Errors
/// If the settings of Firefox cannot be written to the profile.
pub fn browser_command(program: &Path, profile: &Path, url: &str) -> io::Result<Command> {
    let mut command = Command::new(program);
    if is_firefox(program) {
        fs::write(profile.join("user.js"), FIREFOX)?;
        command.args(["--headless", "--no-remote", "--profile"]).arg(profile);
        // It makes a folder for downloads there.
        command.env("HOME", profile);
    } else {
        command.args(CHROMIUM).arg(format!("--user-data-dir={}", profile.display()));
    }
    command.env("TMPDIR", profile);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command)
}

/// The same, for a browser that trusts this authority, or the key of its server; the page
/// knows it by the query `?tls`.
///
/// # Errors
/// As [`browser_command`].
pub(super) fn trusting(
    program: &Path,
    profile: &Path,
    url: &str,
    trusted: &Trusted,
) -> io::Result<Command> {
    let is_firefox = is_firefox(program);
    // Without the tool, Firefox knows no way for it, and its rules on TLS are skipped.
    if is_firefox && !has_imported(profile, trusted)? {
        return browser_command(program, profile, url);
    }
    let mut command = browser_command(program, profile, &format!("{url}?tls"))?;
    if !is_firefox {
        let hash = &trusted.key_hash;
        command.arg(format!("--ignore-certificate-errors-spki-list={hash}"));
    }
    Ok(command)
}

/// Makes the certificates of a profile of Firefox, with the authority; whether the tool is there.
fn has_imported(profile: &Path, trusted: &Trusted) -> io::Result<bool> {
    let folder = format!("sql:{}", profile.display());
    let mut tool = std::process::Command::new("certutil");
    tool.args(["-A", "-n", "sseproof", "-t", "C,,", "-d", &folder, "-i"]).arg(&trusted.authority);
    tool.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match tool.status() {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a program is a Firefox, by its name.
fn is_firefox(program: &Path) -> bool {
    program.file_name().unwrap_or_default().to_string_lossy().to_lowercase().contains("firefox")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_browser_gets_its_profile_and_the_page_last() {
        let profile = tempfile::tempdir().expect("a folder");
        for (program, expected) in [
            ("/opt/firefox-esr", "--profile".to_owned()),
            ("chromium", format!("--user-data-dir={}", profile.path().display())),
        ] {
            let url = "http://127.0.0.1:1/";
            let command = browser_command(Path::new(program), profile.path(), url);
            let command = command.expect("a command");
            let arguments: Vec<_> = command.as_std().get_args().collect();
            assert!(
                arguments.iter().any(|argument| *argument == expected.as_str()),
                "{arguments:?}"
            );
            assert_eq!(arguments.last(), Some(&url.as_ref()), "{program}");
        }
        assert!(profile.path().join("user.js").is_file());
    }
}
