//! What is the same in each chunk of one completion.

use serde_json::Value;

use super::NO_CHUNK;
use super::chunks::each_completion;
use crate::profile::json::shown;
use crate::{Fault, Record, Verdict};

/// Judges whether the member of that name is there, is what `fits` says, and stays what it was.
pub(super) fn steady(
    record: &Record<'_>,
    name: &str,
    kind: &str,
    fits: fn(&Value) -> bool,
) -> Verdict {
    each_completion(record, "chunk", NO_CHUNK, |completion, tally| {
        let mut first: Option<&Value> = None;
        for (piece, chunk) in completion.chunks().filter(|(_, chunk)| chunk["choices"].is_array()) {
            tally.look();
            let value = &chunk[name];
            let wrong = match first {
                _ if value.is_null() => format!("the chunk has no `{name}`"),
                _ if !fits(value) => format!("`{name}` is {}, and not {kind}", shown(value)),
                None => {
                    first = Some(value);
                    continue;
                }
                Some(first) if first == value => continue,
                Some(first) => {
                    format!("`{name}` is {}, and was {} before", shown(value), shown(first))
                }
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
    })
}

pub(super) fn is_name(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}
