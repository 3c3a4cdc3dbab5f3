//! The GitLab component: `ci/gitlab.yml` with the scripts of `ci/` in it, since a job cannot fetch the
//! files of a component.

use std::fs;

use anyhow::{Context as _, bail};

use crate::root;

pub(super) const COMPONENT: &str = "templates/sseproof/template.yml";
const FROM: &str = "ci/gitlab.yml";

pub(super) fn render() -> anyhow::Result<String> {
    let read =
        |name: &str| fs::read_to_string(root().join(name)).with_context(|| format!("read {name}"));
    let mut out = format!("# made by `cargo xtask generate` from {FROM}: do not edit\n");
    for line in read(FROM)?.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let Some(script) = line.trim().strip_prefix('{').and_then(|name| name.strip_suffix('}'))
        else {
            out.push_str(&line.replace("{version}", env!("CARGO_PKG_VERSION")));
            out.push('\n');
            continue;
        };
        let text = read(script)?;
        if text.contains("$[[") {
            bail!("{script} has `$[[`, which GitLab would replace");
        }
        // The first line names the shell, which the job has already.
        for line in text.lines().skip(1) {
            let indent = if line.is_empty() { "" } else { indent };
            out.push_str(&format!("{indent}{line}\n"));
        }
    }
    Ok(out)
}
