//! Looks at one stream after the other, and tells a fault once per stream.

use crate::{Fault, Record, Verdict, View};

/// How many streams with the same fault are shown: more of them tell nothing new.
const SHOWN: usize = 3;

/// What was looked at in one stream, and what was wrong with it.
#[derive(Default)]
pub(super) struct Tally {
    looked: u64,
    first: Option<Fault>,
    faults: u64,
}

impl Tally {
    /// Counts one more thing that was looked at.
    pub(super) fn look(&mut self) {
        self.look_at(1);
    }

    /// Counts that many more things that were looked at.
    pub(super) fn look_at(&mut self, things: u64) {
        self.looked += things;
    }

    /// Counts a fault; only the first of a stream is built and shown.
    pub(super) fn fault(&mut self, fault: impl FnOnce() -> Fault) {
        self.faults += 1;
        if self.first.is_none() {
            self.first = Some(fault());
        }
    }
}

/// Judges each stream by itself. `noun` is what `look` counts, in the singular: with none of it in
/// any stream there is nothing to judge.
pub(super) fn each_stream(
    record: &Record<'_>,
    noun: &str,
    look: impl Fn(&View<'_>, &mut Tally),
) -> Verdict {
    let mut faults = Vec::new();
    let mut looked = 0;
    for view in record.streams() {
        let mut tally = Tally::default();
        look(&view, &mut tally);
        looked += tally.looked;
        if let Some(mut first) = tally.first {
            if tally.faults > 1 {
                first.message += &format!(" (the first of {} in this stream)", tally.faults);
            }
            faults.push(first);
        }
    }
    faults.truncate(SHOWN);
    if looked == 0 && faults.is_empty() {
        return Verdict::Skip(none_of(noun));
    }
    Verdict::from_faults(faults, counted(looked, noun))
}

/// Why there is nothing to judge.
pub(super) fn none_of(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("no stream carried {article} {noun}")
}

/// `1 event`, `2 events`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
