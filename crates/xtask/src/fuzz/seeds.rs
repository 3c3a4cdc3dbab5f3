//! The inputs that a fuzz target begins with: what this repository has of its kind, in the form that
//! the target reads.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use regex::bytes::Regex;
use sseproof_check_parser::corpus;
use sseproof_http::http2::PREFACE;
use sseproof_record::{Chunk, Exchange, Transcript, read_recording, write_recording};
use sseproof_rules::profiles;

use crate::root;
use crate::words::tracked_files;

/// The folder of the recordings of rules' cases, which their tests write.
pub(super) const CASES: &str = "target/fuzz-seeds/cases";
/// The sizes of the chunks; `fuzz_targets/cuts` reads them so.
const SIZES: [u8; 4] = [31; 4];
/// As `sseproof-http` has them for its tests.
const BR: [&[u8]; 4] = include!("../../../sseproof-http/src/coding/br.in");
const ZSTD: [&[u8]; 4] = include!("../../../sseproof-http/src/coding/zstd.in");

#[derive(Default)]
pub(super) struct Seeds(Vec<Vec<u8>>);

impl Seeds {
    /// Writes each to a file in the folder, and their words to a dictionary: bytes that are found by
    /// chance only after a long time.
    pub(super) fn write(&self, folder: &Path, words: &Path) -> anyhow::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        for (number, seed) in self.0.iter().enumerate() {
            fs::write(folder.join(number.to_string()), seed)?;
        }
        fs::write(words, self.dictionary()?)?;
        Ok(())
    }

    /// The most frequent words, which have to be ASCII in a dictionary.
    pub(super) fn dictionary(&self) -> anyhow::Result<String> {
        const MOST: usize = 500;
        let word = Regex::new(r"(?-u)[A-Za-z$][\w.-]{1,30}:? ?|\d{3,20}").context("a regex")?;
        let mut counts: BTreeMap<&[u8], usize> = BTreeMap::new();
        for found in self.0.iter().flat_map(|seed| word.find_iter(seed)) {
            *counts.entry(found.as_bytes()).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let lines = counts
            .into_iter()
            .take(MOST)
            .map(|(word, _)| format!("\"{}\"\n", String::from_utf8_lossy(word)));
        // Numbers at the bounds of types.
        let bounds = ["18446744073709551615", "18446744073709551616", "9223372036854775808"];
        let bounds = bounds.map(|bound| format!("\"{bound}\"\n"));
        let of_streams = fs::read_to_string(root().join("fuzz/sse.dict"))?;
        Ok(lines.chain(bounds).collect::<String>() + &of_streams)
    }

    #[cfg(test)]
    pub(super) fn longest(&self) -> usize {
        self.0.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn of(seeds: impl IntoIterator<Item = Vec<u8>>) -> anyhow::Result<Self> {
        Ok(Self(seeds.into_iter().collect()))
    }
}

/// The files of the repository whose path has one of these ends.
fn texts(ends: &[&str]) -> anyhow::Result<Vec<(String, String)>> {
    let files = tracked_files()?.into_iter();
    let files = files.filter(|path| ends.iter().any(|end| path.ends_with(end)));
    let read = |path: String| {
        let text =
            fs::read_to_string(root().join(&path)).with_context(|| format!("read {path}"))?;
        Ok((path, text))
    };
    files.map(read).collect()
}

fn before(start: &[u8], streams: impl Iterator<Item = Vec<u8>>) -> anyhow::Result<Seeds> {
    Seeds::of(streams.map(|stream| [start, &stream].concat()))
}

fn all_streams() -> impl Iterator<Item = Vec<u8>> {
    corpus().iter().map(|case| case.stream())
}

pub(super) fn streams() -> anyhow::Result<Seeds> {
    before(&SIZES, all_streams())
}

pub(super) fn limits() -> anyhow::Result<Seeds> {
    before(&[&SIZES[..], &[64, 64]].concat(), all_streams())
}

/// Cut off halfway.
pub(super) fn halves() -> anyhow::Result<Seeds> {
    // The length of every stream of the corpus fits into two bytes.
    Seeds::of(all_streams().map(|stream| {
        let half = ((stream.len() / 2) as u16).to_le_bytes();
        [&SIZES[..], &half, &stream].concat()
    }))
}

fn transcripts() -> anyhow::Result<Vec<Transcript>> {
    let read = |(path, text): (String, String)| read_recording(&text).with_context(|| path);
    texts(&[".jsonl"])?.into_iter().map(read).collect()
}

fn joined(chunks: &[Chunk]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect()
}

/// The bytes of one exchange on its connection.
struct Wire {
    sent: Vec<u8>,
    received: Vec<u8>,
}

/// Those of all exchanges over HTTP/2, or of all others.
fn wires(is_http2: bool) -> anyhow::Result<Vec<Wire>> {
    let exchanges: Vec<Exchange> =
        transcripts()?.into_iter().flat_map(|transcript| transcript.exchanges).collect();
    let exchanges = exchanges.iter().filter(|one| one.transport.stream.is_some() == is_http2);
    let wire = |one: &Exchange| Wire { sent: joined(&one.sent), received: joined(&one.wire) };
    Ok(exchanges.map(wire).collect())
}

/// After the sizes stands what is read: 0 for the answer to a GET, 3 for requests.
pub(super) fn http1() -> anyhow::Result<Seeds> {
    let (mut answers, requests): (Vec<_>, Vec<_>) =
        wires(false)?.into_iter().map(|wire| (wire.received, wire.sent)).unzip();
    let path = "crates/sseproof-http/tests/bodies.json";
    let rows: Vec<Vec<serde_json::Value>> =
        serde_json::from_str(&fs::read_to_string(root().join(path))?)?;
    answers.extend(rows.iter().filter_map(|row| {
        let [fields, body, ..] = row.as_slice() else { return None };
        let (fields, body) = (fields.as_str()?, body.as_str()?);
        Some(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}").into_bytes())
    }));
    let kinds = [(0, answers), (3, requests)];
    Seeds::of(kinds.into_iter().flat_map(|(kind, wires)| {
        wires.into_iter().map(move |wire| [&SIZES[..], &[kind], &wire].concat())
    }))
}

pub(super) fn http2() -> anyhow::Result<Seeds> {
    // The target puts the first bytes of a client there itself.
    let frames = |sent: &[u8]| sent.strip_prefix(PREFACE).unwrap_or(sent).to_vec();
    let wires = wires(true)?.into_iter();
    before(&SIZES, wires.flat_map(|wire| [frames(&wire.sent), wire.received]))
}

/// After the sizes stands the coding: gzip, deflate, br, zstd.
pub(super) fn codings() -> anyhow::Result<Seeds> {
    let mut coded: Vec<(u8, Vec<u8>)> = vec![(2, BR.concat()), (3, ZSTD.concat())];
    for stream in all_streams() {
        let level = Compression::default();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        gzip.write_all(&stream)?;
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(&stream)?;
        let mut raw = DeflateEncoder::new(Vec::new(), level);
        raw.write_all(&stream)?;
        coded.extend([(0, gzip.finish()?), (1, zlib.finish()?), (1, raw.finish()?)]);
    }
    Seeds::of(coded.into_iter().map(|(coding, body)| [&SIZES[..], &[coding], &body].concat()))
}

/// Each recording, and as one of every profile; and those of rules' cases, if they were written.
pub(super) fn recordings() -> anyhow::Result<Seeds> {
    let mut seeds: Vec<_> = texts(&[".jsonl"])?.into_iter().map(|(_, text)| text).collect();
    for mut transcript in transcripts()? {
        for profile in profiles() {
            transcript.target.profile = Some(profile.id.to_owned());
            seeds.push(write_recording(&transcript));
        }
    }
    let cases = root().join(CASES);
    for case in cases.read_dir().into_iter().flatten() {
        seeds.push(fs::read_to_string(case?.path())?);
    }
    Seeds::of(seeds.into_iter().map(String::into_bytes))
}

pub(super) fn files() -> anyhow::Result<Seeds> {
    Seeds::of(texts(&[".yaml"])?.into_iter().map(|(_, text)| text.into_bytes()))
}

pub(super) fn results() -> anyhow::Result<Seeds> {
    Seeds::of(texts(&["tests/result.json"])?.into_iter().map(|(_, text)| text.into_bytes()))
}
