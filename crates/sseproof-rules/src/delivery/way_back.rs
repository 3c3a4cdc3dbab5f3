//! The cost of messages from the client, since a stream only sends.
//!
//! Each message to the server is a request beside the stream.
//! It is cheap only if these requests share a connection.

use sseproof_record::{Lack, Version};

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
    let cost = format!("{heads} bytes of headers for {data} bytes of data");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Bytes, Chunk, Exchange, Published, Request, RunEventKind};
    use std::time::Duration;

    fn post() -> Request {
        Request {
            method: "POST".to_owned(),
            url: "http://server/publish".to_owned(),
            body: Bytes::from(b"hello"),
            ..Request::subscribe(URL)
        }
    }

    /// Two messages of five bytes, each with ten bytes of headers.
    fn published(serve: Answer, edit: fn(&mut Exchange)) -> Run {
        let one = |run: Run| {
            let run = run.visit(post(), Duration::from_secs(1)).edit(|last| {
                last.judged = false;
                last.sent =
                    vec![Chunk { at: last.started, bytes: Bytes::from(b"0123456789hello") }];
                last.wire.clear();
                edit(last);
            });
            let last = run.transcript().exchanges.last().expect("an exchange");
            let (at, end) = (last.started, last.end.at);
            let answered_us = u64::try_from(end.as_micros()).ok();
            let what = Published::of("hello");
            run.happened_at(at, "", RunEventKind::Published { what, answered_us })
        };
        one(one(Run::against(serve).subscribe()))
    }

    fn head(last: &mut Exchange) -> &mut sseproof_record::Head {
        last.head.as_mut().expect("response headers")
    }

    #[test]
    fn what_can_be_kept_passes_with_what_it_takes() {
        let kept = published(reference::answer, |_| {});
        let note = "2 messages took 20 bytes of headers for 10 bytes of data, over connections that can be kept";
        assert_eq!(kept.judge(&RULE), Verdict::Pass(note.to_owned()));
    }

    #[test]
    fn a_connection_for_each_message_is_reported_with_its_cause() {
        let faults = published(RULE.mutants[0].serve, |_| {}).faults(&RULE);
        assert_eq!(faults[0].exchange, 2);
        assert_eq!(
            faults[0].message,
            "POST /publish is answered with `Connection: close`: 2 messages took 2 connections, and 20 bytes of headers for 10 bytes of data"
        );
        let old = published(reference::answer, |last| head(last).version = Version::Http10);
        assert!(old.faults(&RULE)[0].message.contains("in HTTP/1.0"));
        let endless = published(reference::answer, |last| head(last).status = 200);
        assert!(endless.faults(&RULE)[0].message.contains("without a length"));
    }

    #[test]
    fn what_only_looks_so_passes() {
        let fine: [fn(&mut Exchange); 3] = [
            |last| {
                head(last).version = Version::Http10;
                head(last).headers.add("Connection", "keep-alive");
            },
            |last| {
                head(last).status = 200;
                head(last).headers.add("Content-Length", "0");
            },
            |last| head(last).version = Version::Http2,
        ];
        for edit in fine {
            published(reference::answer, edit).passes(&RULE);
        }
        // One of the two keeps its connection.
        let some = published(RULE.mutants[0].serve, |_| {})
            .edit(|last| head(last).headers.remove("Connection"));
        some.passes(&RULE);
    }

    #[test]
    fn it_skips_where_no_request_was_seen() {
        let none = published(reference::answer, |last| last.judged = true);
        let Verdict::Skip(why) = none.judge(&RULE) else { panic!("{:?}", none.judge(&RULE)) };
        assert!(why.contains("publish: { http:"), "{why}");
        Run::against(reference::answer).subscribe().skips(&RULE);
        // The client itself asked for the end of the connection.
        let asked = |last: &mut Exchange| last.request.headers.set("Connection", "close");
        published(RULE.mutants[0].serve, asked).skips(&RULE);
    }
}
