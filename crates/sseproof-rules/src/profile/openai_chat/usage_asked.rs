//! Who asks for the usage gets it.

use serde_json::{Value, json};

use super::chunks::{Completion, each_completion, finish_reason};
use super::{rechunked, rewritten};
use crate::profile::json::shown;
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/usage-asked",
    judge,
    mutants: &[
        Mutant::new("no-usage", "does not send the usage that was asked for", |visit| {
            rewritten(visit, |_, event| {
                let is_usage = event.data.contains("prompt_tokens");
                if is_usage { Vec::new() } else { vec![event] }
            })
        }),
        Mutant::new("usage-without-total", "leaves out the total of the usage", |visit| {
            rechunked(visit, |_, chunk| {
                chunk["usage"].as_object_mut().map(|usage| usage.remove("total_tokens"));
            })
        }),
        // As LiteLLM sends it: behind the end of the choice, with an empty delta.
        Mutant::new(
            "usage-on-a-choice",
            "sends the usage on a chunk with a choice that had ended before",
            |visit| {
                rechunked(visit, |_, chunk| {
                    if chunk["usage"].is_object() {
                        chunk["choices"] =
                            json!([{ "index": 0, "delta": {}, "finish_reason": null }]);
                    }
                })
            },
        ),
        Mutant::new("usage-first", "sends the usage before the first choice", |visit| {
            let is_asked = visit.request.body.to_text().contains("include_usage");
            rewritten(visit, |index, event| {
                if event.data.contains("prompt_tokens") {
                    return Vec::new();
                }
                match serde_json::from_str::<Value>(&event.data) {
                    Ok(mut usage) if index == 0 && is_asked => {
                        usage["choices"] = json!([]);
                        usage["usage"] = json!({
                            "prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17,
                        });
                        vec![Written::data(usage), event]
                    }
                    _ => vec![event],
                }
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream for which `stream_options.include_usage` was set was seen to its end";
    each_completion(record, "completion", none, |completion, tally| {
        let asked = completion.asked["stream_options"]["include_usage"] == true;
        // An error may well come before the usage, and a stream that we left, too.
        if !asked || !completion.is_done() || completion.has_error() {
            return;
        }
        tally.look();
        if let Some((offset, wrong)) = wrong(completion) {
            tally.fault(|| Fault::at(&completion.view, offset, wrong));
        }
    })
}

fn wrong(completion: &Completion<'_>) -> Option<(u64, String)> {
    let mut usage = completion.chunks().filter(|(_, chunk)| {
        chunk["usage"].is_object() && chunk["choices"].as_array().is_none_or(Vec::is_empty)
    });
    let end = completion.pieces.last().map_or(0, |piece| piece.offset);
    let Some((piece, chunk)) = usage.next() else {
        return Some(match completion.usage_on_a_choice() {
            None => (end, "no chunk carries the usage that was asked for".to_owned()),
            Some(piece) => {
                (piece.offset, "the usage stands on a chunk that has choices, too".to_owned())
            }
        });
    };
    if let Some((second, _)) = usage.next() {
        return Some((second.offset, "a second chunk carries the usage".to_owned()));
    }
    for name in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        if !chunk["usage"][name].is_u64() {
            let found = match &chunk["usage"][name] {
                Value::Null => "missing".to_owned(),
                value => shown(value),
            };
            return Some((piece.offset, format!("`{name}` of the usage is {found}")));
        }
    }
    let is_late = |(other, _, choice): &(&super::chunks::Piece<'_>, u64, &Value)| {
        other.offset > piece.offset && finish_reason(choice).is_some()
    };
    completion
        .choices()
        .any(|found| is_late(&found))
        .then(|| (piece.offset, "the usage comes before the choices have ended".to_owned()))
}
