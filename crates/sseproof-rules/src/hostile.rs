//! Servers with the worst faults, which a client has to survive: `sseproof serve --hostile NAME`.
//!
//! Unlike a mutant, none breaks one rule only. The client has to stay within its bounds of memory
//! and time, and must not call the server right.

use std::io::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use sseproof_http::http2::{flag, kind, write_field, write_fields, write_frame};
use sseproof_http::{Action, Answer, Bytes, Framing, Plan, Version, Visit};

use crate::reference;

/// A server, and what is wrong with it: a sentence whose subject it is.
#[derive(Clone, Copy, Debug)]
pub struct Hostile {
    pub id: &'static str,
    pub wrong: &'static str,
    /// Whether it is wrong over HTTP/2, and only there.
    pub http2: bool,
    /// Whether it takes seconds of processor time, so that only `cargo xtask hostile` checks it.
    pub slow: bool,
    /// Whether a check may find it right: it is slow or loud, and within the standard.
    pub may_pass: bool,
    pub serve: Answer,
}

pub fn hostile() -> impl Iterator<Item = &'static Hostile> {
    HOSTILE.iter()
}

const fn wrong(id: &'static str, wrong: &'static str, serve: Answer) -> Hostile {
    Hostile { id, wrong, http2: false, slow: false, may_pass: false, serve }
}

const fn legal(id: &'static str, what: &'static str, serve: Answer) -> Hostile {
    Hostile { may_pass: true, ..wrong(id, what, serve) }
}

const fn slow(id: &'static str, what: &'static str, serve: Answer) -> Hostile {
    Hostile { slow: true, ..wrong(id, what, serve) }
}

const fn http2(id: &'static str, what: &'static str, serve: Answer) -> Hostile {
    Hostile { http2: true, ..wrong(id, what, serve) }
}

const HOSTILE: &[Hostile] = &[
    wrong("plain-404", "answers every request with 404", |_| {
        Plan::answer(404, "text/plain", "not found\n")
    }),
    wrong("html-page", "answers every request with a page", |_| {
        let page = "<!doctype html><title>Sign in</title>\n";
        Plan::answer(200, "text/html; charset=utf-8", page)
    }),
    wrong("no-head", "sends no response headers", |_| Plan { actions: vec![Action::Hold] }),
    wrong("slow-head", "sends one byte of its headers each second", |_| Plan {
        actions: drip(HEAD, Action::Raw).collect(),
    }),
    wrong("endless-line", "sends a line without end", |visit| {
        to_subscribers(visit, || repeated(Action::Write, vec![b'x'; 60_000], 100))
    }),
    wrong("endless-event", "sends lines of data and never a blank one", |visit| {
        let line = [b"data: ", &vec![b'x'; 60_000][..], b"\n"].concat();
        to_subscribers(visit, || repeated(Action::Write, line, 100))
    }),
    legal("long-id", "gives all of many events an id of half a MiB", |visit| {
        to_subscribers(visit, || {
            let mut plan = repeated(Action::Write, b"data:x\n\n".repeat(8_000), 100);
            let id = [b"id:", &vec![b'x'; 500_000][..], b"\ndata:x\n\n"].concat();
            plan.actions.insert(1, Action::Write(id.into()));
            plan
        })
    }),
    // Every place of the text may begin a token.
    legal(
        "token-beginnings",
        "sends events of a MiB that consist of beginnings of tokens",
        |visit| {
            let event = [b"data: ", &b"eyJ-sk-".repeat(140_000)[..], b"\n\n"].concat();
            to_subscribers(visit, || repeated(Action::Write, event, 100))
        },
    ),
    legal("tokens", "sends an access token in each of many events", |visit| {
        let event = |number| format!("data: sk-{number:020}\n\n");
        let events: String = (0..200_000).map(event).collect();
        to_subscribers(visit, || repeated(Action::Write, events.into_bytes(), 2))
    }),
    wrong("huge-cookie", "sets a cookie of 200 KiB", |visit| {
        let cookie = format!("sid={}", "c00k1e".repeat(34_000));
        to_subscribers(visit, || {
            repeated(Action::Write, EVENT, 1).with_header("Set-Cookie", cookie)
        })
    }),
    wrong("endless-interim", "sends interim responses without end", |visit| {
        let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(2_000);
        to_subscribers(visit, || Plan { actions: vec![Action::Raw(interim.into()); 200] })
    }),
    wrong("reset-in-chunk", "resets the connection inside a chunk", |visit| {
        to_subscribers(visit, || stream([raw("20\r\ndata: half of the ev"), Action::Reset]))
    }),
    wrong("wrong-chunk-size", "sends a chunk that is longer than its size", |visit| {
        to_subscribers(visit, || stream([raw("5\r\ndata: hello\n\n\r\n"), Action::Hold]))
    }),
    wrong("no-chunk-size", "sends chunks without sizes", |visit| {
        to_subscribers(visit, || stream([raw("data: hello\n\n"), Action::Hold]))
    }),
    wrong("huge-head", "sends a header of a MiB", |_| {
        stream([]).with_header("X-Padding", "y".repeat(1 << 20))
    }),
    wrong("redirect-loop", "redirects to itself", |_| {
        Plan::answer(307, "text/plain", "").with_header("Location", "/events")
    }),
    wrong("no-http", "speaks SSH", |_| Plan {
        actions: vec![raw("SSH-2.0-OpenSSH_9.6\r\n"), Action::Hold],
    }),
    wrong("closes", "closes each connection", |_| closed()),
    legal("closes-on-others", "closes the connection on all but subscriptions", |visit| {
        if is_stream_request(visit) { reference::answer(visit) } else { closed() }
    }),
    legal("slow-body", "sends one byte of its stream each second", |visit| {
        to_subscribers(visit, || stream(drip(&EVENT.repeat(10), Action::Write)))
    }),
    legal("endless-events", "sends events without end", |visit| {
        to_subscribers(visit, || repeated(Action::Write, b"id\ndata\n\n:\n".repeat(8_000), 100))
    }),
    // Its streams may be right: only reconnecting fails, which is a `should`.
    legal("closes-on-every-second", "closes each second connection", |visit| {
        if visit.earlier % 2 == 1 { closed() } else { reference::answer(visit) }
    }),
    legal("resets-every-second", "resets each second connection", |visit| {
        let reset = Plan { actions: vec![Action::Reset] };
        if visit.earlier % 2 == 1 { reset } else { reference::answer(visit) }
    }),
    wrong("zeros-in-chunk-sizes", "writes a million zeros before each chunk size", |visit| {
        let chunk = [&vec![b'0'; 1_000_000][..], b"a\r\ndata: hi\n\n\r\n"].concat();
        to_subscribers(visit, || repeated(Action::Raw, chunk, 100))
    }),
    wrong("endless-newlines", "sends line feeds without end", |visit| {
        to_subscribers(visit, || repeated(Action::Write, vec![b'\n'; 60_000], 200))
    }),
    wrong("newline-chunks", "sends each line feed in a chunk of its own", |visit| {
        to_subscribers(visit, || repeated(Action::Raw, b"1\r\n\n\r\n".repeat(10_000), 200))
    }),
    legal("comment-lines", "sends empty comments without end", |visit| {
        to_subscribers(visit, || {
            let mut plan = repeated(Action::Write, b":\n".repeat(30_000), 200);
            plan.actions.insert(1, Action::Write(Bytes::from(EVENT)));
            plan
        })
    }),
    slow("gzip-bomb", "sends one line of a GiB in gzip", |visit| {
        coded(visit, "gzip", BOMB.clone(), 20)
    }),
    slow("gzip-comments", "sends empty comments without end in gzip", |visit| {
        coded(visit, "gzip", COMMENTS.clone(), 20)
    }),
    wrong("brotli-bomb", "sends one line without end in brotli", |visit| {
        coded(visit, "br", BROTLI_BOMB.clone(), 1)
    }),
    slow("zstd-bomb", "sends one line without end in zstd", |visit| {
        coded(visit, "zstd", ZSTD_BOMB.clone(), 1)
    }),
    slow("empty-gzip", "sends gzip members without content", |visit| {
        coded(visit, "gzip", EMPTY_GZIP.clone(), 200)
    }),
    slow("empty-zstd", "sends zstd blocks without content", |visit| {
        coded(visit, "zstd", EMPTY_ZSTD.clone(), 1)
    }),
    http2("http2-table-size", "makes the table of its headers too large", |visit| {
        to_subscribers(visit, || Plan {
            actions: vec![headers(b"\x3F\xFF\xFF\xFF\xFF\xFF\xFF\x0F\x88"), Action::Hold],
        })
    }),
    http2("http2-many-headers", "sends response headers without end", |visit| {
        let block = b"\x08\x82\x64\x02".repeat(900);
        to_subscribers(visit, || Plan {
            actions: (0..4_000).map(|_| headers(&block)).chain([Action::Hold]).collect(),
        })
    }),
    http2("http2-continuation", "sends CONTINUATION without content, without end", |visit| {
        let begun = Action::Frame { kind: kind::HEADERS, flags: 0, payload: Bytes::from(b"\x88") };
        let empty = frames(kind::CONTINUATION, 0, 1, &[], 4_000);
        to_subscribers(visit, || Plan {
            actions: [begun].into_iter().chain(vec![Action::Raw(empty.into()); 400]).collect(),
        })
    }),
    http2("http2-pings", "sends PING without end", |visit| {
        let ping = frames(kind::PING, 0, 0, &[0; 8], 4_000);
        to_subscribers(visit, || repeated(Action::Raw, ping, 400))
    }),
    http2("http2-unopened", "sends frames of streams that the client never opened", |visit| {
        let mut block = Vec::new();
        write_field(&mut block, b":status", b"200");
        let mut out = Vec::new();
        for stream in (1_001..5_001).step_by(2) {
            write_fields(&mut out, stream, false, &block);
            write_frame(&mut out, kind::DATA, 0, stream, b"data: x\n\n");
        }
        to_subscribers(visit, || repeated(Action::Raw, out, 400))
    }),
    http2("http2-settings", "sends SETTINGS without end", |visit| {
        let settings = frames(kind::SETTINGS, 0, 0, &[], 4_000);
        to_subscribers(visit, || repeated(Action::Raw, settings, 400))
    }),
    http2("http2-empty-data", "sends DATA without content, without end", |visit| {
        let empty = frames(kind::DATA, 0, 1, &[], 4_000);
        to_subscribers(visit, || repeated(Action::Raw, empty, 400))
    }),
];

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const EVENT: &[u8] = b"id: 1\ndata: {\"n\":1}\n\n";

/// A gzip member of 64 MiB of one letter.
static BOMB: LazyLock<Bytes> = LazyLock::new(|| gzip(&vec![b'x'; 64 << 20]));
static COMMENTS: LazyLock<Bytes> = LazyLock::new(|| gzip(&b":\n".repeat(32 << 20)));
static EMPTY_GZIP: LazyLock<Bytes> = LazyLock::new(|| gzip(b"").repeat(3_000).into());
/// A frame without a known length, and raw blocks without content.
static EMPTY_ZSTD: LazyLock<Bytes> =
    LazyLock::new(|| [&b"\x28\xB5\x2F\xFD\0\x68"[..], &[0; 3 << 20]].concat().into());

/// A frame without a known length, and blocks of a byte and the number of its copies, 128 KiB.
static ZSTD_BOMB: LazyLock<Bytes> = LazyLock::new(|| {
    [&b"\x28\xB5\x2F\xFD\0\x68"[..], &b"\x02\0\x10x".repeat(100_000)].concat().into()
});

/// A window of 64 KiB, and an empty block of metadata, whose end is that of a byte.
const BROTLI_HEAD: &[u8] = b"\x0C";
/// A block of 16 MiB, which is the most, and an empty one of metadata (RFC 7932, section 9.2): each
/// alphabet has one symbol, which takes no bits. The only command inserts four letters, and copies
/// all others from four bytes before.
const BROTLI_BLOCK: &[u8] = b"\xFC\xFF\xFF\x07\0\x02\x2FN\x0B\xC0\xF6\xFE\xDF\0";
static BROTLI_BOMB: LazyLock<Bytes> =
    LazyLock::new(|| [BROTLI_HEAD, &BROTLI_BLOCK.repeat(100_000)].concat().into());

fn gzip(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default().into()
}

fn is_stream_request(visit: &Visit<'_>) -> bool {
    visit.request.method == "GET" && visit.request.headers.has("accept")
}

/// The plan if a client subscribes as a browser does; otherwise the response of the reference.
fn to_subscribers(visit: &Visit<'_>, plan: impl FnOnce() -> Plan) -> Plan {
    let is_old = visit.request.version == Version::Http10;
    if is_stream_request(visit) && !is_old { plan() } else { reference::answer(visit) }
}

fn closed() -> Plan {
    Plan { actions: vec![Action::Close] }
}

fn stream(actions: impl IntoIterator<Item = Action>) -> Plan {
    let headers = [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-store, no-transform"),
        ("X-Accel-Buffering", "no"),
    ];
    let head = Action::Head {
        status: 200,
        headers: headers.into_iter().collect(),
        framing: Framing::Chunked,
    };
    Plan { actions: [head].into_iter().chain(actions).collect() }
}

/// A stream of these bytes, again and again.
fn repeated(action: fn(Bytes) -> Action, bytes: impl Into<Bytes>, count: usize) -> Plan {
    let piece = action(bytes.into());
    stream((0..count).flat_map(|_| [piece.clone(), Action::Flush]))
}

fn coded(visit: &Visit<'_>, coding: &str, body: Bytes, count: usize) -> Plan {
    to_subscribers(visit, || {
        repeated(Action::Write, body, count).with_header("Content-Encoding", coding)
    })
}

fn raw(text: &str) -> Action {
    Action::Raw(Bytes::from(text))
}

/// The bytes, one each second.
fn drip(bytes: &[u8], action: fn(Bytes) -> Action) -> impl Iterator<Item = Action> {
    bytes.iter().flat_map(move |byte| {
        [action(Bytes::from(vec![*byte])), Action::Wait(Duration::from_secs(1))]
    })
}

/// A whole block of fields on the stream of the request.
fn headers(block: &[u8]) -> Action {
    Action::Frame { kind: kind::HEADERS, flags: flag::END_HEADERS, payload: Bytes::from(block) }
}

fn frames(kind: u8, flags: u8, stream: u32, payload: &[u8], count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, kind, flags, stream, payload);
    out.repeat(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_http::{Coding, ContentDecoder, DECODED};

    /// 15 bytes give one letter 16 million times, and one block more gives more than any reader takes.
    #[test]
    fn a_block_of_the_brotli_bomb_decodes_to_16_mib() {
        let mut decoder = ContentDecoder::new(Coding::Brotli);
        let decoded = decoder.feed(&[BROTLI_HEAD, BROTLI_BLOCK].concat());
        assert_eq!((decoded.len(), decoder.fault()), (DECODED, None));
        assert!(decoded.iter().all(|byte| *byte == b'x'));
        assert_eq!(decoder.feed(BROTLI_BLOCK), b"");
        assert!(decoder.fault().is_some_and(|fault| fault.too_much), "{:?}", decoder.fault());
    }
}
