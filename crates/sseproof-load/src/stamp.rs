//! The stamp and the number of an event: when it was made, and which one it is.

use std::fmt;
use std::time::Duration;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sseproof_load_model::{Sequencing, Stamping};

use crate::clock::nanoseconds;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Own {
    /// Nanoseconds since the Unix epoch at which it was meant to be sent.
    pub at: u64,
    /// Which one it is, from 0.
    pub n: u64,
    /// For how many nanoseconds the server held it back on purpose.
    pub held: Option<u64>,
}

/// The stamp of an own event, as it is written; [`Own`] is how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// When it was made, in nanoseconds since the Unix epoch.
    pub(crate) at: u64,
    /// Its number, from 0.
    pub(crate) n: u64,
    /// How long it was held back on purpose.
    pub(crate) held: Option<Duration>,
}

const PAD: usize = br#","pad":"""#.len();

impl Stamp {
    /// The data: JSON of `size` bytes, or as many as it needs, padded with words, since a compressor
    /// would make next to nothing of one letter.
    pub(crate) fn text(&self, size: usize) -> String {
        let mut out = Vec::with_capacity(size);
        self.padded(size.saturating_sub(self.bare()), &mut out, |out, end| words(self.n, out, end));
        // All of it is ASCII.
        String::from_utf8(out).unwrap_or_default()
    }

    /// How long the data is without padding.
    pub(crate) fn bare(&self) -> usize {
        let digits = |n: u64| n.checked_ilog10().unwrap_or(0) as usize + 1;
        let held = self.held.map_or(0, |held| br#","held":"#.len() + digits(nanoseconds(held)));
        br#"{"at":,"n":}"#.len() + digits(self.at) + digits(self.n) + held
    }

    /// Appends the data, with so many bytes of padding.
    pub(crate) fn data(&self, pad: usize, out: &mut Vec<u8>) {
        self.padded(pad, out, |out, end| out.resize(end, b'x'));
    }

    fn padded(&self, pad: usize, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>, usize)) {
        out.extend_from_slice(br#"{"at":"#);
        number(self.at, out);
        out.extend_from_slice(br#","n":"#);
        number(self.n, out);
        if let Some(held) = self.held {
            out.extend_from_slice(br#","held":"#);
            number(nanoseconds(held), out);
        }
        match pad.checked_sub(PAD) {
            Some(letters) => {
                out.extend_from_slice(br#","pad":""#);
                let end = out.len() + letters;
                fill(out, end);
                out.push(b'"');
            }
            // Too few bytes for a field: white space of JSON fills them.
            None => out.resize(out.len() + pad, b' '),
        }
        out.push(b'}');
    }
}

const WORDS: [&str; 32] = [
    "account",
    "amount",
    "balance",
    "city",
    "closed",
    "country",
    "created",
    "currency",
    "customer",
    "delivered",
    "email",
    "error",
    "first",
    "invoice",
    "last",
    "message",
    "name",
    "open",
    "order",
    "payment",
    "pending",
    "price",
    "quantity",
    "shipped",
    "status",
    "street",
    "total",
    "type",
    "updated",
    "user",
    "value",
    "warehouse",
];

/// Appends words up to this length, in an order of its own for each event (a linear congruential
/// generator).
fn words(event: u64, out: &mut Vec<u8>, end: usize) {
    let mut state = event;
    while out.len() < end {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The upper five bits choose one of 32 words.
        let word = WORDS[(state >> 59) as usize];
        out.extend_from_slice(word.as_bytes());
        out.push(b' ');
    }
    out.truncate(end);
}

pub(crate) fn number(n: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Read {
    /// Nanoseconds since the Unix epoch.
    pub(crate) stamp: Option<u64>,
    pub(crate) number: Option<u64>,
    /// For how long it was held on purpose.
    pub(crate) held: Option<u64>,
}

/// Reads the stamp and the number of an event, as the plan names them.
pub(crate) fn read(stamping: &Stamping, sequencing: &Sequencing, id: &str, data: &str) -> Read {
    let mut read = Read::default();
    if (*stamping == Stamping::Own || *sequencing == Sequencing::Own)
        && let Ok(own) = serde_json::from_str::<Own>(data)
    {
        read = Read { stamp: Some(own.at), number: Some(own.n), held: own.held };
    }
    if let Stamping::Json { pointer, unit } = stamping {
        let value = at(pointer, data);
        // A time before the epoch is none.
        read.stamp = value.filter(|value| *value >= 0.0).map(|value| {
            let nanoseconds = value * unit.nanoseconds();
            if nanoseconds >= u64::MAX as f64 { u64::MAX } else { nanoseconds as u64 }
        });
    }
    match sequencing {
        Sequencing::None | Sequencing::Auto => read.number = None,
        Sequencing::Own => {}
        Sequencing::Id => read.number = digits(id),
        Sequencing::Json(pointer) => {
            read.number = at(pointer, data)
                .filter(|value| *value >= 0.0 && value.fract() == 0.0)
                .map(|value| value as u64);
        }
    }
    read
}

/// The number that the text ends with.
pub(crate) fn digits(text: &str) -> Option<u64> {
    let begin = text
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    text[begin..].parse().ok()
}

/// The number at a JSON pointer; one in a string counts too. Nothing is built of the rest.
pub(crate) fn at(pointer: &str, data: &str) -> Option<f64> {
    let mut reader = serde_json::Deserializer::from_str(data);
    Place(pointer).deserialize(&mut reader).ok().flatten()
}

/// The rest of a pointer (RFC 6901).
#[derive(Clone, Copy)]
struct Place<'a>(&'a str);

impl<'a> Place<'a> {
    /// The first reference token, and the rest.
    fn split(self) -> Option<(&'a str, Self)> {
        let rest = self.0.strip_prefix('/')?;
        let (token, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some((token, Self(rest)))
    }
}

fn names(token: &str, key: &str) -> bool {
    if token.contains('~') {
        token.replace("~1", "/").replace("~0", "~") == key
    } else {
        token == key
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<f64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Option<f64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then_some(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then_some(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then_some(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| value.parse().ok()).flatten())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let split = self.split();
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match split {
                Some((token, rest)) if names(token, &key) => found = map.next_value_seed(rest)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (index, rest) = match self.split() {
            Some((token, rest)) => (token.parse::<usize>().ok(), rest),
            None => (None, self),
        };
        let mut found = None;
        for at in 0.. {
            if Some(at) == index {
                match seq.next_element_seed(rest)? {
                    Some(value) => found = value,
                    None => break,
                }
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use sseproof_load_model::TimeUnit;

    use super::*;

    #[test]
    fn the_data_is_as_long_as_the_plan_says() {
        let own = |size| Stamp { at: 1, n: 2, held: None }.text(size);
        assert!(own(32).starts_with(r#"{"at":1,"n":2,"pad":""#), "{}", own(32));
        assert_eq!(own(0), r#"{"at":1,"n":2}"#);
        for size in 23..64 {
            let data = own(size);
            assert_eq!(data.len(), size);
            assert!(serde_json::from_str::<Own>(&data).is_ok(), "{data}");
        }
    }

    #[test]
    fn published_events_differ_in_their_words() {
        let pad = |n| Stamp { at: 1, n, held: None }.text(200).split_off(20);
        assert_eq!(pad(1), pad(1));
        let all: std::collections::BTreeSet<_> = (0..9).map(pad).collect();
        assert_eq!(all.len(), 9, "{all:?}");
    }

    #[test]
    fn a_number_is_found_where_the_pointer_leads() {
        let data = r#"{"a/b":{"c":[1,{"t":"1700000000123"},2.5]},"n":7,"x":-1,"s":"no"}"#;
        for (pointer, found) in [
            ("/a~1b/c/1/t", Some(1_700_000_000_123.0)),
            ("/a~1b/c/2", Some(2.5)),
            ("/n", Some(7.0)),
            ("/x", Some(-1.0)),
            ("/s", None),
            ("/a~1b/c/9", None),
            ("/none", None),
            ("", None),
        ] {
            assert_eq!(at(pointer, data), found, "{pointer}");
        }
        assert_eq!(at("", "42"), Some(42.0));
        assert_eq!(at("/n", r#"{"n":7"#), None);
    }

    #[test]
    fn an_event_says_when_and_which() {
        let own = r#"{"at":1700000000000000001,"n":3,"pad":"x"}"#;
        assert_eq!(
            read(&Stamping::Own, &Sequencing::Own, "", own),
            Read { stamp: Some(1_700_000_000_000_000_001), number: Some(3), held: None }
        );
        let stamping = Stamping::Json { pointer: "/t".to_owned(), unit: TimeUnit::Milliseconds };
        let other = read(&stamping, &Sequencing::Id, "a-0012", r#"{"t":5}"#);
        assert_eq!(other, Read { stamp: Some(5_000_000), number: Some(12), held: None });
        assert_eq!(read(&stamping, &Sequencing::Id, "12é", "[]"), Read::default());
        assert_eq!(read(&Stamping::Own, &Sequencing::Own, "1", "hello"), Read::default());
    }
}
