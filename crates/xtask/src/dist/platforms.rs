//! The platforms that have a program.

pub(super) struct Platform {
    /// As rustc names it.
    pub(super) target: &'static str,
    /// As Node.js names system and processor.
    pub(super) os: &'static str,
    pub(super) cpu: &'static str,
    /// The C library, as npm names it, on Linux.
    pub(super) libc: Option<&'static str>,
    /// The processor of the image that has this program, as OCI names it: a static program needs
    /// nothing beside it.
    pub(super) image: Option<&'static str>,
}

pub(super) const PLATFORMS: [Platform; 7] = [
    Platform::linux("x86_64-unknown-linux-gnu", "x64", "glibc", None),
    Platform::linux("aarch64-unknown-linux-gnu", "arm64", "glibc", None),
    Platform::linux("x86_64-unknown-linux-musl", "x64", "musl", Some("amd64")),
    Platform::linux("aarch64-unknown-linux-musl", "arm64", "musl", Some("arm64")),
    Platform::other("x86_64-apple-darwin", "darwin", "x64"),
    Platform::other("aarch64-apple-darwin", "darwin", "arm64"),
    Platform::other("x86_64-pc-windows-msvc", "win32", "x64"),
];

impl Platform {
    const fn linux(
        target: &'static str,
        cpu: &'static str,
        libc: &'static str,
        image: Option<&'static str>,
    ) -> Self {
        Self { target, os: "linux", cpu, libc: Some(libc), image }
    }

    const fn other(target: &'static str, os: &'static str, cpu: &'static str) -> Self {
        Self { target, os, cpu, libc: None, image: None }
    }

    pub(super) fn of(target: &str) -> Option<&'static Self> {
        PLATFORMS.iter().find(|platform| platform.target == target)
    }

    /// The name of the program's file.
    pub(super) fn program(&self) -> &'static str {
        if self.os == "win32" { "sseproof.exe" } else { "sseproof" }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::root;

    #[test]
    fn a_release_builds_each_platform() {
        let workflow = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
        let built: Vec<_> = workflow
            .lines()
            .filter_map(|line| line.split_once("target: ")?.1.split([',', ' ', '}']).next())
            .collect();
        let all: Vec<_> = PLATFORMS.iter().map(|platform| platform.target).collect();
        assert_eq!(built, all);
    }

    #[test]
    fn cargo_binstall_finds_the_archive_and_the_program_in_it() {
        let manifest = fs::read_to_string(root().join("crates/sseproof/Cargo.toml")).unwrap();
        for line in [
            r#"pkg-url = "{ repo }/releases/download/v{ version }/sseproof-{ version }-{ target }.tar.gz""#,
            r#"bin-dir = "sseproof-{ version }-{ target }/{ bin }{ binary-ext }""#,
        ] {
            assert!(manifest.contains(line), "{line}");
        }
    }
}
