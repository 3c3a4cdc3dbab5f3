//! No payload is read as a field or as an event.

use sseproof_http::{Plan, Visit};
use sseproof_record::Part;
use sseproof_units::{counted, list};

use super::came_back::{cut_short, smallest};
use super::trials::{Trial, trials};
use super::{data_lines, publishing, shown, writing};
use crate::reference::{Message, encoded};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/injection",
    judge,
    mutants: &[
        Mutant::new("pasted-payload", "writes a payload after `data:` unchanged", |visit| {
            publishing(visit, |data| format!("data: {data}\n\n").into_bytes())
        }),
        Mutant::new("pasted-answer", "answers with a payload after `data:` unchanged", |visit| {
            publishing(visit, |data| format!("data: {data}\n\n").into_bytes())
        })
        .answered(),
        Mutant::new(
            "forgets-cr",
            "splits payloads at LF alone, so that a CR ends a line",
            |visit| publishing(visit, |data| data_lines(data.split('\n'))),
        ),
        Mutant::new(
            "pasted-event-name",
            "writes an event name after `event:` unchanged",
            |visit| pasting(visit, "event", |message| message.event.take()),
        ),
        Mutant::new("pasted-id", "writes an id after `id:` unchanged, except for a NUL", |visit| {
            pasting(visit, "id", |message| message.id.take())
        }),
        Mutant::new("pasted-comment", "writes a comment after a colon unchanged", |visit| {
            pasting(visit, "", |message| message.comment.take())
        }),
    ],
};

/// The reference, which pastes one part after the name of its field.
fn pasting(visit: &Visit<'_>, field: &str, take: fn(&mut Message) -> Option<String>) -> Plan {
    writing(visit, |message| {
        let mut rest = message.clone();
        let text = take(&mut rest).filter(|text| !text.is_empty());
        if text.as_ref().is_some_and(|text| text.contains('\0')) {
            return encoded(message);
        }
        let mut out =
            text.map(|text| format!("{field}: {text}\n")).unwrap_or_default().into_bytes();
        out.extend(encoded(&rest)?);
        Ok(out)
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    let trials = match trials(record) {
        Ok(trials) => trials,
        Err(verdict) => return verdict,
    };
    let trials_of = |part| {
        let smallest = smallest(&trials).into_iter();
        smallest.filter(move |trial: &&Trial<'_>| trial.published.part() == part)
    };
    let mut injecting = Vec::new();
    let mut faults: Vec<Fault> = Part::ALL
        .into_iter()
        .filter_map(|part| {
            let mut forging = trials_of(part).filter_map(|trial| Some((trial, trial.forged()?)));
            let (trial, forged) = forging.next()?;
            let (noun, what) = (part.noun(), forged.what);
            injecting.push(format!("the {noun}"));
            let sent = shown(trial.published.text());
            let of_all = match forging.count() {
                0 => String::new(),
                more => format!(" (the first of {})", more + 1),
            };
            let message = format!("the {noun} {sent} forged {what}{of_all}");
            Some(Fault::at(&trial.view, forged.offset, message))
        })
        .collect();
    if let Some(first) = faults.first_mut() {
        // A report may show only the first examples.
        if injecting.len() > 1 {
            first.message += &format!("; so do {}", list(&injecting[1..]));
        }
        let so = "anyone who controls this text can send events as the server";
        first.consequence = Some(so.to_owned());
    }
    let cut: String = Part::ALL.into_iter().map(|part| cut_short(record, part)).collect();
    Verdict::from_faults(faults, format!("{}{cut}", counted(trials.len(), "payload")))
}
