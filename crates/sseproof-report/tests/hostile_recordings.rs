//! A recording can come from anywhere: no edit of one makes a reader, a rule or a report panic.

use proptest::prelude::*;
use sseproof_record::read_cut_recording;

mod used;
use used::used;

/// One with lines of every kind, and those of real runs.
const RECORDINGS: [&str; 3] = [
    include_str!("../../sseproof-record/tests/recording.jsonl"),
    include_str!("../../sseproof/tests/recordings/v1-http1.jsonl"),
    include_str!("../../sseproof/tests/recordings/v1-http2.jsonl"),
];

const PROFILES: [&str; 6] =
    ["anthropic-messages", "openai-chat", "openai-responses", "mercure", "graphql-sse", "mcp"];

/// Numbers at the bounds of the types that they are read into.
const NUMBERS: [&str; 12] = [
    "0",
    "1",
    "7",
    "-1",
    "65536",
    "4294967295",
    "1125899906842625",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
];

#[derive(Clone, Debug)]
enum Edit {
    Number(usize, usize),
    Swap(usize, usize),
    Remove(usize),
    Again(usize, usize),
    /// Another character in a line, which may be in the bytes of a stream.
    Char(usize, usize, char),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let any = any::<usize>;
    let edit = prop_oneof![
        4 => (any(), 0..NUMBERS.len()).prop_map(|(place, number)| Edit::Number(place, number)),
        1 => (any(), any()).prop_map(|(one, other)| Edit::Swap(one, other)),
        1 => any().prop_map(Edit::Remove),
        1 => (any(), any()).prop_map(|(line, to)| Edit::Again(line, to)),
        1 => (any(), any(), "[a-f0-9:{}\\[\\]]").prop_map(|(line, place, text)| {
            Edit::Char(line, place, text.chars().next().unwrap_or('0'))
        }),
    ];
    prop::collection::vec(edit, 1..6)
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for edit in edits {
        // The first line says what the file is.
        let count = lines.len().max(2) - 1;
        match *edit {
            Edit::Number(place, number) => {
                let (line, place) = (1 + place % count, place / count);
                let Some(line) = lines.get_mut(line) else { continue };
                let bytes = line.as_bytes();
                let is_start = |at: &usize| {
                    bytes[*at].is_ascii_digit()
                        && at.checked_sub(1).is_some_and(|before| b":[,".contains(&bytes[before]))
                };
                let starts: Vec<usize> = (0..bytes.len()).filter(is_start).collect();
                if starts.is_empty() {
                    continue;
                }
                let start = starts[place % starts.len()];
                let length = line[start..].bytes().take_while(u8::is_ascii_digit).count();
                line.replace_range(start..start + length, NUMBERS[number]);
            }
            Edit::Swap(one, other) => {
                let (one, other) = (1 + one % count, 1 + other % count);
                if one.max(other) < lines.len() {
                    lines.swap(one, other);
                }
            }
            Edit::Remove(line) => {
                let line = 1 + line % count;
                if line < lines.len() {
                    lines.remove(line);
                }
            }
            Edit::Again(line, to) => {
                let (line, to) = (1 + line % count, 1 + to % count);
                if let Some(copy) = lines.get(line).cloned() {
                    lines.insert(to.min(lines.len()), copy);
                }
            }
            Edit::Char(line, place, char) => {
                let Some(line) = lines.get_mut(1 + line % count) else { continue };
                let place = place % line.len().max(1);
                if line.is_char_boundary(place) && line.is_char_boundary(place + 1) {
                    line.replace_range(place..=place, &char.to_string());
                }
            }
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_recording_whose_times_run_backwards_is_judged() {
    for text in RECORDINGS {
        let mut lines: Vec<&str> = text.lines().collect();
        let (mut transcript, _) = read_cut_recording(text).unwrap();
        used(transcript.clone());
        for exchange in &mut transcript.exchanges {
            exchange.body.reverse();
            exchange.wire.reverse();
            std::mem::swap(&mut exchange.started, &mut exchange.end.at);
        }
        used(transcript);
        lines[1..].reverse();
        let _ = read_cut_recording(&lines.join("\n")).map(|(read, _)| used(read));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_of_a_recording_panics(
        which in 0..RECORDINGS.len(),
        profile in 0..PROFILES.len(),
        edits in edits(),
    ) {
        if let Ok((mut transcript, _)) = read_cut_recording(&edited(RECORDINGS[which], &edits)) {
            transcript.target.profile = Some(PROFILES[profile].to_owned());
            used(transcript);
        }
    }
}
