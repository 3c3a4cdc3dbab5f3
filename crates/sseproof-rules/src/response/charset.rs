//! The charset of the media type, where it has one, is UTF-8.

use crate::outcome::{NO_STREAM, each_of, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/content-type-charset",
    judge,
    mutants: &[Mutant::new("latin1-charset", "calls its UTF-8 stream ISO-8859-1", |visit| {
        let value = "text/event-stream; charset=ISO-8859-1";
        let answer = reference::answer(visit);
        if visit.request.method == "GET" {
            answer.with_header("Content-Type", value)
        } else {
            answer
        }
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_of(stream_answers(record), "stream", NO_STREAM, |view| {
        let charset = charset(view).filter(|charset| !charset.eq_ignore_ascii_case("utf-8"))?;
        let message = format!("the Content-Type names the charset {charset:?}");
        Some(Fault::header(view, "content-type", message))
    })
}

fn charset(view: &View<'_>) -> Option<String> {
    let value = view.head.as_ref()?.headers.first("content-type")?;
    value.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then(|| value.to_owned())
    })
}
