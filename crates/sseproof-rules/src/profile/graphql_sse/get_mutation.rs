//! A GET changes nothing.

use serde_json::Value;

use super::mistaken;
use super::traffic::{asked, each, messages, parameter};
use crate::profile::json::{read, shown};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/get-mutation",
    judge,
    mutants: &[Mutant::new("graphql-mutation-by-get", "carries out a mutation by GET", |visit| {
        mistaken(visit, |request| {
            let query = parameter(request, "query").unwrap_or_default();
            if request.method == "GET" && query.starts_with("mutation") {
                request.method = "POST".to_owned();
                request.body = r#"{"query":"mutation { __typename }"}"#.into();
            }
        })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no mutation by GET was answered";
    let wanted = |view: &View<'_>| {
        let query = parameter(&view.request, "query").unwrap_or_default();
        view.request.method == "GET"
            && asked(&view.request).is_null()
            && query.starts_with("mutation")
    };
    each(record, "mutation by GET", none, wanted, |view, tally| {
        tally.look();
        if let Some((offset, data)) = executed(view) {
            let message =
                format!("a mutation by GET is carried out, with the result {}", shown(&data));
            tally.fault(|| Fault::at(view, offset, message));
        }
    })
}

/// What the mutation gave, in the stream or in a body of JSON, and where.
fn executed(view: &View<'_>) -> Option<(u64, Value)> {
    let data = |json: &Value| json.get("data").filter(|data| !data.is_null()).cloned();
    let streamed = messages(view)
        .into_iter()
        .find_map(|message| data(&message.json).map(|data| (message.offset, data)));
    let whole = || {
        let body = read(&String::from_utf8_lossy(&view.body_bytes()))?;
        data(&body).map(|data| (0, data))
    };
    streamed.or_else(whole)
}
