//! Data comes back as it was published, or is refused.

use sseproof_exchange::PublishOutcome;

use super::trials::{Trial, trials};
use super::{data_lines, publishing, with_line_feeds};
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/data-intact",
    requirement: "practice/data-intact",
    title: "data arrives as it was published, or is refused",
    why: "Texts arrive with other line ends, without their spaces, cut or not at all; code and poems are spoilt, signatures and JSON no longer hold, and no side sees an error.",
    fix: "Split payloads at LF, CRLF and CR only, keep empty lines and every space, and write each line behind `data: ` with that one space; or encode payloads as JSON on one line.",
    recipes: &[],
    judge,
    mutants: &[
        Mutant {
            id: "unicode-lines",
            wrong: "splits payloads at every line end that Unicode knows, and loses the last one",
            serve: |visit| publishing(visit, |data| data_lines(split_lines(data))),
        },
        Mutant {
            id: "trims-data",
            wrong: "takes the white space around a payload away",
            serve: |visit| {
                publishing(visit, |data| data_lines(with_line_feeds(data).trim().split('\n')))
            },
        },
        Mutant {
            id: "skips-empty-lines",
            wrong: "leaves out the empty lines of a payload",
            serve: |visit| {
                publishing(visit, |data| {
                    let text = with_line_feeds(data);
                    let lines = text.split('\n').filter(|line| !line.is_empty() || data.is_empty());
                    data_lines(lines)
                })
            },
        },
        Mutant {
            id: "cut-at-nul",
            wrong: "ends a payload at its first NUL",
            serve: |visit| {
                publishing(visit, |data| {
                    let text = with_line_feeds(data);
                    data_lines(text.split('\0').next().unwrap_or_default().split('\n'))
                })
            },
        },
    ],
};

/// What Python's `splitlines` does, but for the text that has no line at all.
fn split_lines(data: &str) -> Vec<&str> {
    let ends = |char| {
        matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}')
            || matches!(char, '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = data;
    while let Some(end) = rest.find(ends) {
        lines.push(&rest[..end]);
        let behind = &rest[end..];
        let length = if behind.starts_with("\r\n") {
            2
        } else {
            behind.chars().next().map_or(1, char::len_utf8)
        };
        rest = &behind[length..];
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest);
    }
    lines
}

/// How many payloads are shown.
const SHOWN: usize = 4;
/// How much of the text is shown before the place where what came is another.
const BEFORE: usize = 12;

fn judge(record: &Record<'_>) -> Verdict {
    let trials = match trials(record) {
        Ok(trials) => trials,
        Err(verdict) => return verdict,
    };
    let forging = Forging::of(&trials);
    let (mut whole, mut refused, mut left_out) = (0, 0, 0);
    let mut faults = Vec::new();
    for trial in trials.iter().filter(|trial| !trial.published.data.is_empty()) {
        match fault(trial) {
            _ if forging.explains(trial) => left_out += 1,
            Some(fault) => faults.push(fault),
            None if trial.is_intact() => whole += 1,
            None => refused += 1,
        }
    }
    let broken = faults.len();
    faults.truncate(SHOWN);
    if let Some(first) = faults.first_mut().filter(|_| broken > 1) {
        first.message += &format!(" (the first of {broken})");
    }
    let mut note = format!("{whole} payloads intact");
    if refused > 0 {
        note += &format!(", {refused} refused");
    }
    if left_out > 0 {
        note += &format!(", {left_out} with line ends that forge (encode/injection)");
    }
    Verdict::from_faults(faults, note)
}

fn fault(trial: &Trial<'_>) -> Option<Fault> {
    if trial.is_intact() {
        return None;
    }
    let name = trial.name();
    let sent = &trial.published.data;
    let shaped = trial.events().find_map(|event| Some((event, trial.carried(event)?)));
    if let Some((event, came)) = shaped {
        let (sent, came) = difference(&with_line_feeds(sent), &came);
        let message = format!("data with {name} arrives changed: {sent} as {came}");
        return Some(Fault::at(&trial.view, event.span.start, message));
    }
    if let Some(event) = trial.events().next() {
        let came = quoted(event.data.as_bytes());
        let message = format!("data with {name} arrives as something else: {came}");
        return Some(Fault::at(&trial.view, event.span.start, message));
    }
    let message = match &trial.published.outcome {
        PublishOutcome::Accepted => format!("data with {name} was taken and never arrives"),
        PublishOutcome::Failed(said) => {
            format!("data with {name} is neither delivered nor refused: {said}")
        }
        _ => return None,
    };
    Some(Fault::at(&trial.view, trial.closing, message))
}

/// Both texts, as they stand in a message, from a little before the place where they part.
fn difference(sent: &str, came: &str) -> (String, String) {
    let same = sent.chars().zip(came.chars()).take_while(|(a, b)| a == b).count();
    let skip = same.saturating_sub(BEFORE);
    let shown = |text: &str| {
        let rest: String = text.chars().skip(skip).collect();
        let quoted = quoted(rest.as_bytes());
        if skip > 0 { format!("`…{}", &quoted[1..]) } else { quoted }
    };
    (shown(sent), shown(came))
}

/// The line ends that make a payload forge: what else they do to it has the same cause.
struct Forging {
    lf: bool,
    cr: bool,
}

impl Forging {
    fn of(trials: &[Trial<'_>]) -> Self {
        let forging = |end: char, other: char| {
            trials.iter().any(|trial| {
                let data = &trial.published.data;
                data.contains(end) && !data.contains(other) && trial.forged().is_some()
            })
        };
        Self { lf: forging('\n', '\r'), cr: forging('\r', '\n') }
    }

    fn explains(&self, trial: &Trial<'_>) -> bool {
        let data = &trial.published.data;
        trial.forged().is_some()
            || (self.lf && data.contains('\n'))
            || (self.cr && data.contains('\r'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::encode::testing::{answered, published, published_to};
    use crate::reference;

    #[test]
    fn the_line_ends_of_the_format_are_all_the_same() {
        published(b"data: a\ndata: b\n\n", "a\r\nb").passes(&RULE);
        published_to(reference::answer, "a\nb").passes(&RULE);
    }

    #[test]
    fn what_arrives_changed_is_shown_beside_what_was_sent() {
        let faults = published(b"data: a\ndata: b\n\n", "a\u{2028}b").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(10));
        let message = "data with a payload arrives changed: `a\u{2028}b` as `a\\nb`";
        assert_eq!(faults[0].message, message);
    }

    #[test]
    fn long_texts_are_shown_where_they_part() {
        let (sent, came) = difference(&format!("{}x", "a".repeat(90)), &"a".repeat(90));
        assert_eq!((sent.as_str(), came.as_str()), ("`…aaaaaaaaaaaax`", "`…aaaaaaaaaaaa`"));
    }

    #[test]
    fn what_never_arrives_must_be_refused() {
        let faults = published(b"", "a\0b").faults(&RULE);
        assert_eq!(faults[0].message, "data with a payload was taken and never arrives");
        answered(b"", "a", PublishOutcome::Refused("422".to_owned())).passes(&RULE);
        answered(b"", "a", PublishOutcome::Failed("500".to_owned())).faults(&RULE);
        answered(b"", "a", PublishOutcome::Unanswered("?".to_owned())).passes(&RULE);
    }

    #[test]
    fn what_injection_explains_is_not_said_twice() {
        published(b"data: a\n\ndata: sseproof-forged\n\n", "a\n\ndata: sseproof-forged")
            .passes(&RULE);
    }

    #[test]
    fn events_of_another_type_are_the_server_s_own() {
        published(b"event: ping\ndata: 1\n\ndata: a\n\n", "a").passes(&RULE);
    }

    #[test]
    fn mutants_change_what_they_say() {
        for (index, payload) in ["a\u{85}b", " a", "a\n\nb", "a\0b"].into_iter().enumerate() {
            published_to(RULE.mutants[index].serve, payload).faults(&RULE);
        }
    }

    #[test]
    fn lines_are_split_as_python_does() {
        for (text, lines) in
            [("", vec![""]), ("a\n", vec!["a"]), ("a\r\n\u{2028}b", vec!["a", "", "b"])]
        {
            assert_eq!(split_lines(text), lines, "{text:?}");
        }
    }
}
