//! Compares two groups of rounds: SSE and WebSocket, old and new.
//!
//! A round is one observation: a value is computed from each round's own histogram, never as a
//! percentile of percentiles. The ratio of the groups has a confidence interval, computed on
//! logarithms, because a slower machine makes everything slower by a factor. Rounds are paired if
//! they alternated, and fewer than three are inconclusive.

use std::time::Duration;

use crate::cost::students_t;
use crate::threshold::{Evidence, Subject};
use sseproof_units::Value;

use crate::{Cost, Interval, Outcome, Steady};

#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    pub number: u32,
    pub total: Interval,
    pub lasting: Duration,
    pub steady: Steady,
    pub cost: Cost,
}

impl Round {
    pub fn of(outcome: &Outcome) -> Self {
        Self::with(outcome, Cost::of(outcome))
    }

    pub fn with(outcome: &Outcome, cost: Cost) -> Self {
        Self {
            number: outcome.run.round,
            total: outcome.total(),
            lasting: outcome.lasting(),
            steady: outcome.steady(),
            cost,
        }
    }

    pub fn value(&self, subject: &Subject) -> Option<Value> {
        let figures = |key: &str| self.cost.value(key);
        let (total, lasting, steady) = (&self.total, self.lasting, &self.steady);
        subject.value(&Evidence { total, lasting, steady, figures: &figures })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Rounds of the same number were made one after the other: a slower machine slows
    /// both, and their ratio stays.
    ByNumber,
    Independent,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub subject: Subject,
    /// `None` if no round has a value.
    pub first: Option<Spread>,
    pub second: Option<Spread>,
    /// The second in proportion to the first.
    pub ratio: Result<Ratio, NoRatio>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub rounds: usize,
    pub least: Value,
    /// The median; of an even number of rounds, the greater of the two.
    pub middle: Value,
    pub greatest: Value,
}

/// How much more, or less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The geometric mean of the rounds: 2 is twice as much.
    pub value: f64,
    /// The 95 % confidence interval; `None` with one round, which does not show the variation.
    pub interval: Option<(f64, f64)>,
    /// How many rounds, or pairs of rounds, each side has at least.
    pub rounds: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRatio {
    #[error("one side has no value in any round")]
    NoData,
    /// Some rounds have no value: those that have one may be the better ones.
    #[error("some rounds have no value, and these may be the worse ones")]
    Gaps,
    /// A value is zero, or below it.
    #[error("a round has the value zero, so there is no ratio")]
    Zero,
    #[error("the two sides have no round of the same number")]
    Unpaired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    More,
    Less,
    /// Both are possible: the rounds of one group vary as much.
    Inconclusive,
    /// Too few rounds for a conclusion.
    TooFew,
}

/// With fewer rounds, the interval is shown and nothing is concluded: it assumes that the
/// logarithms of rounds are normally distributed, which two rounds cannot test.
pub const FEWEST_ROUNDS: usize = 3;

impl Ratio {
    pub fn finding(&self) -> Finding {
        match self.interval {
            _ if self.rounds < FEWEST_ROUNDS => Finding::TooFew,
            None => Finding::TooFew,
            Some((low, _)) if low > 1.0 => Finding::More,
            Some((_, high)) if high < 1.0 => Finding::Less,
            Some(_) => Finding::Inconclusive,
        }
    }
}

pub fn compare(
    first: &[Round],
    second: &[Round],
    pairing: Pairing,
    subjects: impl IntoIterator<Item = Subject>,
) -> Vec<Comparison> {
    let values = |rounds: &[Round], subject: &Subject| -> Vec<_> {
        rounds.iter().map(|round| (round.number, round.value(subject))).collect()
    };
    let one = |subject: Subject| {
        let (first, second) = (values(first, &subject), values(second, &subject));
        Comparison {
            subject,
            first: spread(&first),
            second: spread(&second),
            ratio: ratio(&first, &second, pairing),
        }
    };
    subjects.into_iter().map(one).collect()
}

/// A value of a round, with the round's number; `None` if it was not measured.
pub type Numbered = (u32, Option<Value>);

/// How the values of a group's rounds are spread; `None` if no round has one.
pub fn spread(rounds: &[Numbered]) -> Option<Spread> {
    let mut values: Vec<_> = rounds.iter().filter_map(|(_, value)| *value).collect();
    values.sort_by(|one, other| one.amount.total_cmp(&other.amount));
    Some(Spread {
        rounds: values.len(),
        least: *values.first()?,
        middle: *values.get(values.len() / 2)?,
        greatest: *values.last()?,
    })
}

/// The second group in proportion to the first.
///
/// # Errors
/// [`NoRatio`]
pub fn ratio(first: &[Numbered], second: &[Numbered], pairing: Pairing) -> Result<Ratio, NoRatio> {
    let (first, second) = (logarithms(first)?, logarithms(second)?);
    let (differs, off, rounds) = match pairing {
        Pairing::ByNumber => {
            let differences: Vec<f64> = first
                .iter()
                .filter_map(|(number, one)| {
                    let (_, other) = second.iter().find(|(other, _)| other == number)?;
                    Some(other - one)
                })
                .collect();
            if differences.is_empty() {
                return Err(NoRatio::Unpaired);
            }
            let (mean, squared) = mean(&differences);
            let off = squared.map(|squared| students_t(differences.len() - 1) * squared.sqrt());
            (mean, off, differences.len())
        }
        Pairing::Independent => {
            let values =
                |all: &[(u32, f64)]| all.iter().map(|(_, value)| *value).collect::<Vec<_>>();
            let (first, second) = (values(&first), values(&second));
            let (one, other) = (mean(&first), mean(&second));
            let off = one.1.zip(other.1).map(|(a, b)| welch(a, first.len(), b, second.len()));
            (other.0 - one.0, off, first.len().min(second.len()))
        }
    };
    let interval = off.map(|off| ((differs - off).exp(), (differs + off).exp()));
    Ok(Ratio { value: differs.exp(), interval, rounds })
}

/// By how much a difference of two means may be off, by Welch's method: the groups need not be spread
/// alike. `a` and `b` are the squared standard errors of the means.
fn welch(a: f64, first: usize, b: f64, second: usize) -> f64 {
    let sum = a + b;
    if sum <= 0.0 {
        return 0.0;
    }
    let parts = a.powi(2) / (first - 1) as f64 + b.powi(2) / (second - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between the fewer rounds and all of them"
    )]
    let freedom = (sum.powi(2) / parts).floor().max(1.0) as usize;
    students_t(freedom) * sum.sqrt()
}

/// The mean, and the square of its standard error, which needs more than one value.
fn mean(values: &[f64]) -> (f64, Option<f64>) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let off = (values.len() > 1).then(|| {
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        squares / (count - 1.0) / count
    });
    (mean, off)
}

/// The logarithm of each round's value, with the round's number.
fn logarithms(rounds: &[Numbered]) -> Result<Vec<(u32, f64)>, NoRatio> {
    if rounds.iter().all(|(_, value)| value.is_none()) {
        return Err(NoRatio::NoData);
    }
    let each = rounds.iter().map(|(number, value)| match value {
        None => Err(NoRatio::Gaps),
        Some(value) if value.amount > 0.0 => Ok((*number, value.amount.ln())),
        Some(_) => Err(NoRatio::Zero),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use rand_distr::{Distribution as _, LogNormal};

    use super::*;
    use crate::{Counter, Metric, Run};

    fn round(number: u32, delivery_ms: &[u64], lost: u64) -> Round {
        let mut total = Interval::default();
        for ms in delivery_ms {
            total.histograms.entry(Metric::Delivery).or_default().record(ms * 1_000_000);
        }
        total.counters.add(Counter::Events, 1000);
        total.counters.add(Counter::Lost, lost);
        let run = Run { round: number, interval_ms: 1000, ..Run::default() };
        Round::of(&Outcome { run, intervals: vec![total], ..Outcome::default() })
    }

    fn rounds(delivery_ms: &[u64]) -> Vec<Round> {
        (1..).zip(delivery_ms).map(|(number, ms)| round(number, &[*ms], 0)).collect()
    }

    fn subject(name: &str) -> Subject {
        Subject::all().find(|subject| subject.to_string() == name).expect(name)
    }

    fn of(first: &[Round], second: &[Round], pairing: Pairing, name: &str) -> Comparison {
        compare(first, second, pairing, [subject(name)]).remove(0)
    }

    #[test]
    fn rounds_that_were_made_together_are_compared_with_each_other() {
        // The machine became five times slower, for both.
        let (first, second) = (rounds(&[10, 20, 30, 50]), rounds(&[12, 24, 37, 60]));
        let paired = of(&first, &second, Pairing::ByNumber, "delivery.p99");
        let ratio = paired.ratio.unwrap();
        assert!((1.20..1.22).contains(&ratio.value), "{ratio:?}");
        assert_eq!((ratio.finding(), ratio.rounds), (Finding::More, 4));
        let spread = paired.first.unwrap();
        let shown = [spread.least, spread.middle, spread.greatest].map(|value| value.to_string());
        assert_eq!(shown, ["10.0 ms", "30.0 ms", "50.0 ms"], "{spread:?}");

        let apart = of(&first, &second, Pairing::Independent, "delivery.p99").ratio.unwrap();
        assert!((apart.value - ratio.value).abs() < 1e-9);
        assert_eq!(apart.finding(), Finding::Inconclusive, "{apart:?}");
        let back = of(&second, &first, Pairing::ByNumber, "delivery.p99").ratio.unwrap();
        assert_eq!(back.finding(), Finding::Less);
    }

    #[test]
    fn few_rounds_decide_nothing() {
        let one = of(&rounds(&[10]), &rounds(&[20]), Pairing::ByNumber, "delivery.p50");
        let one = one.ratio.unwrap();
        assert_eq!((one.interval, one.finding()), (None, Finding::TooFew));
        let two = of(&rounds(&[10, 10]), &rounds(&[20, 20]), Pairing::Independent, "delivery.p50");
        let two = two.ratio.unwrap();
        assert!(two.interval.is_some());
        assert_eq!(two.finding(), Finding::TooFew);
    }

    #[test]
    fn where_there_is_no_proportion_it_is_said_why() {
        let some = rounds(&[10, 10, 10]);
        let mut gaps = some.clone();
        gaps[1].total.histograms.clear();
        let none = vec![round(1, &[], 3)];
        let why = |first: &[Round], second: &[Round], name| {
            of(first, second, Pairing::ByNumber, name).ratio.unwrap_err()
        };
        assert_eq!(why(&some, &gaps, "delivery.p99"), NoRatio::Gaps);
        assert_eq!(why(&some, &none, "delivery.p99"), NoRatio::NoData);
        assert_eq!(why(&some, &none, "lost"), NoRatio::Zero);
        assert_eq!(why(&none, &some, "memory.server"), NoRatio::NoData);
        let later = vec![round(7, &[10], 0)];
        assert_eq!(why(&some, &later, "delivery.p99"), NoRatio::Unpaired);
        let lost = of(&some, &none, Pairing::ByNumber, "lost");
        assert_eq!(lost.second.unwrap().middle, Value::count(3));
    }

    #[test]
    fn the_true_ratio_lies_in_nineteen_intervals_of_twenty() {
        let mut random = StdRng::seed_from_u64(11);
        let spread = LogNormal::new(0.0, 0.2).unwrap();
        for pairing in [Pairing::ByNumber, Pairing::Independent] {
            let mut group = |times: f64| -> Vec<Round> {
                let one = |number| {
                    let lost = (spread.sample(&mut random) * times * 1e6) as u64;
                    round(number, &[], lost)
                };
                (1..=5).map(one).collect()
            };
            let hits = (0..1000).filter(|_| {
                let (first, second) = (group(1.0), group(1.3));
                let ratio = of(&first, &second, pairing, "lost").ratio.unwrap();
                let (low, high) = ratio.interval.unwrap();
                (low..high).contains(&1.3)
            });
            // Three standard deviations around 950; Welch's method is a little too careful.
            let hits = hits.count();
            assert!((929..=978).contains(&hits), "{pairing:?}: {hits}");
        }
    }
}
