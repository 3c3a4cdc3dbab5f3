//! The rules on the end of a completion: the end marker, errors and the usage.

use serde_json::{Value, json};
use sseproof_http::{Action, Visit};

use super::chunks::{Completion, DONE, NEARLY, NO_CHUNK, each_completion, finish_reason, is_done};
use super::reference::answer;
use crate::profile::events::is_ended;
use crate::profile::json::shown;
use crate::profile::written::{Changed, Written};
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

const NO_END: &str = "no stream of a completion was read to its end";

pub(super) const DONE_LAST: Rule = Rule {
    id: "openai-chat/done-last",
    judge: done_last,
    mutants: &[
        Mutant::new("no-done", "ends the response after the last chunk, without [DONE]", |visit| {
            answer(visit).without(DONE)
        }),
        Mutant::new(
            "done-twice",
            "writes [DONE] twice, once in the handler and once in its clean-up",
            |visit| answer(visit).twice(DONE),
        ),
        Mutant::new("chunk-behind-done", "sends a last chunk after [DONE]", |visit| {
            let mut last = Written::default();
            answer(visit).events(|_, event| {
                if event.data == DONE {
                    return vec![event, std::mem::take(&mut last)];
                }
                // The last one is held back until [DONE] is out.
                let before = std::mem::replace(&mut last, event);
                if before == Written::default() { Vec::new() } else { vec![before] }
            })
        }),
    ],
};

fn done_last(record: &Record<'_>) -> Verdict {
    each_completion(record, "end", NO_END, |completion, tally| {
        let mut has_ended = false;
        for piece in &completion.pieces {
            let wrong = match (has_ended, is_done(piece)) {
                (false, true) => {
                    tally.look();
                    has_ended = true;
                    continue;
                }
                (false, false) => continue,
                (true, true) => "a second `[DONE]`",
                (true, false) => "an event after `[DONE]`, which clients do not read",
            };
            tally.fault(|| completion.fault(piece, wrong));
        }
        // Other rules judge a stream that was cut, or that reported an error.
        let is_whole = is_ended(&completion.view) && completion.is_finished();
        if is_whole && !has_ended && !completion.has_error() {
            tally.look();
            let end = completion.view.body_len();
            let message = "the response ends after the last chunk, without `[DONE]`";
            tally.fault(|| Fault::at(&completion.view, end, message));
        }
    })
}

pub(super) const DONE_EXACT: Rule = Rule {
    id: "openai-chat/done-exact",
    judge: |record| {
        each_completion(record, "end", "no stream carried `[DONE]`", |completion, tally| {
            for piece in &completion.pieces {
                match &*piece.kind {
                    DONE => tally.look(),
                    NEARLY => tally.fault(|| {
                        let data = quoted(piece.data.as_bytes());
                        let message = format!("the end marker is {data}, not `[DONE]`");
                        completion.fault(piece, message)
                    }),
                    _ => {}
                }
            }
        })
    },
    mutants: &[
        Mutant::new("done-with-space", "writes a space after [DONE]", |visit| {
            answer(visit).replaced(DONE, |_| vec![Written::data("[DONE] ")])
        }),
        Mutant::new("done-in-quotes", "sends [DONE] through the JSON encoder", |visit| {
            answer(visit).replaced(DONE, |_| vec![Written::data("\"[DONE]\"")])
        }),
        Mutant::new("done-in-small", "writes [done] in small letters", |visit| {
            answer(visit).replaced(DONE, |_| vec![Written::data("[done]")])
        }),
    ],
};

pub(super) const ERROR_REPORTED: Rule = Rule {
    id: "openai-chat/error-told",
    judge: error_reported,
    mutants: &[Mutant::new(
        "silent-end",
        "loses its model in mid-stream and ends the response normally",
        |visit| {
            let plan = answer(visit);
            let is_stream = plan.actions.iter().any(|action| matches!(action, Action::Wait(_)));
            if is_stream { plan.cut(3, [Action::Finish]) } else { plan }
        },
    )],
};

fn error_reported(record: &Record<'_>) -> Verdict {
    each_completion(record, "end", NO_END, |completion, tally| {
        if !is_ended(&completion.view) {
            return;
        }
        tally.look();
        if completion.is_done() || completion.has_error() || completion.is_finished() {
            return;
        }
        let message = match completion.ends().len() {
            0 => "the response ends without a choice, an error or `[DONE]`",
            _ => "the response ends in mid-answer: no `finish_reason`, no error, no `[DONE]`",
        };
        let end = completion.view.body_len();
        tally.fault(|| Fault::at(&completion.view, end, message));
    })
}

pub(super) const USAGE_ASKED: Rule = Rule {
    id: "openai-chat/usage-asked",
    judge: usage_asked,
    mutants: &[
        Mutant::new("no-usage", "does not send the requested usage", |visit| {
            answer(visit).without("prompt_tokens")
        }),
        Mutant::new("usage-without-total", "leaves out the total of the usage", |visit| {
            answer(visit).json(|_, chunk| {
                chunk["usage"].as_object_mut().map(|usage| usage.remove("total_tokens"));
            })
        }),
        // As LiteLLM sends it: after the end of the choice, with an empty delta.
        Mutant::new(
            "usage-on-a-choice",
            "sends the usage on a chunk with a choice that had ended before",
            |visit| {
                let choice = json!([{ "index": 0, "delta": {}, "finish_reason": null }]);
                answer(visit).set("prompt_tokens", "/choices", choice)
            },
        ),
        Mutant::new("usage-first", "sends the usage before the first choice", |visit| {
            let mut first = answer(visit).without("prompt_tokens");
            if wants_usage(visit) {
                let with = |event: Written| vec![usage_of(&event), event];
                let mut with = Some(with);
                first = first.replaced("", |event| match with.take() {
                    Some(with) => with(event),
                    None => vec![event],
                });
            }
            first
        }),
    ],
};

fn wants_usage(visit: &Visit<'_>) -> bool {
    visit.request.body.to_text().contains("include_usage")
}

/// The chunk with the usage, made of another one.
fn usage_of(chunk: &Written) -> Written {
    let mut usage: Value = serde_json::from_str(&chunk.data).unwrap_or_default();
    usage["choices"] = json!([]);
    usage["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17 });
    Written::data(usage)
}

fn usage_asked(record: &Record<'_>) -> Verdict {
    let none = "no stream for which `stream_options.include_usage` was set was read to its end";
    each_completion(record, "completion", none, |completion, tally| {
        // An error, or our disconnect, may come before the usage.
        if !completion.wants_usage() || !completion.is_done() || completion.has_error() {
            return;
        }
        tally.look();
        if let Some(fault) = wrong_usage(completion) {
            tally.fault(|| fault);
        }
    })
}

fn wrong_usage(completion: &Completion<'_>) -> Option<Fault> {
    let mut usage = completion.chunks().filter(|(_, chunk)| {
        chunk["usage"].is_object() && chunk["choices"].as_array().is_none_or(Vec::is_empty)
    });
    let Some((piece, chunk)) = usage.next() else {
        let on_a_choice = completion
            .usage_on_a_choice()
            .map(|piece| completion.fault(piece, "the chunk with the usage also has choices"));
        let none = || completion.fault_at_last("no chunk has the requested usage");
        return Some(on_a_choice.unwrap_or_else(none));
    };
    if let Some((second, _)) = usage.next() {
        return Some(completion.fault(second, "a second chunk has the usage"));
    }
    for name in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        let found = match &chunk["usage"][name] {
            Value::Null => "missing".to_owned(),
            value if value.is_u64() => continue,
            value => shown(value),
        };
        return Some(completion.fault(piece, format!("`{name}` of the usage is {found}")));
    }
    let is_early = completion
        .choices()
        .any(|(other, _, choice)| other.offset > piece.offset && finish_reason(choice).is_some());
    let message = "the usage comes before the end of the choices";
    is_early.then(|| completion.fault(piece, message))
}

pub(super) const USAGE_UNASKED: Rule = Rule {
    id: "openai-chat/usage-unasked",
    judge: usage_unasked,
    mutants: &[Mutant::new(
        "usage-for-all",
        "sends the chunk with the usage to every client",
        |visit| {
            let mut last = Written::default();
            answer(visit).events(|_, event| {
                if event.data == DONE && !wants_usage(visit) {
                    return vec![usage_of(&last), event];
                }
                last = event.clone();
                vec![event]
            })
        },
    )],
};

fn usage_unasked(record: &Record<'_>) -> Verdict {
    each_completion(record, "chunk", NO_CHUNK, |completion, tally| {
        if completion.asked.is_null() || completion.wants_usage() {
            return;
        }
        for (piece, chunk) in completion.chunks() {
            tally.look();
            let is_empty = chunk["choices"].as_array().is_some_and(Vec::is_empty);
            if is_empty && chunk["usage"].is_object() {
                let message =
                    "a chunk with usage and without choices, although no usage was requested";
                tally.fault(|| completion.fault(piece, message));
            }
        }
    })
}
