//! Rules on the last event ID that a client sends when it reconnects.

mod any;
mod emptied;
mod encoding;
mod newest;
mod which;

use crate::registry::Family;
use crate::{Case, Fault, Judgement, Quiet, View, When, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &newest::RULE,
        &emptied::RULE,
        &which::WITHOUT_DATA,
        &which::UNFINISHED,
        &which::NUL,
        &encoding::RULE,
        &any::RULE,
    ],
    cases: &[&CHAIN, &EMPTIED, &WITHOUT_DATA, &UNFINISHED, &NUL, &LATIN, &BEYOND_LATIN, &LONG],
};

const CHAIN: Case = Case::new(
    "id-chain",
    "the server ends a stream after id 2, the next one after id 3, and one without an id",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\nid: 1\ndata: one\n\nid: 2\ndata: two\n\n").end(),
        1 => stream().write("retry: 50\nid: 3\ndata: three\n\n").end(),
        2 => stream().write("retry: 50\ndata: four\n\n").end(),
        _ => stream().write("data: five\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(4), Quiet::Short);

const EMPTIED: Case = Case::new(
    "id-emptied",
    "the server ends a stream after id 1, and the next one after an empty id",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\nid: 1\ndata: one\n\n").end(),
        1 => stream().write("retry: 50\nid\ndata: two\n\n").end(),
        _ => stream().write("data: three\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(3), Quiet::Short);

/// A case with one stream, after which the client reconnects.
macro_rules! first {
    ($id:literal, $about:literal, $first:expr) => {
        Case::new($id, $about, |visit| match visit.earlier {
            0 => stream().write($first).end(),
            _ => stream().write("data: three\n\n").hold(),
        })
        .reconnecting()
        .until(When::Requests(2), Quiet::Short)
    };
}

const WITHOUT_DATA: Case = first!(
    "id-without-data",
    "the server ends a stream after a block that has the id 2 and no data",
    "retry: 50\nid: 1\ndata: one\n\nid: 2\n\n"
);
const UNFINISHED: Case = first!(
    "id-unfinished",
    "the server ends a stream in a block with the id 2, before its blank line",
    "retry: 50\nid: 1\ndata: one\n\nid: 2\ndata: two\n"
);
const NUL: Case = first!(
    "id-nul",
    "the server sends the id 1, then one with a NUL",
    "retry: 50\nid: 1\ndata: one\n\nid: 2\0x\ndata: two\n\n"
);
/// A case whose first stream shows whether the client reconnects at all.
macro_rules! odd {
    ($id:literal, $about:literal, $odd:expr) => {
        Case::new($id, $about, |visit| match visit.earlier {
            0 => stream().write("retry: 50\ndata: one\n\n").end(),
            1 => stream().write(format!("retry: 50\nid: {}\ndata: two\n\n", $odd)).end(),
            _ => stream().write("data: three\n\n").hold(),
        })
        .reconnecting()
        .until(When::Requests(3), Quiet::Short)
    };
}

const LATIN: Case =
    odd!("id-latin", "the server sends an id with a letter of Latin-1", encoding::LATIN);
const BEYOND_LATIN: Case = odd!(
    "id-beyond-latin",
    "the server sends an id with letters beyond Latin-1",
    encoding::BEYOND_LATIN
);
const LONG: Case = odd!("id-long", "the server sends an id of 8,000 bytes", any::long());

/// The id that the request with this number has.
enum Sent {
    Expected,
    /// None, so that nothing can be said about which one it is.
    Missing(Judgement),
    Other(Judgement),
}

fn sent(view: &View<'_>, number: usize, expected: &[u8], cause: &str) -> Sent {
    let Some(request) = view.request(number) else {
        return Sent::Missing(Judgement::not_reconnected());
    };
    let Some(id) = request.what.request.last_event_id() else {
        let why = "the client sends no Last-Event-ID".to_owned();
        return Sent::Missing(Judgement::Unclear(why));
    };
    if id[..] == *expected {
        return Sent::Expected;
    }
    /// How much of an id is shown.
    const SHOWN: usize = 60;
    let shown: String = id.escaped().chars().take(SHOWN).collect();
    let message = format!("the client sends `Last-Event-ID: {shown}` {cause}");
    Sent::Other(Fault::at(request.entry, message).header("last-event-id").into())
}

/// Whether the request with this number has this id; inconclusive if it has none.
fn sends(view: &View<'_>, number: usize, expected: &[u8], cause: &str, note: &str) -> Judgement {
    match sent(view, number, expected, cause) {
        Sent::Expected => Judgement::held(note),
        Sent::Missing(judgement) | Sent::Other(judgement) => judgement,
    }
}
