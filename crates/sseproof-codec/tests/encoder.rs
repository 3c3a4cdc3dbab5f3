//! The output of the encoder, byte by byte, and the frames it rejects.

use sseproof_codec::{EncodeError, Frame, FrameField, Refused, encode};

#[test]
fn a_full_frame() {
    let frame = Frame {
        comment: Some(" note"),
        event: Some("tick"),
        id: Some("42"),
        retry: Some(1500),
        data: Some("one\ntwo"),
    };
    assert_eq!(
        written(frame),
        ": note\nevent: tick\nid: 42\nretry: 1500\ndata: one\ndata: two\n\n"
    );
}

#[test]
fn nothing_writes_nothing() {
    assert_eq!(written(Frame::default()), "");
}

#[test]
fn a_comment_alone_ends_no_block() {
    let comment = |text| written(Frame { comment: Some(text), ..Frame::default() });
    assert_eq!(comment(" ping"), ": ping\n");
    assert_eq!(comment(""), ":\n");
    assert_eq!(comment("a\n b"), ":a\n: b\n");
}

#[test]
fn fields_without_data_are_a_block() {
    assert_eq!(written(Frame { id: Some("1"), ..Frame::default() }), "id: 1\n\n");
    assert_eq!(written(Frame { id: Some(""), ..Frame::default() }), "id:\n\n");
    assert_eq!(written(Frame { retry: Some(0), ..Frame::default() }), "retry: 0\n\n");
    assert_eq!(written(Frame { event: Some("e"), ..Frame::default() }), "event: e\n\n");
}

#[test]
fn each_line_of_the_data_is_a_field() {
    let data = |text| written(Frame { data: Some(text), ..Frame::default() });
    assert_eq!(data(""), "data:\n\n");
    assert_eq!(data(" a"), "data:  a\n\n");
    assert_eq!(data("\n"), "data:\ndata:\n\n");
    assert_eq!(data("a\n\nb\n"), "data: a\ndata:\ndata: b\ndata:\n\n");
    assert_eq!(data("\u{FEFF}\0\u{2028}"), "data: \u{FEFF}\0\u{2028}\n\n");
}

#[test]
fn values_that_the_format_cannot_carry_are_rejected() {
    let comment = |text| Frame { comment: Some(text), ..Frame::default() };
    let event = |text| Frame { event: Some(text), ..Frame::default() };
    let id = |text| Frame { id: Some(text), ..Frame::default() };
    let data = |text| Frame { data: Some(text), ..Frame::default() };
    let cases = [
        (
            comment("a\r"),
            FrameField::Comment,
            1,
            Refused::CarriageReturn,
            "the comment has a carriage return at byte 1",
        ),
        (
            event("\n"),
            FrameField::Event,
            0,
            Refused::LineFeed,
            "the event type has a line feed at byte 0",
        ),
        (
            event("ab\r\n"),
            FrameField::Event,
            2,
            Refused::CarriageReturn,
            "the event type has a carriage return at byte 2",
        ),
        (
            event(""),
            FrameField::Event,
            0,
            Refused::Empty,
            "the event type is empty, which reads as `message`",
        ),
        (id("é\0"), FrameField::Id, 2, Refused::Nul, "the id has a NUL at byte 2"),
        (id("1\n2"), FrameField::Id, 1, Refused::LineFeed, "the id has a line feed at byte 1"),
        (
            data("a\nb\rc"),
            FrameField::Data,
            3,
            Refused::CarriageReturn,
            "the data has a carriage return at byte 3",
        ),
    ];
    for (frame, field, offset, what, message) in cases {
        let mut out = b"before".to_vec();
        let error = encode(&frame, &mut out).expect_err(message);
        assert_eq!(error.to_string(), message);
        let EncodeError { field: in_field, offset: at, what: is, .. } = error;
        assert_eq!((in_field, at, is), (field, offset, what));
        assert_eq!(out, b"before");
    }
}

fn written(frame: Frame<'_>) -> String {
    let mut out = Vec::new();
    encode(&frame, &mut out).expect("a frame that can be written");
    String::from_utf8(out).expect("UTF-8")
}
