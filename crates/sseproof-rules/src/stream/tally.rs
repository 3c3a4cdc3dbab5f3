//! Looks at one stream after the other, and reports a fault once per stream.

pub(crate) use sseproof_units::counted;

use super::lines::{Line, blocks, ids};
use crate::{Fault, Record, Verdict, View};

/// How many streams with the same fault are shown: more of them show nothing new.
const SHOWN: usize = 3;

/// The number of judged items of one stream, and its faults.
#[derive(Default)]
pub(crate) struct Tally {
    looked: u64,
    first: Option<Fault>,
    faults: u64,
}

impl Tally {
    /// Counts one more item.
    pub(crate) fn look(&mut self) {
        self.look_at(1);
    }

    /// Counts that many more items.
    pub(crate) fn look_at(&mut self, things: u64) {
        self.looked += things;
    }

    /// The number of items, and the first fault, whose message says how many there are.
    fn ended(self) -> (u64, Option<Fault>) {
        let mut first = self.first;
        if let Some(first) = &mut first
            && self.faults > 1
        {
            first.message += &format!(" (the first of {} in this stream)", self.faults);
        }
        (self.looked, first)
    }

    /// Counts a fault; only the first of a stream is built and shown.
    pub(crate) fn fault(&mut self, fault: impl FnOnce() -> Fault) {
        self.faults += 1;
        if self.first.is_none() {
            self.first = Some(fault());
        }
    }
}

/// Judges each stream by itself. `noun` is what `look` counts, in the singular: with none of it in
/// any stream there is nothing to judge.
pub(crate) fn each_stream<'r>(
    record: &'r Record<'_>,
    noun: &str,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    let views: Vec<_> = record.streams().collect();
    each(&views, noun, &none_of(noun), |faults| faults, look)
}

/// The same for any exchanges. `none` is the reason to skip without any such thing, and `shown`
/// chooses among the faults of all exchanges.
pub(crate) fn each<'r>(
    views: &[View<'r>],
    noun: &str,
    none: &str,
    shown: fn(Vec<Fault>) -> Vec<Fault>,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    let mut faults = Vec::new();
    let mut looked = 0;
    for view in views {
        let mut tally = Tally::default();
        look(view, &mut tally);
        let (seen, first) = tally.ended();
        looked += seen;
        faults.extend(first);
    }
    let mut faults = shown(faults);
    faults.truncate(SHOWN);
    if looked == 0 && faults.is_empty() {
        return Verdict::Skip(none.to_owned());
    }
    Verdict::from_faults(faults, counted(looked, noun))
}

/// Judges each id of each stream by itself.
pub(super) fn each_id(
    record: &Record<'_>,
    judge: impl Fn(&View<'_>, &Line<'_>, &[u8]) -> Option<Fault>,
) -> Verdict {
    each_stream(record, "id", |view, tally| {
        let body = view.body_bytes();
        for line in ids(&blocks(&body)) {
            tally.look();
            if let Some(fault) = judge(view, line, line.value()) {
                tally.fault(|| fault);
            }
        }
    })
}

/// The verdict that the first of these faults is shown for all of them.
pub(super) fn first_of(mut found: Vec<Fault>) -> Verdict {
    let number = found.len();
    found.truncate(1);
    if let Some(first) = found.first_mut() {
        first.message += &format!(" (the first of {number})");
    }
    Verdict::Fail(found)
}

/// Why there is nothing to judge.
pub(crate) fn none_of(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("no stream carried {article} {noun}")
}
