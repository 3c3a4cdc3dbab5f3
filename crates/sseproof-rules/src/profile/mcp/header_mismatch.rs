//! Headers that say something else than the body.

use super::mistaken;
use super::traffic::{asked, each_status};
use crate::{Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/header-mismatch",
    judge,
    mutants: &[Mutant::new(
        "mcp-headers-unread",
        "does not compare Mcp-Method with the body",
        |visit| {
            mistaken(visit, |request| {
                let asked: serde_json::Value =
                    serde_json::from_slice(&request.body).unwrap_or_default();
                if let Some(method) = asked["method"].as_str() {
                    request.headers.set("Mcp-Method", method);
                }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let wanted = |view: &View<'_>| {
        let told = view.request.headers.first("mcp-method");
        told.is_some_and(|told| asked(view)["method"].as_str().is_some_and(|method| method != told))
    };
    let none = "no request with such headers was answered";
    let what = "a request with another method in `Mcp-Method` than in its body";
    each_status(record, what, none, wanted, |status| status == 400)
}
