//! Rules on the reconnection time.

mod heeded;
mod huge;
mod kept;
mod parsed;

use std::time::Duration;

use crate::registry::Family;
use crate::{Case, Connect, Fault, Judgement, Kind, Quiet, View, When, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[&heeded::RULE, &parsed::OWN_BLOCK, &parsed::DIGITS, &kept::RULE, &huge::RULE],
    cases: &[&HEEDED, &OWN_BLOCK, &INVALID, &ZEROS, &kept::CASE, &HUGE],
};

/// The reconnection time that most cases announce.
const ANNOUNCED: Duration = Duration::from_millis(700);
/// Timers may be that early.
const SLACK: Duration = Duration::from_millis(70);

const HEEDED: Case = Case::new(
    "retry",
    "the server announces `retry: 700` and ends the stream",
    |visit| match visit.earlier {
        0 => stream().write("retry: 700\ndata: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(2), Quiet::Short);

/// A case whose first stream shows whether the client heeds a reconnection time, and whose second
/// announces it in another way.
macro_rules! announced {
    ($id:literal, $about:literal, $second:literal) => {
        Case::new($id, $about, |visit| match visit.earlier {
            0 => stream().write("retry: 700\ndata: one\n\n").end(),
            1 => stream().write($second).end(),
            _ => stream().write("data: three\n\n").hold(),
        })
        .reconnecting()
        .until(When::Requests(3), Quiet::Short)
    };
}

const OWN_BLOCK: Case = announced!(
    "retry-own-block",
    "the server announces `retry: 700` in a block of its own, without data",
    "retry: 50\ndata: two\n\nretry: 700\n\n"
);
const INVALID: Case = announced!(
    "retry-invalid",
    "the server announces `retry: 700`, then values that are not digits",
    "retry: 700\ndata: two\n\nretry: 5x\n\nretry: -1\n\nretry: 1.5\n\nretry: 0x1\n\nretry: 1e1\n\nretry: +5\n\n"
);
const ZEROS: Case = announced!(
    "retry-zeros",
    "the server announces `retry: 700`, then `retry: 50` and `retry: 0700`",
    "retry: 50\ndata: two\n\nretry: 0700\ndata: three\n\n"
);

const HUGE: Case = Case::new(
    "retry-huge",
    "the server announces a reconnection time that overflows timers and numbers, and ends the stream",
    |visit| {
        let value = huge::value(visit.request.path());
        let answer = stream().write(format!("retry: {value}\ndata: one\n\n"));
        // Enough to see a storm.
        if visit.here < 6 { answer.end() } else { answer.hold() }
    },
)
.reconnecting()
.connects(|origins| {
    let paths = 0..huge::VALUES.len();
    paths.map(|path| Connect::to(format!("{}/{path}", origins.own))).collect()
})
.until(When::Ends(huge::VALUES.len()), Quiet::Reconnect);

/// Whether the client waits that long after the response with that number.
fn waits(view: &View<'_>, response: usize, how: &str) -> Judgement {
    let Some(pause) = view.pause(response) else { return Judgement::not_reconnected() };
    let shown = sseproof_units::duration(pause.what);
    // A client with a policy of its own may spread its reconnections around the announced time.
    let is_free = view.client().kind == Kind::Resilient;
    let least = if is_free { ANNOUNCED / 2 } else { ANNOUNCED };
    if pause.what + SLACK < least {
        let message = format!("the client reconnects after {shown}; {how}");
        return Fault::at(pause.entry, message).into();
    }
    Judgement::held(format!("{how}; the client reconnected after {shown}"))
}
