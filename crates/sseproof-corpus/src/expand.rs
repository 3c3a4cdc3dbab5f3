//! The corpus written out: each case in every line end, with the cuts that parsers fail at.
//!
//! Line ends and cuts do not change the meaning of a stream, so each case is written once in LF and
//! multiplied by a rule, which `specs/corpus/README.md` has for other languages. The result is
//! committed, so that other languages need no Rust.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::corpus::{Anomaly, Case, Event, corpus};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnds {
    /// As the case has them: LF, unless it tests something else.
    AsWritten,
    Cr,
    Crlf,
    /// LF, CR and CRLF in turn. In this order no CR meets an LF that is not its own.
    InTurn,
}

impl LineEnds {
    const OTHERS: [Self; 3] = [Self::Cr, Self::Crlf, Self::InTurn];

    /// Appended to the id of the case.
    const fn suffix(self) -> &'static str {
        match self {
            Self::AsWritten => "",
            Self::Cr => "+cr",
            Self::Crlf => "+crlf",
            Self::InTurn => "+in-turn",
        }
    }

    /// The end of the line with that index, in the place of an LF.
    const fn end(self, index: usize) -> &'static [u8] {
        match (self, index % 3) {
            (Self::AsWritten, _) | (Self::InTurn, 0) => b"\n",
            (Self::Cr, _) | (Self::InTurn, 1) => b"\r",
            (Self::Crlf | Self::InTurn, _) => b"\r\n",
        }
    }

    /// In words, after "the same stream with".
    pub const fn words(self) -> &'static str {
        match self {
            Self::AsWritten => "the line ends of the case",
            Self::Cr => "CR at the end of each line",
            Self::Crlf => "CRLF at the end of each line",
            Self::InTurn => "LF, CR and CRLF in turn",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Stream<'c> {
    /// Its anomalies have the offsets of the case as written; see [`Stream::anomalies`].
    pub case: &'c Case,
    pub line_ends: LineEnds,
    pub bytes: Vec<u8>,
}

impl Case {
    pub fn as_written(&self) -> Stream<'_> {
        Stream { case: self, line_ends: LineEnds::AsWritten, bytes: self.stream() }
    }

    /// The same with other line ends; none for a case that has a CR already, or a single line.
    pub fn respelled(&self) -> impl Iterator<Item = Stream<'_>> {
        let written = self.stream();
        let lines = written.iter().filter(|&&byte| byte == b'\n').count();
        let has_cr = written.contains(&b'\r');
        let makes_sense = move |line_ends: &LineEnds| match line_ends {
            LineEnds::InTurn => lines > 1,
            _ => lines > 0,
        };
        let others = LineEnds::OTHERS.into_iter().filter(move |_| !has_cr).filter(makes_sense);
        others.map(move |line_ends| {
            let mut bytes = Vec::with_capacity(written.len() + lines);
            for (index, line) in written.split(|&byte| byte == b'\n').enumerate() {
                bytes.extend_from_slice(line);
                if index < lines {
                    bytes.extend_from_slice(line_ends.end(index));
                }
            }
            Stream { case: self, line_ends, bytes }
        })
    }
}

impl Stream<'_> {
    /// The id of the case, and how the lines end: `id/set+crlf`.
    pub fn id(&self) -> String {
        format!("{}{}", self.case.id, self.line_ends.suffix())
    }

    pub fn anomalies(&self) -> Vec<Anomaly> {
        let written = self.case.stream();
        let shifted = |anomaly: &Anomaly| {
            let before = written[..anomaly.offset].iter().filter(|&&byte| byte == b'\n').count();
            let more: usize = (0..before).map(|index| self.line_ends.end(index).len() - 1).sum();
            Anomaly { kind: anomaly.kind.clone(), offset: anomaly.offset + more }
        };
        self.case.anomalies.iter().map(shifted).collect()
    }

    /// The cuts that parsers fail at, each as a list of offsets: before and after all line ends,
    /// inside all CRLFs, inside all characters of several bytes, before and after all colons.
    pub fn cuts(&self) -> Vec<Vec<usize>> {
        let pairs =
            || self.bytes.windows(2).enumerate().map(|(at, pair)| (at + 1, pair[0], pair[1]));
        let is_end = |byte: u8| matches!(byte, b'\r' | b'\n');
        let inside_crlf = |left: u8, right: u8| (left, right) == (b'\r', b'\n');
        let where_: [&dyn Fn(u8, u8) -> bool; 6] = [
            &|left, right| is_end(right) && !inside_crlf(left, right),
            &|left, right| is_end(left) && !inside_crlf(left, right),
            &inside_crlf,
            &|left, right| !left.is_ascii() && !right.is_ascii(),
            &|_, right| right == b':',
            &|left, _| left == b':',
        ];
        let mut all: Vec<Vec<usize>> = Vec::new();
        for is_cut in where_ {
            let cuts: Vec<_> = pairs()
                .filter(|&(_, left, right)| is_cut(left, right))
                .map(|(at, ..)| at)
                .collect();
            if !cuts.is_empty() && !all.contains(&cuts) {
                all.push(cuts);
            }
        }
        all
    }

    pub fn chunks(&self, cuts: &[usize]) -> Vec<Vec<u8>> {
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([self.bytes.len()]);
        starts.zip(ends).map(|(start, end)| self.bytes[start..end].to_vec()).collect()
    }
}

pub fn streams() -> impl Iterator<Item = Stream<'static>> {
    corpus().iter().flat_map(|case| [case.as_written()].into_iter().chain(case.respelled()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'s> {
    id: String,
    case: &'s str,
    requirement: &'s str,
    about: &'s str,
    line_ends: LineEnds,
    bytes: String,
    cuts: Vec<Vec<usize>>,
    events: &'s [Event],
    last_event_id: &'s str,
    retry: Option<u64>,
    comments: &'s [String],
    anomalies: Vec<Anomaly>,
}

/// The corpus written out, as JSON in ASCII with a stream on each line.
///
/// # Errors
/// Never in practice: every stream can be written.
pub fn json() -> serde_json::Result<String> {
    let about = "Made from specs/corpus by `cargo xtask generate`: do not edit. specs/corpus/README.md describes it.";
    let mut out = format!("{{\n\"about\": {},\n\"streams\": [", serde_json::to_string(about)?);
    for (index, stream) in streams().enumerate() {
        let Case { id: case, requirement, about, events, last_event_id, comments, .. } =
            stream.case;
        let line = Line {
            id: stream.id(),
            case,
            requirement,
            about,
            line_ends: stream.line_ends,
            bytes: BASE64_STANDARD.encode(&stream.bytes),
            cuts: stream.cuts(),
            events,
            last_event_id,
            retry: stream.case.retry,
            comments,
            anomalies: stream.anomalies(),
        };
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&ascii(&serde_json::to_string(&line)?));
    }
    out.push_str("\n]\n}\n");
    Ok(out)
}

/// JSON without a byte that an editor or a terminal could change.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() && char != '\u{7F}' {
            out.push(char);
        } else {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str) -> &'static Case {
        corpus().iter().find(|case| case.id == id).expect(id)
    }

    fn spelled(id: &str) -> Vec<(String, String)> {
        let shown = |stream: Stream<'_>| (stream.id(), stream.bytes.escape_ascii().to_string());
        case(id).respelled().map(shown).collect()
    }

    #[test]
    fn a_case_in_lf_is_respelled_three_times() {
        let expected = [
            ("data/two-lines+cr", r"data: a\rdata: b\r\r"),
            ("data/two-lines+crlf", r"data: a\r\ndata: b\r\n\r\n"),
            ("data/two-lines+in-turn", r"data: a\ndata: b\r\r\n"),
        ];
        let expected = expected.map(|(id, text)| (id.to_owned(), text.to_owned()));
        assert_eq!(spelled("data/two-lines"), expected);
    }

    #[test]
    fn a_case_about_line_ends_stays_as_it_is() {
        assert_eq!(spelled("line-ends/lf-then-cr"), []);
        assert_eq!(spelled("stream/empty"), []);
    }

    #[test]
    fn anomalies_move_with_their_bytes() {
        let stream = case("id/nul-keeps-old").respelled().nth(1).expect("it is respelled");
        let [anomaly] = &stream.anomalies()[..] else { panic!("one anomaly") };
        assert_eq!((stream.line_ends, stream.bytes[anomaly.offset]), (LineEnds::Crlf, 0));
    }

    #[test]
    fn cuts_are_where_parsers_fail() {
        let stream = Stream {
            case: case("stream/empty"),
            line_ends: LineEnds::AsWritten,
            bytes: b"a:\xC3\xA4\r\n\r\n".to_vec(),
        };
        let pieces = |cuts: &Vec<usize>| {
            let chunks = stream.chunks(cuts);
            let shown: Vec<_> =
                chunks.iter().map(|chunk| chunk.escape_ascii().to_string()).collect();
            shown.join("|")
        };
        let all: Vec<_> = stream.cuts().iter().map(pieces).collect();
        assert_eq!(
            all,
            [
                r"a:\xc3\xa4|\r\n|\r\n",
                r"a:\xc3\xa4\r\n|\r\n",
                r"a:\xc3\xa4\r|\n\r|\n",
                r"a:\xc3|\xa4\r\n\r\n",
                r"a|:\xc3\xa4\r\n\r\n",
                r"a:|\xc3\xa4\r\n\r\n",
            ]
        );
    }

    #[test]
    fn the_expanded_corpus_is_ascii_and_complete() {
        let text = json().expect("it can be written");
        assert!(text.is_ascii());
        let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(read["streams"].as_array().map(Vec::len), Some(streams().count()));
    }
}
