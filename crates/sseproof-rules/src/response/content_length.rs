//! A live stream has no Content-Length.

use sseproof_record::{Action, Ending, Framing};

use super::{instead_of_finish, on_stream};
use crate::outcome::{NO_STREAM, count, each_once, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "response/content-length",
    judge,
    mutants: &[Mutant::new(
        "stated-length",
        "states a length for a stream that has none",
        |visit| {
            on_stream(visit, |plan| {
                instead_of_finish(plan, Action::Hold).with_framing(Framing::Length(1_000_000))
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut streams, mut whole) = (0, 0);
    // Where one answer came to its stated end, the others are as finite, and the client disconnected early.
    let is_finite = stream_answers(record)
        .any(|view| length(&view).is_some() && view.end.how == Ending::Complete);
    for view in stream_answers(record) {
        streams += 1;
        let Some(length) = length(&view) else { continue };
        let is_whole = length.parse().is_ok_and(|length: u64| view.came_len() >= length);
        let open =
            matches!(view.end.how, Ending::Left | Ending::OverLimit(_)) && !is_whole && !is_finite;
        if open && view.events().next().is_some() {
            let message = format!("Content-Length is {length}, and the stream goes on");
            faults.push(Fault::header(&view, "content-length", message));
        } else if view.end.how == Ending::Complete {
            whole += 1;
        }
    }
    if streams == 0 {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let note = match whole {
        0 => count(streams, "stream"),
        _ => format!("{}, {whole} of them finite and sent whole", count(streams, "stream")),
    };
    Verdict::from_faults(each_once(faults), note)
}

/// The length that counts: beside Transfer-Encoding it counts for nothing, see `response/framing`.
fn length(view: &View<'_>) -> Option<String> {
    let headers = &view.head.as_ref()?.headers;
    headers.first("content-length").filter(|_| !headers.has("transfer-encoding"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::Run;
    use sseproof_record::{Exchange, Plan};

    fn stated(edit: impl FnOnce(&mut Exchange)) -> Run {
        Run::against(RULE.mutants[0].serve).subscribe().edit(edit)
    }

    #[test]
    fn no_length_passes() {
        Run::against(reference::answer).subscribe().passes(&RULE);
    }

    #[test]
    fn the_mutant_fails_once() {
        let faults = Run::against(RULE.mutants[0].serve).subscribe().subscribe().faults(&RULE);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].message, "Content-Length is 1000000, and the stream goes on");
    }

    #[test]
    fn a_finite_answer_may_have_its_length() {
        stated(|last| last.end.how = Ending::Complete).passes(&RULE);
    }

    #[test]
    fn disconnecting_early_from_a_finite_answer_proves_nothing() {
        stated(|last| last.end.how = Ending::Complete).subscribe().passes(&RULE);
        stated(|last| {
            let length = last.body_len().to_string();
            last.head.as_mut().unwrap().headers.set("Content-Length", length);
        })
        .passes(&RULE);
    }

    #[test]
    fn what_framing_judges_is_left_to_it() {
        stated(|last| last.end.how = Ending::Truncated).passes(&RULE);
        stated(|last| last.head.as_mut().unwrap().headers.set("Transfer-Encoding", "chunked"))
            .passes(&RULE);
    }

    #[test]
    fn without_an_event_nothing_shows_that_it_is_live() {
        stated(|last| last.body.clear()).passes(&RULE);
    }

    #[test]
    fn without_a_stream_there_is_nothing_to_judge() {
        Run::against(|_| Plan::answer(404, "text/plain", "x")).subscribe().skips(&RULE);
    }
}
