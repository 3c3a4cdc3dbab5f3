//! `reports/matrix.json`: the last result of each server, proxy, client and parser of others by rule.
//!
//! It is committed, and the whole results are not; tables of reports and the site are made from it.

use std::fs;

use anyhow::Context as _;
use sseproof_rules::Level;
use sseproof_site::{Group, Matrix, Subject};

use crate::root;

pub(crate) const FILE: &str = "reports/matrix.json";

/// A subject, and how binding the rules are by which it was judged.
pub(crate) type Judged = (Subject, Vec<(String, Level)>);

pub(crate) fn read() -> anyhow::Result<Matrix> {
    let path = root().join(FILE);
    if !path.exists() {
        return Ok(Matrix::default());
    }
    let text = fs::read_to_string(&path).with_context(|| format!("read {FILE}"))?;
    Matrix::parse(&text).with_context(|| format!("read {FILE}"))
}

/// Replaces the last results of these subjects, and forgets those that `scenarios/` no longer has.
pub(crate) fn keep(results: impl IntoIterator<Item = Judged>) -> anyhow::Result<Matrix> {
    let mut matrix = read()?;
    for (subject, levels) in results {
        matrix.keep(subject, levels);
    }
    let folder =
        |group: Group, name: &str| root().join("scenarios").join(group.scenarios()).join(name);
    matrix.retain(|one| folder(one.kind.group(), &one.name).exists());
    // Programs name their files in what they print when they end.
    let text = matrix.json().replace(&format!("{}/", root().display()), "");
    fs::write(root().join(FILE), text).with_context(|| format!("write {FILE}"))?;
    println!("wrote {FILE}");
    Ok(matrix)
}
