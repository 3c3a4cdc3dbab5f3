//! `specs/limits.md`: the bounds on what a server can make sseproof keep or do.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use sseproof_check_client::{ENTRIES, LONGEST, RESTARTS, WRITTEN_BYTES};
use sseproof_http::{DECODED, http1, http2};
use sseproof_net::{DEADLINE, EMPTY_FRAMES, ENOUGH, REPLIES};
use sseproof_record::{Ending, HEAD_BYTES, HEAD_FIELDS, Phase};
use sseproof_rules::rule;
use sseproof_runner::ENOUGH_BYTES;
use sseproof_units::{bytes, duration, parse_duration};

const INTRODUCTION: &str = "# Limits

Everything that a server sends is bounded, so that no server can take the memory or the time of a check.
A response over its own bound is judged up to there; a run over its bound is inconclusive if nothing is broken, and never green.
`sseproof serve --hostile NAME` has a server for most of them.

| what | at most | over it |
|---|---|---|
";

const ADAPTERS: &str = "
Adapters are programs of the user, and their clients and parsers may be wrong in any way:

| what | at most | over it |
|---|---|---|
";

/// The check ends, and says so.
const PARTIAL: &str = "the check ends with what is known, and is inconclusive if nothing is broken";
const MALFORMED: &str = "the response is not valid HTTP: `response/framing` or `response/status`";
const COMPRESSION: &str = "the connection ends with COMPRESSION_ERROR: the response is not valid";
const DROPPED: &str = "the event is not dispatched; an anomaly names the place";
const DIED: &str = "the case is broken by it if it was played alone, and else played again alone";
const UNPLAYED: &str = "the cases that are left are inconclusive";
const JUDGED: &str = "the case is over, and judged by what was seen";
const NO_ANSWER: &str = "the answer is cut there, and so is not JSON: a fault of the adapter";
const NOT_DECODED: &str = "the rest is not decompressed: `response/decodable` is inconclusive";

pub(super) fn render() -> anyhow::Result<String> {
    let net = sseproof_net::Limits::default();
    let codec = sseproof_codec::Limits::default();
    let size = |bound: usize| bytes(bound as u64);
    let over_limit = named(&Ending::OverLimit(0))?;
    let leaves = &*format!(
        "the client disconnects, and the recording says so (`{over_limit}`); the check is inconclusive if nothing is broken"
    );
    let shows_enough = &*format!(
        "the client disconnects, and the recording says so (`{over_limit}`); the stream is judged up to there"
    );
    let timed_out = &*format!(
        "the client disconnects, and the recording says so (`{}`)",
        named(&Ending::TimedOut(Phase::Head))?
    );
    let many = format!("a stream with {ENOUGH} events in memory, for probes that publish nothing");
    let rows = [
        ("all responses of a run in memory", bytes(net.run_bytes), PARTIAL),
        ("a whole check (`--deadline`)", duration(parse_duration(DEADLINE)?), PARTIAL),
        ("a connection, or its TLS handshake (`--timeout`)", duration(net.connect), timed_out),
        ("the wait for response headers (`--timeout`)", duration(net.head), timed_out),
        ("a body, as received", bytes(net.body.received), leaves),
        ("a body, as decompressed", bytes(net.body.readable), leaves),
        ("pieces of a body", net.body.pieces.to_string(), leaves),
        ("the items of a stream in memory", bytes(net.body.items), leaves),
        (&many, bytes(ENOUGH_BYTES), shows_enough),
        ("what comes out of one compressed body", size(DECODED), NOT_DECODED),
        ("a line of a stream", size(codec.line_bytes), DROPPED),
        ("the data of an event", size(codec.event_bytes), DROPPED),
        ("status line and headers over HTTP/1", size(HEAD_BYTES), MALFORMED),
        ("header fields over HTTP/1", HEAD_FIELDS.to_string(), MALFORMED),
        ("the line of a chunk size", size(http1::SIZE_LINE), MALFORMED),
        ("a block of headers over HTTP/2, as sent", size(http2::BLOCK), MALFORMED),
        ("a block of headers over HTTP/2, as decoded", size(http2::UNPACKED), MALFORMED),
        ("header fields over HTTP/2", http2::FIELDS.to_string(), COMPRESSION),
        ("header fields of a connection", http2::CONNECTION_FIELDS.to_string(), MALFORMED),
        ("header fields of a connection, as decoded", size(http2::CONNECTION_UNPACKED), MALFORMED),
        ("the table of headers of a connection", size(http2::TABLE), COMPRESSION),
        ("a frame", size(http2::MAX_FRAME), MALFORMED),
        ("frames in a row without content", EMPTY_FRAMES.to_string(), leaves),
        ("replies to PING, SETTINGS and DATA that wait", size(REPLIES), leaves),
    ];
    let (usual, long) = LONGEST;
    let adapters = [
        ("a line of the adapter of a client", size(sseproof_check_client::LINE_BYTES), DIED),
        ("all lines of the adapter of a client", size(WRITTEN_BYTES), DIED),
        ("requests and calls of a case", ENTRIES.to_string(), DIED),
        ("starts after the adapter of a client has ended", RESTARTS.to_string(), UNPLAYED),
        ("a case", duration(usual), JUDGED),
        ("a case that waits for long, or has large streams", duration(long), JUDGED),
        (
            "an answer of the adapter of a parser",
            size(sseproof_check_parser::LINE_BYTES),
            NO_ANSWER,
        ),
    ];
    Ok(format!("{INTRODUCTION}{}{ADAPTERS}{}", table(&rows)?, table(&adapters)?))
}

fn table(rows: &[(&str, String, &str)]) -> anyhow::Result<String> {
    let mut out = String::new();
    for (what, most, over) in rows {
        check(over)?;
        // Writing to a string does not fail.
        let _ = writeln!(out, "| {what} | {most} | {over} |");
    }
    Ok(out)
}

/// The name of the end in a recording.
fn named(end: &Ending) -> anyhow::Result<String> {
    let json = serde_json::to_value(end).context("write an end as JSON")?;
    let name = json.as_object().and_then(|object| object.keys().next());
    name.cloned().context("an end without a name")
}

/// Every rule that the text names exists.
fn check(text: &str) -> anyhow::Result<()> {
    for name in text.split('`').skip(1).step_by(2).filter(|name| name.contains('/')) {
        if rule(name).is_none() {
            bail!("no rule is called {name}");
        }
    }
    Ok(())
}
