//! The formula of Homebrew, from `packaging/homebrew/sseproof.rb`.

use super::release::Release;

const TEMPLATE: &str = include_str!("../../../../packaging/homebrew/sseproof.rb");

/// The formula, if the repository and each archive that it names are known; `archives` gives the
/// checksum of the archive of a target.
pub(super) fn filled(
    release: &Release,
    archives: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let repository = release.repository.as_deref()?.trim_end_matches('/');
    let mut rest = TEMPLATE;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("@SHA256:") {
        let (target, after) = after.split_once('@')?;
        out.push_str(before);
        out.push_str(&archives(target)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out.replace("@REPOSITORY@", repository).replace("@VERSION@", &release.version))
}

#[cfg(test)]
mod tests {
    use super::super::platforms::Platform;
    use super::*;

    #[test]
    fn each_blank_is_filled_in_with_an_archive_that_a_release_has() {
        let mut release = Release::read().unwrap();
        release.repository = Some("https://example.com/sseproof/".to_owned());
        let sum = |target: &str| Platform::of(target).map(|_| format!("<{target}>"));
        let formula = filled(&release, sum).unwrap();
        assert!(!formula.contains('@'), "{formula}");
        assert_eq!(formula.matches("https://example.com/sseproof/releases/").count(), 4);
        for target in ["aarch64-apple-darwin", "x86_64-unknown-linux-gnu"] {
            let version = &release.version;
            let url = format!("/download/v{version}/sseproof-{version}-{target}.tar.gz\"\n");
            let (_, after) = formula.split_once(&url).unwrap();
            assert!(after.trim_start().starts_with(&format!("sha256 \"<{target}>\"")));
        }
        assert_eq!(filled(&release, |_| None), None);
        release.repository = None;
        assert_eq!(filled(&release, sum), None);
    }
}
