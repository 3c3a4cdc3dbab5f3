//! Status line and headers obey the grammar of HTTP.

use sseproof_http::http1::{Flaw, Message, Progress};
use sseproof_record::{Action, Bytes, Ending, Plan};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::Run;
    use sseproof_record::Chunk;

    fn wire(bytes: &[u8], how: Ending) -> Run {
        Run::against(reference::answer).subscribe().edit(|last| {
            last.wire = vec![Chunk { at: last.started, bytes: Bytes::from(bytes) }];
            last.end.how = how;
        })
    }

    #[test]
    fn the_reference_passes() {
        Run::against(reference::answer).subscribe().passes(&RULE);
    }

    #[test]
    fn each_mutant_fails_at_the_byte() {
        let expected = [(b'X', 1), (b'X', 10)];
        for (mutant, (first, inside)) in RULE.mutants.iter().zip(expected) {
            let run = Run::against(mutant.serve).subscribe().subscribe();
            let faults = run.faults(&RULE);
            assert_eq!(faults.len(), 1, "{}", mutant.id);
            let wire = run.with_record(|record| record.exchange(1).unwrap().wire_bytes());
            let line = wire.windows(3).position(|at| at[0] == b'\n' && at[1] == first).unwrap() + 1;
            assert_eq!(faults[0].place, Place::Wire((line + inside) as u64), "{}", mutant.id);
        }
    }

    #[test]
    fn another_protocol_fails() {
        let run = wire(b"SSH-2.0-OpenSSH_9.6\r\n", Ending::Malformed("x".into()));
        assert!(run.faults(&RULE)[0].consequence.is_some());
    }

    #[test]
    fn a_cut_head_is_the_servers_only_where_the_server_cut_it() {
        let part = b"HTTP/1.1 200 OK\r\nConte";
        assert_eq!(wire(part, Ending::Truncated).faults(&RULE)[0].place, Place::Wire(22));
        wire(part, Ending::Left).skips(&RULE);
    }

    #[test]
    fn without_the_wire_there_is_nothing_to_judge() {
        Run::against(reference::answer).subscribe().edit(|last| last.wire.clear()).skips(&RULE);
    }
}
