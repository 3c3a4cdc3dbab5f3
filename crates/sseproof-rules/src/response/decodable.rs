//! A compressed stream can be decoded.

use super::on_stream;
use crate::gzip::gzipped;
use crate::outcome::{count, each_once, stream_answers};
use crate::rule::Place;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};
use sseproof_http::{Action, Bytes, Coding};
use sseproof_record::Ending;

pub(super) const RULE: Rule = Rule {
    id: "response/decodable",
    judge,
    mutants: &[
        Mutant::new(
            "gzip-in-name-only",
            "declares the stream as gzip if the client accepts that, and sends it uncompressed",
            |visit| compressed(visit, |plan| plan.with_header("Content-Encoding", "gzip")),
        ),
        Mutant::new("gzip-passed-by", "sends some events uncompressed", |visit| {
            compressed(visit, |plan| {
                let plain = Bytes::from("data: still here\n\n");
                gzipped(plan, 1).map_writes(
                    |index, bytes| {
                        if index == 3 { plain.clone() } else { bytes }
                    },
                )
            })
        }),
        Mutant::new("gzip-without-end", "ends the stream without ending its gzip", |visit| {
            compressed(visit, |plan| {
                // After the last event comes the end of the gzip.
                let last = plan.actions.iter().rposition(|action| *action == Action::Flush);
                let mut plan = plan;
                let open = Action::Write(Bytes::from(": still here\n\n"));
                if let Some(last) = last {
                    plan.actions.insert(last + 1, open);
                }
                let mut plan = gzipped(plan, 1);
                if let Some(last) = last {
                    plan.actions.remove(last + 1);
                }
                plan
            })
        }),
    ],
};

/// The reference's stream, changed as a compressor does, for a client that accepts gzip.
fn compressed(
    visit: &sseproof_http::Visit<'_>,
    edit: impl FnOnce(sseproof_http::Plan) -> sseproof_http::Plan,
) -> sseproof_http::Plan {
    let accepts = visit.request.headers.list("accept-encoding").contains(&"gzip".to_owned());
    on_stream(
        visit,
        |plan| {
            if accepts { edit(plan.with_header("Vary", "Accept-Encoding")) } else { plan }
        },
    )
}

fn judge(record: &Record<'_>) -> Verdict {
    let is_known = |view: &View<'_>| {
        view.head.as_ref().is_some_and(|head| Coding::of(&head.headers).is_some())
    };
    let compressed: Vec<_> =
        stream_answers(record).filter(View::is_compressed).filter(is_known).collect();
    if compressed.is_empty() {
        return Verdict::Skip(
            "no stream was compressed in a coding that can be decoded".to_owned(),
        );
    }
    let faults: Vec<_> = compressed.iter().filter_map(fault).collect();
    let too_much = compressed.iter().find_map(|view| {
        view.coding_fault.as_ref().filter(|fault| fault.too_much).map(|fault| (view, fault))
    });
    match too_much {
        Some((view, fault)) if faults.is_empty() => Verdict::Inconclusive(format!(
            "exchange {} was decoded only in part: {}",
            view.number, fault.message
        )),
        _ => Verdict::from_faults(each_once(faults), count(compressed.len(), "compressed stream")),
    }
}

fn fault(view: &View<'_>) -> Option<Fault> {
    let head = view.head.as_ref()?;
    let coding = head.headers.list("content-encoding").join(", ");
    let Some(fault) = &view.coding_fault else {
        let coded: Vec<u8> =
            view.coded.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
        // A stream that the client or a lost connection cut has no end to be judged.
        let is_whole = view.end.how != Ending::Complete
            || coded.is_empty()
            || Coding::of(&head.headers).is_none_or(|coding| coding.is_whole(&coded));
        if is_whole {
            return None;
        }
        let message = format!(
            "the stream ends here, but its {coding} does not: the last block or its checksum is missing"
        );
        let fault = Fault::new(view, Place::Coded(coded.len() as u64), message);
        return Some(fault.so("clients that check this report an error instead of the end (Go: unexpected EOF, Node.js: unexpected end of file)"));
    };
    if fault.too_much {
        return None;
    }
    let message = format!(
        "the bytes from here on are not valid {coding}, which Content-Encoding names: {}",
        fault.message
    );
    Some(Fault::new(view, Place::Coded(fault.at), message))
}
