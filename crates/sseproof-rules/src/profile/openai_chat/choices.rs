//! The rules on the choices of a completion: index, role, text and end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::chunks::{Completion, NO_CHUNK, each_completion, finish_reason};
use super::{choices, reference::answer};
use crate::profile::json::shown;
use crate::profile::torn::{self, Fragment};
use crate::profile::written::{Changed, torn};
use crate::{Mutant, Record, Rule, Verdict, View};

pub(super) const CHOICE_INDEX: Rule = Rule {
    id: "openai-chat/choice-index",
    judge: index,
    mutants: &[
        Mutant::new(
            "no-choice-index",
            "leaves out an index that is 0, as encoders do that omit what is empty",
            |visit| {
                choices(visit, |choice| {
                    if choice["index"] == 0 {
                        choice.as_object_mut().map(|choice| choice.remove("index"));
                    }
                })
            },
        ),
        Mutant::new("choices-from-one", "counts choices from 1", |visit| {
            choices(visit, |choice| {
                choice["index"] = json!(choice["index"].as_u64().unwrap_or(0) + 1);
            })
        }),
    ],
};

fn index(record: &Record<'_>) -> Verdict {
    each_completion(record, "choice", NO_CHUNK, |completion, tally| {
        // Without the request, the number of requested choices is not known.
        let asked = (!completion.asked.is_null())
            .then(|| completion.asked["n"].as_u64().unwrap_or(1).max(1));
        for (piece, _, choice) in completion.choices() {
            tally.look();
            let index = &choice["index"];
            let wrong = match (index.as_u64(), asked) {
                _ if index.is_null() => "the choice has no `index`".to_owned(),
                (None, _) => format!("`index` is {}, not a number from 0", shown(index)),
                (Some(index), Some(1)) if index > 0 => {
                    format!("`index` is {index}, but one choice was requested: it has index 0")
                }
                (Some(index), Some(asked)) if index >= asked => format!(
                    "`index` is {index}, but {asked} choices were requested: the last has index {}",
                    asked - 1
                ),
                _ => continue,
            };
            tally.fault(|| completion.fault(piece, wrong));
        }
    })
}

pub(super) const ROLE_FIRST: Rule = Rule {
    id: "openai-chat/role-first",
    judge: role,
    mutants: &[
        Mutant::new("no-role", "begins with the first token and never sends the role", |visit| {
            choices(visit, |choice| {
                choice["delta"].as_object_mut().map(|delta| delta.remove("role"));
            })
        }),
        Mutant::new("model-as-role", "calls the role of the answer `model`", |visit| {
            choices(visit, |choice| {
                if choice["delta"]["role"].is_string() {
                    choice["delta"]["role"] = json!("model");
                }
            })
        }),
    ],
};

fn role(record: &Record<'_>) -> Verdict {
    each_completion(record, "choice", NO_CHUNK, |completion, tally| {
        let mut begun = BTreeSet::new();
        for (piece, index, choice) in completion.choices() {
            let is_first = begun.insert(index);
            if is_first {
                tally.look();
            }
            let wrong = match &choice["delta"]["role"] {
                Value::Null if is_first => {
                    format!("choice {index} begins without a `role`: {}", shown(&choice["delta"]))
                }
                Value::Null => continue,
                role if role == "assistant" => continue,
                role => format!("the `role` of choice {index} is {}", shown(role)),
            };
            tally.fault(|| completion.fault(piece, wrong));
        }
    })
}

pub(super) const WHOLE_CHARACTERS: Rule = Rule {
    id: "openai-chat/whole-characters",
    judge: |record| torn::judge(record, NO_CHUNK, fragments),
    mutants: &[
        Mutant::new(
            "torn-characters",
            "decodes each token by itself, so that a character of two tokens is lost",
            |visit| torn(answer(visit), "\u{FFFD}", "\u{FFFD}"),
        ),
        Mutant::new(
            "torn-surrogates",
            "cuts its text by UTF-16 units, and sends each half of an emoji by itself",
            |visit| torn(answer(visit), "\\ud83d", "\\udc4b"),
        ),
    ],
};

fn fragments(view: &View<'_>) -> Vec<Fragment> {
    let completion = Completion::of(view);
    let texts = completion.choices().filter_map(|(piece, index, choice)| {
        Fragment::new(piece, index.to_string(), &choice["delta"]["content"])
    });
    texts.collect()
}

pub(super) const FINISH_REASON: Rule = Rule {
    id: "openai-chat/finish-reason",
    judge: finish,
    mutants: &[
        Mutant::new("no-finish-reason", "sends [DONE] and never a finish_reason", |visit| {
            choices(visit, |choice| choice["finish_reason"] = Value::Null)
        }),
        Mutant::new(
            "empty-finish-reason",
            "writes an empty finish_reason into each chunk but the last",
            |visit| {
                choices(visit, |choice| {
                    if choice["finish_reason"].is_null() {
                        choice["finish_reason"] = json!("");
                    }
                })
            },
        ),
        Mutant::new(
            "finished-from-the-start",
            "writes the finish_reason into each chunk",
            |visit| {
                let has_tools = visit.request.body.to_text().contains("\"tools\"");
                let reason = if has_tools { "tool_calls" } else { "stop" };
                choices(visit, |choice| choice["finish_reason"] = json!(reason))
            },
        ),
        Mutant::new("finished-twice", "sends the last chunk of a choice a second time", |visit| {
            answer(visit).twice("\"finish_reason\":\"")
        }),
    ],
};

fn finish(record: &Record<'_>) -> Verdict {
    each_completion(record, "choice", NO_CHUNK, |completion, tally| {
        let mut finished: BTreeMap<u64, &str> = BTreeMap::new();
        // A choice in the chunk with the usage does not continue the answer: `openai-chat/usage-asked`
        // reports it.
        let usage = completion.usage_on_a_choice().map(|piece| piece.offset);
        for (piece, index, choice) in completion.choices() {
            let wrong = match (&choice["finish_reason"], finished.get(&index)) {
                (_, Some(_)) if usage == Some(piece.offset) => continue,
                (_, Some(before)) => {
                    format!("choice {index} continues after its `finish_reason` (`{before}`)")
                }
                (Value::Null, None) => continue,
                (Value::String(_), None) => match finish_reason(choice) {
                    Some(reason) => {
                        finished.insert(index, reason);
                        continue;
                    }
                    None => format!("`finish_reason` of choice {index} is empty, not null"),
                },
                (_, None) => {
                    format!("`finish_reason` of choice {index} is neither a string nor null")
                }
            };
            tally.fault(|| completion.fault(piece, wrong));
        }
        let ends = completion.ends();
        tally.look_at(ends.len() as u64);
        // Other rules judge a stream without an end.
        let unfinished = ends.iter().find(|(_, is_finished)| !**is_finished);
        if let Some((index, _)) = unfinished
            && completion.is_done()
            && !completion.has_error()
        {
            let message =
                format!("the stream sends `[DONE]`, but choice {index} has no `finish_reason`");
            tally.fault(|| completion.fault_at_last(message));
        }
    })
}
