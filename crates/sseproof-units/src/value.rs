//! A value with its unit: `50ms`, `20KiB`, `99%`, `1000/s`; there is no other table of units.

use std::fmt;
use std::time::Duration;

use crate::count;

/// A quantity that is measured or limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    Count,
    /// In nanoseconds.
    Time,
    Bytes,
    /// A share of a whole: 1 is all of it.
    Share,
    /// Per second.
    Rate,
    /// Bytes per second.
    ByteRate,
}

/// When values are shown in a unit.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Never,
    FromOne,
    /// Only whole numbers of it: 1.25 min would be misread.
    Whole,
}

use Shown::{FromOne, Never, Whole};

/// The name of a unit, its size in the dimension's own unit, and when values are shown in it.
type Unit = (&'static str, f64, Shown);

const SECOND: f64 = 1e9;
const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * KIB;
const GIB: f64 = 1024.0 * MIB;

const ALL: [Dimension; 6] = [
    Dimension::Count,
    Dimension::Time,
    Dimension::Bytes,
    Dimension::Share,
    Dimension::Rate,
    Dimension::ByteRate,
];

impl Dimension {
    /// All units that may be written; those that are shown are in order of size.
    fn units(self) -> &'static [Unit] {
        match self {
            Self::Count => &[("", 1.0, FromOne)],
            Self::Time => &[
                ("ns", 1.0, FromOne),
                ("us", 1e3, Never),
                ("µs", 1e3, FromOne),
                ("ms", 1e6, FromOne),
                ("s", SECOND, FromOne),
                ("m", 60.0 * SECOND, Never),
                ("min", 60.0 * SECOND, Whole),
                ("h", 3600.0 * SECOND, Whole),
            ],
            Self::Bytes => &[
                ("B", 1.0, FromOne),
                ("kB", 1e3, Never),
                ("KiB", KIB, FromOne),
                ("MB", 1e6, Never),
                ("MiB", MIB, FromOne),
                ("GB", 1e9, Never),
                ("GiB", GIB, FromOne),
            ],
            Self::Share => &[("%", 0.01, FromOne)],
            Self::Rate => &[
                ("/min", 1.0 / 60.0, Never),
                ("/s", 1.0, FromOne),
                ("k/s", 1e3, FromOne),
                ("M/s", 1e6, FromOne),
            ],
            Self::ByteRate => &[
                ("B/s", 1.0, FromOne),
                ("kB/s", 1e3, Never),
                ("KiB/s", KIB, FromOne),
                ("MB/s", 1e6, Never),
                ("MiB/s", MIB, FromOne),
                ("GB/s", 1e9, Never),
                ("GiB/s", GIB, FromOne),
            ],
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Count => "number",
            Self::Time => "duration",
            Self::Bytes => "size",
            Self::Share => "share",
            Self::Rate => "rate",
            Self::ByteRate => "data rate",
        }
    }

    /// A value as a user would write it, with that number.
    pub fn example(self, number: &str) -> String {
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

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// In the dimension's own unit.
    pub amount: f64,
    pub dimension: Dimension,
}

/// Why a text is not a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    /// The byte of the text at which it is wrong.
    pub at: usize,
    /// The mistake: a sentence without capital and full stop.
    pub what: String,
    pub instead: String,
}

impl std::error::Error for UnitError {}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.instead)
    }
}

impl Value {
    pub fn new(amount: f64, dimension: Dimension) -> Self {
        Self { amount, dimension }
    }

    pub fn time(nanoseconds: f64) -> Self {
        Self::new(nanoseconds, Dimension::Time)
    }

    pub fn bytes(bytes: f64) -> Self {
        Self::new(bytes, Dimension::Bytes)
    }

    pub fn count(count: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no count here exceeds 2^53")]
        let amount = count as f64;
        Self::new(amount, Dimension::Count)
    }

    /// Reads a value of that dimension.
    ///
    /// # Errors
    /// [`UnitError`], with the remedy.
    pub fn parse(text: &str, dimension: Dimension) -> Result<Self, UnitError> {
        let start = text.len() - text.trim_start().len();
        let text = text.trim();
        let wrong =
            |at, what: String, instead: String| Err(UnitError { at: start + at, what, instead });
        let end = text.find(|char: char| !char.is_ascii_digit() && !".,".contains(char));
        let (number, rest) = text.split_at(end.unwrap_or(text.len()));
        let unit = rest.trim_start();
        let at = text.len() - unit.len();
        let Some(amount) = read_number(number) else {
            let written = dimension.example(if dimension == Dimension::Count { "3" } else { "50" });
            let what = format!("`{text}` is not a {}", dimension.noun());
            return wrong(0, what, format!("write one such as {written}"));
        };
        if dimension == Dimension::Count && number.contains('.') {
            let what = format!("`{number}` is not a whole number");
            return wrong(0, what, "write one such as 3".to_owned());
        }
        if let Some((_, size, _)) = dimension.units().iter().find(|(name, ..)| *name == unit) {
            return Ok(Self::new(amount * size, dimension));
        }
        if dimension == Dimension::Time && unit.is_empty() && amount == 0.0 {
            return Ok(Self::time(0.0));
        }
        let is = ALL.into_iter().find(|other| other.units().iter().any(|(name, ..)| *name == unit));
        let what = match is {
            _ if unit.is_empty() => format!("`{number}` has no unit"),
            Some(other) => {
                format!("`{text}` is a {}; a {} is needed", other.noun(), dimension.noun())
            }
            None => format!("`{unit}` is not a unit of a {}", dimension.noun()),
        };
        let instead = match (unit, is) {
            ("" | "KB" | "kb" | "Kb" | "k" | "K", _) => remedy(dimension, number),
            (_, None) if dimension == Dimension::Time => {
                "the units are ns, µs, ms, s, min and h, as in 200ms, 1.5s or 2min".to_owned()
            }
            _ => format!("write {}", dimension.example(number)),
        };
        wrong(at, what, instead)
    }

    /// The unit in which it is shown: the greatest of which there is one when rounded.
    fn unit(&self) -> (&'static str, f64) {
        let amount = self.amount.abs();
        let fits = |&(_, size, shown): &Unit| match shown {
            Never => false,
            FromOne => amount >= size * 0.9995,
            Whole => amount >= size && (amount / size).fract() == 0.0,
        };
        let units = self.dimension.units();
        let zero = ("ms", 1e6);
        match units.iter().copied().rfind(fits) {
            Some((name, size, _)) => (name, size),
            None if amount == 0.0 && self.dimension == Dimension::Time => zero,
            None => {
                let least = units.iter().copied().find(|(_, _, shown)| *shown == FromOne);
                least.map_or(("", 1.0), |(name, size, _)| (name, size))
            }
        }
    }

    /// The value with its possible error: `1.46 ± 0.02 KiB`; if it is nothing, or less, what it can be
    /// at most: `< 0.5 KiB`.
    pub fn with_error(&self, error: f64) -> String {
        if self.amount <= 0.0 {
            let most = Self::new(self.amount + error, self.dimension);
            return if most.amount > 0.0 { format!("< {most}") } else { self.to_string() };
        }
        let greater = Self::new(self.amount.abs().max(error), self.dimension);
        let (name, size) = greater.unit();
        let (digits, gap) = (decimals(greater.amount / size, 3), gap(name));
        let least = 0.1_f64.powi(i32::try_from(digits).unwrap_or_default());
        let (amount, error) = (self.amount / size, error / size);
        if error > 0.0 && error < least / 2.0 {
            return format!("{amount:.digits$} ± <{least:.digits$}{gap}{name}");
        }
        format!("{amount:.digits$} ± {error:.digits$}{gap}{name}")
    }

    /// The value with enough digits to distinguish it from a close limit.
    pub fn beside(&self, limit: &Self) -> String {
        let read = |shown: &str| Self::parse(shown, self.dimension);
        let mut shown =
            (3..9).map(|digits| (format!("{self:.digits$}"), format!("{limit:.digits$}")));
        let apart = shown.find(|(value, limit)| read(value) != read(limit));
        apart.map_or_else(|| self.to_string(), |(value, _)| value)
    }
}

/// A number without sign; thousands may be separated by commas, as they are shown.
fn read_number(text: &str) -> Option<f64> {
    let mut groups = text.split('.').next()?.split(',');
    let first = groups.next()?;
    let mut separated = text.contains(',');
    if separated {
        separated = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
        return separated.then(|| text.replace(',', "").parse().ok())?;
    }
    text.parse().ok()
}

/// The remedy for a number without a unit, and for a unit that has two meanings.
fn remedy(dimension: Dimension, number: &str) -> String {
    match dimension {
        Dimension::Count => format!("write {number}"),
        Dimension::Time => format!("write {number}s for seconds, or {number}ms for milliseconds"),
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

/// The decimals that give a number so many significant digits.
fn decimals(number: f64, digits: usize) -> usize {
    let number = number.abs();
    if number == 0.0 {
        return 0;
    }
    let before = (0..digits).find(|&digit| {
        let power = 10_f64.powi(i32::try_from(digit).unwrap_or(i32::MAX));
        number < power * (1.0 - 0.5 * 0.1_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX)))
    });
    // Two decimals of a very small number would show nothing of it.
    let zeros = (3..9).take_while(|zeros| number < 0.1_f64.powi(zeros - 1)).count();
    digits - before.unwrap_or(digits).max(1) + zeros
}

fn gap(unit: &str) -> &'static str {
    if unit.starts_with(char::is_alphabetic) { " " } else { "" }
}

impl fmt::Display for Value {
    /// To three digits, or to the precision of the format. Zeros at the end show that it was
    /// rounded: `1.5 s` is exact, `1.50 s` is not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { amount, dimension } = *self;
        if dimension == Dimension::Count {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates"
            )]
            return f.write_str(&count(amount.round() as u64));
        }
        // A process whose memory shrank needs none; a negative size would have no meaning.
        if dimension == Dimension::Bytes && amount < 0.0 {
            return f.write_str("none");
        }
        let (name, size) = self.unit();
        let number = amount / size;
        let decimals = decimals(number, f.precision().unwrap_or(3));
        let rounded = format!("{number:.decimals$}");
        let exact =
            rounded.parse().is_ok_and(|read: f64| (read - number).abs() <= number.abs() * 1e-12);
        let shown = match exact && rounded.contains('.') {
            true => rounded.trim_end_matches('0').trim_end_matches('.'),
            false => &rounded,
        };
        write!(f, "{shown}{}{name}", gap(name))
    }
}

/// A duration as it is shown: `250 µs`, `14 ms`, `1.5 s`, `2 min`.
pub fn duration(time: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    Value::time(time.as_nanos() as f64).to_string()
}

/// A size as it is shown: `512 B`, `44.1 KiB`.
pub fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    Value::bytes(count as f64).to_string()
}

/// Reads a duration: `200ms`, `1.5 s`, `2m`, `5h`, `0`.
///
/// # Errors
/// [`UnitError`], with the remedy.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let value = Value::parse(text, Dimension::Time)?;
    Duration::try_from_secs_f64(value.amount / SECOND).map_err(|_| UnitError {
        at: 0,
        what: format!("`{text}` is too long"),
        instead: "write a duration such as 200ms, 1.5s, 2m or 5h".to_owned(),
    })
}

/// Reads a size; a number alone is one of bytes.
///
/// # Errors
/// [`UnitError`], with the remedy.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let alone = Value::parse(text, Dimension::Count);
    let value = alone.or_else(|_| Value::parse(text, Dimension::Bytes))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    Ok(value.amount.round() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows<const COLUMNS: usize>(table: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
        let lines = table.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split(" | ").collect::<Vec<_>>().try_into().expect(line))
    }

    fn named(name: &str) -> Dimension {
        ALL.into_iter().find(|dimension| format!("{dimension:?}") == name).expect(name)
    }

    #[test]
    fn values_are_read_and_shown() {
        for [text, dimension, amount, shown] in rows(include_str!("value/read.txt")) {
            let (dimension, amount) = (named(dimension), amount.parse::<f64>().unwrap());
            let value = Value::parse(text, dimension).expect(text);
            assert!((value.amount - amount).abs() <= 1e-6 * amount, "{text}: {value:?}");
            assert_eq!(value.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn three_digits_and_a_unit() {
        for [amount, dimension, shown] in rows(include_str!("value/shown.txt")) {
            let (amount, dimension) = (amount.parse().unwrap(), named(dimension));
            assert_eq!(Value::new(amount, dimension).to_string(), shown, "{amount} {dimension:?}");
        }
    }

    #[test]
    fn a_value_close_to_a_limit_does_not_look_like_it() {
        let limit = Value::time(50e6);
        for (amount, shown) in [(50e6, "50 ms"), (50.03e6, "50.03 ms"), (1.198e6, "1.20 ms")] {
            assert_eq!(Value::time(amount).beside(&limit), shown);
        }
    }

    #[test]
    fn an_error_has_the_unit_of_its_value() {
        let of = |amount: f64, error: f64| Value::bytes(amount).with_error(error);
        assert_eq!(of(1495.0, 20.48), "1.46 ± 0.02 KiB");
        assert_eq!(of(-3.0, 1536.0), "< 1.50 KiB");
        assert_eq!([of(-1536.0, 3.0), of(0.0, 0.0)], ["none", "0 B"]);
        assert_eq!(of(1495.0, 0.1), "1.46 ± <0.01 KiB");
        assert_eq!(of(1495.0, 0.0), "1.46 ± 0.00 KiB");
    }

    #[test]
    fn a_mistake_comes_with_its_place_and_remedy() {
        for [text, dimension, at, what, instead] in rows(include_str!("value/broken.txt")) {
            let (dimension, at) = (named(dimension), at.parse().unwrap());
            let (what, instead) = (what.to_owned(), instead.to_owned());
            let wrong = Err(UnitError { at, what, instead });
            assert_eq!(Value::parse(text, dimension), wrong, "{text}");
        }
    }

    #[test]
    fn durations_and_sizes_have_limits() {
        assert_eq!(parse_duration("1.5ms"), Ok(Duration::from_micros(1500)));
        assert_eq!(parse_duration("5h"), Ok(Duration::from_secs(18_000)));
        for text in ["", "5", "s", "5 sec", "-1s", "1e3s", "1.2.3s", "9999999999999999999999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!((parse_bytes("200"), parse_bytes("2KiB")), (Ok(200), Ok(2048)));
        for text in ["", "2KB", "big", "-3", "0.5"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
        assert_eq!(duration(Duration::from_micros(14_382)), "14.4 ms");
        assert_eq!([bytes(512), bytes(45_230)], ["512 B", "44.2 KiB"]);
    }

    proptest! {
        #[test]
        fn a_shown_value_can_be_written(amount in 0.0..1e12_f64, at in 0..ALL.len()) {
            let value = Value::new(amount, ALL[at]);
            let read = Value::parse(&value.to_string(), ALL[at]).expect("the shown text");
            // Three digits, or those of the smallest unit.
            let smallest = if ALL[at] == Dimension::Share { 1e-5 } else { 1.0 };
            prop_assert!((read.amount - amount).abs() <= 5.1e-3 * amount.max(smallest) + 0.5 * smallest);
        }

        #[test]
        fn a_shown_duration_can_be_written(millis in 0..100_000_000_u64) {
            let time = Duration::from_millis(millis);
            let read = parse_duration(&duration(time)).expect("the shown text");
            prop_assert!(read.abs_diff(time) <= time.mul_f64(0.0051));
        }
    }
}
