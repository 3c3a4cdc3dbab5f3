//! Numbers and words for people.
//!
//! A duration, a size, a rate or a share is read by one grammar wherever a user writes it (flags,
//! YAML, thresholds, queries) and shown in one form in every message and report. The shown form can
//! be read again. Text of others becomes inert before it is shown.

mod inert;
mod value;
mod words;

pub use inert::{inert, inert_except_colour, inert_json};
pub use value::{Dimension, UnitError, Value, bytes, duration, parse_bytes, parse_duration};
pub use words::{count, counted, either, list, names, nearest};
