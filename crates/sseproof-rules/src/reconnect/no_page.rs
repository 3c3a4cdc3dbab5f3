//! A server in trouble does not send a page with the status 200.

use sseproof_http::Plan;

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
    let mut other = None;
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
            outcome => other = Some((view.number, outcome)),
        }
    }
    if later == 0 && faults.is_empty() {
        return Verdict::Skip(super::none(other, "no client reconnected to a stream"));
    }
    Verdict::from_faults(each_once(faults), count(later, "later answer"))
}
