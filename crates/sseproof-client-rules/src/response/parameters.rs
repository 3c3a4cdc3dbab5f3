//! Parameters of the media type do not matter.

use sseproof_http::EVENT_STREAM;

use super::{TYPES, delivered};
use crate::client::Answer;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-type-parameters",
    cases: &["type-parameters"],
    judge,
    mutants: &[Mutant::new(
        "compares-type",
        "compares the whole Content-Type with `text/event-stream`",
        Hooks {
            accept: |state, answer: Answer<'_>| {
                let media_type = answer.headers.first("content-type").unwrap_or_default();
                // Other rules look at its case and at other charsets.
                let has_parameter = media_type.contains("utf-8") || media_type.contains("UTF-8");
                match crate::client::accept(state, answer) {
                    Accept::Open if has_parameter => {
                        Accept::Fail(format!("`{media_type}` is not {EVENT_STREAM}"))
                    }
                    accepted => accepted,
                }
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let connections = view.connections();
    let judged = connections.iter().zip(TYPES).map(|((_, one), media_type)| {
        let about = format!("the stream has the type `{media_type}`");
        delivered(one, &["one"], &about)
    });
    Judgement::all(judged, "each type with parameters is accepted")
}
