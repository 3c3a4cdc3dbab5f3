//! Lines end with line ends, and not with the letters of an escape sequence.

use serde::de::IgnoredAny;
use sseproof_http::Bytes;

use super::lines::{blocks, is_whole};
use super::tally::each_stream;
use super::{quoted, spoil};
use crate::reference::{encoded, publish_as, publishes};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "stream/line-ends",
    judge,
    mutants: &[Mutant::new(
        "escaped-line-feeds",
        "writes a backslash and an n for each line feed",
        |visit| {
            if publishes(visit) {
                // Otherwise a line without an end would take only the first published event away, and
                // only from subscribers that were there before it.
                return publish_as(visit, |message| {
                    let bytes = Bytes::from(encoded(message)?);
                    Ok(bytes.to_text().replace('\n', "\\n").into_bytes())
                });
            }
            spoil(visit, |plan| {
                plan.map_writes(|_, bytes| {
                    Bytes::from(bytes.to_text().replace(": sseproof\n", "").replace('\n', "\\n"))
                })
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "byte", |view, tally| {
        tally.look_at(view.body_len());
        if let Some(offset) = escaped(view) {
            tally.fault(|| {
                let body = view.body_bytes();
                let place = usize::try_from(offset).unwrap_or(body.len()).min(body.len());
                let message = format!(
                    "a backslash and an n where a line must end, {}",
                    quoted(&body[place..])
                );
                Fault::at(view, offset, message).so("not one event of this stream is delivered")
            });
        }
    })
}

/// Where a stream without any event writes the letters `\n` after a field, and then another field
/// or nothing more of the event. In a stream that does deliver events they may be meant.
pub(super) fn escaped(view: &View<'_>) -> Option<u64> {
    const FIELDS: [&str; 4] = ["\\ndata:", "\\nevent:", "\\nid:", "\\nretry:"];
    const BLANKS: [&str; 2] = ["\\n\\n", "\\r\\n\\r\\n"];
    if view.first_event().is_some() {
        return None;
    }
    let body = view.body_bytes();
    // While an event may still be under way, two line feeds can be a part of its text.
    let blanks = if is_whole(view) { &BLANKS[..] } else { &[] };
    let blocks = blocks(&body);
    let mut fields = blocks.iter().flat_map(|block| block.fields());
    fields.find_map(|line| {
        line.known()?;
        let value = String::from_utf8_lossy(line.value());
        let json = json_prefix(&value)?;
        let found = FIELDS.iter().chain(blanks).filter_map(|sign| value[json..].find(sign)).min();
        found.map(|place| line.value_start() + (json + place) as u64)
    })
}

/// How many bytes of the value are JSON, which says `\n` so itself, or nothing if that JSON is not
/// complete. A value that does not begin like JSON has none.
fn json_prefix(value: &str) -> Option<usize> {
    if !value.starts_with(['{', '[', '"']) {
        return Some(0);
    }
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}
