//! A measured value with its dimension, as it is written: `50ms`, `20KiB`, `99%`, `1000/s`.

use std::fmt;

/// What a value is a value of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A number of things.
    Count,
    /// A time, in nanoseconds.
    Time,
    /// Bytes.
    Bytes,
    /// A share of a whole: 1 is all of it.
    Share,
    /// Things in a second.
    Rate,
    /// Bytes in a second.
    ByteRate,
}

/// A unit as it is written, and how many of the dimension's own it is.
type Unit = (&'static str, f64);

const SECOND: f64 = 1e9;

impl Dimension {
    /// The units that may be written, the smallest first.
    fn units(self) -> &'static [Unit] {
        match self {
            Self::Count => &[("", 1.0)],
            Self::Time => &[
                ("ns", 1.0),
                ("us", 1e3),
                ("µs", 1e3),
                ("ms", 1e6),
                ("s", SECOND),
                ("m", 60.0 * SECOND),
                ("h", 3600.0 * SECOND),
            ],
            Self::Bytes => &[
                ("B", 1.0),
                ("kB", 1e3),
                ("KiB", 1024.0),
                ("MB", 1e6),
                ("MiB", 1_048_576.0),
                ("GB", 1e9),
                ("GiB", 1_073_741_824.0),
            ],
            Self::Share => &[("%", 0.01)],
            Self::Rate => &[("/min", 1.0 / 60.0), ("/s", 1.0)],
            Self::ByteRate => &[
                ("B/s", 1.0),
                ("kB/s", 1e3),
                ("KiB/s", 1024.0),
                ("MB/s", 1e6),
                ("MiB/s", 1_048_576.0),
                ("GB/s", 1e9),
                ("GiB/s", 1_073_741_824.0),
            ],
        }
    }

    /// The units in which values are shown, the smallest first.
    fn shown(self) -> &'static [Unit] {
        match self {
            Self::Time => &[("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", SECOND)],
            Self::Bytes => &[("B", 1.0), ("KiB", 1024.0), ("MiB", 1_048_576.0)],
            Self::ByteRate => &[("B/s", 1.0), ("KiB/s", 1024.0), ("MiB/s", 1_048_576.0)],
            Self::Rate => &[("/s", 1.0)],
            Self::Count | Self::Share => self.units(),
        }
    }

    /// What it is, in words.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Count => "a number",
            Self::Time => "a time",
            Self::Bytes => "a number of bytes",
            Self::Share => "a share",
            Self::Rate => "a rate",
            Self::ByteRate => "a number of bytes in a second",
        }
    }

    /// How one is written, with that number.
    pub(crate) fn example(self, number: &str) -> String {
        let unit = match self {
            Self::Count => "",
            Self::Time => "ms",
            Self::Bytes => "KiB",
            Self::Share => "%",
            Self::Rate => "/s",
            Self::ByteRate => "KiB/s",
        };
        format!("{number}{unit}")
    }
}

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// How much, in the dimension's own unit.
    pub amount: f64,
    /// What of.
    pub dimension: Dimension,
}

/// Why a text is no value: what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// At which byte of the text.
    pub at: usize,
    /// What is wrong: a sentence without capital and full stop.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl Value {
    /// A value of that dimension.
    pub fn new(amount: f64, dimension: Dimension) -> Self {
        Self { amount, dimension }
    }

    /// A time.
    pub fn time(nanoseconds: f64) -> Self {
        Self::new(nanoseconds, Dimension::Time)
    }

    /// A number of bytes.
    pub fn bytes(bytes: f64) -> Self {
        Self::new(bytes, Dimension::Bytes)
    }

    /// A number of things.
    pub fn count(count: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody counts beyond 2^53 things here")]
        let amount = count as f64;
        Self::new(amount, Dimension::Count)
    }

    /// Reads a value of the given dimension, as it is written in thresholds and plans.
    ///
    /// # Errors
    /// [`ValueError`], with what to write instead.
    pub fn parse(text: &str, dimension: Dimension) -> Result<Self, ValueError> {
        let end = text.find(|char: char| !char.is_ascii_digit() && char != '.');
        let (number, rest) = text.split_at(end.unwrap_or(text.len()));
        let unit = rest.trim_start();
        let at = text.len() - unit.len();
        let wrong = |at, what: String, instead: String| Err(ValueError { at, what, instead });
        let Ok(amount) = number.parse::<f64>() else {
            let written = dimension.example(if dimension == Dimension::Count { "3" } else { "50" });
            return wrong(0, format!("`{text}` is no value"), format!("write {written}"));
        };
        if dimension == Dimension::Count && number.contains('.') {
            let what = format!("`{number}` is no whole number");
            return wrong(0, what, "write one such as 3".to_owned());
        }
        if let Some((_, size)) = dimension.units().iter().find(|(name, _)| *name == unit) {
            return Ok(Self::new(amount * size, dimension));
        }
        let instead = match unit {
            "" | "KB" | "kb" | "Kb" | "k" | "K" => instead_of(dimension, number),
            _ => format!("write {}", dimension.example(number)),
        };
        let all = [
            Dimension::Time,
            Dimension::Bytes,
            Dimension::Share,
            Dimension::Rate,
            Dimension::ByteRate,
        ];
        let is = all.into_iter().find(|other| other.units().iter().any(|(name, _)| *name == unit));
        let what = match is {
            _ if unit.is_empty() => format!("`{number}` has no unit"),
            Some(other) => {
                format!("`{text}` is {}, where {} belongs", other.noun(), dimension.noun())
            }
            None => format!("`{unit}` is no unit of {}", dimension.noun()),
        };
        wrong(at, what, instead)
    }
}

/// What may have been meant by a number without a unit, or by a unit that has two meanings.
fn instead_of(dimension: Dimension, number: &str) -> String {
    match dimension {
        Dimension::Count => format!("write {number}"),
        Dimension::Time => format!("write {number}ms for milliseconds, or {number}s for seconds"),
        Dimension::Bytes => {
            format!("write {number}KiB for {number} times 1024 bytes, or {number}kB for 1000")
        }
        Dimension::Share => match number.parse::<f64>() {
            Ok(share) if share > 0.0 && share < 1.0 => {
                format!("write {}% for that share of 1, or {number}%", share * 100.0)
            }
            _ => format!("write {number}%"),
        },
        Dimension::Rate => format!("write {number}/s"),
        Dimension::ByteRate => format!("write {number}KiB/s, or {number}B/s"),
    }
}

impl fmt::Display for Value {
    /// As it could be written, to four digits: what is a little beyond a limit must not look like it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut units = self.dimension.shown().iter();
        let mut found = units.next().copied().unwrap_or(("", 1.0));
        for unit in units.take_while(|(_, size)| self.amount.abs() >= *size) {
            found = *unit;
        }
        let (unit, size) = found;
        let number = self.amount / size;
        if self.dimension == Dimension::Count {
            return write!(f, "{number:.0}");
        }
        let decimals = match number.abs() {
            0.0..10.0 => 3,
            10.0..100.0 => 2,
            100.0..1000.0 => 1,
            _ => 0,
        };
        let shown = format!("{number:.decimals$}");
        let shown = match shown.split_once('.') {
            Some(_) => shown.trim_end_matches('0').trim_end_matches('.'),
            None => &shown,
        };
        write!(f, "{shown}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Dimension; 6] = [
        Dimension::Count,
        Dimension::Time,
        Dimension::Bytes,
        Dimension::Share,
        Dimension::Rate,
        Dimension::ByteRate,
    ];

    #[test]
    fn values_have_units() {
        for (text, dimension, amount, shown) in [
            ("50ms", Dimension::Time, 5e7, "50ms"),
            ("1.5 s", Dimension::Time, 1.5e9, "1.5s"),
            ("250µs", Dimension::Time, 2.5e5, "250µs"),
            ("2m", Dimension::Time, 1.2e11, "120s"),
            ("20KiB", Dimension::Bytes, 20_480.0, "20KiB"),
            ("2kB", Dimension::Bytes, 2000.0, "1.953KiB"),
            ("99.5%", Dimension::Share, 0.995, "99.5%"),
            ("1000/s", Dimension::Rate, 1000.0, "1000/s"),
            ("1MiB/s", Dimension::ByteRate, 1_048_576.0, "1MiB/s"),
            ("3", Dimension::Count, 3.0, "3"),
        ] {
            let value = Value::parse(text, dimension).expect(text);
            assert!((value.amount - amount).abs() < 1e-6 * amount, "{text}: {value:?}");
            assert_eq!(value.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_value_is_said_with_what_to_write() {
        for (text, dimension, at, what, instead) in [
            (
                "50",
                Dimension::Time,
                2,
                "`50` has no unit",
                "write 50ms for milliseconds, or 50s for seconds",
            ),
            (
                "50KiB",
                Dimension::Time,
                2,
                "`50KiB` is a number of bytes, where a time belongs",
                "write 50ms",
            ),
            ("50 sec", Dimension::Time, 3, "`sec` is no unit of a time", "write 50ms"),
            ("5ms", Dimension::Count, 1, "`5ms` is a time, where a number belongs", "write 5"),
            ("0.5", Dimension::Count, 0, "`0.5` is no whole number", "write one such as 3"),
            (
                "0.99",
                Dimension::Share,
                4,
                "`0.99` has no unit",
                "write 99% for that share of 1, or 0.99%",
            ),
            (
                "20KB",
                Dimension::Bytes,
                2,
                "`KB` is no unit of a number of bytes",
                "write 20KiB for 20 times 1024 bytes, or 20kB for 1000",
            ),
            ("100", Dimension::Rate, 3, "`100` has no unit", "write 100/s"),
            ("1.2.3s", Dimension::Time, 0, "`1.2.3s` is no value", "write 50ms"),
            ("-5ms", Dimension::Time, 0, "`-5ms` is no value", "write 50ms"),
            ("", Dimension::Share, 0, "`` is no value", "write 50%"),
        ] {
            let (what, instead) = (what.to_owned(), instead.to_owned());
            let wrong = Err(ValueError { at, what, instead });
            assert_eq!(Value::parse(text, dimension), wrong, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_written(amount in 0.0..1e12_f64, at in 0..ALL.len()) {
            let value = Value::new(amount, ALL[at]);
            let read = Value::parse(&value.to_string(), ALL[at]).expect("what is shown");
            // Four digits, or what the smallest unit can say.
            let smallest = if ALL[at] == Dimension::Share { 1e-5 } else { 1.0 };
            prop_assert!((read.amount - amount).abs() <= 5e-4 * amount.max(smallest) + 0.5 * smallest);
        }
    }
}
