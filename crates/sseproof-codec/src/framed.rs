//! Events for `tokio_util::codec`.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use std::io;

use bytes::BytesMut;

use crate::{Decoder, Event, Frame, encode};

/// Reads events and writes frames, for [`tokio_util::codec::Framed`] and its halves.
///
/// ```
/// use futures_util::StreamExt;
/// use sseproof_codec::EventCodec;
/// use tokio_util::codec::FramedRead;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut events = FramedRead::new(&b"data: hello\n\n"[..], EventCodec::default());
/// while let Some(event) = events.next().await {
///     assert_eq!(event?.data, "hello");
/// }
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct EventCodec {
    decoder: Decoder,
    events: VecDeque<Event<'static>>,
    frame: Vec<u8>,
}

impl EventCodec {
    /// A codec whose decoder has other limits, or a last event ID from an earlier connection.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use sseproof_codec::{Decoder, EventCodec};
    /// use tokio_util::codec::Decoder as _;
    ///
    /// let mut codec = EventCodec::with_decoder(Decoder::new().resumed("7", None));
    /// let event = codec.decode(&mut BytesMut::from("data: x\n\n"))?;
    /// assert!(event.is_some_and(|event| event.last_event_id == "7"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_decoder(decoder: Decoder) -> Self {
        Self { decoder, ..Self::default() }
    }

    /// The decoder, which may be ahead of the events by the bytes read.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use sseproof_codec::EventCodec;
    /// use tokio_util::codec::Decoder as _;
    ///
    /// let mut codec = EventCodec::default();
    /// codec.decode(&mut BytesMut::from("id: 7\ndata: x\n\n"))?;
    /// assert_eq!(codec.decoder().last_event_id(), "7");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

impl tokio_util::codec::Decoder for EventCodec {
    type Item = Event<'static>;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        if self.events.is_empty() {
            self.decoder.queue(bytes, &mut self.events);
            bytes.clear();
        }
        Ok(self.events.pop_front())
    }
}

/// The error is [`io::ErrorKind::InvalidInput`], with an [`crate::EncodeError`] inside.
///
/// ```
/// use bytes::BytesMut;
/// use sseproof_codec::{EventCodec, Frame};
/// use tokio_util::codec::Encoder as _;
///
/// let mut out = BytesMut::new();
/// EventCodec::default().encode(Frame { data: Some("x"), ..Frame::default() }, &mut out)?;
/// assert_eq!(&out[..], b"data: x\n\n");
/// # Ok::<(), std::io::Error>(())
/// ```
impl tokio_util::codec::Encoder<Frame<'_>> for EventCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: Frame<'_>, out: &mut BytesMut) -> io::Result<()> {
        self.frame.clear();
        encode(&frame, &mut self.frame)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        out.extend_from_slice(&self.frame);
        Ok(())
    }
}
