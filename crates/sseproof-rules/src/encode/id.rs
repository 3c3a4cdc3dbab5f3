//! An id arrives as it was published, or is refused.

use sseproof_codec::EncodeError;
use sseproof_record::Part;

use super::{came_back, changing, fields, writing};
use crate::reference::Message;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/id",
    judge,
    mutants: &[
        Mutant::new("nul-in-id", "writes an id with a NUL, which every client ignores", |visit| {
            writing(visit, |message| {
                let id = message.id.as_ref().filter(|id| id.contains('\0'));
                let rest =
                    Message { id: message.id.clone().filter(|_| id.is_none()), ..message.clone() };
                let mut out = fields(&rest)?;
                out.extend(id.map(|id| format!("id: {id}\n")).unwrap_or_default().into_bytes());
                out.extend(data_of(message)?);
                Ok(out)
            })
        }),
        Mutant::new(
            "latin1-ids",
            "puts a question mark for each character of an id that Latin-1 lacks",
            |visit| {
                changing(visit, |message| {
                    let latin1 = |char| if char > '\u{ff}' { '?' } else { char };
                    message.id = message.id.take().map(|id| id.chars().map(latin1).collect());
                })
            },
        ),
    ],
};

/// The data of the message and the blank line, written by the reference.
fn data_of(message: &Message) -> Result<Vec<u8>, EncodeError> {
    let data = Message { data: message.data.clone(), ..Message::default() };
    crate::reference::encoded(&data)
}

fn judge(record: &Record<'_>) -> Verdict {
    came_back::judge(record, Part::Id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::{between, published_as};
    use crate::reference;

    #[test]
    fn an_id_that_clients_ignore_is_none() {
        let run = between(b"id: a\0b\ndata: C\n\n", Part::Id, "a\0b");
        let faults = run.faults(&RULE);
        assert_eq!(faults[0].message, r"an id with a payload arrives changed: `a\0b` as no id");
    }

    #[test]
    fn ids_that_arrive_or_are_refused_are_right() {
        for id in ["a\nb", "a\rb", "a\0b", " a", "", "\u{2615}"] {
            published_as(reference::answer, Part::Id, id).passes(&RULE);
        }
        // An empty id may be taken as none.
        between(b"id: 17\ndata: C\n\n", Part::Id, "").passes(&RULE);
    }

    #[test]
    fn mutants_change_what_they_say() {
        for (mutant, id) in RULE.mutants.iter().zip(["a\0b", "\u{2615}"]) {
            published_as(mutant.serve, Part::Id, id).faults(&RULE);
            published_as(mutant.serve, Part::Id, "plain").passes(&RULE);
        }
    }

    #[test]
    fn a_server_that_gives_its_own_ids_is_not_judged() {
        published_as(|visit| changing(visit, |message| message.id = None), Part::Id, "a\nb")
            .is_inconclusive(&RULE);
    }
}
