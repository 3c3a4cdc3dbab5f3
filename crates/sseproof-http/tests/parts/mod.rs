//! The parts that a reader of HTTP/1 finds, in words; the fuzz target `http1` compares them too.

use sseproof_http::http1::{Head, Part, Reader};

/// The parts in words, with neighbouring pieces of the body joined, since cuts may stand anywhere.
pub(crate) fn parts(mut reader: Reader, wire: &[u8], cuts: &[usize]) -> Vec<String> {
    let mut out: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (wire.len() + 1)).collect();
    cuts.extend([0, wire.len()]);
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        let mut input = &wire[pair[0]..pair[1]];
        while let Some(part) = reader.next(&mut input) {
            let (kind, text) = match part {
                Part::Head(head) => {
                    let Head { start, begin, end, flaws, .. } = head;
                    let flaws = if flaws.is_empty() { String::new() } else { format!("{flaws:?}") };
                    ("head", format!("{start:?} {begin}..{end}{flaws}").into_bytes())
                }
                Part::Body(bytes) => ("body", bytes.to_vec()),
                Part::End => ("end", b"end".to_vec()),
                Part::After(bytes) => ("after", bytes.to_vec()),
                Part::Flaw(flaw) => ("flaw", format!("{flaw} at {}", flaw.offset).into_bytes()),
            };
            match out.last_mut() {
                Some((last, joined)) if *last == kind && matches!(kind, "body" | "after") => {
                    joined.extend_from_slice(&text);
                }
                _ => out.push((kind, text)),
            }
        }
        assert!(input.is_empty(), "all that was offered is taken");
    }
    out.into_iter().map(|(_, text)| String::from_utf8_lossy(&text).into_owned()).collect()
}
