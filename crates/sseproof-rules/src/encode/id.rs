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
        Mutant::new("upper-case-ids", "answers with an id in upper case", |visit| {
            changing(visit, |message| {
                message.id = message.id.take().map(|id| match id.contains("plain") {
                    true => id,
                    false => id.to_uppercase(),
                });
            })
        })
        .answered(),
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
