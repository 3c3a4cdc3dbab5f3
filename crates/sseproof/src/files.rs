//! The YAML files that arguments name: one by one, or all of a folder.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;

pub(crate) fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// The YAML files in a folder and in the folders in it, by name; hidden ones are left out.
pub(crate) fn in_folder(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut entries: Vec<_> =
        entries.with_context(cannot)?.into_iter().map(|entry| entry.path()).collect();
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let is_hidden = entry.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        match () {
            () if is_hidden => {}
            // A link to a folder may lead back here.
            () if entry.is_dir() && !entry.is_symlink() => files.extend(in_folder(&entry)?),
            () if is_yaml(&entry) => files.push(entry),
            () => {}
        }
    }
    Ok(files)
}

/// The names of the variables of the environment that the text uses: `${env:NAME}`.
pub(crate) fn of_environment(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split("${env:").skip(1);
    names.filter_map(|rest| rest.split(['}', ':']).next())
}
