//! The connection of a client that was closed is gone.

use std::time::Duration;

use crate::client::Closing;
use crate::record::How;
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

/// How long the connection may stay.
pub(super) const SOON: Duration = Duration::from_secs(1);

pub(super) const RULE: Rule = Rule {
    id: "client/close",
    cases: &["close", "close-on-event"],
    judge,
    mutants: &[Mutant::new(
        "keeps-the-connection",
        "keeps its connection after it was closed",
        Hooks { close: |_| Closing::KeepsConnection, ..REFERENCE },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let closed = match view.case() {
        "close" => view.close_command().map(|close| close.at),
        _ => view.events().first().map(|event| event.at),
    };
    match closed {
        Some(closed) => gone(view, closed),
        None => Judgement::Unclear("the client was not closed".to_owned()),
    }
}

/// Whether the first connection is gone soon after that time.
pub(super) fn gone(view: &View<'_>, closed: Duration) -> Judgement {
    let end = view.end(1).filter(|end| end.what == How::Disconnected);
    let time = end.map(|end| (end.entry, end.at.saturating_sub(closed)));
    match time {
        Some((_, time)) if time <= SOON => Judgement::held(format!(
            "the connection was gone {} after close()",
            sseproof_units::duration(time)
        )),
        Some((entry, time)) => {
            let time = sseproof_units::duration(time);
            Fault::at(entry, format!("the connection is open for {time} after close()")).into()
        }
        None => Fault::missing("the connection is still open after close()").into(),
    }
}
