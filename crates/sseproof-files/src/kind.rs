//! The languages, distinguished by the keys of a file.

use std::sync::LazyLock;

use serde_json::Value;

use crate::known::is_empty;

/// The language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    Target,
    Scenario,
    Plan,
    /// A list of known failures.
    Known,
}

/// The keys of each language.
static SCHEMAS: LazyLock<[(FileKind, Value); 3]> = LazyLock::new(|| {
    [
        (FileKind::Scenario, crate::schema()),
        (FileKind::Plan, crate::plan_schema()),
        (FileKind::Target, crate::target_schema()),
    ]
});

impl FileKind {
    /// All of them, for a file that is none.
    pub const EXPECTED: &str =
        "a target (`url:`), a scenario (`scenario:`), a plan (`plan:`) or a list of known failures";

    pub const ALL: [Self; 4] = [Self::Target, Self::Scenario, Self::Plan, Self::Known];

    /// As in `scenario`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Scenario => "scenario",
            Self::Plan => "plan",
            Self::Known => "list of known failures",
        }
    }

    /// The kind of a file with this text, which may have mistakes: the one that knows at least half of
    /// its keys. Files of other programs share a few keys with each kind. The keys of a list of known
    /// failures are globs over ids.
    pub fn of(text: &str) -> Option<Self> {
        let keys: Vec<_> = top_level_keys(text).collect();
        if !text.is_empty() && keys.iter().all(|key| key.contains(['/', '*'])) {
            return (!keys.is_empty() || is_empty(text)).then_some(Self::Known);
        }
        let known = |schema: &Value| {
            keys.iter().filter(|key| schema["properties"].get(**key).is_some()).count()
        };
        // Of equal counts, `max_by_key` takes the last one: a plan has a key that no target has.
        let counts = SCHEMAS.iter().map(|(kind, schema)| (*kind, known(schema)));
        let (kind, count) = counts.max_by_key(|(_, count)| *count)?;
        (count > 0 && count * 2 >= keys.len()).then_some(kind)
    }
}

/// The keys of the mapping that begins at the first column.
fn top_level_keys(text: &str) -> impl Iterator<Item = &str> {
    let begins = |line: &&str| !line.starts_with([' ', '\t', '#', '-', '%']);
    text.lines().filter(begins).filter_map(|line| {
        let (key, rest) = line.split_once(':')?;
        let is_key = rest.is_empty() || rest.starts_with([' ', '\t']);
        is_key.then(|| key.trim().trim_matches(['"', '\'']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_file_show_its_kind() {
        for (text, kind) in [
            ("url: http://127.0.0.1/\n", Some(FileKind::Target)),
            ("# x\nheaders:\n  scenario: x\nurll: x\n", Some(FileKind::Target)),
            ("senario: x\nsteps:\n  - connect: {}\n", Some(FileKind::Scenario)),
            ("\"scenario\": x\nvars: {}\n", Some(FileKind::Scenario)),
            ("url: x\nheaders: {}\nvars: {}\n", Some(FileKind::Target)),
            ("url: /events\nplan: ticks\n", Some(FileKind::Plan)),
            ("name: SSE\non: push\n", None),
            ("trigger: x\npool: x\nsteps:\n- script: x\n", None),
            ("# x\nstream/utf8: legacy\n'resume/*': x\n", Some(FileKind::Known)),
            ("# none yet\n", Some(FileKind::Known)),
            ("- a\n", None),
            ("", None),
        ] {
            assert_eq!(FileKind::of(text), kind, "{text}");
        }
    }
}
