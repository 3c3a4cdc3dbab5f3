//! The media type is `text/event-stream`.

use crate::outcome::{Coming, Outcome, coming, count, each_once};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/content-type",
    judge,
    mutants: &[
        Mutant::new("plain-text", "sends the stream as text/plain", |visit| {
            reference::answer(visit).with_header("Content-Type", "text/plain")
        }),
        Mutant::new("no-content-type", "sends the stream without a Content-Type", |visit| {
            reference::answer(visit).without_header("Content-Type")
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut streams = 0;
    for view in record.subscriptions() {
        match (Outcome::of(&view), coming(record, &view)) {
            (Outcome::Stream, _) => {
                streams += 1;
                faults.extend(two_types(&view));
            }
            // Where a stream came before, a page is a server in trouble: see `reconnect/`.
            (Outcome::OtherType, Coming::First) => faults.push(other_type(&view)),
            _ => {}
        }
    }
    if streams == 0 && faults.is_empty() {
        return Verdict::Skip("no subscription was answered with 200".to_owned());
    }
    Verdict::from_faults(each_once(faults), count(streams, "stream"))
}

fn other_type(view: &View<'_>) -> Fault {
    let head = view.head.as_ref();
    let Some(value) = head.and_then(|head| head.headers.first("content-type")) else {
        return Fault::header(view, "content-type", "the answer has no Content-Type");
    };
    let message = format!("the Content-Type is {value:?} and not text/event-stream");
    let fault = Fault::header(view, "content-type", message);
    match head.and_then(|head| head.media_type()).as_deref() {
        Some("text/html") => fault.so(
            "this is a page from a login, a fallback route or a proxy in front; an EventSource closes for good",
        ),
        _ => fault,
    }
}

fn two_types(view: &View<'_>) -> Option<Fault> {
    let head = view.head.as_ref()?;
    let values: Vec<_> =
        head.headers.all("content-type").map(|header| header.value.to_text()).collect();
    let first = values.first()?;
    let other = values.iter().find(|value| *value != first)?;
    let message = format!("there are two Content-Types, {first:?} and {other:?}");
    Some(Fault::header(view, "content-type", message).so(
        "some clients take the first, others the last, which may not be that of an event stream",
    ))
}
