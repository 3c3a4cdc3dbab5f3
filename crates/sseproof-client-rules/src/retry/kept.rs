//! The reconnection time belongs to the client, and not to one of its connections.

use std::time::Duration;

use super::SLACK;
use crate::{
    Case, Connect, Fault, Hooks, Judgement, Kind, Mutant, Quiet, REFERENCE, Rule, View, When,
    stream,
};

/// The announced times, as in the paths: one below and one above the time that most clients begin
/// with, in milliseconds.
const TIMES: [u64; 2] = [50, 1500];
/// A wait that is longer than an announced short one by so much is not that time, also if the client
/// spreads and doubles its waits.
const LONGER: Duration = Duration::from_millis(700);
const TIMES_LONGER: u32 = 5;

pub(super) const RULE: Rule = Rule {
    id: "client/retry-kept",
    cases: &["retry-kept"],
    judge,
    mutants: &[Mutant::new(
        "forgets-retry",
        "takes its own reconnection time again after a stream without `retry`",
        Hooks {
            received: |state, bytes, _| {
                let is_asked = TIMES.iter().any(|time| state.url.ends_with(&format!("/{time}")));
                if is_asked && state.opened > 1 && !bytes.starts_with(b"retry") {
                    state.retry = crate::client::RETRY;
                }
                bytes.to_vec()
            },
            ..REFERENCE
        },
    )],
};

pub(super) const CASE: Case = Case::new(
    "retry-kept",
    "the server announces a reconnection time, ends the stream, and ends the next one, which announces none",
    |visit| match visit.here {
        0 => {
            let time = visit.request.path().trim_start_matches('/');
            stream().write(format!("retry: {time}\ndata: one\n\n")).end()
        }
        1 => stream().write("data: two\n\n").end(),
        _ => stream().write("data: three\n\n").hold(),
    },
)
.reconnecting()
.connects(|origins| {
    TIMES.iter().map(|time| Connect::to(format!("{}/{time}", origins.own))).collect()
})
.until(When::Requests(3 * TIMES.len()), Quiet::Short)
.patient(Duration::from_secs(8));

fn judge(view: &View<'_>) -> Judgement {
    let connections = view.connections();
    let judged = TIMES
        .iter()
        .zip(&connections)
        .map(|(time, (_, one))| kept(one, Duration::from_millis(*time)));
    Judgement::all(judged, "the announced time is kept after a stream that announces none")
}

fn kept(view: &View<'_>, announced: Duration) -> Judgement {
    let requests = view.requests();
    let mut ends = requests.iter().map(|asked| view.end(asked.what.number));
    let (Some([first, second, third]), Some(Some(end)), Some(Some(later))) =
        (requests.get(..3), ends.next(), ends.next())
    else {
        return Judgement::not_reconnected();
    };
    let heeded = second.at.saturating_sub(end.at);
    let wait = third.at.saturating_sub(later.at);
    let least = if view.client().kind == Kind::Resilient { announced / 2 } else { announced };
    if heeded + SLACK < least || heeded > announced * TIMES_LONGER + LONGER {
        let path = first.what.request.path();
        return Judgement::Unclear(format!("the client does not heed the time of {path}"));
    }
    let is_longer = wait > heeded * TIMES_LONGER && wait > heeded + LONGER;
    if wait + SLACK < least || is_longer {
        let message = format!(
            "the client waits for {} after a stream without `retry`; `retry: {}` was announced by the one before, and heeded",
            sseproof_units::duration(wait),
            announced.as_millis()
        );
        return Fault::at(third.entry, message).into();
    }
    Judgement::held("")
}
