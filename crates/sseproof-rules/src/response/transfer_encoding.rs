//! Transfer-Encoding is `chunked`, once, or absent.

use sseproof_http::Version;
use sseproof_http::http1::{Message, Start};

use super::on_stream;
use crate::outcome::{count, each_once, of_http1};
use crate::{Fault, Mutant, Record, Rule, Verdict};

const FIELD: &str = "transfer-encoding";

pub(super) const RULE: Rule = Rule {
    id: "response/transfer-encoding",
    judge,
    mutants: &[Mutant::new(
        "chunked-twice",
        "names the coding `chunked` twice, and applies it once",
        |visit| {
            on_stream(visit, |plan| match visit.request.version {
                Version::Http11 => plan.with_header("Transfer-Encoding", "chunked"),
                _ => plan,
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut responses = 0;
    for view in record.judged().filter(|view| view.has_http1_wire()) {
        // A response to HTTP/1.0 has no such field at all: see `response/http10`.
        if view.request.version == Version::Http10 {
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
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    if responses == 0 {
        return of_http1(record, "no response was recorded as sent");
    }
    Verdict::Pass(count(responses, "response"))
}
