//! `specs/limits.md`: the bounds on what a server can make sseproof keep or do.

use std::fmt::Write as _;

use sseproof_http::{DECODED, http1, http2};
use sseproof_units::{bytes, duration};

const INTRODUCTION: &str = "# Limits

Everything that a server sends is bounded, so that no server can take the memory or the time of a check.
A response over its own bound is judged up to there; a run over its bound is inconclusive if nothing is broken, and never green.
`sseproof serve --hostile NAME` has a server for most of them.

| what | at most | over it |
|---|---|---|
";

/// The check ends, and says so.
const PARTIAL: &str = "the check ends with what is known, and is inconclusive if nothing is broken";
const LEAVES: &str = "the client disconnects, and the recording says so (`over_limit`)";
const TIMED_OUT: &str = "the client disconnects, and the recording says so (`timed_out`)";
const MALFORMED: &str = "the response is not valid HTTP: `response/framing` or `response/status`";
const COMPRESSION: &str = "the connection ends with COMPRESSION_ERROR: the response is not valid";
const DROPPED: &str = "the event is not dispatched; an anomaly names the place";

pub(super) fn render() -> String {
    let net = sseproof_net::Limits::default();
    let codec = sseproof_codec::Limits::default();
    let size = |bound: usize| bytes(bound as u64);
    let rows = [
        ("all responses of a run in memory", bytes(net.run_bytes), PARTIAL),
        ("a whole check (`--deadline`)", "5min".to_owned(), PARTIAL),
        ("a connection, or its TLS handshake (`--timeout`)", duration(net.connect), TIMED_OUT),
        ("the wait for response headers (`--timeout`)", duration(net.head), TIMED_OUT),
        ("a body, as received and as decompressed", bytes(net.body_bytes), LEAVES),
        ("pieces of a body, or items of a stream", net.pieces.to_string(), LEAVES),
        ("what comes out of one compressed body", size(DECODED), "the rest is not decompressed"),
        ("a line of a stream", size(codec.line_bytes), DROPPED),
        ("the data of an event", size(codec.event_bytes), DROPPED),
        ("status line and headers over HTTP/1", size(sseproof_record::HEAD_BYTES), MALFORMED),
        ("header fields over HTTP/1", sseproof_record::HEAD_FIELDS.to_string(), MALFORMED),
        ("the line of a chunk size", size(http1::SIZE_LINE), MALFORMED),
        ("a block of headers over HTTP/2, as sent", size(http2::BLOCK), MALFORMED),
        ("a block of headers over HTTP/2, as decoded", size(http2::UNPACKED), MALFORMED),
        ("header fields over HTTP/2", http2::FIELDS.to_string(), COMPRESSION),
        ("the table of headers of a connection", size(http2::TABLE), COMPRESSION),
        ("a frame", size(http2::MAX_FRAME), MALFORMED),
        ("replies to PING, SETTINGS and DATA that wait", size(sseproof_net::REPLIES), LEAVES),
    ];
    let mut out = INTRODUCTION.to_owned();
    for (what, most, over) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(out, "| {what} | {most} | {over} |");
    }
    out
}
