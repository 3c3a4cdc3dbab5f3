//! Software of others, each described by a file in its folder under `scenarios/`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

use crate::root;

/// Reads the descriptions of this kind, in the order of the folders: all, or those of the given
/// names.
pub(crate) fn described<T: DeserializeOwned>(
    kind: &str,
    file: &str,
    names: &[String],
    name: fn(&T) -> &String,
) -> anyhow::Result<Vec<T>> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("scenarios").join(kind))
        .with_context(|| format!("read scenarios/{kind}"))?
        .filter_map(|entry| Some(entry.ok()?.path().join(file)))
        .filter(|path| path.exists())
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let one: T = serde_yaml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        if names.is_empty() || names.contains(name(&one)) {
            all.push(one);
        }
    }
    if let Some(missing) = names.iter().find(|wanted| !all.iter().any(|one| name(one) == *wanted)) {
        bail!("no {missing:?} in scenarios/{kind}/");
    }
    Ok(all)
}
