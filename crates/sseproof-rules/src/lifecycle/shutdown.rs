//! A server that is asked to end does so while a stream is open.
//!
//! Without open streams it is the control: if it does not end then either, or takes long, the
//! stream is not the cause.

use std::time::Duration;

use sseproof_http::{Action, Plan};
use sseproof_record::{Lack, RunEvent, RunEventKind};

use super::leaving::lacking;
use crate::delivery::figures::shown;
use crate::reference::TERMINATE;
use crate::timing::MUCH_LONGER;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/shutdown",
    judge,
    mutants: &[Mutant::new(
        "waits-for-streams",
        "ends only after every stream has ended",
        |visit| match (visit.request.path(), visit.open) {
            (TERMINATE, 1..) => Plan { actions: vec![Action::Hold] },
            _ => reference::answer(visit),
        },
    )],
};

/// The server was asked to end.
struct Termination<'r> {
    by: &'r str,
    streams: &'r [usize],
    took: Option<Duration>,
    within: Duration,
    failed: Option<&'r str>,
}

impl<'r> Termination<'r> {
    fn of(event: &'r RunEvent) -> Option<Self> {
        let RunEventKind::Terminated { by, streams, took_us, within_us, failed } = &event.what
        else {
            return None;
        };
        Some(Self {
            by,
            streams,
            took: took_us.map(Duration::from_micros),
            within: Duration::from_micros(*within_us),
            failed: failed.as_deref(),
        })
    }
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut asked = record.run_events().iter().filter_map(Termination::of);
    let Some(with) = asked.next() else {
        let none = "the server was not asked to end";
        return Verdict::Skip(lacking(record, &[Lack::Start], none));
    };
    if let Some(why) = with.failed {
        return Verdict::Inconclusive(format!("the server could not be asked to end: {why}"));
    }
    let Some(view) = with.streams.first().and_then(|stream| record.exchange(*stream)) else {
        return Verdict::Inconclusive(
            "no stream was open when the server was asked to end".to_owned(),
        );
    };
    let by = with.by;
    if let Some(took) = with.took {
        return Verdict::Pass(format!("with an open stream, it ended {} after {by}", shown(took)));
    }
    let lived =
        format!("with an open stream the server still runs {} after {by}", shown(with.within));
    let Some(without) = asked.find(|asked| asked.streams.is_empty()) else {
        return Verdict::Inconclusive(format!(
            "{lived}; it was not seen whether it ends without one"
        ));
    };
    match (without.failed, without.took) {
        (None, Some(took)) if took * MUCH_LONGER <= with.within => {
            let message = format!("{lived}; without a stream it ends after {}", shown(took));
            Verdict::Fail(vec![Fault::whole(&view, message)])
        }
        (None, Some(took)) => Verdict::Inconclusive(format!(
            "{lived}, but without a stream it also takes {}",
            shown(took)
        )),
        (None, None) => Verdict::Inconclusive(format!(
            "the server does not end within {} after {by}, and not without a stream either; if it is stopped in another way, add `stop: ./stop` or `stop: {{ signal: INT }}` to the file of --target",
            shown(without.within)
        )),
        (Some(why), _) => Verdict::Inconclusive(format!(
            "{lived}; without one it could not be asked to end: {why}"
        )),
    }
}
