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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;
    use sseproof_record::Ending;

    #[test]
    fn the_first_bad_byte_of_a_stream_is_named() {
        let faults = body(b"data: caf\xE9\n\ndata: \xFF\n\n").faults(&RULE);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].place, Place::Body(9));
        assert_eq!(faults[0].message, "invalid UTF-8: byte e9 (the first of 2 in this stream)");
    }

    #[test]
    fn every_scalar_value_is_allowed() {
        body("data: \u{0}\u{feff}\u{10ffff}é\n\n".as_bytes()).passes(&RULE);
    }

    #[test]
    fn bad_bytes_in_comments_and_names_count_too() {
        assert_eq!(body(b": \xE9\ndata: x\n\n").faults(&RULE)[0].place, Place::Body(2));
        assert_eq!(body(b"\xE9: x\n\n").faults(&RULE)[0].place, Place::Body(0));
    }

    #[test]
    fn half_a_character_is_fine_where_we_left() {
        body(b"data: caf\xC3").edit(|exchange| exchange.end.how = Ending::Left).passes(&RULE);
    }

    #[test]
    fn no_bytes_are_no_evidence() {
        body(b"").skips(&RULE);
    }
}
