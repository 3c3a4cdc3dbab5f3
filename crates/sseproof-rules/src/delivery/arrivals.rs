//! Which bytes of a stream arrived together.

use std::time::Duration;

use crate::View;
use crate::timing::TOGETHER;

/// Bytes that arrived together, and what they completed.
pub(crate) struct Arrival {
    pub(crate) at: Duration,
    /// The offset after the last byte.
    pub(crate) end: u64,
    /// Whether the last byte is within a line.
    pub(crate) torn: bool,
    /// How many events the bytes completed.
    pub(crate) events: usize,
}

/// The arrivals of the stream's body, in order.
pub(crate) fn arrivals(view: &View<'_>) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    let mut offset = 0;
    let mut begun = Duration::ZERO;
    let mut ends = view.events().map(|(event, _)| event.span.end).peekable();
    for chunk in view.body.iter().filter(|chunk| !chunk.bytes.is_empty()) {
        offset += chunk.bytes.len() as u64;
        let torn = !matches!(chunk.bytes.last(), Some(b'\n' | b'\r'));
        // Each event is looked at once: a hundred thousand may come in as many pieces.
        let mut events = 0;
        while ends.next_if(|&end| end <= offset).is_some() {
            events += 1;
        }
        match arrivals.last_mut() {
            Some(last) if chunk.at.saturating_sub(begun) <= TOGETHER => {
                *last = Arrival { at: chunk.at, end: offset, torn, events: last.events + events };
            }
            _ => {
                begun = chunk.at;
                arrivals.push(Arrival { at: chunk.at, end: offset, torn, events });
            }
        }
    }
    arrivals
}
