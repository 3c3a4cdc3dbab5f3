//! The cost of messages from the client, since a stream only sends.
//!
//! Each message to the server is a request beside the stream.
//! It is cheap only if these requests share a connection.

use sseproof_http::Version;
use sseproof_record::Lack;

use super::sendings::{Sending, none, sendings};
use crate::outcome::count;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "delivery/way-back",
    judge,
    mutants: &[Mutant::new(
        "closes-behind-each-message",
        "closes the connection after each message from a client",
        |visit| {
            let right = reference::answer(visit);
            if reference::publishes(visit) {
                right.with_header("Connection", "close")
            } else {
                right
            }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let sendings = sendings(record);
    if sendings.is_empty() {
        return none(record);
    }
    let messages = messages(record, &sendings);
    let Some((first, _)) = messages.first() else {
        return Verdict::Skip(format!(
            "no request was recorded that publishes (a command publishes?); write the request as `{}` into the file of --target",
            Lack::Publish.line()
        ));
    };
    let all = messages.len();
    if messages.iter().any(|(view, _)| view.is_http2()) {
        let note =
            format!("{} over HTTP/2, where requests share a connection", count(all, "message"));
        return Verdict::Pass(note);
    }
    let heads: u64 = messages.iter().map(|(view, _)| beside_bodies(view)).sum();
    let data: usize = messages.iter().map(|(_, sending)| sending.what.data.len()).sum();
    let cost = format!("{} of headers for {} of data", count(heads, "byte"), count(data, "byte"));
    let closed = messages.iter().filter(|(view, _)| closing(view).is_some()).count();
    match closing(first).filter(|_| closed == all) {
        Some((place, how)) => {
            let message = format!(
                "{} {how}: {} took {}, and {cost}",
                first.request.label(),
                count(all, "message"),
                count(all, "connection")
            );
            Verdict::Fail(vec![Fault::new(first, place, message)])
        }
        None => Verdict::Pass(format!(
            "{} took {cost}, over connections that can be kept",
            count(all, "message")
        )),
    }
}

/// The answered requests that published, and what each of them did.
fn messages<'r, 's>(
    record: &'r Record<'_>,
    sendings: &'s [Sending<'r>],
) -> Vec<(View<'r>, &'s Sending<'r>)> {
    let mut found: Vec<(View<'r>, &Sending<'r>)> = Vec::new();
    for sending in sendings {
        // A step publishes and waits for the answer, so what began meanwhile is its request.
        let is_its = |view: &View<'_>| {
            !view.judged
                && view.name.is_empty()
                && view.scenario == sending.scenario
                && view.started >= sending.at
                && sending.answered_us.is_none_or(|end| view.started.as_micros() <= end.into())
                && view.head.is_some()
                && !view.is_stream()
                && !asks_to_close(view)
        };
        let is_taken = |view: &View<'_>| found.iter().any(|(taken, _)| taken.number == view.number);
        if let Some(view) = record.all().find(|view| is_its(view) && !is_taken(view)) {
            found.push((view, sending));
        }
    }
    found
}

/// Whether the request itself asks to close the connection.
fn asks_to_close(view: &View<'_>) -> bool {
    let is_old = view.request.version == Version::Http10;
    is_old || view.request.headers.list("connection").iter().any(|option| option == "close")
}

/// Where and how the answer says that its connection takes no other request; `None` where it can be
/// kept.
fn closing(view: &View<'_>) -> Option<(Place, String)> {
    let head = view.head.as_ref()?;
    let options = head.headers.list("connection");
    let says = |wanted: &str| options.iter().any(|option| option == wanted);
    let field = |name: &str| Place::Header(name.to_owned());
    // RFC 9112, section 6.3: such a body ends where the connection does.
    let is_endless = !matches!(head.status, 204 | 304)
        && view.request.method != "HEAD"
        && !head.headers.has("content-length")
        && !head.headers.has("transfer-encoding");
    if says("close") {
        Some((field("connection"), "is answered with `Connection: close`".to_owned()))
    } else if head.version == Version::Http10 && !says("keep-alive") {
        Some((Place::StatusLine, "is answered in HTTP/1.0, which closes the connection".to_owned()))
    } else if is_endless {
        let how = "is answered without a length, so that the connection must end with the body";
        Some((field("content-length"), how.to_owned()))
    } else {
        None
    }
}

/// How many bytes went to and fro besides the bodies.
fn beside_bodies(view: &View<'_>) -> u64 {
    let length = |chunks: &[sseproof_record::Chunk]| -> u64 {
        chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum()
    };
    let bodies = view.request.body.len() as u64 + view.came_len();
    (length(&view.sent) + length(&view.wire)).saturating_sub(bodies)
}
