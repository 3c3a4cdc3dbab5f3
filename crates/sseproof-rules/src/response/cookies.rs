//! The cookies of a stream are those that browsers keep, and that stay secret.

use super::on_stream;
use crate::outcome::{NO_STREAM, each_of, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "response/cookies",
    judge,
    mutants: &[Mutant::new(
        "refused-cookie",
        "sets a cookie for pages of other sites that browsers refuse",
        |visit| {
            on_stream(visit, |plan| plan.with_header("Set-Cookie", "sid=7; Path=/; SameSite=None"))
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    if stream_answers(record).next().is_none() {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let cookies = stream_answers(record)
        .flat_map(|view| set_by(&view).into_iter().map(move |cookie| (view, cookie)));
    each_of(cookies, "cookie", "no stream sets a cookie", |(view, (name, attributes))| {
        let wrong = wrong(view, attributes)?;
        Some(Fault::header(view, "set-cookie", format!("the cookie `{name}` {wrong}")))
    })
}

/// The fault of a cookie that has these attributes.
fn wrong(view: &View<'_>, attributes: &str) -> Option<&'static str> {
    let has = |name: &str| attributes.split(';').any(|one| one.trim() == name);
    let any_site = has("samesite=none");
    match (has("secure"), view.request.url.starts_with("https://")) {
        (true, _) => None,
        (false, _) if any_site => Some("says `SameSite=None` without `Secure`: browsers refuse it"),
        (false, true) => Some("has no `Secure`: browsers send it over http, too"),
        (false, false) => None,
    }
}

/// The cookies that the answer sets: the name of each and its attributes, in lower case.
pub(crate) fn set_by(view: &View<'_>) -> Vec<(String, String)> {
    let headers = view.head.iter().flat_map(|head| head.headers.all("set-cookie"));
    let cookies = headers.map(|header| {
        let text = header.value.to_text();
        let (pair, attributes) = text.split_once(';').unwrap_or((&text, ""));
        let name = pair.split('=').next().unwrap_or_default().trim();
        (name.to_owned(), attributes.to_ascii_lowercase())
    });
    cookies.collect()
}
