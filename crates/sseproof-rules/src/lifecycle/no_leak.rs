//! Clients that connect and disconnect do not leak resources.

use sseproof_record::{Gauge, Reading, RunEventKind};

use super::leaving::{never_stops, nothing_read, of_gauge, outliving, unread};
use sseproof_units::counted;

use crate::{Fault, Mutant, Place, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/no-leak",
    judge,
    mutants: &[Mutant::new(
        "forgets-in-a-crowd",
        "keeps the producer of a client that disconnects while others connect",
        |visit| {
            let crowd = visit.open >= 4 && visit.request.path() == "/events";
            if crowd { outliving(visit, None) } else { reference::answer(visit) }
        },
    )],
};

/// How many clients are the fewest that show a leak in the second half of them.
const ENOUGH: u64 = 50;

/// How much of a thing may stay for a hundred clients: pools of threads and of connections grow to
/// a size, and then they stand still.
fn allowance(gauge: Gauge) -> u64 {
    match gauge {
        Gauge::Active | Gauge::Connections => 3,
        Gauge::Descriptors => 10,
        Gauge::Threads => 25,
        Gauge::Memory => 20 << 20,
    }
}

/// The readings of one gauge after each group of clients: clients so far, and the number.
struct Readings {
    gauge: Gauge,
    points: Vec<(u64, u64)>,
}

fn judge(record: &Record<'_>) -> Verdict {
    if never_stops(record) {
        return Verdict::Skip(
            "the server does not release even one client: see lifecycle/stops-on-close".to_owned(),
        );
    }
    let (courses, streams, last) = courses(record);
    let Some(came) = courses.iter().flat_map(|course| &course.points).map(|(came, _)| *came).max()
    else {
        let lacks = [sseproof_record::Lack::Active];
        return nothing_read(record, Gauge::Active, &lacks, "no clients came and went in numbers");
    };
    if streams < ENOUGH {
        return Verdict::Inconclusive(format!(
            "only {streams} of {} were given a stream: too few to see what stays",
            counted(came, "client")
        ));
    }
    let mut faults = Vec::new();
    let mut noisy = None;
    for course in &courses {
        match course.growth() {
            Growth::None => {}
            Growth::Steady(message) => match record.exchange(last) {
                Some(view) => faults.push(Fault::new(&view, Place::Exchange, message)),
                None => noisy = Some(message),
            },
            Growth::Unclear(message) => noisy = Some(message),
        }
    }
    if let (true, Some(noisy)) = (faults.is_empty(), noisy) {
        return Verdict::Inconclusive(noisy);
    }
    if let (true, Some(why)) = (faults.is_empty(), unread(record, Gauge::Active)) {
        return Verdict::Inconclusive(why);
    }
    let gauges: Vec<String> = courses.iter().map(|course| course.gauge.to_string()).collect();
    Verdict::from_faults(
        faults,
        format!("{} disconnected and left no {}", counted(came, "client"), gauges.join(", no ")),
    )
}

enum Growth {
    None,
    Steady(String),
    Unclear(String),
}

impl Readings {
    /// The growth in the second half of the clients: the first half fills pools and caches.
    fn growth(&self) -> Growth {
        let half = &self.points[self.points.len() / 2..];
        let (Some(&(from, low)), Some(&(to, high))) = (half.first(), half.last()) else {
            return Growth::None;
        };
        let (clients, grown) = (to.saturating_sub(from), high.saturating_sub(low));
        let allowed = allowance(self.gauge).saturating_mul(clients.max(100));
        if clients == 0 || grown.saturating_mul(100) < allowed {
            return Growth::None;
        }
        let shown = |number: u64| of_gauge(self.gauge, number);
        let message = format!(
            "{} that came and left raised {} to {}",
            counted(clients, "client"),
            shown(low),
            shown(high)
        );
        let steps = half.windows(2).map(|pair| pair[1].1.saturating_sub(pair[0].1));
        // A leak per client grows with each group of clients.
        let largest = steps.clone().max().unwrap_or_default();
        if half.len() > 3 && largest * 3 > grown * 2 {
            return Growth::Unclear(format!(
                "{message}, but all at once: a pool may have grown, or a process been started"
            ));
        }
        if self.gauge == Gauge::Memory && steps.filter(|step| *step > 0).count() + 1 < half.len() {
            return Growth::Unclear(format!(
                "{message}, but not steadily: a collector may be late"
            ));
        }
        Growth::Steady(message)
    }
}

/// The course of each gauge, how many clients were given a stream, and the exchange of the last.
fn courses(record: &Record<'_>) -> (Vec<Readings>, u64, usize) {
    let mut courses: Vec<Readings> = Vec::new();
    let (mut came, mut streams, mut number) = (None, 0, 0);
    for happening in record.run_events() {
        match (&happening.what, came) {
            (RunEventKind::Churned { connections, streams: given, last }, _) => {
                came = Some((*connections, happening.name.as_str()));
                streams = *given;
                number = number.max(*last);
            }
            (
                &RunEventKind::Reading(Reading { gauge, value: Ok(value), .. }),
                Some((came, name)),
            ) if happening.name == name => {
                match courses.iter_mut().find(|course| course.gauge == gauge) {
                    Some(course) => course.points.push((came, value)),
                    None => courses.push(Readings { gauge, points: vec![(came, value)] }),
                }
            }
            _ => {}
        }
    }
    (courses, streams, number)
}
