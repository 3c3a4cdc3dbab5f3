//! Every case of `specs/corpus`, in one piece and cut at every byte.

mod chunked;
mod described;
mod naive;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use sseproof_codec::{Decoder, Limits, decode};

use self::described::described;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    group: String,
    #[serde(rename = "about")]
    _about: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    id: String,
    requirement: String,
    about: String,
    text: String,
    bytes: String,
    events: Value,
    last_event_id: String,
    retry: Option<u64>,
    comments: Value,
    anomalies: Value,
}

impl Case {
    fn stream(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(&self.bytes).expect(&self.id)
    }
}

#[test]
fn every_case_decodes_as_it_says() {
    for case in cases() {
        let stream = case.stream();
        let items = described(&decode(&stream));
        let about = format!("{}: {}\n{}", case.id, case.about, case.text);
        assert_eq!(items["events"], case.events, "events of {about}");
        assert_eq!(items["comments"], case.comments, "comments of {about}");
        assert_eq!(items["anomalies"], case.anomalies, "anomalies of {about}");

        let mut decoder = Decoder::new();
        drop(decoder.inspect(&stream));
        assert_eq!(decoder.finish().is_some(), unterminated(&case), "end of {about}");
        assert_eq!(decoder.last_event_id(), case.last_event_id, "last event ID of {about}");
        assert_eq!(decoder.reconnection_time(), case.retry, "reconnection time of {about}");
        assert_eq!(decoder.offset(), stream.len() as u64, "offset of {about}");
    }
}

#[test]
fn every_case_decodes_the_same_in_any_chunks() {
    for case in cases() {
        let stream = case.stream();
        let whole = decode(&stream);
        assert_eq!(
            chunked::decode(Limits::default(), stream.chunks(1)),
            whole,
            "{} byte by byte",
            case.id
        );
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            assert_eq!(
                chunked::decode(Limits::default(), [left, right]),
                whole,
                "{} split at {at}",
                case.id
            );
        }
    }
}

#[test]
fn every_case_decodes_as_the_standard_reads() {
    for case in cases() {
        let stream = case.stream();
        assert_eq!(decode(&stream), naive::decode(&stream), "{}", case.id);
    }
}

#[test]
fn ids_are_unique_and_start_with_their_group() {
    let mut seen = BTreeSet::new();
    for (path, group) in groups() {
        assert_eq!(path.file_stem(), Some(group.group.as_ref()), "{}", path.display());
        for case in group.cases {
            assert!(case.id.starts_with(&format!("{}/", group.group)), "{}", case.id);
            assert!(seen.insert(case.id.clone()), "{} is there twice", case.id);
        }
    }
}

#[test]
fn the_text_shows_the_bytes() {
    for case in cases() {
        let stream = unescape(&case.text);
        let bytes = BASE64_STANDARD.encode(&stream);
        assert_eq!(case.bytes, bytes, "{}: `bytes` is not `text` in base64", case.id);
        assert_eq!(case.text, escape(&stream), "{}: spell `text` like this", case.id);
    }
}

/// The table in the README and the requirements of the cases are the same set.
#[test]
fn every_requirement_has_a_case() {
    let readme = fs::read_to_string(corpus().join("README.md")).expect("the README of the corpus");
    let listed: BTreeSet<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .filter(|(id, _)| id.starts_with("whatwg-sse/"))
        .map(|(id, _)| id.to_owned())
        .collect();
    let covered: BTreeSet<String> = cases().into_iter().map(|case| case.requirement).collect();
    assert_eq!(listed, covered);
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/corpus")
}

fn groups() -> Vec<(PathBuf, Group)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(corpus())
        .expect("the corpus")
        .map(|entry| entry.expect("an entry of the corpus").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let read = |path: PathBuf| {
        let json = fs::read(&path).expect("a file of the corpus");
        let group = serde_json::from_slice(&json)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, group)
    };
    paths.into_iter().map(read).collect()
}

fn cases() -> Vec<Case> {
    groups().into_iter().flat_map(|(_, group)| group.cases).collect()
}

fn unterminated(case: &Case) -> bool {
    let mut anomalies = case.anomalies.as_array().expect("an array").iter();
    anomalies.any(|anomaly| anomaly["kind"] == "unterminated_block")
}

fn escape(bytes: &[u8]) -> String {
    let escape = |&byte: &u8| match byte {
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    };
    bytes.iter().map(escape).collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            bytes.push(u8::try_from(char).expect("ASCII"));
            continue;
        }
        match chars.next() {
            Some('n') => bytes.push(b'\n'),
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"));
            }
            other => panic!("no such escape: {other:?}"),
        }
    }
    bytes
}
