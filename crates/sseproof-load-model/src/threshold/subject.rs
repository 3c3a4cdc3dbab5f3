//! The values that a threshold can check, and their names.

use std::fmt;

use sseproof_units::Dimension;

use crate::{Counter, ErrorKind, Figure, Metric, Plan, Sequencing, Share, Stamping, Workload};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A time of a distribution: `delivery.p99`.
    Time(Metric, Statistic),
    /// How many samples a distribution has: `delivery.count`.
    Samples(Metric),
    /// How often something happened: `lost`.
    Count(Counter),
    /// How often something went wrong in that way: `errors.refused`.
    Errors(ErrorKind),
    /// How often something happened in a second of the whole run: `events.rate`.
    Rate(Counter),
    Share(Share),
    /// Bytes on the wire for each event: `bytes.per-event`.
    BytesPerEvent,
    /// A cost in processes or the kernel: `memory.server`.
    Figure(Figure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    Min,
    Mean,
    Max,
    /// One that a share of all does not exceed.
    Percentile(Percentile),
}

/// A percentile with up to two decimals: p50, p99.9, p99.99.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentile {
    /// In hundredths of a percent: 1 to 9999.
    hundredths: u16,
}

impl Percentile {
    /// Reads the text after the `p`.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) || decimals.len() > 2 {
            return None;
        }
        let tens = if decimals.len() == 1 { 10 } else { 1 };
        let hundredths =
            whole.parse::<u16>().ok()?.checked_mul(100)? + decimals.parse::<u16>().ok()? * tens;
        (1..=9999).contains(&hundredths).then_some(Self { hundredths })
    }

    pub fn share(self) -> f64 {
        f64::from(self.hundredths) / 10_000.0
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", f64::from(self.hundredths) / 100.0)
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Min => f.write_str("min"),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
            Self::Percentile(percentile) => percentile.fmt(f),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(metric, statistic) => write!(f, "{}.{statistic}", metric.key()),
            Self::Samples(metric) => write!(f, "{}.count", metric.key()),
            Self::Count(counter) => f.write_str(counter.key()),
            Self::Errors(kind) => write!(f, "errors.{}", kind.key()),
            Self::Rate(counter) => write!(f, "{}.rate", counter.key()),
            Self::Share(share) => write!(f, "{}.share", share.counter().key()),
            Self::BytesPerEvent => f.write_str("bytes.per-event"),
            Self::Figure(figure) => f.write_str(figure.key()),
        }
    }
}

/// The percentiles that are suggested for an unknown name.
const OFFERED: [u16; 6] = [5000, 9000, 9500, 9900, 9990, 9999];

impl Subject {
    pub fn all() -> impl Iterator<Item = Self> {
        let percentiles =
            OFFERED.map(|hundredths| Statistic::Percentile(Percentile { hundredths }));
        let statistics =
            percentiles.into_iter().chain([Statistic::Max, Statistic::Min, Statistic::Mean]);
        let statistics: Vec<_> = statistics.collect();
        let times = Metric::ALL.into_iter().flat_map(move |metric| {
            let each = statistics.clone().into_iter();
            each.map(move |statistic| Self::Time(metric, statistic)).chain([Self::Samples(metric)])
        });
        Counter::ALL
            .into_iter()
            .map(Self::Count)
            .chain(times)
            .chain(Counter::ALL.map(Self::Rate))
            .chain(Share::ALL.map(Self::Share))
            .chain(ErrorKind::ALL.map(Self::Errors))
            .chain([Self::BytesPerEvent])
            .chain(Figure::ALL.map(Self::Figure))
    }

    pub fn dimension(&self) -> Dimension {
        match self {
            Self::Time(..) => Dimension::Time,
            Self::Count(Counter::Bytes) | Self::BytesPerEvent => Dimension::Bytes,
            Self::Samples(_) | Self::Count(_) | Self::Errors(_) => Dimension::Count,
            Self::Rate(Counter::Bytes) => Dimension::ByteRate,
            Self::Rate(_) => Dimension::Rate,
            Self::Share(_) => Dimension::Share,
            Self::Figure(figure) => figure.dimension(),
        }
    }

    /// The name that is read, without its `.share` and the like.
    pub(super) fn of(name: &str) -> Option<Self> {
        if let Some(figure) = Figure::of(name) {
            return Some(Self::Figure(figure));
        }
        let Some((start, end)) = name.split_once('.') else {
            return Counter::of(name).map(Self::Count);
        };
        if let Some(metric) = Metric::of(start) {
            return Some(match end {
                "min" => Self::Time(metric, Statistic::Min),
                "mean" => Self::Time(metric, Statistic::Mean),
                "max" => Self::Time(metric, Statistic::Max),
                "count" => Self::Samples(metric),
                _ => {
                    let percentile = Percentile::parse(end.strip_prefix('p')?)?;
                    Self::Time(metric, Statistic::Percentile(percentile))
                }
            });
        }
        let counter = Counter::of(start)?;
        match (counter, end) {
            (_, "rate") => Some(Self::Rate(counter)),
            (_, "share") => Share::of(counter).map(Self::Share),
            (Counter::Bytes, "per-event") => Some(Self::BytesPerEvent),
            (Counter::Errors, kind) => ErrorKind::of(kind).map(Self::Errors),
            _ => None,
        }
    }

    pub(super) fn why_none(&self) -> &'static str {
        match self {
            Self::Time(Metric::Delivery, _) | Self::Share(Share::Negative) => {
                "no event had a stamp at the place that the plan names"
            }
            Self::Count(_) | Self::Share(Share::Lost | Share::Duplicated | Share::Reordered) => {
                "no event had a sequence number at the place that the plan names"
            }
            Self::Share(Share::Unstamped | Share::Unsequenced) | Self::BytesPerEvent => {
                "no event arrived"
            }
            Self::Share(Share::Compressed | Share::Ended) => "there was no stream",
            Self::Share(Share::PublishFailed) => "nothing was published",
            Self::Share(_) => "there was no arrival",
            Self::Figure(figure) if figure.is_of_server() => {
                "no process of the server was read (name it by --server-pid or --server-cmd), or there are too few readings"
            }
            Self::Figure(_) => {
                "the processes and the kernel were not read, or there are too few readings"
            }
            Self::Rate(_) => "the run had no duration",
            Self::Time(..) | Self::Samples(_) | Self::Errors(_) => "it was not measured",
        }
    }

    /// Why a run of this plan never has a value for it; `None` if it can have one.
    pub fn missing_from(&self, plan: &Plan) -> Option<&'static str> {
        let is_request = matches!(plan.workload, Workload::Request(_));
        let lacks = |says: bool, why| (!says).then_some(why);
        let counter = match self {
            Self::Time(metric, _) | Self::Samples(metric) => {
                return match metric {
                    Metric::Delivery => lacks(plan.stamping != Stamping::None, "it has no `stamp`"),
                    Metric::Ttft | Metric::Itl | Metric::Tpot | Metric::EndToEnd => {
                        lacks(is_request, "it has no `requests`, whose answers end")
                    }
                    Metric::Reconnect => lacks(plan.reconnects(), "its clients do not reconnect"),
                    Metric::Publish => lacks(plan.publishing.is_some(), "it has no `publish`"),
                    _ => None,
                };
            }
            Self::Count(counter) | Self::Rate(counter) => *counter,
            Self::Share(share) => share.counter(),
            Self::Errors(_) | Self::BytesPerEvent | Self::Figure(_) => return None,
        };
        match counter {
            Counter::Lost | Counter::Duplicated | Counter::Reordered | Counter::Unsequenced => {
                lacks(plan.sequencing != Sequencing::None, "it has no `sequence`")
            }
            Counter::Negative | Counter::Unstamped => {
                lacks(plan.stamping != Stamping::None, "it has no `stamp`")
            }
            Counter::Published | Counter::PublishFailed => {
                lacks(plan.publishing.is_some(), "it has no `publish`")
            }
            Counter::Completed | Counter::Tokens => {
                lacks(is_request, "it has no `requests`, whose answers end")
            }
            Counter::Good => lacks(plan.has_objectives(), "it has no `requests` with `objectives`"),
            Counter::Compressed => lacks(plan.compress, "it has no `compress`"),
            Counter::Reconnects => lacks(plan.reconnects(), "its clients do not reconnect"),
            _ => None,
        }
    }
}

impl Plan {
    fn reconnects(&self) -> bool {
        matches!(&self.workload, Workload::Subscribe(subscribe) if subscribe.reconnecting.back)
    }

    fn has_objectives(&self) -> bool {
        matches!(&self.workload, Workload::Request(requests) if !requests.objectives.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_is_found_by_its_name_and_has_one_of_its_own() {
        let all: Vec<_> = Subject::all().collect();
        for (n, subject) in all.iter().enumerate() {
            let name = subject.to_string();
            assert_eq!(Subject::of(&name), Some(*subject), "{name}");
            assert!(all[..n].iter().all(|other| other.to_string() != name), "{name} twice");
        }
    }

    #[test]
    fn percentiles_have_two_decimals_and_end_before_the_maximum() {
        for (digits, shown) in [
            ("50", "p50"),
            ("99.9", "p99.9"),
            ("99.99", "p99.99"),
            ("0.01", "p0.01"),
            ("5.50", "p5.5"),
        ] {
            let percentile = Percentile::parse(digits).expect(digits);
            assert_eq!(percentile.to_string(), shown);
        }
        for none in ["", "0", "100", "99.999", "99.", ".9", "-1", "1e1", "99999999999"] {
            assert_eq!(Percentile::parse(none), None, "{none}");
        }
    }
}
