//! Many streams at the same time do not use up the server.

use std::time::Duration;

use sseproof_http::{Action, Plan};
use sseproof_record::RunEventKind;

use crate::delivery::figures::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/capacity",
    judge,
    mutants: &[Mutant::new(
        "eight-workers",
        "has eight workers, each of which serves one stream to its end",
        |visit| match visit.open {
            8.. => Plan { actions: vec![Action::Hold] },
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let crowd = record.run_events().iter().find_map(|event| match event.what {
        RunEventKind::Crowded { asked, streams, waiting, refused, beside_us, freed } => {
            Some((event, asked, streams, waiting, refused, beside_us, freed))
        }
        _ => None,
    });
    let Some((event, asked, streams, waiting, refused, beside_us, freed)) = crowd else {
        return Verdict::Skip("no clients opened many streams at the same time".to_owned());
    };
    let first = record.all().find(|view| view.scenario == event.scenario);
    let (Some(view), true) = (first, streams > 0) else {
        return Verdict::Inconclusive("no stream could be opened".to_owned());
    };
    let at_a_time = format!("{} at the same time", counted(streams, "stream"));
    match (waiting, refused) {
        (0, None) => return Verdict::Pass(at_a_time),
        (0, Some(status)) => {
            return Verdict::Pass(format!("{at_a_time}, and more are answered {status}"));
        }
        _ => {}
    }
    let waits = format!("{waiting} of {} for a stream wait", counted(asked, "request"));
    if !freed {
        return Verdict::Inconclusive(format!(
            "{waits} while {at_a_time} are open, but a new request waited too after some were closed"
        ));
    }
    let beside = match beside_us {
        None => ", and so does a request for `/`".to_owned(),
        Some(took) => {
            format!("; a request for `/` is answered after {}", shown(Duration::from_micros(took)))
        }
    };
    let message = format!(
        "{at_a_time} are served, and the next one waits until one of them is closed{beside}"
    );
    Verdict::Fail(vec![Fault::whole(&view, message)])
}
