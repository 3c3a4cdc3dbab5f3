//! Requests that need no stream as a response, but a clean one.

use crate::outcome::{NO_STREAM, Outcome, closes_on_anybody, count, each_once, is_hang};
use crate::{Fault, Place, Record, Verdict, View};

/// The texts of a rule on such requests.
pub(super) struct Clean<'t> {
    /// Their name in the singular.
    pub(super) noun: &'t str,
    /// The reason to skip without any.
    pub(super) none: &'t str,
    /// The reason to skip if no response was HTTP.
    pub(super) not_http: &'t str,
    /// The consequence if there is no response, if it is more specific than that of the rule.
    pub(super) unanswered: Option<&'t str>,
}

impl Clean<'_> {
    /// Judges these requests, in a record that shows a stream or not. `name` is what a message calls
    /// a request, and `broken` judges a response.
    pub(super) fn judge<'r>(
        &self,
        record: &Record<'_>,
        views: impl Iterator<Item = View<'r>>,
        has_stream: bool,
        name: impl Fn(&View<'r>) -> String,
        broken: impl Fn(&View<'r>, &Outcome, &str) -> Option<Fault>,
    ) -> Verdict {
        let mut faults = Vec::new();
        let mut doubt = None;
        let (mut asked, mut clean) = (0, 0);
        for view in views {
            asked += 1;
            let (outcome, name) = (Outcome::of(&view), name(&view));
            let is_unclear = match &outcome {
                Outcome::Silent(waited) => !is_hang(record, *waited),
                Outcome::Closed => closes_on_anybody(record),
                Outcome::Refused | Outcome::Unreachable => true,
                Outcome::NotHttp => continue,
                _ => {
                    let fault = broken(&view, &outcome, &name);
                    clean += usize::from(fault.is_none());
                    faults.extend(fault);
                    continue;
                }
            };
            if is_unclear {
                doubt = Some(format!("{name} got {}", outcome.describe()));
            } else {
                let fault = Fault::whole(&view, format!("{name} gets {}", outcome.describe()));
                let consequence = self.unanswered.map(str::to_owned);
                faults.push(Fault { consequence, ..fault });
            }
        }
        match doubt {
            _ if asked == 0 => Verdict::Skip(self.none.to_owned()),
            // Other rules judge a server that sends no stream at all.
            _ if !has_stream => Verdict::Skip(NO_STREAM.to_owned()),
            _ if !faults.is_empty() => Verdict::Fail(each_once(faults)),
            Some(doubt) => Verdict::Inconclusive(doubt),
            None if clean == 0 => Verdict::Skip(self.not_http.to_owned()),
            None => Verdict::Pass(count(clean, self.noun)),
        }
    }
}

/// The fault that the request is answered with this status.
pub(super) fn answered(view: &View<'_>, name: &str, outcome: &Outcome) -> Fault {
    let message = format!("{name} is answered with {}", outcome.describe());
    Fault::new(view, Place::StatusLine, message)
}
