//! The standard, step by step: a decoder that needs the whole stream.
//!
//! It shares only the item types with the decoder under test. It is slow and needs much memory on
//! purpose: text first, then lines, then fields, each in the words of the standard.

use sseproof_codec::{
    Anomaly, AnomalyKind, Comment, EmptyBlock, Event, Item, Retry, Span, UnknownField,
};

/// A character of the decoded stream, and the bytes that it stands for.
#[derive(Clone, Copy)]
struct Scalar {
    char: char,
    start: usize,
    end: usize,
    replaced: bool,
}

struct Line {
    text: Vec<Scalar>,
    start: usize,
    /// After the text, before the line end.
    end: usize,
}

/// Decodes a whole stream; the items are those of `sseproof_codec::decode`.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Item<'static>> {
    let mut text = utf8_decode(bytes);
    if text.first().is_some_and(|first| first.char == '\u{FEFF}') {
        text.remove(0);
    }
    let (lines, rest) = split_lines(&text, bytes.len());

    let mut items = Vec::new();
    let mut last_event_id_string = String::new();
    let mut last_event_id_buffer = String::new();
    let mut data_buffer = String::new();
    let mut event_type_buffer = String::new();
    let mut block_start = None;
    let mut has_known_field = false;
    let mut sets_id = false;
    for line in lines {
        if line.text.is_empty() {
            last_event_id_string.clone_from(&last_event_id_buffer);
            let span = |start: usize| Span::new(start as u64, line.end as u64 + 1);
            match block_start {
                Some(start) if !data_buffer.is_empty() => {
                    assert_eq!(data_buffer.pop(), Some('\n'));
                    let event_type = match event_type_buffer.is_empty() {
                        true => "message".to_owned(),
                        false => event_type_buffer.clone(),
                    };
                    items.push(Item::Event(Event {
                        event_type: event_type.into(),
                        data: data_buffer.clone().into(),
                        last_event_id: last_event_id_string.clone().into(),
                        sets_id,
                        span: span(start),
                    }));
                }
                Some(start) if has_known_field => {
                    let sets_event = !event_type_buffer.is_empty();
                    let span = span(start);
                    items.push(Item::EmptyBlock(EmptyBlock { sets_id, sets_event, span }));
                }
                _ => {}
            }
            data_buffer.clear();
            event_type_buffer.clear();
            block_start = None;
            has_known_field = false;
            sets_id = false;
            continue;
        }

        items.extend(anomalies(&line).map(Item::Anomaly));
        let span = Span::new(line.start as u64, line.end as u64);
        let whole: String = line.text.iter().map(|scalar| scalar.char).collect();
        if let Some(comment) = whole.strip_prefix(':') {
            items.push(Item::Comment(Comment { text: comment.to_owned().into(), span }));
            continue;
        }
        block_start = block_start.or(Some(line.start));
        let (name, value, has_colon) = match whole.split_once(':') {
            Some((name, value)) => (name, value.strip_prefix(' ').unwrap_or(value), true),
            None => (whole.as_str(), "", false),
        };
        let value_at = line.text.len() - value.chars().count();
        has_known_field |= ["event", "id", "retry"].contains(&name);
        match name {
            "event" => value.clone_into(&mut event_type_buffer),
            "data" => {
                data_buffer.push_str(value);
                data_buffer.push('\n');
            }
            "id" => match line.text[value_at..].iter().find(|scalar| scalar.char == '\0') {
                Some(nul) => {
                    let span = Span::new(nul.start as u64, nul.end as u64);
                    items.push(Item::Anomaly(Anomaly { kind: AnomalyKind::NulInId, span }));
                }
                None => {
                    value.clone_into(&mut last_event_id_buffer);
                    sets_id = true;
                }
            },
            "retry" if !value.is_empty() && value.chars().all(|char| char.is_ascii_digit()) => {
                let millis = value.parse().unwrap_or(u64::MAX);
                items.push(Item::Retry(Retry { millis, span }));
            }
            "retry" => {
                let start = line.text.get(value_at).map_or(line.end, |scalar| scalar.start);
                let span = Span::new(start as u64, line.end as u64);
                items.push(Item::Anomaly(Anomaly { kind: AnomalyKind::RetryNotDigits, span }));
            }
            _ => items.push(Item::UnknownField(UnknownField {
                name: name.to_owned().into(),
                value: value.to_owned().into(),
                has_colon,
                span,
            })),
        }
    }

    let cut = rest.filter(|rest| rest.text[0].char != ':').map(|rest| rest.start);
    if let Some(start) = block_start.or(cut) {
        let span = Span::new(start as u64, bytes.len() as u64);
        items.push(Item::Anomaly(Anomaly { kind: AnomalyKind::UnterminatedBlock, span }));
    }
    items
}

fn utf8_decode(bytes: &[u8]) -> Vec<Scalar> {
    let mut text = Vec::new();
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            let end = at + char.len_utf8();
            text.push(Scalar { char, start: at, end, replaced: false });
            at = end;
        }
        if !chunk.invalid().is_empty() {
            let end = at + chunk.invalid().len();
            text.push(Scalar { char: '\u{FFFD}', start: at, end, replaced: true });
            at = end;
        }
    }
    text
}

/// The complete lines, and the text after the last line end if there is any.
fn split_lines(text: &[Scalar], len: usize) -> (Vec<Line>, Option<Line>) {
    let mut lines = Vec::new();
    let mut current: Vec<Scalar> = Vec::new();
    let mut start = text.first().map_or(len, |first| first.start);
    let mut index = 0;
    while index < text.len() {
        let scalar = text[index];
        index += 1;
        if scalar.char != '\n' && scalar.char != '\r' {
            current.push(scalar);
            continue;
        }
        lines.push(Line { text: std::mem::take(&mut current), start, end: scalar.start });
        if scalar.char == '\r' && text.get(index).is_some_and(|next| next.char == '\n') {
            index += 1;
        }
        start = text.get(index).map_or(len, |next| next.start);
    }
    let rest = (!current.is_empty()).then_some(Line { text: current, start, end: len });
    (lines, rest)
}

fn anomalies(line: &Line) -> impl Iterator<Item = Anomaly> {
    let mut wrong = Vec::new();
    if line.text[0].char == '\u{FEFF}' {
        let span = Span::new(line.text[0].start as u64, line.text[0].end as u64);
        wrong.push(Anomaly { kind: AnomalyKind::BomNotAtStart, span });
    }
    for run in line.text.chunk_by(|a, b| a.replaced && b.replaced) {
        if run[0].replaced {
            let span = Span::new(run[0].start as u64, run[run.len() - 1].end as u64);
            wrong.push(Anomaly { kind: AnomalyKind::InvalidUtf8, span });
        }
    }
    wrong.into_iter()
}
