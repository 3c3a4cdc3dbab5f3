//! Transfer-Encoding is `chunked`, once, or absent, and so are the chunks of the body.

use sseproof_http::http1::{Message, Start};
use sseproof_http::{Bytes, Framing, Plan, Version};

use super::on_stream;
use crate::outcome::{count, each_once, of_http1};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

const FIELD: &str = "transfer-encoding";

pub(super) const RULE: Rule = Rule {
    id: "response/transfer-encoding",
    judge,
    mutants: &[
        Mutant::new(
            "chunked-twice",
            "names the coding `chunked` twice, and applies it once",
            |visit| {
                on_stream(visit, |plan| match visit.request.version {
                    Version::Http11 => plan.with_header("Transfer-Encoding", "chunked"),
                    _ => plan,
                })
            },
        ),
        Mutant::new(
            "chunks-in-chunks",
            "names the coding `chunked` once, and applies it twice",
            |visit| on_stream(visit, chunked),
        ),
        Mutant::new("chunks-unannounced", "writes chunks, and no Transfer-Encoding", |visit| {
            on_stream(visit, |plan| chunked(plan).with_framing(Framing::Close))
        }),
    ],
};

/// The plan with each of its writes as a chunk.
fn chunked(plan: Plan) -> Plan {
    plan.map_writes(|_, bytes| {
        let size = format!("{:x}\r\n", bytes.len());
        Bytes::from([size.as_bytes(), &bytes, b"\r\n"].concat())
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut in_body = None;
    let mut responses = 0;
    // An answer to HTTP/1.0 has no chunks at all: see `response/http10`.
    for view in record.judged().filter(|view| view.request.version != Version::Http10) {
        in_body = in_body.or_else(|| chunks_of_the_body(&view));
        if !view.has_http1_wire() {
            continue;
        }
        let wire = view.wire_bytes();
        let Some(head) = Message::read(&wire, &view.request.method).head else { continue };
        responses += 1;
        if !head.headers.has(FIELD) {
            continue;
        }
        let codings = head.headers.list(FIELD);
        let chunked =
            codings.iter().filter(|coding| coding.eq_ignore_ascii_case("chunked")).count();
        let message = match codings.iter().find(|coding| !coding.eq_ignore_ascii_case("chunked")) {
            _ if chunked > 1 => format!(
                "`chunked` is in Transfer-Encoding {}, but it can be applied only once",
                if chunked == 2 { "twice".to_owned() } else { format!("{chunked} times") }
            ),
            Some(other) => {
                format!("the transfer coding `{other}`, which the client did not ask for")
            }
            None if chunked == 0 => "an empty Transfer-Encoding".to_owned(),
            None if matches!(
                head.start,
                Start::Response { version: Some(Version::Http10), .. }
            ) =>
            {
                "a response of HTTP/1.0 with Transfer-Encoding".to_owned()
            }
            None => continue,
        };
        faults.push(Fault::header(&view, FIELD, message));
    }
    faults.extend(in_body);
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    if responses == 0 {
        return of_http1(record, "no response was recorded as sent");
    }
    Verdict::Pass(count(responses, "response"))
}

/// The fault of a body that has chunk sizes in it.
fn chunks_of_the_body(view: &View<'_>) -> Option<Fault> {
    let chunks = view.chunks()?;
    let first = match chunks.count {
        1 => String::new(),
        count => format!(" (the first of {count} in a row)"),
    };
    let is_chunked = view.head.iter().any(|head| head.headers.has(FIELD));
    let why = match &view.head {
        Some(head) if head.version == Version::Http2 => "HTTP/2 has no chunks".to_owned(),
        _ if is_chunked => "the body was chunked twice".to_owned(),
        _ => "no Transfer-Encoding says that the body is chunked".to_owned(),
    };
    let message = format!("the stream contains the chunk size `{}`{first}: {why}", chunks.size);
    Some(Fault::at(view, chunks.offset, message).so(
        "clients take each chunk size for a line of the stream, so an event in two chunks arrives broken or not at all",
    ))
}
