//! The stream is valid UTF-8.

use sseproof_codec::{AnomalyKind, Span};

use super::{slip_in, tally::each_stream};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/utf8",
    judge,
    mutants: &[Mutant::new("latin1-payload", "writes a payload in Latin-1", |visit| {
        slip_in(visit, b"data: caf\xE9\n\n")
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "byte", |view, tally| {
        tally.look_at(view.body_len());
        for anomaly in view.anomalies().filter(|a| a.kind == AnomalyKind::InvalidUtf8) {
            tally.fault(|| {
                let message = format!("invalid UTF-8: {}", hex(&view.body_bytes(), anomaly.span));
                Fault::at(view, anomaly.span.start, message)
            });
        }
    })
}

fn hex(body: &[u8], span: Span) -> String {
    let range = usize::try_from(span.start).ok().zip(usize::try_from(span.end).ok());
    let bytes = range.and_then(|(start, end)| body.get(start..end)).unwrap_or_default();
    let shown: Vec<_> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    match shown.len() {
        1 => format!("byte {}", shown[0]),
        _ => format!("bytes {}", shown.join(" ")),
    }
}
