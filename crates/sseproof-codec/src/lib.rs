//! An exact Server-Sent Events decoder and encoder: bytes in, events and anomalies out.
#![no_std]

extern crate alloc;

mod decoder;
mod encoder;
mod field;
mod item;
mod lines;

pub use decoder::{Decoder, Items, Limits, decode};
pub use encoder::{EncodeError, Frame, FrameField, Refused, encode};
pub use item::{Anomaly, AnomalyKind, Comment, EmptyBlock, Event, Item, Retry, Span, UnknownField};
