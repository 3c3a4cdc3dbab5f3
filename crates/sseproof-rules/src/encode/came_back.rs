//! The check that the rules on single parts share: delivered as published, or refused.

use sseproof_record::{PLAIN, Part, PublishOutcome, Published, RunEventKind};
use sseproof_units::counted;

use super::trials::{Trial, trials_of};
use super::{shown, with_line_feeds};
use crate::{Fault, Record, Verdict};

/// How many payloads are shown.
const SHOWN: usize = 4;
/// How much of the text is shown before the place where what came is another.
const BEFORE: usize = 12;

pub(super) fn judge(record: &Record<'_>, part: Part) -> Verdict {
    let trials = match trials_of(record, part) {
        Ok(trials) => trials,
        Err(verdict) => return verdict,
    };
    let forging = Forging::of(&trials);
    let (mut whole, mut refused, mut left_out, mut with_line_ends) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut seed = None;
    let mut faults = Vec::new();
    // Empty data has a rule of its own.
    let is_ours = |trial: &&Trial<'_>| part != Part::Data || !trial.published.data.is_empty();
    for trial in smallest(&trials).into_iter().filter(is_ours) {
        seed = seed.or(trial.published.seed);
        match fault(trial) {
            _ if forging.explains(trial) => left_out += 1,
            Some(_) if loses_line_ends(trial) => with_line_ends += 1,
            Some(fault) => faults.push(fault),
            None if trial.is_intact() => whole += 1,
            None => refused += 1,
        }
    }
    if whole + refused == 0 && faults.is_empty() {
        return Verdict::Inconclusive(nothing_judged(record, part, left_out, with_line_ends));
    }
    let faults = first_of(faults);
    let mut note = format!("{} intact", counted(whole, "payload"));
    if refused > 0 {
        note += &format!(", {refused} refused");
    }
    if left_out > 0 {
        note += &format!(", {left_out} with line ends that forge (encode/injection)");
    }
    if with_line_ends > 0 {
        note +=
            &format!(", {with_line_ends} changed for their line ends (encode/line-ends-refused)");
    }
    note += &unfollowed(record, part, trials.len());
    note += &unsent(record, part);
    note += &cut_short(record, part);
    if let Some(seed) = seed {
        note += &format!("; some were generated (--seed {seed})");
    }
    Verdict::from_faults(faults, note)
}

/// The first faults, of which the first says how many there are.
pub(super) fn first_of(mut faults: Vec<Fault>) -> Vec<Fault> {
    let all = faults.len();
    faults.truncate(SHOWN);
    if let Some(first) = faults.first_mut().filter(|_| all > 1) {
        first.message += &format!(" (the first of {all})");
    }
    faults
}

/// Why nothing can be said, though payloads were published.
fn nothing_judged(record: &Record<'_>, part: Part, forge: u64, with_line_ends: u64) -> String {
    let noun = part.noun();
    let all = match (forge, with_line_ends) {
        (0, 0) => format!("no dangerous {noun} could be followed to the end"),
        (forge, 0) => format!(
            "{} with line ends that forge, and no others: see encode/injection",
            counted(forge, "payload")
        ),
        (0, more) => format!(
            "{} with line ends, and no others: see encode/line-ends-refused",
            counted(more, "payload")
        ),
        (forge, more) => format!(
            "{} with line ends, and no others: see encode/injection and encode/line-ends-refused",
            counted(forge + more, "payload")
        ),
    };
    all + &unsent(record, part) + &cut_short(record, part)
}

/// How many payloads in this part were left out, and why, as the end of a note.
pub(super) fn cut_short(record: &Record<'_>, part: Part) -> String {
    let left_out = record.run_events().iter().find_map(|happening| match &happening.what {
        RunEventKind::LeftOut { part: of, tried, of_all, why } if *of == part => {
            Some(format!("; only {tried} of {of_all} were tried: {why}"))
        }
        _ => None,
    });
    left_out.unwrap_or_default()
}

/// How many payloads in this part were published and could not be followed, as the end of
/// a note: a sentinel around them did not come.
fn unfollowed(record: &Record<'_>, part: Part, followed: usize) -> String {
    let published =
        record.all().filter(|view| !view.judged).flat_map(|view| &view.exchange().published);
    let is_one = |one: &&Published| {
        one.payload.is_some()
            && one.part() == part
            && (part == Part::Data || one.text() != PLAIN)
            && !matches!(one.outcome, PublishOutcome::Unsendable(_))
    };
    match published.filter(is_one).count().saturating_sub(followed) {
        0 => String::new(),
        lost => format!("; {} could not be followed", counted(lost, "more payload")),
    }
}

/// How many payloads in this part the request could not carry, and why, as the end of a note.
pub(super) fn unsent(record: &Record<'_>, part: Part) -> String {
    let published = record.all().flat_map(|view| &view.exchange().published);
    let mut unsendable = published.filter(|one| one.part() == part).filter_map(|one| {
        let PublishOutcome::Unsendable(why) = &one.outcome else { return None };
        one.payload.as_ref().map(|_| why)
    });
    let Some(first) = unsendable.next() else { return String::new() };
    let all = 1 + unsendable.count();
    format!("; {} not sent: {first}", counted(all, "more payload"))
}

/// Whether an event name or an id changed only because the server took line ends out of it,
/// or all of it since they were there: nothing forged, and the stream goes on.
pub(super) fn loses_line_ends(trial: &Trial<'_>) -> bool {
    let one_line = matches!(trial.published.part(), Part::Event | Part::Id);
    one_line && !trial.kills && trial.published.text().contains(['\r', '\n'])
}

/// All trials, but of those that were generated and that break only the smallest: the others led
/// to it.
pub(super) fn smallest<'t, 'r>(trials: &'t [Trial<'r>]) -> Vec<&'t Trial<'r>> {
    let breaks = |trial: &&Trial<'_>| {
        trial.published.seed.is_some() && (trial.forged().is_some() || fault(trial).is_some())
    };
    let length = |trial: &&Trial<'_>| trial.published.data.chars().count();
    let least = trials.iter().filter(breaks).min_by_key(length);
    let is_least = |trial: &&Trial<'_>| least.is_some_and(|least| std::ptr::eq(*trial, least));
    trials.iter().filter(|trial| is_least(trial) || !breaks(trial)).collect()
}

/// The fault of the payload, if it was neither delivered as published nor refused.
pub(super) fn fault(trial: &Trial<'_>) -> Option<Fault> {
    if trial.is_intact() {
        return None;
    }
    let subject = trial.subject();
    if trial.kills {
        let sent = shown(trial.published.text());
        if trial.is_answer {
            let message = format!("{subject} cuts the answer off: {sent}");
            return Some(Fault::at(&trial.view, trial.closing, message));
        }
        let message = format!("{subject} ends the stream: {sent}");
        let so = "anyone who controls this text can end the stream of every subscriber";
        return Some(Fault::at(&trial.view, trial.closing, message).so(so));
    }
    // If the server did not accept it, an event meanwhile is the server's own.
    let accepted = trial.published.outcome == PublishOutcome::Accepted;
    if let Some((offset, sent, came)) = changed(trial).filter(|_| accepted) {
        let message = format!("{subject} arrives changed: {sent} as {came}");
        return Some(Fault::at(&trial.view, offset, message));
    }
    // The event that a comment stands beside is not the comment.
    let is_own = accepted && trial.published.part() != Part::Comment;
    let own = trial.events().next().filter(|_| is_own);
    if let Some(event) = own {
        let (sent, came) = (shown(trial.published.text()), shown(&event.data));
        let message = format!("{subject} arrives as something else: {sent} as {came}");
        return Some(Fault::at(&trial.view, event.span.start, message));
    }
    let message = match &trial.published.outcome {
        PublishOutcome::Accepted => {
            format!("{subject} was accepted and never arrives: {}", shown(trial.published.text()))
        }
        PublishOutcome::Failed(said) | PublishOutcome::Unanswered(said) => {
            format!("{subject} is neither delivered nor refused: {said}")
        }
        _ => return None,
    };
    Some(trial.absent(message))
}

/// The published and the received text as a message shows them, and the offset.
fn changed(trial: &Trial<'_>) -> Option<(u64, String, String)> {
    let sent = trial.published.text();
    match trial.published.part() {
        Part::Data => {
            let (event, came) =
                trial.events().find_map(|event| Some((event, trial.carried(event)?)))?;
            let (sent, came) = difference(sent, &came);
            Some((event.span.start, sent, came))
        }
        Part::Event => {
            let event = trial.events().next()?;
            Some((event.span.start, shown(sent), shown(&event.event_type)))
        }
        Part::Id => {
            let event = trial.events().next()?;
            let came = if event.sets_id { shown(&event.last_event_id) } else { "no id".to_owned() };
            Some((event.span.start, shown(sent), came))
        }
        Part::Comment => {
            let came: Vec<&str> = trial.comments().collect();
            let first = trial.first_comment()?;
            Some((first, shown(sent), shown(&came.join("\n"))))
        }
    }
}

/// Both texts, as they stand in a message, from a little before the place where they part.
fn difference(sent: &str, came: &str) -> (String, String) {
    // Short texts stand as they were sent; in long ones both must have the same line ends, or the
    // place where they part is not found.
    const SHORT: usize = 40;
    if sent.chars().count() <= SHORT {
        return (shown(sent), shown(came));
    }
    let sent = &with_line_feeds(sent);
    let same = sent.chars().zip(came.chars()).take_while(|(a, b)| a == b).count();
    let skip = same.saturating_sub(BEFORE);
    let shown = |text: &str| {
        let rest: String = text.chars().skip(skip).collect();
        let quoted = shown(&rest);
        if skip > 0 { format!("`…{}", &quoted[1..]) } else { quoted }
    };
    (shown(sent), shown(came))
}

/// The line ends that make a payload forge: what else they do to it has the same cause.
pub(super) struct Forging {
    lf: bool,
    cr: bool,
}

impl Forging {
    pub(super) fn of(trials: &[Trial<'_>]) -> Self {
        let forging = |end: char, other: char| {
            trials.iter().any(|trial| {
                let text = trial.published.text();
                text.contains(end) && !text.contains(other) && trial.forged().is_some()
            })
        };
        Self { lf: forging('\n', '\r'), cr: forging('\r', '\n') }
    }

    pub(super) fn explains(&self, trial: &Trial<'_>) -> bool {
        let text = trial.published.text();
        trial.forged().is_some()
            || (self.lf && text.contains('\n'))
            || (self.cr && text.contains('\r'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shown_where_they_part() {
        let (sent, came) = difference(&format!("{}x", "a".repeat(90)), &"a".repeat(90));
        assert_eq!((sent.as_str(), came.as_str()), ("`…aaaaaaaaaaaax`", "`…aaaaaaaaaaaa`"));
        let (sent, came) = difference("a\nb", "a\\nb");
        assert_eq!((sent.as_str(), came.as_str()), (r"`a\nb`", r"`a\\nb`"));
        let (sent, came) = difference("\r:", "\n");
        assert_eq!((sent.as_str(), came.as_str()), (r"`\r:`", r"`\n`"));
    }
}
