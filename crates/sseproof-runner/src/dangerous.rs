//! The payloads that encoders get wrong, from `dangerous.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use sseproof_record::Part;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payload {
    pub(super) name: String,
    start: String,
    /// A text that follows the start, and how often.
    #[serde(default)]
    repeated: (String, usize),
}

impl Payload {
    pub(super) fn text(&self) -> String {
        let (text, times) = &self.repeated;
        format!("{}{}", self.start, text.repeat(*times))
    }

    pub(super) fn forges(&self) -> bool {
        self.name.contains("after")
    }
}

/// The payloads for this part. Those that forge a field have it after a line end. They come first:
/// if time is short, the others are left out.
pub(super) fn payloads(part: Part) -> &'static [Payload] {
    list(match part {
        Part::Data => "data",
        Part::Event => "event",
        Part::Id => "id",
        Part::Comment => "comment",
    })
}

/// Payloads so long that they have a step of their own: a recording has each several times.
pub(super) fn long() -> &'static [Payload] {
    list("long")
}

fn list(key: &str) -> &'static [Payload] {
    static LISTS: LazyLock<BTreeMap<String, Vec<Payload>>> = LazyLock::new(|| {
        let lists = serde_json::from_str(include_str!("dangerous.json"));
        lists.expect("the payloads, which a test reads")
    });
    LISTS.get(key).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_record::{FORGED, FORGED_RETRY, PLAIN};

    #[test]
    fn payloads_that_forge_have_the_marks_of_the_rules_and_come_first() {
        for part in Part::ALL {
            let all = payloads(part);
            assert!(all.len() > 9, "{part:?}");
            for payload in all.iter().filter(|payload| payload.forges()) {
                let retry = FORGED_RETRY.to_string();
                let text = payload.text();
                assert!(text.ends_with(FORGED) || text.ends_with(&retry), "{}", payload.name);
            }
            // After the plain one, which arrives if any does.
            let rest = if part == Part::Data { all } else { &all[1..] };
            assert!(rest.is_sorted_by_key(|payload| !payload.forges()), "{part:?}");
            assert!(part == Part::Data || all[0].text() == PLAIN, "{part:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        for part in Part::ALL {
            let names: std::collections::BTreeSet<_> =
                payloads(part).iter().map(|one| &one.name).collect();
            assert_eq!(names.len(), payloads(part).len());
        }
    }
}
