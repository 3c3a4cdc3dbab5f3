//! A server in trouble does not send a page with the status 200.

use sseproof_record::Plan;

use super::on_return;
use crate::outcome::{Coming, Outcome, coming, count, each_once};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "reconnect/error-not-html",
    judge,
    mutants: &[Mutant::new(
        "error-page-on-return",
        "answers a client that reconnects with a page and the status 200",
        |visit| {
            let page = Plan::answer(200, "text/html", "<h1>We will be right back</h1>\n");
            on_return(visit, 0..=1, |_| page)
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut later = 0;
    let returns = super::returns(record).map(|back| back.view);
    let anew = record.subscriptions().filter(|view| matches!(coming(record, view), Coming::Anew));
    for view in returns.chain(anew) {
        match Outcome::of(&view) {
            Outcome::Stream => later += 1,
            Outcome::OtherType => {
                let media = view.head.as_ref().and_then(|head| head.media_type());
                let media = media.unwrap_or_else(|| "no media type".to_owned());
                let message = format!("where a stream was before, there is now 200 with {media}");
                faults.push(Fault::header(&view, "content-type", message));
            }
            _ => {}
        }
    }
    if later == 0 && faults.is_empty() {
        return Verdict::Skip("no client reconnected to a stream".to_owned());
    }
    Verdict::from_faults(each_once(faults), count(later, "later answer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::Run;

    #[test]
    fn the_reference_passes() {
        Run::against(reference::answer).subscribe().reconnect(1, "").subscribe().passes(&RULE);
    }

    #[test]
    fn the_mutant_fails() {
        let run = Run::against(RULE.mutants[0].serve).subscribe();
        let id = run.last_id();
        let faults = run.reconnect(1, &id).faults(&RULE);
        assert_eq!(faults[0].message, "where a stream was before, there is now 200 with text/html");
    }

    #[test]
    fn a_page_for_a_later_subscriber_fails_too() {
        Run::against(reference::answer)
            .subscribe()
            .subscribe()
            .edit(|last| last.head.as_mut().unwrap().headers.remove("Content-Type"))
            .faults(&RULE);
    }

    #[test]
    fn an_error_status_is_not_judged_here() {
        Run::against(reference::answer)
            .subscribe()
            .reconnect(1, "")
            .edit(|last| {
                let head = last.head.as_mut().unwrap();
                head.status = 502;
                head.headers.set("Content-Type", "text/html");
            })
            .skips(&RULE);
    }

    #[test]
    fn a_page_from_the_start_is_not_judged_here() {
        let page = |_: &sseproof_record::Visit<'_>| Plan::answer(200, "text/html", "<p>");
        Run::against(page).subscribe().reconnect(1, "").subscribe().skips(&RULE);
    }
}
