//! Archives whose bytes depend only on their content: no owner, and one time for all.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

/// The time of each file, as npm has it: some programs do not take the year 1970.
const TIME: u64 = 499_162_500;

/// A file or a folder in an archive.
#[derive(Clone)]
pub(super) struct Entry {
    path: String,
    mode: u32,
    /// None for a folder.
    bytes: Option<Vec<u8>>,
}

impl Entry {
    pub(super) fn file(path: &str, bytes: Vec<u8>) -> Self {
        Self { path: path.to_owned(), mode: 0o644, bytes: Some(bytes) }
    }

    pub(super) fn program(path: &str, bytes: Vec<u8>) -> Self {
        Self { mode: 0o755, ..Self::file(path, bytes) }
    }

    pub(super) fn folder(path: &str, mode: u32) -> Self {
        Self { path: format!("{path}/"), mode, bytes: None }
    }

    /// The folders above it.
    pub(super) fn parents(&self) -> Vec<String> {
        let path = Path::new(self.path.trim_end_matches('/'));
        let parents = path.ancestors().skip(1).map(|path| path.display().to_string());
        parents.filter(|path| !path.is_empty()).collect()
    }

    pub(super) fn below(self, folder: &str) -> Self {
        Self { path: format!("{folder}/{}", self.path), ..self }
    }
}

pub(super) fn tar(entries: Vec<Entry>) -> anyhow::Result<Vec<u8>> {
    let mut out = Builder::new(Vec::new());
    for Entry { path, mode, bytes } in entries {
        let mut header = Header::new_gnu();
        header.set_mode(mode);
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(if bytes.is_some() {
            EntryType::Regular
        } else {
            EntryType::Directory
        });
        let bytes = bytes.unwrap_or_default();
        header.set_size(bytes.len().try_into().context("a file is too large")?);
        out.append_data(&mut header, &path, &*bytes).with_context(|| format!("pack {path}"))?;
    }
    out.into_inner().context("end the archive")
}

pub(super) fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut out = GzBuilder::new().write(Vec::new(), Compression::best());
    out.write_all(bytes).and_then(|()| out.finish()).context("compress")
}

pub(super) fn tar_gz(entries: Vec<Entry>) -> anyhow::Result<Vec<u8>> {
    gzip(&tar(entries)?)
}

/// In hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_same_content_has_the_same_bytes_and_can_be_read() {
        let entries = || {
            let program = Entry::program("a", b"x".to_vec()).below("top");
            vec![Entry::folder("tmp", 0o1777), program, Entry::file("b", Vec::new())]
        };
        let bytes = tar(entries()).unwrap();
        assert_eq!(bytes, tar(entries()).unwrap());
        let mut archive = tar::Archive::new(&*bytes);
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((path, entry.header().mode().unwrap(), text));
        }
        let expected = [("tmp/", 0o1777, ""), ("top/a", 0o755, "x"), ("b", 0o644, "")];
        assert_eq!(
            found,
            expected.map(|(path, mode, text)| (path.to_owned(), mode, text.to_owned()))
        );
    }

    #[test]
    fn a_checksum_is_that_of_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
    }
}
