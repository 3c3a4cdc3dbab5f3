//! The comparison of event streams and WebSockets, as `reports/sse-vs-websocket.json` keeps it.

use serde::{Deserialize, Serialize};
use sseproof_units::{Dimension, Value};

/// All servers that were measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versus {
    /// The machine of the last measurement, as far as the numbers depend on it.
    pub machine: String,
    pub servers: Vec<Server>,
}

/// A server that offers both, and its last results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub name: String,
    pub about: String,
    pub versions: Vec<String>,
    /// How it sends an event.
    pub sse: String,
    pub websocket: String,
    /// How it compresses, or why that was not measured.
    pub compression: String,
    pub loads: Vec<Load>,
}

/// The results of one plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The name of the plan.
    pub plan: String,
    /// The situation, as a heading.
    pub title: String,
    pub rounds: u32,
    pub rows: Vec<Row>,
    /// Why the generator was the bottleneck, or a round is incomplete, and in which round.
    pub doubts: Vec<String>,
}

/// One value over both transports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub name: String,
    /// Its name in the overview, if it is there.
    pub short: Option<String>,
    pub unit: Unit,
    pub sse: Option<Range>,
    pub websocket: Option<Range>,
    pub ratio: Option<Times>,
}

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Count,
    Nanoseconds,
    Bytes,
    /// Of a whole: 1 is all of it.
    Share,
    PerSecond,
    BytesPerSecond,
}

/// The rounds of one transport.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub rounds: usize,
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

/// WebSocket ÷ SSE.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// The geometric mean of the rounds.
    pub value: f64,
    /// The 95 % confidence interval; none with one round.
    pub interval: Option<(f64, f64)>,
    pub rounds: usize,
}

/// With fewer rounds, nothing is concluded.
const FEWEST_ROUNDS: usize = 3;

/// The meaning of a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The WebSocket needs less.
    Less,
    More,
    /// Or too few rounds to say.
    Same,
}

impl Times {
    /// Whether 1 lies outside of the interval by more than 0.01.
    pub fn compared(&self) -> Compared {
        match self.interval {
            Some((low, _)) if self.rounds >= FEWEST_ROUNDS && low > 1.01 => Compared::More,
            Some((_, high)) if self.rounds >= FEWEST_ROUNDS && high < 0.99 => Compared::Less,
            _ => Compared::Same,
        }
    }

    /// `1.38 (1.19 to 1.60)`.
    pub fn words(&self) -> String {
        let value = self.value;
        match self.interval {
            Some((low, high)) => format!("{value:.2} ({low:.2} to {high:.2})"),
            None => format!("{value:.2}"),
        }
    }
}

impl Range {
    /// `10.1 KiB (9.97 KiB to 10.5 KiB)`.
    pub fn words(&self, unit: Unit) -> String {
        let [min, median, max] =
            [self.min, self.median, self.max].map(|amount| unit.value(amount).to_string());
        if self.rounds < 2 || min == max {
            return median;
        }
        format!("{median} ({min} to {max})")
    }
}

impl Unit {
    pub fn value(self, amount: f64) -> Value {
        let dimension = match self {
            Self::Count => Dimension::Count,
            Self::Nanoseconds => Dimension::Time,
            Self::Bytes => Dimension::Bytes,
            Self::Share => Dimension::Share,
            Self::PerSecond => Dimension::Rate,
            Self::BytesPerSecond => Dimension::ByteRate,
        };
        Value::new(amount, dimension)
    }
}

impl From<Dimension> for Unit {
    fn from(dimension: Dimension) -> Self {
        match dimension {
            Dimension::Count => Self::Count,
            Dimension::Time => Self::Nanoseconds,
            Dimension::Bytes => Self::Bytes,
            Dimension::Share => Self::Share,
            Dimension::Rate => Self::PerSecond,
            Dimension::ByteRate => Self::BytesPerSecond,
        }
    }
}

impl Versus {
    /// # Errors
    /// The text is not such a result.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub fn json(&self) -> String {
        // Plain values become JSON.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_near_one_or_of_few_rounds_shows_nothing() {
        let times = |low, high, rounds| Times { value: 1.2, interval: Some((low, high)), rounds };
        assert_eq!(times(1.02, 1.4, 4).compared(), Compared::More);
        assert_eq!(times(0.5, 0.9, 3).compared(), Compared::Less);
        for same in [times(1.005, 1.4, 4), times(1.02, 1.4, 2), times(0.9, 1.1, 4)] {
            assert_eq!(same.compared(), Compared::Same);
        }
        assert_eq!(times(1.0, 1.4, 4).words(), "1.20 (1.00 to 1.40)");
    }

    #[test]
    fn a_range_is_one_value_if_all_rounds_agree() {
        let range = |min, max| Range { rounds: 3, min, median: 2048.0, max };
        assert_eq!(range(2048.0, 2048.0).words(Unit::Bytes), "2 KiB");
        assert_eq!(range(1024.0, 4096.0).words(Unit::Bytes), "2 KiB (1 KiB to 4 KiB)");
    }
}
