//! nginx is asked not to buffer the stream.

use crate::outcome::{NO_STREAM, count, each_once, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/accel-buffering",
    judge,
    mutants: &[Mutant::new(
        "may-be-buffered",
        "does not ask nginx to forward the stream without buffering",
        |visit| reference::answer(visit).without_header("X-Accel-Buffering"),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut streams, mut hidden) = (0, 0);
    for view in stream_answers(record) {
        streams += 1;
        let head = view.head.as_ref();
        match head.and_then(|head| head.headers.first("x-accel-buffering")) {
            Some(value) if value.eq_ignore_ascii_case("no") => {}
            Some(value) => {
                let message = format!("X-Accel-Buffering is {value:?} and not `no`");
                faults.push(Fault::header(&view, "x-accel-buffering", message));
            }
            None if is_behind_nginx(&view) => hidden += 1,
            None => {
                let message = "there is no `X-Accel-Buffering: no`";
                faults.push(Fault::header(&view, "x-accel-buffering", message));
            }
        }
    }
    if streams == 0 {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    if faults.is_empty() && hidden > 0 {
        return Verdict::Skip(
            "the answer came through nginx, which obeys this header and removes it".to_owned(),
        );
    }
    Verdict::from_faults(each_once(faults), count(streams, "stream"))
}

/// Whether an nginx, or what is built on it, may have taken the header out: it obeys it and does
/// not pass it on.
fn is_behind_nginx(view: &View<'_>) -> bool {
    let server = view.head.as_ref().and_then(|head| head.headers.first("server"));
    let server = server.unwrap_or_default().to_ascii_lowercase();
    ["nginx", "openresty", "tengine", "kong", "angie"].iter().any(|name| server.contains(name))
}
