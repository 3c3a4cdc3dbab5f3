//! The output of the encoder, byte by byte, and the frames it rejects.

use serde_json::Value;
use sseproof_codec::{EncodeError, Frame, encode};

/// A row has a frame, and what is written, or why it is rejected.
#[test]
fn frames_are_written_or_rejected() {
    let rows = serde_json::from_str::<Vec<Value>>(include_str!("encoder.json")).expect("rows");
    for row in rows {
        let field = |name: &str| row["frame"][name].as_str();
        let frame = Frame {
            comment: field("comment"),
            event: field("event"),
            id: field("id"),
            retry: row["frame"]["retry"].as_u64(),
            data: field("data"),
        };
        let mut out = b"before".to_vec();
        let Err(error) = encode(&frame, &mut out) else {
            let written = out.strip_prefix(b"before").expect("what was there");
            assert_eq!(Some(written), row["written"].as_str().map(str::as_bytes), "{row}");
            continue;
        };
        assert_eq!(row["message"], error.to_string(), "{row}");
        let EncodeError { field, offset, what, .. } = error;
        assert_eq!(row["rejected"], format!("{field:?} {offset} {what:?}"));
        assert_eq!(out, b"before");
    }
}
