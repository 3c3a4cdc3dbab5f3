//! Mappings that have a short form: one value instead of a mapping.
//!
//! `untagged` would do the same with useless messages.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::erased;
use crate::mistake::Slip;

/// A mapping that can be written as one text.
pub trait Shorthand: Sized {
    /// The expectation in messages: `a name`.
    const EXPECTED: &'static str;
    /// Examples of the short and the long form.
    const WRITTEN: &'static str;

    fn short(text: &str) -> Result<Self, Slip>;
}

/// A `T` in its short or its long form.
#[derive(Clone, Debug)]
pub struct Short<T>(pub T);

impl<T> std::ops::Deref for Short<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de> + Shorthand> Deserialize<'de> for Short<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either(PhantomData)).map(Self)
    }
}

struct Either<T>(PhantomData<T>);

fn wrong<T: Shorthand, E: Error>(found: &str) -> E {
    E::custom(Slip::instead(
        format!("expected {}, found {found}", T::EXPECTED),
        format!("write {}", T::WRITTEN),
    ))
}

impl<'de, T: Deserialize<'de> + Shorthand> Visitor<'de> for Either<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::short(text).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    // The spelling of a float is lost here: `1.0` and `1.00` are one number and different texts.
    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        let instead = "put it in quotes: \"1.0\"";
        Err(E::custom(Slip::instead("this is a number with a fraction, not a text", instead)))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Err(wrong::<T, E>("nothing"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        let what = format!("expected {}, found a list", T::EXPECTED);
        let instead = format!(
            "put quotes around a text that begins with a bracket; else write {}",
            T::WRITTEN
        );
        Err(A::Error::custom(Slip::instead(what, instead)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        erased::read(MapAccessDeserializer::new(map))
    }
}

impl<T: JsonSchema> JsonSchema for Short<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Short{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [{ "type": ["string", "number", "boolean"] }, long] })
    }
}
