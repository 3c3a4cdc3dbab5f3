//! The conditions under which a run fails, as users write them: `delivery.p99 > 50ms`, `lost > 0`.
//!
//! A threshold is typed when it is read: the name is known, and the limit has the dimension of the
//! name. A threshold on a value that was not measured does not pass: otherwise a run without any
//! response would pass most of them. If the plan shows it, it is reported before the run.

mod objective;
mod parse;
mod subject;

use std::fmt;
use std::time::Duration;

use sseproof_units::Value;

use crate::{Counter, Interval, Steady};

pub use objective::{OBJECTIVES, objective};
pub use parse::ThresholdError;
pub use subject::{Percentile, Statistic, Subject};

#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub subject: Subject,
    pub relation: Relation,
    pub limit: Limit,
    /// As it was written, without white space around it.
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Value(Value),
    /// The value of an older result, changed by this share of it: 0.1 is 10% more.
    Change(f64),
}

#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub total: &'a Interval,
    pub lasting: Duration,
    pub steady: &'a Steady,
    /// The value of a [`Figure`](crate::Figure), by its key, if it was measured.
    pub figures: &'a dyn Fn(&str) -> Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    Held(Measured),
    /// It is crossed: the run fails.
    Crossed(Measured),
    /// Nothing was measured that could be compared, and why; that does not pass.
    NoData(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    pub value: Value,
    pub limit: Value,
    /// The older value, if the limit is a change.
    pub old: Option<Value>,
}

impl Judgement {
    pub fn passes(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(seen) | Self::Crossed(seen) => match seen.old {
                None => f.write_str(&seen.value.beside(&seen.limit)),
                Some(old) if old.amount > 0.0 => {
                    let change = (seen.value.amount / old.amount - 1.0) * 100.0;
                    write!(f, "{}, was {old} ({change:+.1}%)", seen.value)
                }
                Some(old) => write!(f, "{}, was {old}", seen.value),
            },
            Self::NoData(why) => write!(f, "no data: {why}"),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Threshold {
    /// Judges a run by it; `old` is what a change is a change of.
    pub fn judge(&self, new: &Evidence<'_>, old: Option<&Evidence<'_>>) -> Judgement {
        let Some(value) = self.subject.value(new) else {
            return Judgement::NoData(self.subject.why_none());
        };
        let (limit, old) = match self.limit {
            Limit::Value(limit) => (limit.amount, None),
            Limit::Change(share) => {
                let Some(old) = old else {
                    return Judgement::NoData("there is no older result to compare with");
                };
                let Some(old) = self.subject.value(old) else {
                    return Judgement::NoData("the older result has no such value");
                };
                (old.amount * (1.0 + share), Some(old))
            }
        };
        let measured = Measured { value, limit: Value::new(limit, value.dimension), old };
        if self.relation.holds(value.amount, limit) {
            Judgement::Crossed(measured)
        } else {
            Judgement::Held(measured)
        }
    }
}

impl Subject {
    pub fn value(&self, evidence: &Evidence<'_>) -> Option<Value> {
        let Evidence { total, lasting, steady, figures } = evidence;
        let counters = &total.counters;
        match *self {
            Self::Time(metric, statistic) => {
                let histogram = total.histogram(metric)?;
                Some(Value::time(match statistic {
                    Statistic::Min => histogram.min() as f64,
                    Statistic::Mean => histogram.mean(),
                    Statistic::Max => histogram.max() as f64,
                    Statistic::Percentile(percentile) => {
                        histogram.quantile(percentile.share()) as f64
                    }
                }))
            }
            Self::Samples(metric) => {
                let count = total.histogram(metric).map_or(0, crate::Histogram::count);
                Some(Value::count(count))
            }
            Self::Count(Counter::Lost | Counter::Duplicated | Counter::Reordered)
                if counters.count(Counter::Events) <= counters.count(Counter::Unsequenced) =>
            {
                // Without any number, it is not known that none is missing.
                None
            }
            Self::Count(counter) => {
                Some(Value::new(counters.count(counter) as f64, self.dimension()))
            }
            Self::Errors(kind) => Some(Value::count(counters.errors_of(kind))),
            Self::Rate(counter) => {
                let (counters, lasting) = match counter.is_of_streams() && !steady.lasting.is_zero()
                {
                    true => (&steady.counters, steady.lasting),
                    false => (counters, *lasting),
                };
                let seconds = lasting.as_secs_f64();
                let count = counters.count(counter) as f64;
                (seconds > 0.0).then(|| Value::new(count / seconds, self.dimension()))
            }
            Self::Share(share) => Some(Value::new(share.value(counters)?, self.dimension())),
            Self::BytesPerEvent => {
                let events = counters.count(Counter::Events);
                let bytes = counters.count(Counter::Bytes);
                (events > 0).then(|| Value::bytes(bytes as f64 / events as f64))
            }
            Self::Figure(figure) => {
                figures(figure.key()).filter(|value| value.dimension == figure.dimension())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Counters, ErrorKind, LoadError, Metric};

    /// A run of ten seconds: a thousand events with delivery latencies of 1 to 1000 ms.
    fn run() -> Interval {
        let mut total = Interval::default();
        let delivery = total.histograms.entry(Metric::Delivery).or_default();
        (1..=1000).for_each(|n| delivery.record(n * 1_000_000));
        let mut counters = Counters::default();
        for (counter, count) in [
            (Counter::Arrivals, 100),
            (Counter::Streams, 98),
            (Counter::Events, 1000),
            (Counter::Bytes, 150_000),
            (Counter::Lost, 10),
            (Counter::Good, 99),
        ] {
            counters.add(counter, count);
        }
        (0..4).for_each(|_| counters.error(&LoadError::new(ErrorKind::Refused, "refused")));
        Interval { counters, ..total }
    }

    fn figures(key: &str) -> Option<Value> {
        (key == "memory.server").then(|| Value::bytes(20_000.0))
    }

    fn judge(text: &str, new: &Interval, old: Option<&Interval>) -> Judgement {
        let (lasting, steady) = (Duration::from_secs(10), Steady::default());
        let evidence = |total| Evidence { total, lasting, steady: &steady, figures: &figures };
        let threshold = Threshold::parse_change(text).expect(text);
        threshold.judge(&evidence(new), old.map(evidence).as_ref())
    }

    fn rows(table: &str) -> impl Iterator<Item = [&str; 3]> {
        let lines = table.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split(" | ").collect::<Vec<_>>().try_into().expect(line))
    }

    #[test]
    fn a_run_is_judged() {
        let run = run();
        for [text, crossed, shown] in rows(include_str!("threshold/judged.txt")) {
            let judgement = judge(text, &run, None);
            let is_crossed = matches!(judgement, Judgement::Crossed(_));
            assert_eq!(is_crossed.to_string(), crossed, "{text}: {judgement}");
            assert_eq!(judgement.passes(), !is_crossed, "{text}");
            assert_eq!(judgement.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn rates_of_streams_are_of_the_time_with_all_clients() {
        let (total, lasting) = (run(), Duration::from_secs(10));
        let mut steady = Steady { lasting: Duration::from_secs(4), ..Steady::default() };
        steady.counters.add(Counter::Events, 800);
        let evidence = Evidence { total: &total, lasting, steady: &steady, figures: &figures };
        let rate = |counter| Subject::Rate(counter).value(&evidence).unwrap().to_string();
        assert_eq!([rate(Counter::Events), rate(Counter::Arrivals)], ["200/s", "10/s"]);
    }

    #[test]
    fn what_was_never_measured_does_not_pass() {
        let mut nothing = Interval::default();
        for text in [
            "delivery.p99 > 50ms",
            "delivery.max < 1h",
            "lost > 0",
            "reordered > 0",
            "lost.share > 1%",
            "good.share < 1%",
            "bytes.per-event > 1B",
            "cpu.server > 1ms",
            "delivery.p99 > +10%",
        ] {
            let judgement = judge(text, &nothing, None);
            assert!(matches!(judgement, Judgement::NoData(_)), "{text}: {judgement}");
            assert!(!judgement.passes());
            assert!(judgement.to_string().starts_with("no data: "), "{judgement}");
        }
        nothing.counters.add(Counter::Events, 7);
        nothing.counters.add(Counter::Unsequenced, 7);
        assert!(!judge("lost > 0", &nothing, None).passes());
    }

    #[test]
    fn a_change_is_one_of_the_older_result() {
        let old = run();
        let mut new = run();
        new.counters.add(Counter::Reordered, 1);
        new.counters.add(Counter::Events, 100);
        let delivery = new.histograms.entry(Metric::Delivery).or_default();
        (1..=1000).for_each(|n| delivery.record(n * 1_200_000));
        for [text, crossed, shown] in rows(include_str!("threshold/changed.txt")) {
            let judgement = judge(text, &new, Some(&old));
            let is_crossed = matches!(judgement, Judgement::Crossed(_));
            assert_eq!(is_crossed.to_string(), crossed, "{text}: {judgement}");
            assert_eq!(judgement.to_string(), shown, "{text}");
        }
        let nothing = Interval::default();
        let why = judge("delivery.p99 > +10%", &new, Some(&nothing));
        assert_eq!(why.to_string(), "no data: the older result has no such value");
    }
}
