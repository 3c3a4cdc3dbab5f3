//! `Access-Control-Allow-Origin` is one origin or `*`, and fits the page that asked.

use super::{STRANGER, admits, admitted, no_origin, own_origin, to_page, to_pages};
use crate::outcome::{count, each_once};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "cors/allow-origin",
    judge,
    mutants: &[
        Mutant::new(
            "two-origins",
            "admits two origins in one field, which browsers take for none",
            |visit| {
                to_page(visit, |plan, _| {
                    let both = "https://a.example, https://b.example";
                    plan.with_header("Access-Control-Allow-Origin", both)
                })
            },
        ),
        Mutant::new(
            "origin-with-slash",
            "writes a slash after the origin that it admits",
            |visit| {
                to_page(visit, |plan, request| {
                    let origin = request.headers.first("origin").unwrap_or_default();
                    plan.with_header("Access-Control-Allow-Origin", format!("{origin}/"))
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut asked, mut fine) = (0, 0);
    let mut elsewhere = None;
    for (view, origin) in to_pages(record) {
        asked += 1;
        let admitted = admitted(&view);
        let is_named = origin != STRANGER;
        let message = match admitted.as_slice() {
            [] if is_named => {
                format!("the response to a page of `{origin}` admits no other origin")
            }
            [] => continue,
            [_, _, ..] => format!("the field occurs {} times", admitted.len()),
            [one] if admits(&view, &origin) => {
                fine += 1;
                elsewhere.get_or_insert_with(|| one.clone());
                continue;
            }
            [one] => match flaw(one) {
                Some(flaw) => format!("`{one}` {flaw}"),
                None if is_named => {
                    format!("the field says `{one}`, and the page is of `{origin}`")
                }
                None => {
                    elsewhere = Some(one.clone());
                    continue;
                }
            },
        };
        faults.push(Fault::header(&view, "access-control-allow-origin", message));
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match (asked, fine, elsewhere) {
        (0, ..) => no_origin(record),
        (_, 0, None) => own_origin(record),
        (_, 0, Some(one)) => {
            Verdict::Skip(format!("only `{one}` is admitted; send this origin with --origin {one}"))
        }
        (_, fine, _) => Verdict::Pass(count(fine, "answer")),
    }
}

/// Why no page has that origin.
fn flaw(origin: &str) -> Option<&'static str> {
    if origin == "null" {
        return None;
    }
    let Some((_, rest)) = origin.split_once("://") else {
        return Some("is not an origin: it needs a scheme, as in https://app.example");
    };
    if origin.contains([',', ' ']) {
        return Some("is more than one origin, and browsers take it for none");
    }
    if rest.contains('*') {
        return Some("has a star in it, which browsers do not expand");
    }
    rest.contains('/').then_some("has a slash after the host, which an origin must not have")
}
