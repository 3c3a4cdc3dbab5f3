//! From the record of all cases to findings.

use sseproof_http::{Bytes, Request, Version};
use sseproof_rules::{Evidence, Excerpt, Finding, Status};

use crate::record::How;
use crate::view::STAYS_AWAY;
use crate::{
    Asked, Call, CaseEnd, CaseRecord, ClientRecord, Connect, Entry, Fault, Judgement, Rule, View,
    What, rules,
};

/// How many faults of one rule are shown.
const FAULTS: usize = 8;

/// Judges the record by the rules that `chosen` lets through.
pub fn judge(record: &ClientRecord, chosen: impl Fn(&Rule) -> bool) -> Vec<Finding> {
    rules().filter(|rule| chosen(rule)).map(|rule| finding(rule, record)).collect()
}

/// Judges the record by one rule.
pub fn finding(rule: &Rule, record: &ClientRecord) -> Finding {
    let mut notes = Vec::new();
    let (mut unclear, mut skipped) = (None, None);
    let mut evidence = Vec::new();
    for id in rule.cases {
        let Some(case) = record.cases.iter().find(|case| case.case == *id) else {
            unclear.get_or_insert(format!("the case {id} is not in the record"));
            continue;
        };
        match judged(rule, record, case) {
            Judgement::Held(note) => notes.push(note),
            Judgement::Broken(faults) => {
                let faults = faults.into_iter().map(|fault| shown(fault, case));
                evidence.extend(faults.take(FAULTS.saturating_sub(evidence.len())));
            }
            Judgement::Unclear(why) => drop(unclear.get_or_insert(why)),
            Judgement::Skipped(why) => drop(skipped.get_or_insert(why)),
        }
    }
    let (status, note) = match (evidence.is_empty(), unclear, notes.is_empty()) {
        (false, ..) => (Status::Fail, String::new()),
        (true, Some(why), _) => (Status::Inconclusive, why),
        (true, None, false) => {
            notes.dedup();
            (Status::Pass, notes.join("; "))
        }
        (true, None, true) => (Status::Skip, skipped.unwrap_or_default()),
    };
    let requirement = rule.texts().0;
    Finding {
        rule: rule.id.to_owned(),
        requirement: requirement.id.clone(),
        level: requirement.level,
        status,
        note,
        evidence,
    }
}

fn judged(rule: &Rule, record: &ClientRecord, case: &CaseRecord) -> Judgement {
    match &case.end {
        CaseEnd::NotPlayed(why) => Judgement::Skipped(why.clone()),
        CaseEnd::Cut(why) => Judgement::Unclear(why.clone()),
        CaseEnd::Died(how) => Fault::missing(how.clone()).into(),
        CaseEnd::Played => {
            let view = View::new(record, case);
            // The server was reachable all the time.
            let was_there = !view.entries().any(|entry| matches!(entry.what, What::Away));
            if was_there && view.is_mute() {
                return Judgement::Unclear(format!("the client sent no request in {}", case.case));
            }
            match (rule.judge)(&view) {
                Judgement::Unclear(_) if view.stays_away() => {
                    Judgement::Skipped(STAYS_AWAY.to_owned())
                }
                judgement => judgement,
            }
        }
    }
}

fn shown(fault: Fault, case: &CaseRecord) -> Evidence {
    let entry = fault.entry.and_then(|entry| case.entries.get(entry));
    let start = case.entries.first().map_or(0, |entry| entry.at_us);
    let at = entry.or(case.entries.last()).map_or(0, |entry| entry.at_us);
    let asked = match entry.map(|entry| &entry.what) {
        Some(What::Asked(asked)) => Some(asked),
        _ => None,
    };
    let before = fault.entry.unwrap_or(case.entries.len());
    let nearest = case.entries[..before.min(case.entries.len())].iter().rev();
    let nearest = asked.or_else(|| {
        nearest.into_iter().find_map(|entry| match &entry.what {
            What::Asked(asked) => Some(asked),
            _ => None,
        })
    });
    let excerpt = asked.map(|asked| excerpt(&asked.request, fault.header.as_deref()));
    let place = match (&fault.header, entry.map(|entry| &entry.what)) {
        (Some(header), _) => format!("header {header}"),
        (None, Some(What::Asked(_))) => "request".to_owned(),
        (None, Some(What::Called { .. })) => "call of the client".to_owned(),
        (None, _) => "case".to_owned(),
    };
    Evidence {
        message: fault.message,
        consequence: fault.consequence,
        exchange: nearest.map_or(0, |asked| usize::try_from(asked.number).unwrap_or(usize::MAX)),
        request: nearest.map(|asked| asked.request.label()).unwrap_or_default(),
        scenario: case.case.clone(),
        place,
        offset: excerpt.as_ref().map(|excerpt| excerpt.mark),
        after_us: at.saturating_sub(start),
        excerpt,
        log: timeline(case, fault.entry),
    }
}

/// The request as it stands on the wire, marked at the field, or at its start.
fn excerpt(request: &Request, header: Option<&str>) -> Excerpt {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target()).into_bytes();
    let mut mark = header.map(|_| None);
    for field in &request.headers.0 {
        if header.is_some_and(|header| field.name.eq_ignore_ascii_case(header)) {
            mark = Some(mark.flatten().or(Some(bytes.len())));
        }
        bytes.extend_from_slice(field.name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(&field.value);
        bytes.extend_from_slice(b"\r\n");
    }
    // A field that is missing would stand at the end.
    let mark = mark.map_or(0, |mark| mark.unwrap_or(bytes.len()));
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    Excerpt { start: 0, mark: mark as u64, at_end: true, bytes: Bytes::from(bytes) }
}

/// The entries of a case as lines, with the fault marked.
pub fn timeline(case: &CaseRecord, marked: Option<usize>) -> Vec<String> {
    /// How many lines there are at most, of the first and of the last.
    const LINES: usize = 12;
    /// How many lines there are before and after the fault, if it is between these.
    const AROUND: usize = 3;
    let start = case.entries.first().map_or(0, |entry| entry.at_us);
    let line = |index: usize, entry: &Entry| {
        let mark = if marked == Some(index) { ">" } else { " " };
        // The times of a recording may have been edited.
        let millis = entry.at_us.saturating_sub(start) as f64 / 1000.0;
        format!("{mark} {millis:>8.1} ms  {}", said(entry))
    };
    let all = case.entries.len();
    let around = marked.map_or(0..0, |marked| marked.saturating_sub(AROUND)..marked + AROUND + 1);
    let is_shown = |index: usize| index < LINES || index + LINES >= all || around.contains(&index);
    let mut lines = Vec::new();
    let mut left_out = 0;
    for (index, entry) in case.entries.iter().enumerate() {
        if !is_shown(index) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            lines.push(format!("  … {}", sseproof_units::counted(left_out, "line")));
            left_out = 0;
        }
        lines.push(line(index, entry));
    }
    lines
}

fn said(entry: &Entry) -> String {
    match &entry.what {
        What::Connect { id, connect } => format!("connection {id}: {}", connect_text(connect)),
        What::Close { id } => format!("connection {id}: the client is asked to close"),
        What::Asked(Asked { number, request, answer, secure }) => {
            let over = match (secure, request.version) {
                (true, Version::Http2) => " over HTTP/2",
                (true, _) => " over TLS",
                (false, _) => "",
            };
            let mut text = format!("request {number}: {}{over}", request.label());
            if let Some(id) = request.last_event_id() {
                text.push_str(&format!(" (last-event-id: {})", id.escaped()));
            }
            format!("{text}; the server: {}", answer.join(", "))
        }
        What::Ended(ended) => {
            let how = match ended.how {
                How::Complete => "complete",
                How::Closed => "the server closed the connection",
                How::Reset => "the server reset the connection",
                How::Disconnected => "the client disconnected",
            };
            format!("response {}: {how}", ended.number)
        }
        What::Called { id, call } => format!("connection {id}: {}", call_text(call)),
        What::Handshake(None) => "the TLS handshake is complete".to_owned(),
        What::Handshake(Some(error)) => {
            format!("the TLS handshake fails: {}", Bytes::from(error.as_str()).escaped())
        }
        What::Away => "the server stops to listen".to_owned(),
        What::Back => "the server listens again".to_owned(),
        What::Memory(bytes) => format!("the client's process has {} KiB", bytes >> 10),
    }
}

fn connect_text(connect: &Connect) -> String {
    format!("the client is asked to connect to {}", connect.url)
}

fn call_text(call: &Call) -> String {
    const SHOWN: usize = 80;
    let cut = |text: &str| {
        let short: String = text.chars().take(SHOWN).collect();
        Bytes::from(short).escaped()
    };
    match call {
        Call::Open(_) => "open".to_owned(),
        Call::Event(event) => format!("event {} \"{}\"", cut(&event.event_type), cut(&event.data)),
        Call::Comment(text) => format!("comment \"{}\"", cut(text)),
        Call::Error(failed) => format!("error \"{}\"", cut(&failed.message)),
        Call::Closed(_) => "closed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_timeline_shows_the_fault_and_its_surroundings() {
        let entries = (0..100).map(|id| Entry { at_us: id * 1000, what: What::Close { id } });
        let end = CaseEnd::Played;
        let case = CaseRecord { case: "x".to_owned(), entries: entries.collect(), end };
        let lines = timeline(&case, Some(50));
        let gaps: Vec<_> = lines.iter().filter(|line| line.contains('…')).collect();
        assert_eq!(gaps, ["  … 35 lines", "  … 34 lines"]);
        assert_eq!(lines.iter().filter(|line| line.starts_with('>')).count(), 1);
        assert_eq!(lines.len(), 12 + 1 + 7 + 1 + 12);
        assert_eq!(timeline(&case, Some(13)).len(), 17 + 1 + 12);
        assert_eq!(timeline(&case, None).len(), 12 + 1 + 12);
        assert!(timeline(&CaseRecord { entries: Vec::new(), ..case }, None).is_empty());
    }
}
