//! The events of a stream of chunks.

use alloc::collections::VecDeque;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::{Decoder, Event};

pin_project! {
    /// The events of a stream of chunks, as an HTTP client gives them.
    ///
    /// With reqwest: `EventStream::new(response.bytes_stream())`. An error of the chunks is passed
    /// on unchanged; decoding has none. At the end, [`EventStream::decoder`] has the values for the
    /// next request.
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    /// use sseproof_codec::EventStream;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let chunks = stream::iter(["id: 7\ndata: hel", "lo\n\n"].map(Ok::<_, std::io::Error>));
    /// let mut events = EventStream::new(chunks);
    /// while let Some(event) = events.next().await {
    ///     assert_eq!(event?.data, "hello");
    /// }
    /// assert_eq!(events.decoder().last_event_id(), "7");
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[derive(Debug)]
    pub struct EventStream<S> {
        #[pin]
        chunks: S,
        decoder: Decoder,
        events: VecDeque<Event<'static>>,
    }
}

impl<S> EventStream<S> {
    /// The events of these chunks, with the default limits: see [`EventStream`].
    pub fn new(chunks: S) -> Self {
        Self::with_decoder(chunks, Decoder::new())
    }

    /// The same with a decoder that has other limits, or a last event ID from an earlier
    /// connection.
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    /// use sseproof_codec::{Decoder, EventStream};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let chunks = stream::iter([Ok::<_, std::io::Error>("data: two\n\n")]);
    /// let mut events = EventStream::with_decoder(chunks, Decoder::new().resumed("1", None));
    /// while let Some(event) = events.next().await {
    ///     assert_eq!(event?.last_event_id, "1");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_decoder(chunks: S, decoder: Decoder) -> Self {
        Self { chunks, decoder, events: VecDeque::new() }
    }

    /// The decoder, which may be ahead of the events by the chunks read: see [`EventStream`].
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The decoder, for the next connection: see [`Decoder::reconnect`].
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    /// use sseproof_codec::EventStream;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let connection = |chunk| stream::iter([Ok::<_, std::io::Error>(chunk)]);
    /// let mut events = EventStream::new(connection("id: 1\ndata: one\n\ndata: cut o"));
    /// while let Some(event) = events.next().await {
    ///     assert_eq!(event?.data, "one");
    /// }
    /// let mut decoder = events.into_decoder();
    /// decoder.reconnect();
    /// // The next request has `decoder.last_event_id()`, and its events continue from there.
    /// let mut events = EventStream::with_decoder(connection("data: two\n\n"), decoder);
    /// while let Some(event) = events.next().await {
    ///     let event = event?;
    ///     assert_eq!((&*event.data, &*event.last_event_id), ("two", "1"));
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_decoder(self) -> Decoder {
        self.decoder
    }
}

impl<S, B, E> Stream for EventStream<S>
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
{
    type Item = Result<Event<'static>, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            if let Some(event) = this.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            match ready!(this.chunks.as_mut().poll_next(context)) {
                Some(Ok(chunk)) => this.decoder.queue(chunk.as_ref(), this.events),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(feature = "http-body")]
pub(crate) mod body {
    //! The events of an HTTP body.

    use core::pin::Pin;
    use core::task::{Context, Poll, ready};

    use bytes::{Buf, Bytes};
    use futures_core::Stream;
    use http_body::Body;
    use pin_project_lite::pin_project;

    use super::EventStream;

    pin_project! {
        /// The chunks of an HTTP body, without trailers: [`EventStream::of_body`] makes them.
        #[derive(Debug)]
        pub struct BodyChunks<B> {
            #[pin]
            body: B,
        }
    }

    impl<B: Body> EventStream<BodyChunks<B>> {
        /// The events of an HTTP body, such as that of a response of hyper.
        ///
        /// ```
        /// use futures_util::StreamExt;
        /// use http_body_util::Full;
        /// use sseproof_codec::EventStream;
        ///
        /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
        /// let mut events = EventStream::of_body(Full::new(&b"data: hello\n\n"[..]));
        /// while let Some(Ok(event)) = events.next().await {
        ///     assert_eq!(event.data, "hello");
        /// }
        /// # });
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn of_body(body: B) -> Self {
            Self::new(BodyChunks { body })
        }
    }

    impl<B: Body> Stream for BodyChunks<B> {
        type Item = Result<Bytes, B::Error>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let mut body = self.project().body;
            loop {
                match ready!(body.as_mut().poll_frame(context)) {
                    Some(Ok(frame)) => {
                        if let Ok(mut data) = frame.into_data() {
                            return Poll::Ready(Some(Ok(data.copy_to_bytes(data.remaining()))));
                        }
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                }
            }
        }
    }
}
