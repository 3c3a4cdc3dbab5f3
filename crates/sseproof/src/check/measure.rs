//! The figures of a check.

use std::time::Duration;

use sseproof_record::Source;
use sseproof_report::{Measures, Spread};
use sseproof_rules::Record;

/// Times count from the start of each exchange, including dialling.
pub(super) fn measures(record: &Record<'_>) -> Measures {
    let mut heads = Vec::new();
    let mut first_events = Vec::new();
    let mut gaps = Vec::new();
    // The output of curl has no times.
    for view in record.streams().filter(|_| record.source() == Source::Run) {
        let since = |at: Duration| millis(at.saturating_sub(view.started));
        heads.extend(view.head.as_ref().map(|head| since(head.at)));
        // The time of an event that this run published says nothing about the server's own events.
        if view.published.is_empty() {
            first_events.extend(view.first_event().map(since));
            let times: Vec<_> = view.events().map(|(_, at)| at).collect();
            gaps.extend(times.windows(2).map(|pair| millis(pair[1].saturating_sub(pair[0]))));
        }
    }
    Measures {
        time_to_head_ms: Spread::of(heads),
        time_to_first_event_ms: Spread::of(first_events),
        inter_event_gap_ms: Spread::of(gaps),
        exchanges: Some(record.all().count() as u64),
        events: Some(record.all().map(|view| view.events().count() as u64).sum()),
        bytes: Some(record.all().map(|view| view.body_len()).sum()),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_run_backwards_are_no_gaps() {
        let line = |text: &str| format!("{text}\n");
        let recording = [
            r#"{"transcript":{"version":2,"target":{"url":"http://h/s","method":"GET"},"started":""}}"#,
            r#"{"exchange":{"number":1,"scenario":"","name":"","judged":true,"request":{"method":"GET","url":"http://h/s","version":"1.1","headers":[],"body":""},"started_us":90}}"#,
            r#"{"head":{"exchange":1,"at_us":80,"version":"1.1","status":200,"headers":[{"name":"content-type","value":"text/event-stream"}]}}"#,
            r#"{"body":{"exchange":1,"at_us":70,"bytes":"data: 1\\n\\n"}}"#,
            r#"{"body":{"exchange":1,"at_us":60,"bytes":"data: 2\\n\\n"}}"#,
            r#"{"end":{"exchange":1,"at_us":1,"how":"reset"}}"#,
        ];
        let recording: String = recording.into_iter().map(line).collect();
        let transcript = sseproof_record::read_recording(&recording).expect("a recording");
        let measures = measures(&Record::new(&transcript));
        assert_eq!(measures.events, Some(2));
        assert_eq!(measures.inter_event_gap_ms.map(|gap| gap.max), Some(0.0));
    }
}
