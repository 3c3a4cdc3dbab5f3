//! No payload is read as a field or as an event.

use sseproof_record::{Part, Plan, Visit};

use super::came_back::{cut_short, smallest};
use super::trials::trials;
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

/// How many forgeries are shown.
const SHOWN: usize = 3;

fn judge(record: &Record<'_>) -> Verdict {
    let trials = match trials(record) {
        Ok(trials) => trials,
        Err(verdict) => return verdict,
    };
    let mut faults: Vec<Fault> = smallest(&trials)
        .into_iter()
        .filter_map(|trial| {
            let forged = trial.forged()?;
            let (noun, what) = (trial.published.part().noun(), forged.what);
            let sent = shown(trial.published.text());
            let message = format!("the {noun} {sent} forged {what}");
            Some(Fault::at(&trial.view, forged.offset, message))
        })
        .collect();
    faults.truncate(SHOWN);
    if let Some(first) = faults.first_mut() {
        let so = "anyone who controls this text can send events as the server";
        first.consequence = Some(so.to_owned());
    }
    let cut: String = Part::ALL.into_iter().map(|part| cut_short(record, part)).collect();
    Verdict::from_faults(faults, format!("{} payloads{cut}", trials.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::encode::testing::published_as;
    use crate::encode::testing::{published, published_to};
    use crate::reference;
    use sseproof_record::PLAIN;

    #[test]
    fn the_forged_event_is_shown_where_it_begins() {
        let faults =
            published(b"data: a\n\ndata: sseproof-forged\n\n", "a\n\ndata: sseproof-forged")
                .faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(19));
        assert_eq!(faults[0].message, r"the data `a\n\ndata: sseproof-forged` forged an event");
    }

    #[test]
    fn every_kind_of_field_is_found() {
        for (field, what) in [
            ("event: sseproof-forged", "the event type"),
            ("id: sseproof-forged", "the event id"),
            ("retry: 86399999", "the reconnection time"),
            ("data: sseproof-forged", "a data field"),
        ] {
            let body = format!("data: a\r{field}\n\n");
            let faults = published(body.as_bytes(), &format!("a\r{field}")).faults(&RULE);
            assert!(faults[0].message.ends_with(what), "{}", faults[0].message);
        }
    }

    #[test]
    fn what_comes_back_whole_forges_nothing() {
        let whole = b"data: a\ndata: \ndata: data: sseproof-forged\n\n";
        published(whole, "a\n\ndata: sseproof-forged").passes(&RULE);
        let json = br#"data: "a\n\ndata: sseproof-forged""#;
        published(&[json.as_slice(), b"\n\n"].concat(), "a\n\ndata: sseproof-forged").passes(&RULE);
    }

    #[test]
    fn mutants_forge() {
        for mutant in &RULE.mutants[..2] {
            published_to(mutant.serve, "a\r\rdata: sseproof-forged").faults(&RULE);
        }
        for (mutant, part) in RULE.mutants[2..].iter().zip([Part::Event, Part::Id, Part::Comment]) {
            for text in ["a\ndata: sseproof-forged", "a\r\rdata: sseproof-forged"] {
                let faults = published_as(mutant.serve, part, text).faults(&RULE);
                let noun = part.noun();
                assert!(faults[0].message.starts_with(&format!("the {noun} `a")), "{faults:?}");
            }
            published_as(mutant.serve, part, PLAIN).passes(&RULE);
        }
    }

    #[test]
    fn without_a_way_to_publish_there_is_nothing_to_judge() {
        crate::testing::Run::against(reference::answer).subscribe().skips(&RULE);
    }

    #[test]
    fn a_hook_that_is_not_there_proves_nothing() {
        published_to(|_| Plan::answer(404, "text/plain", ""), "a").is_inconclusive(&RULE);
    }
}
