//! The reader of HTTP/1: what it takes from bytes, in whatever pieces they come.

use proptest::prelude::*;
use sseproof_http::http1::{
    Body, Flaw, FlawKind, Head, Message, Part, Piece, Progress, Reader, RequestHead, ResponseHead,
};

mod parts;
use parts::parts;

fn whole(wire: &str) -> Head {
    Message::read(wire.as_bytes(), "GET").head.expect("complete headers")
}

/// How the body is read, with offsets from its first byte.
fn body(fields: &str, body: &str) -> (Progress, Option<Flaw>) {
    let wire = format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
    let start = wire.len() - body.len();
    let Message { flaw, progress, .. } = Message::read(wire.as_bytes(), "GET");
    let flaw = flaw.map(|flaw| Flaw { offset: flaw.offset.saturating_sub(start), ..flaw });
    match progress {
        Progress::Whole { end } => (Progress::Whole { end: end - start }, flaw),
        other => (other, flaw),
    }
}

#[test]
fn interim_heads_are_passed_over() {
    let wire = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 \r\nA:  b \r\n\r\nx";
    let head = whole(wire);
    assert_eq!((head.status(), head.begin, head.end), (200, 40, 65));
    assert_eq!(head.headers.first("a").as_deref(), Some("b"));
    assert_eq!(head.flaws, []);
    assert_eq!(whole("HTTP/1.1 101 Switching\r\n\r\n").status(), 101);
}

#[test]
fn a_head_under_way_has_no_flaw() {
    for part in ["", "HT", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "\r\n\r"] {
        let message = Message::read(part.as_bytes(), "GET");
        assert_eq!((message.progress, message.flaw), (Progress::Head, None), "{part:?}");
        assert_eq!(ResponseHead::parse(part.as_bytes()), Ok(None), "{part:?}");
    }
    for part in ["", "GE", "GET", "GET /", "GET / HTTP/1.1\r\n", "\r\nPOST"] {
        assert_eq!(RequestHead::parse(part.as_bytes()), Ok(None), "{part:?}");
    }
}

#[test]
fn another_protocol_is_refused_before_its_line_ends() {
    for wire in [
        "SSH-2.0-OpenSSH\r\n",
        "\x15\x03\x01",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 EEEEEEE\r\n\r\n",
        "HTTX",
    ] {
        let message = Message::read(wire.as_bytes(), "GET");
        assert_eq!((message.head, message.progress), (None, Progress::Lost), "{wire:?}");
        assert!(message.flaw.is_some_and(|flaw| flaw.is_fatal()), "{wire:?}");
        assert!(ResponseHead::parse(wire.as_bytes()).is_err(), "{wire:?}");
    }
    for wire in ["\x16\x03\x01", " GET", "GET /\r\n\r\n", "GET / x HTTP/1.1\r\n\r\n"] {
        assert!(RequestHead::parse(wire.as_bytes()).is_err(), "{wire:?}");
    }
}

#[test]
fn each_flaw_of_a_field_has_its_offset() {
    for (line, offset) in [
        ("X Y: 1", 1),
        ("X : 1", 1),
        (" folded", 0),
        ("no colon", 0),
        (": no name", 0),
        ("X: a\0b", 4),
        ("X: a\rb", 4),
    ] {
        let head = whole(&format!("HTTP/1.1 200 OK\r\n{line}\r\nA: b\r\n\r\n"));
        let offsets: Vec<_> = head.flaws.iter().map(|flaw| flaw.offset).collect();
        assert_eq!(offsets, [17 + offset], "{line:?}");
        assert!(head.headers.has("a") && head.refusal().is_some());
    }
}

#[test]
fn what_a_client_reads_past_is_a_flaw_all_the_same() {
    let head = whole("HTTP/1.1 200 OK\nA: b\n\n");
    assert_eq!((head.flaws.len(), head.flaws[0].offset, head.end), (1, 15, 22));
    assert_eq!(head.refusal(), None);
    let head = whole("\r\nHTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(head.flaws, [Flaw { offset: 0, kind: FlawKind::BlankLine }]);
    assert_eq!(head.refusal(), None);
    assert!(whole("HTTP/3 200 OK\r\n\r\n").refusal().is_some());
}

/// Fields and a body, how far that is read, and the offset of a flaw in the body with whether it is
/// fatal.
type Row = (String, String, String, Option<(usize, bool)>);

#[test]
fn bodies() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("bodies.json")).expect("rows");
    for (fields, text, expected, flaw) in rows {
        let (progress, seen) = body(&fields, &text);
        let progress = match progress {
            Progress::Whole { end } => format!("whole {end}"),
            Progress::Body(_) => "body".to_owned(),
            Progress::UntilClose => "until close".to_owned(),
            Progress::Lost => "lost".to_owned(),
            Progress::Head => "head".to_owned(),
        };
        assert_eq!(progress, expected, "{fields:?} {text:?}");
        assert_eq!(seen.map(|flaw| (flaw.offset, flaw.is_fatal())), flaw, "{fields:?} {text:?}");
    }
}

#[test]
fn a_flaw_shows_the_text_that_stands_there() {
    let wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ndata: x\n\n";
    let flaw = Message::read(wire.as_bytes(), "GET").flaw.unwrap();
    assert_eq!(flaw.describe(wire.as_bytes()), "expected a chunk size, found `data: x`");
}

#[test]
fn a_length_that_is_not_a_number_is_shown() {
    for length in ["1, 2", "-1", "many", "99999999999999999999"] {
        let (progress, flaw) = body(&format!("Content-Length: {length}\r\n"), "a");
        assert_eq!(progress, Progress::Lost, "{length}");
        assert_eq!(flaw.unwrap().kind, FlawKind::Length(length.to_owned()));
    }
}

#[test]
fn some_answers_have_no_body() {
    for (status, method) in [("204", "GET"), ("304", "GET"), ("101", "GET"), ("200", "HEAD")] {
        let wire = format!("HTTP/1.1 {status} x\r\nContent-Length: 3\r\n\r\nabc");
        let message = Message::read(wire.as_bytes(), method);
        let end = message.head.unwrap().end;
        assert_eq!(message.progress, Progress::Whole { end }, "{status} {method}");
    }
}

#[test]
fn requests_follow_one_another() {
    let wire = "POST /a?b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.0\r\n\r\nPUT /c HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n";
    let expected = [
        "Request { version: Some(Http11), method: \"POST\", target: \"/a?b\" } 0..41",
        "hi",
        "end",
        "Request { version: Some(Http10), method: \"GET\", target: \"/\" } 43..61",
        "end",
        "Request { version: Some(Http11), method: \"PUT\", target: \"/c\" } 61..105",
        "Transfer-Encoding does not end in chunked, so the end of the request is unknown at 78",
    ];
    assert_eq!(parts(Reader::request(), wire.as_bytes(), &[]), expected);
}

#[test]
fn a_head_may_be_too_long() {
    let mut reader = Reader::response("GET").with_head_limit(1 << 10);
    let mut input = &[b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'y'; 2 << 10]].concat()[..];
    let part = reader.next(&mut input);
    assert!(matches!(part, Some(Part::Flaw(Flaw { kind: FlawKind::TooLong { .. }, .. }))));
    assert_eq!((reader.next(&mut input), reader.progress()), (None, Progress::Lost));
}

/// Bytes that look like HTTP/1, more or less.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let snippet = prop_oneof![
        Just("HTTP/1.1 200 OK\r\n"),
        Just("HTTP/1.0 103 \n"),
        Just("GET /a HTTP/1.1\r\n"),
        Just("Transfer-Encoding: chunked\r\n"),
        Just("Content-Length: 7\r\n"),
        Just("X Y: z\r\n"),
        Just("A:b\n"),
        Just("\r\n"),
        Just("\n"),
        Just("5\r\nhello\r\n"),
        Just("3;x=y\r\nabc\n"),
        Just("0\r\n"),
        Just("T: v\r\n"),
        Just("\r"),
        Just("f"),
        Just(" "),
    ];
    let piece = prop_oneof![
        8 => snippet.prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// A response that most often is a good one, so that all states of a body are reached.
fn response() -> impl Strategy<Value = Vec<u8>> {
    let framing = prop_oneof![
        Just("Transfer-Encoding: chunked\r\n"),
        Just("Content-Length: 12\r\n"),
        Just("")
    ];
    (framing, wire()).prop_map(|(fields, body)| {
        [b"HTTP/1.1 200 OK\r\n", fields.as_bytes(), b"\r\n", &body].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_nothing(
        wire in prop_oneof![wire(), response()],
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
        is_request: bool,
    ) {
        let reader =
            || if is_request { Reader::request() } else { Reader::response("GET") };
        prop_assert_eq!(parts(reader(), &wire, &cuts), parts(reader(), &wire, &[]));
        let every: Vec<_> = (0..wire.len()).collect();
        prop_assert_eq!(parts(reader(), &wire, &every), parts(reader(), &wire, &[]));
    }

    #[test]
    fn a_body_is_the_same_in_one_piece_and_byte_by_byte(bytes in wire(), length in 0..20_u64) {
        for body in [Body::CHUNKED, Body::Length(length), Body::UntilClose] {
            prop_assert_eq!(payload(body, &bytes, bytes.len().max(1)), payload(body, &bytes, 1));
        }
    }

    #[test]
    fn httparse_reads_the_same_heads(bytes in wire()) {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut theirs = httparse::Response::new(&mut headers);
        let parsed = theirs.parse(&bytes);
        match (ResponseHead::parse(&bytes), parsed) {
            (Ok(Some(ours)), Ok(httparse::Status::Complete(length))) => {
                prop_assert_eq!((ours.length, Some(ours.status)), (length, theirs.code));
                prop_assert_eq!(ours.refusal(), None);
                let fields: Vec<_> = ours.fields.iter().map(|one| (one.name, one.value)).collect();
                let other: Vec<_> =
                    theirs.headers.iter().map(|one| (one.name, one.value)).collect();
                prop_assert_eq!(fields, other);
            }
            (Ok(Some(ours)), Err(_)) => prop_assert!(ours.refusal().is_some(), "{:?}", bytes),
            // The one reports a flaw in a line at once, the other together with all fields.
            (Ok(None), Ok(httparse::Status::Partial) | Err(_)) | (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{:?} {:?} {:?}", ours, theirs, bytes),
        }
    }

    #[test]
    fn httparse_reads_the_same_requests(bytes in wire()) {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut theirs = httparse::Request::new(&mut headers);
        let parsed = theirs.parse(&bytes);
        match (RequestHead::parse(&bytes), parsed) {
            (Ok(Some(ours)), Ok(httparse::Status::Complete(length))) => {
                prop_assert_eq!((ours.length, Some(ours.method)), (length, theirs.method));
                prop_assert_eq!((Some(ours.target), ours.refusal()), (theirs.path, None));
            }
            (Ok(Some(ours)), Err(_)) => prop_assert!(ours.refusal().is_some(), "{:?}", bytes),
            (Ok(None), Ok(httparse::Status::Partial) | Err(_)) | (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{:?} {:?} {:?}", ours, theirs, bytes),
        }
    }
}

/// The payload, whether the end was reached, and how many bytes are left then.
fn payload(mut body: Body, bytes: &[u8], size: usize) -> (Vec<u8>, Vec<String>, Option<usize>) {
    let (mut out, mut flaws) = (Vec::new(), Vec::new());
    let mut begin = 0;
    for part in bytes.chunks(size) {
        let mut input = part;
        loop {
            match body.next(&mut input) {
                Ok(Piece::Payload(piece)) => out.extend_from_slice(piece),
                Ok(Piece::More) => break,
                Ok(Piece::End) => {
                    let at = begin + part.len() - input.len();
                    return (out, flaws, Some(bytes.len() - at));
                }
                Err(flaw) => flaws.push(flaw.to_string()),
            }
        }
        begin += part.len();
    }
    (out, flaws, None)
}

#[test]
fn a_body_takes_no_more_room_than_two_numbers() {
    assert!(size_of::<Body>() <= 16, "{} bytes", size_of::<Body>());
}

#[test]
fn the_line_of_a_chunk_size_is_bounded() {
    let zeros = |count: usize| format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(count));
    let fields = "Transfer-Encoding: chunked\r\n";
    assert!(matches!(body(fields, &zeros(4_000)), (Progress::Whole { .. }, None)));
    let large = format!("1770\r\n{}\r\n", "x".repeat(6_000)).repeat(3);
    let whole = body(fields, &format!("{large}0\r\n\r\n"));
    assert!(matches!(whole, (Progress::Whole { .. }, None)), "{whole:?}");
    for long in [zeros(1_000_000), format!("5;{}\r\n", "x".repeat(5_000))] {
        let (progress, flaw) = body(fields, &long);
        assert_eq!(progress, Progress::Lost);
        assert!(flaw.is_some_and(|flaw| flaw.is_fatal() && flaw.offset == 0), "{}", long.len());
    }
}
