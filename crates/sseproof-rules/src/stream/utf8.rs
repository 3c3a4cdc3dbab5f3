//! The stream is valid UTF-8.

use sseproof_codec::AnomalyKind;

use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "stream/utf8",
    requirement: "whatwg-sse/utf8",
    title: "the stream is valid UTF-8",
    why: "A client replaces each bad byte by U+FFFD: the reader sees wrong text, and nobody sees an error.",
    fix: "Encode every payload as UTF-8 before it is written, and never cut a string between two bytes of one character.",
    recipes: &[],
    judge,
    mutants: &[Mutant {
        id: "latin1-payload",
        wrong: "writes a payload in Latin-1",
        serve: |visit| reference::answer(visit).insert(3, b"data: caf\xE9\n\n"),
    }],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut bytes = 0;
    for view in record.streams() {
        bytes += view.body_len();
        let wrong = view.anomalies().find(|anomaly| anomaly.kind == AnomalyKind::InvalidUtf8);
        if let Some(anomaly) = wrong {
            let message = format!("{} that no UTF-8 has here", hex(&view.body_bytes(), anomaly.span));
            faults.push(Fault::at(&view, anomaly.span.start, message));
        }
    }
    if bytes == 0 {
        return Verdict::Skip("no stream carried a byte".to_owned());
    }
    Verdict::from_faults(faults, format!("{bytes} bytes"))
}

fn hex(body: &[u8], span: sseproof_codec::Span) -> String {
    let range = usize::try_from(span.start).ok().zip(usize::try_from(span.end).ok());
    let bytes = range.and_then(|(start, end)| body.get(start..end)).unwrap_or_default();
    let shown: Vec<_> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    match shown.len() {
        1 => format!("the byte {}", shown[0]),
        _ => format!("the bytes {}", shown.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::body;
    use crate::Place;

    #[test]
    fn the_first_bad_byte_of_a_stream_is_named() {
        let faults = body(b"data: caf\xE9\n\ndata: \xFF\n\n").faults(&RULE);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].place, Place::Body(9));
        assert_eq!(faults[0].message, "the byte e9 that no UTF-8 has here");
    }

    #[test]
    fn every_scalar_value_is_allowed() {
        body("data: \u{0}\u{feff}\u{10ffff}é\n\n".as_bytes()).passes(&RULE);
    }
}
