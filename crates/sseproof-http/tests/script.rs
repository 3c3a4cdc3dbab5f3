//! The steps that a plan becomes, over both versions of HTTP.

use std::time::Duration;

use sseproof_http::http1::{Message, Part, Progress, Reader};
use sseproof_http::http2::{Fields, Frame, flag, kind};
use sseproof_http::{Action, Bytes, Framing, Headers, Plan, Request, Script, Step, Then, Version};

fn head(framing: Framing) -> Action {
    Action::Head { status: 200, headers: Headers::default(), framing }
}

fn plan(framing: Framing, last: impl IntoIterator<Item = Action>) -> Plan {
    let wait = Action::Wait(Duration::from_secs(1));
    let mut actions = vec![head(framing), Action::Write("one".into()), Action::Write("!".into())];
    actions.extend([wait, Action::Write("two".into())]);
    actions.extend(last);
    Plan { actions }
}

fn subscribe() -> Request {
    Request::subscribe("/events")
}

fn wire(script: Script) -> (Vec<u8>, Option<Then>) {
    let mut out = Vec::new();
    let mut then = None;
    for step in script {
        assert_eq!(then, None, "nothing comes after the end");
        match step {
            Step::Send(bytes) | Step::Body { bytes, .. } => out.extend_from_slice(&bytes),
            Step::End(end) => then = Some(end),
            _ => {}
        }
    }
    (out, then)
}

#[test]
fn each_flush_border_ends_a_chunk() {
    let steps: Vec<_> =
        Script::http1(plan(Framing::Chunked, [Action::Finish]), &subscribe()).skip(1).collect();
    let body = |bytes: &str, ends| Step::Body { bytes: Bytes::from(bytes), ends };
    assert_eq!(
        steps,
        [
            body("4\r\none!\r\n", false),
            Step::Wait(Duration::from_secs(1)),
            body("3\r\ntwo\r\n0\r\n\r\n", true),
            Step::End(Then::KeepAlive),
        ]
    );
}

#[test]
fn the_framing_of_http1_is_read_again() {
    for (framing, last, whole, then) in [
        (Framing::Chunked, Some(Action::Finish), true, Then::KeepAlive),
        (Framing::Chunked, None, false, Then::Close),
        (Framing::Chunked, Some(Action::Reset), false, Then::Reset),
        (Framing::Length(7), Some(Action::Finish), true, Then::KeepAlive),
        (Framing::Length(7), Some(Action::Close), true, Then::Close),
        (Framing::Length(8), None, false, Then::KeepAlive),
        (Framing::Close, Some(Action::Finish), false, Then::Close),
    ] {
        let (bytes, end) = wire(Script::http1(plan(framing, last), &subscribe()));
        assert_eq!(end, Some(then), "{framing:?}");
        let mut reader = Reader::response("GET");
        let mut body = Vec::new();
        let mut input = &bytes[..];
        while let Some(part) = reader.next(&mut input) {
            match part {
                Part::Body(piece) => body.extend_from_slice(piece),
                Part::Head(head) => {
                    assert_eq!(head.headers.has("connection"), framing == Framing::Close);
                }
                Part::End => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(body, b"one!two", "{framing:?}");
        assert_eq!(matches!(reader.progress(), Progress::Whole { .. }), whole, "{framing:?}");
    }
}

#[test]
fn an_answer_to_head_has_no_body_and_an_old_client_no_second_answer() {
    let mut request = subscribe();
    request.method = "HEAD".to_owned();
    let (bytes, then) = wire(Script::http1(plan(Framing::Chunked, [Action::Finish]), &request));
    let message = Message::read(&bytes, "HEAD");
    assert_eq!(message.progress, Progress::Whole { end: bytes.len() });
    assert_eq!(then, Some(Then::KeepAlive));
    request.version = Version::Http10;
    let (bytes, then) = wire(Script::http1(plan(Framing::Close, None), &request));
    assert!(String::from_utf8(bytes).unwrap().ends_with("Connection: close\r\n\r\n"));
    assert_eq!(then, Some(Then::Close));
}

#[test]
fn raw_bytes_pass_the_framing_and_frames_are_of_http2() {
    let last = || {
        let frame =
            Action::Frame { kind: kind::RST_STREAM, flags: 0, payload: "\0\0\0\x08".into() };
        [Action::Raw("?".into()), frame]
    };
    let (bytes, _) = wire(Script::http1(plan(Framing::Chunked, last()), &subscribe()));
    assert!(bytes.ends_with(b"4\r\none!\r\n?3\r\ntwo\r\n"));
    let (bytes, _) = wire(Script::http2(plan(Framing::Chunked, last()), &subscribe(), 5));
    let mut frame = Vec::new();
    sseproof_http::http2::write_frame(&mut frame, kind::RST_STREAM, 0, 5, b"\0\0\0\x08");
    assert!(bytes.ends_with(&[b"one!?two", &frame[..]].concat()), "no second RST_STREAM");
}

#[test]
fn http2_ends_its_stream_or_gives_it_up() {
    for (framing, last, ends) in [
        (Framing::Chunked, Some(Action::Finish), true),
        (Framing::Chunked, None, false),
        (Framing::Length(7), None, true),
    ] {
        let steps: Vec<_> = Script::http2(plan(framing, last), &subscribe(), 3).collect();
        let Step::Send(head) = &steps[0] else { panic!("{steps:?}") };
        let frame = Frame::read(head).unwrap();
        assert_eq!((frame.kind, frame.stream, frame.flags), (kind::HEADERS, 3, flag::END_HEADERS));
        let fields = Fields::default().read(frame.payload).unwrap();
        assert_eq!(fields.first(":status").as_deref(), Some("200"));
        assert_eq!(fields.has("content-length"), framing == Framing::Length(7));
        let has_end = steps.iter().any(|step| matches!(step, Step::Body { ends: true, .. }));
        let resets = |step: &Step| match step {
            Step::Send(bytes) => Frame::read(bytes).is_some_and(|it| it.kind == kind::RST_STREAM),
            _ => false,
        };
        assert_eq!((has_end, steps.iter().any(resets)), (ends, !ends), "{framing:?}");
    }
}

#[test]
fn an_entry_of_a_log_has_an_id() {
    let follow = Action::Follow { topic: "t".to_owned(), after: 0 };
    let mut script = Script::http1(plan(Framing::Chunked, [follow]), &subscribe());
    assert!(script.any(|step| matches!(step, Step::Follow { .. })));
    // Bytes written before it are sent with the first entry.
    assert_eq!(*script.entry(7, b"data: x\n\n"), b"12\r\ntwoid: 7\ndata: x\n\n\r\n"[..]);
    assert_eq!(*script.entry(8, b"id: a\n\n"), b"7\r\nid: a\n\n\r\n"[..]);
}
