//! No payload begins with `data:` itself.

use sseproof_codec::Event;
use sseproof_http::Bytes;

use super::tally::{counted, none_of};
use super::{quoted, spoil};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/doubled-prefix",
    judge,
    mutants: &[Mutant::new(
        "data-data",
        "writes `data:` before a payload that has it already",
        |visit| {
            spoil(visit, |plan| {
                plan.map_writes(|_, bytes| {
                    Bytes::from(bytes.to_text().replace("data: ", "data: data: "))
                })
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let mut looked = 0;
    for view in record.streams() {
        let payloads: Vec<_> =
            view.events().map(|(event, _)| event).filter(|event| !event.data.is_empty()).collect();
        looked += payloads.len() as u64;
        let doubled: Vec<_> =
            payloads.iter().filter(|event| event.data.starts_with("data:")).collect();
        let Some(first) = doubled.first() else { continue };
        let all = doubled.len() == payloads.len() && doubled.len() > 1;
        match doubled.iter().find(|event| all || hides_payload(event)) {
            Some(event) => {
                let message = format!(
                    "the payload begins with `data:` itself: {}",
                    quoted(event.data.as_bytes())
                );
                let number = doubled.len();
                let more = if number > 1 {
                    format!(" (the first of {number} in this stream)")
                } else {
                    String::new()
                };
                faults.push(Fault::at(&view, event.span.start, message + &more));
            }
            None => doubt = Some(quoted(first.data.as_bytes())),
        }
    }
    faults.truncate(3);
    match doubt {
        _ if !faults.is_empty() => Verdict::Fail(faults),
        Some(data) => Verdict::Inconclusive(format!(
            "one payload begins with `data:` and others do not, so it may be meant: {data}"
        )),
        None if looked == 0 => Verdict::Skip(none_of("event")),
        None => Verdict::Pass(counted(looked, "event")),
    }
}

/// Whether what follows the second `data:` is what programs, and not people, read.
fn hides_payload(event: &Event<'_>) -> bool {
    let inner = event.data.trim_start_matches("data:").trim();
    inner == "[DONE]"
        || inner.starts_with(['{', '['])
            && serde_json::from_str::<serde::de::IgnoredAny>(inner).is_ok()
}
