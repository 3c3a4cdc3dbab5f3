//! The scalars of plans: shares, rates, sizes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use sseproof_units::{Dimension, Value, parse_bytes};

use crate::mistake::Slip;

/// A share of a whole, with its sign: `50%`. More than nothing, and not more than all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Percent(pub(super) f64);

impl Percent {
    fn parse(text: &str) -> Result<Self, Slip> {
        let share = value(text, Dimension::Share)?;
        match share {
            ..=0.0 => Err(Slip::instead(
                format!("the share {text} is not greater than 0%"),
                "leave it out, or write one such as 5%",
            )),
            ..=1.0 => Ok(Self(share)),
            _ => Err(Slip::instead(
                format!("a share of {text} is more than there is"),
                "write 100% for all",
            )),
        }
    }
}

/// By how much a wait is made longer by chance: `50%`, and `0%` where all wait for as long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Jitter(pub(super) f64);

impl Jitter {
    fn parse(text: &str) -> Result<Self, Slip> {
        match value(text, Dimension::Share)? {
            0.0 => Ok(Self(0.0)),
            _ => Percent::parse(text).map(|Percent(share)| Self(share)),
        }
    }
}

/// A rate: `50/s`, `6/min`. More than nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PerSecond(pub(super) f64);

impl PerSecond {
    pub(super) fn parse(text: &str) -> Result<Self, Slip> {
        let rate = value(text, Dimension::Rate)?;
        if rate > 0.0 {
            return Ok(Self(rate));
        }
        let instead = "write one such as 0.1/s or 6/min, or leave it out";
        Err(Slip::instead(format!("at {text} nothing ever happens"), instead))
    }
}

/// A number of bytes: `200`, `1KiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount(pub(super) usize);

/// The largest event: no server holds a larger one for many clients.
const LARGEST: u64 = 16 << 20;

impl Amount {
    fn parse(text: &str) -> Result<Self, Slip> {
        match parse_bytes(text)? {
            bytes @ ..=LARGEST => Ok(Self(usize::try_from(bytes).unwrap_or(usize::MAX))),
            _ => Err(Slip::instead(
                format!("{text} is too much for one event"),
                format!("write one up to {}", sseproof_units::bytes(LARGEST)),
            )),
        }
    }
}

/// A value of that dimension, in its own unit.
pub(super) fn value(text: &str, dimension: Dimension) -> Result<f64, Slip> {
    Ok(Value::parse(text, dimension)?.amount)
}

/// Read from a text, and declared as such in the schema.
macro_rules! scalar {
    ($type:ty, $name:literal, $about:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": ["string", "number"],
                    "description": $about,
                    "pattern": $pattern,
                })
            }
        }
    };
}

scalar!(Percent, "Percent", "A share: 50%.", r"^\s*[0-9]*\.?[0-9]+\s*%\s*$");
scalar!(Jitter, "Jitter", "A share: 50%, 0% for none.", r"^\s*[0-9]*\.?[0-9]+\s*%\s*$");
scalar!(PerSecond, "Rate", "How often: 50/s, 6/min.", r"^\s*[0-9]*\.?[0-9]+\s*/(s|min)\s*$");
scalar!(
    Amount,
    "Bytes",
    "A number of bytes: 200, 1KiB, 64kB.",
    r"^\s*[0-9]*\.?[0-9]+\s*(B|kB|KiB|MB|MiB)?\s*$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_rates_and_sizes_have_their_signs() {
        assert_eq!(Percent::parse("50%"), Ok(Percent(0.5)));
        assert_eq!(Percent::parse("100 %"), Ok(Percent(1.0)));
        assert_eq!(Jitter::parse("0%"), Ok(Jitter(0.0)));
        assert_eq!(Jitter::parse("20%"), Ok(Jitter(0.2)));
        assert!(Jitter::parse("101%").is_err());
        assert_eq!(PerSecond::parse("6/min"), Ok(PerSecond(0.1)));
        assert_eq!(Amount::parse("200"), Ok(Amount(200)));
        assert_eq!(Amount::parse("2KiB"), Ok(Amount(2048)));
        for text in ["50", "0%", "101%", "-5%", "half"] {
            assert!(Percent::parse(text).is_err(), "{text}");
        }
        for text in ["50", "0/s", "5/h", "often"] {
            assert!(PerSecond::parse(text).is_err(), "{text}");
        }
        for text in ["", "2KB", "1GiB", "big", "-3"] {
            assert!(Amount::parse(text).is_err(), "{text}");
        }
    }
}
