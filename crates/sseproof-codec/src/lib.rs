//! An exact Server-Sent Events decoder and encoder: bytes in, events and anomalies out.
//!
//! The decoder follows the WHATWG HTML standard, section 9.2, to the letter. It never fails: besides
//! the events it says everything else that was in the stream, and what is wrong with it at which
//! byte. The encoder writes only what decodes to the same again.
//!
//! ```
//! use sseproof_codec::{Decoder, Frame, Item, encode};
//!
//! let mut stream = Vec::new();
//! encode(&Frame { event: Some("greeting"), data: Some("hello"), ..Frame::default() }, &mut stream)?;
//!
//! let mut decoder = Decoder::new();
//! let mut greetings = 0;
//! // The chunks may be cut anywhere, as the network does.
//! for chunk in stream.chunks(5) {
//!     let mut items = decoder.inspect(chunk);
//!     while let Some(item) = items.next() {
//!         match item {
//!             Item::Event(event) if event.event_type == "greeting" => greetings += 1,
//!             Item::Anomaly(anomaly) => panic!("{:?} at {}", anomaly.kind, anomaly.span.start),
//!             _ => {}
//!         }
//!     }
//! }
//! assert_eq!(greetings, 1);
//! assert_eq!(decoder.finish(), None);
//! # Ok::<(), sseproof_codec::EncodeError>(())
//! ```
//!
//! There is no I/O, no clock and no `std` in here. With the feature `serde` all items can be
//! serialized.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
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
mod utf8;
mod walk;
mod whole;

pub use decoder::{Decoder, Limits, decode};
pub use encoder::{EncodeError, Frame, FrameField, Refused, encode};
#[cfg(feature = "tokio-util")]
pub use framed::EventCodec;
pub use item::{Anomaly, AnomalyKind, Comment, EmptyBlock, Event, Item, Retry, Span, UnknownField};
pub use items::{Events, Items};
#[cfg(feature = "futures")]
pub use stream::EventStream;
#[cfg(feature = "http-body")]
pub use stream::body::BodyChunks;
