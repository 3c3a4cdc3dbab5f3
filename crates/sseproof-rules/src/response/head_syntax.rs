//! Status line and headers obey the grammar of HTTP.

use sseproof_http::http1::{Flaw, Message, Progress};
use sseproof_http::{Action, Bytes, Plan};
use sseproof_record::Ending;

use super::on_stream;
use crate::outcome::{count, each_once, of_http1};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "response/head-syntax",
    judge,
    mutants: &[
        Mutant::new(
            "space-in-header-name",
            "sends a header whose name has a space in it",
            |visit| on_stream(visit, |_| raw(b"X Powered By: us\r\n")),
        ),
        Mutant::new(
            "null-in-header-value",
            "sends a header whose value has a NUL in it",
            |visit| on_stream(visit, |_| raw(b"X-Topic: a\0b\r\n")),
        ),
    ],
};

/// A stream with this header line among others, written as raw bytes.
fn raw(line: &[u8]) -> Plan {
    let mut head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n".to_vec();
    head.extend_from_slice(line);
    head.extend_from_slice(b"\r\ndata: hello\n\n");
    Plan { actions: vec![Action::Raw(Bytes::from(head)), Action::Hold] }
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut heads = 0;
    for view in record.judged().filter(View::has_http1_wire) {
        let wire = view.wire_bytes();
        let fault =
            |flaw: &Flaw| Fault::new(&view, Place::Wire(flaw.offset as u64), flaw.describe(&wire));
        let Message { head, flaw, progress } = Message::read(&wire, &view.request.method);
        match (head, flaw) {
            (Some(head), _) => {
                heads += 1;
                faults.extend(head.flaws.iter().map(fault));
            }
            (None, Some(flaw)) => faults.push(fault(&flaw).so(
                "the server does not speak HTTP/1 here: another protocol, or TLS, on this port?",
            )),
            (None, None)
                if progress == Progress::Head
                    && matches!(view.end.how, Ending::Truncated | Ending::Reset) =>
            {
                let message = "the connection was closed within the response headers".to_owned();
                faults.push(Fault::new(&view, Place::Wire(wire.len() as u64), message));
            }
            (None, None) => {}
        }
    }
    if heads == 0 && faults.is_empty() {
        return of_http1(record, "no response headers were recorded as sent");
    }
    Verdict::from_faults(each_once(faults), count(heads, "answer"))
}
