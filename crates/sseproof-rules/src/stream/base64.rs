//! Binary payloads in Base64: what they cost.
//!
//! A stream is text, so there is no other way to put bytes into it; but they need not be in it.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

use super::tally::{counted, none_of};
use super::{quoted, slip_in_first};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/base64",
    judge,
    mutants: &[Mutant::new("image-in-base64", "sends an image as a payload in Base64", |visit| {
        let bytes: Vec<u8> = (0..1_200_u32).map(|n| (n * 197 % 251 + 3) as u8).collect();
        let event = format!("data: {{\"image\":\"{}\"}}\n\n", STANDARD_NO_PAD.encode(bytes));
        slip_in_first(visit, event.as_bytes())
    })],
};

/// Shorter ones are keys, digests and signatures.
const SHORTEST: usize = 512;
/// Text with fewer different characters is not Base64 of binary data.
const VARIETY: usize = 24;
/// How many characters are decoded, to see whether they are text: whole groups of four.
const LOOKED_AT: usize = 400;

fn judge(record: &Record<'_>) -> Verdict {
    let mut events = 0;
    let mut bytes = 0;
    let mut found = Vec::new();
    for view in record.streams() {
        for (event, _) in view.events() {
            events += 1;
            for run in runs(&event.data).filter(|run| is_binary(run)) {
                bytes += run.len() as u64;
                found.push((view, event.span.start, run.to_owned()));
            }
        }
    }
    let Some((view, start, run)) = found.first() else {
        return match events {
            0 => Verdict::Skip(none_of("event")),
            _ => Verdict::Pass(counted(events, "event")),
        };
    };
    let compressed = record.all().any(|view| view.is_stream() && view.is_compressed());
    let asked = record.all().any(|view| view.request.headers.has("accept-encoding"));
    let coding = match (compressed, asked) {
        (true, _) => "the server compresses it on request, which saves most of that",
        (false, true) => "the server does not compress it, even on request",
        (false, false) => "no request asked for compression",
    };
    let message = format!(
        "`{}` is binary data in Base64: {} with {bytes} bytes in all, {} of them only for the encoding",
        quoted(&run.as_bytes()[..24]).trim_matches('`'),
        counted(found.len() as u64, "such payload"),
        bytes / 4
    );
    Verdict::Fail(vec![
        Fault::at(view, *start, message)
            .so(format!("the transfer is a third larger than the data; {coding}")),
    ])
}

/// The runs of characters that Base64 uses.
fn runs(data: &str) -> impl Iterator<Item = &str> {
    data.split(|char: char| !(char.is_ascii_alphanumeric() || "+/-_=".contains(char)))
        .map(|run| run.trim_end_matches('='))
        .filter(|run| run.len() >= SHORTEST)
}

/// Whether it decodes to binary data: text in Base64 may have a reason.
fn is_binary(run: &str) -> bool {
    let start = &run[..LOOKED_AT];
    let kinds: [fn(&char) -> bool; 3] =
        [char::is_ascii_digit, char::is_ascii_lowercase, char::is_ascii_uppercase];
    let varied = start.chars().collect::<BTreeSet<_>>().len() >= VARIETY;
    if !varied || !kinds.iter().all(|kind| start.chars().any(|char| kind(&char))) {
        return false;
    }
    let decoded = STANDARD_NO_PAD.decode(start).or_else(|_| URL_SAFE_NO_PAD.decode(start));
    // A character that was cut is not a sign of binary data.
    decoded.is_ok_and(|bytes| {
        std::str::from_utf8(&bytes).is_err_and(|error| error.error_len().is_some())
    })
}
