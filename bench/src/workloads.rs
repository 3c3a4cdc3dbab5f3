//! The streams to decode.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::Delivered;

/// A kind of stream.
#[derive(Debug)]
pub struct Workload {
    /// Its letter.
    pub name: &'static str,
    /// A description in a few words.
    pub about: &'static str,
    /// Writes the event with this number, and returns the length of its data.
    event: fn(usize, &mut String) -> usize,
}

/// From the stream of a language model to a line as large as a picture.
pub const WORKLOADS: [Workload; 6] = [
    Workload {
        name: "a",
        about: "tokens of a language model, 240 B of JSON each",
        event: |number, out| block(&[&token(number)], "\n", out),
    },
    Workload {
        name: "b",
        about: "ticks: an id and `data: 42`",
        event: |number, out| {
            writeln!(out, "id: {number}").expect("a string takes everything");
            block(&["42"], "\n", out)
        },
    },
    Workload {
        name: "c",
        about: "events of 64 lines of 64 B",
        event: |_, out| block(&[&"x".repeat(57)[..]; 64], "\n", out),
    },
    Workload {
        name: "d",
        about: "three heartbeats (`:`) before each token",
        event: |number, out| {
            out.push_str(":\n\n:\n\n:\n\n");
            block(&[&token(number)], "\n", out)
        },
    },
    Workload {
        name: "e",
        about: "tokens, with CRLF",
        event: |number, out| block(&[&token(number)], "\r\n", out),
    },
    Workload {
        name: "f",
        about: "lines of 1 MiB",
        event: |_, out| block(&[&"0123456789abcdef".repeat(1 << 16)], "\n", out),
    },
];

impl Workload {
    /// Whole events of at least this many bytes.
    pub fn stream(&self, bytes: usize) -> Bytes {
        let mut stream = String::new();
        for number in 0.. {
            if stream.len() >= bytes {
                break;
            }
            (self.event)(number, &mut stream);
        }
        stream.into()
    }

    /// The events that a correct decoder delivers from such a stream.
    pub fn expected(&self, stream: &Bytes) -> Delivered {
        let mut delivered = Delivered::default();
        let mut written = String::new();
        let mut left = stream.len();
        while left > 0 {
            written.clear();
            delivered.data_bytes += (self.event)(delivered.events, &mut written);
            delivered.events += 1;
            left -= written.len();
        }
        delivered
    }
}

/// Writes a block of data lines; returns the length of the data.
fn block(lines: &[&str], line_end: &str, out: &mut String) -> usize {
    for line in lines {
        out.extend(["data: ", line, line_end]);
    }
    out.push_str(line_end);
    lines.iter().map(|line| line.len() + 1).sum::<usize>() - 1
}

/// A chunk of a language model with one token.
pub fn token(number: usize) -> String {
    let content = number % 1000;
    format!(
        r#"{{"id":"chatcmpl-A1b2C3d4E5f6G7h8","object":"chat.completion.chunk","created":1767225600,"model":"gpt-x-2026-01-01","system_fingerprint":"fp_0123456789","choices":[{{"index":0,"delta":{{"content":" token{content}"}},"logprobs":null,"finish_reason":null}}]}}"#
    )
}
