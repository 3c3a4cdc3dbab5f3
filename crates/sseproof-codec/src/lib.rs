#![doc = include_str!("../README.md")]
#![no_std]
#![warn(missing_docs)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod block;
mod buffer;
mod decoder;
mod encoder;
mod field;
#[cfg(feature = "tokio-util")]
mod framed;
mod item;
mod items;
mod lines;
mod scan;
#[cfg(feature = "proptest")]
pub mod strategy;
#[cfg(feature = "futures")]
mod stream;
mod touched;
mod utf8;
mod walk;

pub use decoder::{Decoder, Limits, Resume, decode};
pub use encoder::{EncodeError, Frame, FrameField, Refused, encode};
#[cfg(feature = "tokio-util")]
pub use framed::EventCodec;
pub use item::{Anomaly, AnomalyKind, Comment, EmptyBlock, Event, Item, Retry, Span, UnknownField};
pub use items::{Events, Items};
#[cfg(feature = "futures")]
pub use stream::EventStream;
#[cfg(feature = "http-body")]
pub use stream::body::BodyChunks;
