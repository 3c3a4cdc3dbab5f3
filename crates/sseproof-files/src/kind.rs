//! The three languages, distinguished by the keys of a file.

/// The language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    Target,
    Scenario,
    Plan,
}

impl FileKind {
    /// All of them, for a file that is none.
    pub const EXPECTED: &str = "a target (`url:`), a scenario (`scenario:`) or a plan (`plan:`)";

    pub const ALL: [Self; 3] = [Self::Target, Self::Scenario, Self::Plan];

    /// As in `scenario`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Scenario => "scenario",
            Self::Plan => "plan",
        }
    }

    /// The kind of a file with this text, which may have mistakes: by its keys, and first by those
    /// that no other kind has.
    pub fn of(text: &str) -> Option<Self> {
        let has =
            |keys: &[&str]| text.lines().any(|line| keys.iter().any(|key| has_key(line, key)));
        match () {
            () if has(&["scenario", "steps"]) => Some(Self::Scenario),
            () if has(&["plan", "clients", "requests"]) => Some(Self::Plan),
            () if has(&["url", "start", "publish", "profile", "via", "headers", "unix-socket"]) => {
                Some(Self::Target)
            }
            () => None,
        }
    }
}

/// Whether the line has the key of a mapping that begins at its first column.
fn has_key(line: &str, key: &str) -> bool {
    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_file_show_its_kind() {
        for (text, kind) in [
            ("url: http://127.0.0.1/\n", Some(FileKind::Target)),
            ("# x\nheaders:\n  scenario: x\n", Some(FileKind::Target)),
            ("senario: x\nsteps:\n  - connect: {}\n", Some(FileKind::Scenario)),
            ("url: /events\nplan: ticks\n", Some(FileKind::Plan)),
            ("name: SSE\non: push\n", None),
            ("stream/utf8: legacy\n", None),
            ("", None),
        ] {
            assert_eq!(FileKind::of(text), kind, "{text}");
        }
    }
}
