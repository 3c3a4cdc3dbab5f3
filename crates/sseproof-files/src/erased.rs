//! Compiles the YAML parser once, and not once for each type of the languages.
//!
//! A deserializer is generic over the visitor, and the parser has much code in there: duplicate
//! keys, merges, aliases. Here, visitors and accesses are trait objects.
//! An error of the parser stays beside the object that met it ([`Held`]) and continues from there
//! unchanged; an error of a type travels as [`Raised`], and the parser adds its place.

use std::convert::identity;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    DeserializeSeed, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

type Result<T, E = Raised> = std::result::Result<T, E>;

/// Reads a value; its type sees only [`Erased`].
pub(crate) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Held::with(deserializer, |held| T::deserialize(Erased(held as &mut dyn Read<'de>)))
}

/// A [`Deserializer`].
trait Read<'de> {
    fn read(&mut self, ask: Ask, visitor: &mut dyn Visit<'de>) -> Result<()>;
}

/// A [`Visitor`].
trait Visit<'de> {
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn visit(&mut self, found: Found<'_, 'de>) -> Result<()>;
}

/// A [`DeserializeSeed`].
trait Seed<'de> {
    fn grow(&mut self, from: &mut dyn Read<'de>) -> Result<()>;
}

/// A [`SeqAccess`], a [`MapAccess`], or an [`EnumAccess`] with its [`VariantAccess`].
trait Access<'de> {
    /// False if there is no more.
    fn next(&mut self, part: Part, seed: &mut dyn Seed<'de>) -> Result<bool>;
}

#[derive(Clone, Copy)]
enum Part {
    /// An element, a key, or the name of a variant.
    First,
    /// The value after it.
    Value,
    /// The end of a variant without a value.
    Nothing,
}

/// The argument of a visitor.
enum Found<'a, 'de> {
    Bool(bool),
    U64(u64),
    I64(i64),
    F64(f64),
    Str(&'a str),
    Unit,
    None,
    Some(&'a mut dyn Read<'de>),
    Newtype(&'a mut dyn Read<'de>),
    Seq(&'a mut dyn Access<'de>),
    Map(&'a mut dyn Access<'de>),
    Enum(&'a mut dyn Access<'de>),
}

/// An error on its way through a type.
#[derive(Debug)]
enum Raised {
    /// The parser raised it: the object that met it has it.
    Held,
    Custom(String),
    Type(String, String),
    Variant(String, &'static [&'static str]),
    Field(String, &'static [&'static str]),
    Missing(&'static str),
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Raised {}

impl Error for Raised {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Type(found.to_string(), expected.to_string())
    }
    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Variant(variant.to_owned(), expected)
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Field(field.to_owned(), expected)
    }
    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// Something of the parser, used up by a call, and the error that the call met.
struct Held<T, E> {
    it: Option<T>,
    error: Option<E>,
}

impl<T, E: Error> Held<T, E> {
    /// Lends it to a type; an error becomes one of the parser again.
    fn with<R>(it: T, lend: impl FnOnce(&mut Self) -> Result<R>) -> Result<R, E> {
        let mut held = Self { it: Some(it), error: None };
        lend(&mut held).map_err(|raised| match raised {
            Raised::Held => held.error.unwrap_or_else(|| E::custom("an error was lost")),
            Raised::Custom(message) => E::custom(message),
            Raised::Type(found, expected) => {
                E::invalid_type(Unexpected::Other(&found), &expected.as_str())
            }
            Raised::Variant(variant, expected) => E::unknown_variant(&variant, expected),
            Raised::Field(field, expected) => E::unknown_field(&field, expected),
            Raised::Missing(field) => E::missing_field(field),
        })
    }

    fn take(&mut self) -> Result<T> {
        self.it.take().ok_or_else(|| Raised::custom("a value is read twice"))
    }

    fn hold<R>(&mut self, result: Result<R, E>) -> Result<R> {
        result.map_err(|error| {
            self.error = Some(error);
            Raised::Held
        })
    }
}

/// The methods of a deserializer that the languages need.
macro_rules! asks {
    ($($method:ident $ask:ident ($($name:ident: $type:ty),*))*) => {
        /// The method of a deserializer, with its arguments.
        #[derive(Clone, Copy)]
        enum Ask {
            $($ask($($type),*)),*
        }

        impl<'de, D: Deserializer<'de>> Read<'de> for Held<D, D::Error> {
            fn read(&mut self, ask: Ask, visitor: &mut dyn Visit<'de>) -> Result<()> {
                let it = self.take()?;
                let result = match ask {
                    $(Ask::$ask($($name),*) => it.$method($($name,)* Dyn(visitor)),)*
                };
                self.hold(result)
            }
        }

        impl<'de> Deserializer<'de> for Erased<&mut dyn Read<'de>> {
            type Error = Raised;

            $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value> {
                let mut slot = Slot::Open(visitor);
                self.0.read(Ask::$ask($($name),*), &mut slot)?;
                slot.made()
            })*

            forward_to_deserialize_any! {
                i8 i16 i32 i128 u128 f32 char bytes byte_buf unit_struct tuple_struct
            }
        }
    };
}

asks! {
    deserialize_any Any()
    deserialize_bool Bool()
    deserialize_u8 U8()
    deserialize_u16 U16()
    deserialize_u32 U32()
    deserialize_u64 U64()
    deserialize_i64 I64()
    deserialize_f64 F64()
    deserialize_str Str()
    deserialize_string String()
    deserialize_option Option()
    deserialize_unit Unit()
    deserialize_newtype_struct Newtype(name: &'static str)
    deserialize_seq Seq()
    deserialize_tuple Tuple(length: usize)
    deserialize_map Map()
    deserialize_struct Struct(name: &'static str, fields: &'static [&'static str])
    deserialize_enum Enum(name: &'static str, variants: &'static [&'static str])
    deserialize_identifier Identifier()
    deserialize_ignored_any Ignored()
}

/// The visitor, or the seed, that the parser sees.
struct Dyn<T>(T);

/// The methods of a visitor; a value of the parser is lent.
macro_rules! visits {
    ({$($plain:ident $found:ident $type:ty;)*} {$($method:ident $held:ident $bound:ident $as:expr;)*}) => {
        impl<'de> Visitor<'de> for Dyn<&mut dyn Visit<'de>> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.expecting(f)
            }
            fn visit_unit<E: Error>(self) -> Result<(), E> {
                Held::with((), |_| self.0.visit(Found::Unit))
            }
            fn visit_none<E: Error>(self) -> Result<(), E> {
                Held::with((), |_| self.0.visit(Found::None))
            }
            $(fn $plain<E: Error>(self, value: $type) -> Result<(), E> {
                Held::with((), |_| self.0.visit(Found::$found(value)))
            })*
            $(fn $method<A: $bound<'de>>(self, it: A) -> Result<(), A::Error> {
                Held::with($as(it), |held| self.0.visit(Found::$held(held)))
            })*
        }
    };
}

visits! {
    {
        visit_bool Bool bool;
        visit_u64 U64 u64;
        visit_i64 I64 i64;
        visit_f64 F64 f64;
        visit_str Str &str;
    }
    {
        visit_some Some Deserializer identity;
        visit_newtype_struct Newtype Deserializer identity;
        visit_seq Seq SeqAccess Elements;
        visit_map Map MapAccess Entries;
        visit_enum Enum EnumAccess Choice::Enum;
    }
}

struct Elements<A>(A);

impl<'de, A: SeqAccess<'de>> Access<'de> for Held<Elements<A>, A::Error> {
    fn next(&mut self, _: Part, seed: &mut dyn Seed<'de>) -> Result<bool> {
        let Elements(mut it) = self.take()?;
        let result = it.next_element_seed(Dyn(seed));
        self.it = Some(Elements(it));
        Ok(self.hold(result)?.is_some())
    }
}

struct Entries<A>(A);

impl<'de, A: MapAccess<'de>> Access<'de> for Held<Entries<A>, A::Error> {
    fn next(&mut self, part: Part, seed: &mut dyn Seed<'de>) -> Result<bool> {
        let Entries(mut it) = self.take()?;
        let result = match part {
            Part::First => it.next_key_seed(Dyn(seed)),
            _ => it.next_value_seed(Dyn(seed)).map(Some),
        };
        self.it = Some(Entries(it));
        Ok(self.hold(result)?.is_some())
    }
}

/// An enum whose variant is not read yet, or is read.
enum Choice<A, V> {
    Enum(A),
    Variant(V),
}

impl<'de, A: EnumAccess<'de>> Access<'de> for Held<Choice<A, A::Variant>, A::Error> {
    fn next(&mut self, part: Part, seed: &mut dyn Seed<'de>) -> Result<bool> {
        let result = match (self.take()?, part) {
            (Choice::Enum(it), _) => it.variant_seed(Dyn(seed)).map(|((), it)| Some(it)),
            (Choice::Variant(it), Part::Nothing) => it.unit_variant().map(|()| None),
            (Choice::Variant(it), _) => it.newtype_variant_seed(Dyn(seed)).map(|()| None),
        };
        self.it = self.hold(result)?.map(Choice::Variant);
        Ok(true)
    }
}

impl<'de> DeserializeSeed<'de> for Dyn<&mut dyn Seed<'de>> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, it: D) -> Result<(), D::Error> {
        Held::with(it, |held| self.0.grow(held))
    }
}

/// The deserializer, or the access, that a type sees.
struct Erased<T>(T);

/// A visitor or a seed of a type, and then the value that it has made.
enum Slot<V, T> {
    Empty,
    Open(V),
    Made(T),
}

impl<V, T> Slot<V, T> {
    fn open(&mut self) -> Result<V> {
        match std::mem::replace(self, Self::Empty) {
            Self::Open(visitor) => Ok(visitor),
            _ => Err(Raised::custom("a value is made twice")),
        }
    }

    fn made(self) -> Result<T> {
        match self {
            Self::Made(value) => Ok(value),
            _ => Err(Raised::custom("no value is made")),
        }
    }
}

impl<'de, V: Visitor<'de>> Visit<'de> for Slot<V, V::Value> {
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(visitor) => visitor.expecting(f),
            _ => Ok(()),
        }
    }

    fn visit(&mut self, found: Found<'_, 'de>) -> Result<()> {
        let visitor = self.open()?;
        *self = Self::Made(match found {
            Found::Bool(value) => visitor.visit_bool(value),
            Found::U64(value) => visitor.visit_u64(value),
            Found::I64(value) => visitor.visit_i64(value),
            Found::F64(value) => visitor.visit_f64(value),
            Found::Str(value) => visitor.visit_str(value),
            Found::Unit => visitor.visit_unit(),
            Found::None => visitor.visit_none(),
            Found::Some(it) => visitor.visit_some(Erased(it)),
            Found::Newtype(it) => visitor.visit_newtype_struct(Erased(it)),
            Found::Seq(it) => visitor.visit_seq(Erased(it)),
            Found::Map(it) => visitor.visit_map(Erased(it)),
            Found::Enum(it) => visitor.visit_enum(Erased(it)),
        }?);
        Ok(())
    }
}

impl<'de, S: DeserializeSeed<'de>> Seed<'de> for Slot<S, S::Value> {
    fn grow(&mut self, from: &mut dyn Read<'de>) -> Result<()> {
        *self = Self::Made(self.open()?.deserialize(Erased(from))?);
        Ok(())
    }
}

impl<'de> Erased<&mut dyn Access<'de>> {
    fn next<S: DeserializeSeed<'de>>(&mut self, part: Part, seed: S) -> Result<Option<S::Value>> {
        let mut slot = Slot::Open(seed);
        if self.0.next(part, &mut slot)? { slot.made().map(Some) } else { Ok(None) }
    }

    fn one<S: DeserializeSeed<'de>>(&mut self, part: Part, seed: S) -> Result<S::Value> {
        self.next(part, seed)?.ok_or_else(|| Raised::custom("no value is there"))
    }
}

impl<'de> SeqAccess<'de> for Erased<&mut dyn Access<'de>> {
    type Error = Raised;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(Part::First, seed)
    }
}

impl<'de> MapAccess<'de> for Erased<&mut dyn Access<'de>> {
    type Error = Raised;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(Part::First, seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        self.one(Part::Value, seed)
    }
}

impl<'de> EnumAccess<'de> for Erased<&mut dyn Access<'de>> {
    type Error = Raised;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self)> {
        Ok((self.one(Part::First, seed)?, self))
    }
}

impl<'de> VariantAccess<'de> for Erased<&mut dyn Access<'de>> {
    type Error = Raised;

    fn unit_variant(self) -> Result<()> {
        self.0.next(Part::Nothing, &mut Slot::Open(PhantomData::<()>)).map(|_| ())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value> {
        self.one(Part::Value, seed)
    }

    // In the languages, a variant with fields is a type of its own.
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.struct_variant(&[], visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &[&str], _: V) -> Result<V::Value> {
        Err(Raised::custom("a variant of several values cannot be read"))
    }
}
