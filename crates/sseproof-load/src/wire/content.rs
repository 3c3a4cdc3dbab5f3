//! Reads the events of a response: its framing, its compression and the events in it.

use sseproof_codec::{Decoder, Event};
use sseproof_http::http1::{Body, Piece};
use sseproof_load_model::{ErrorKind, LoadError};

use super::inflate::Gzip;

/// Calls `each` with every event in these bytes; whether the response is over.
///
/// # Errors
/// If the framing or the compression is not valid.
pub(crate) fn events(
    body: &mut Body,
    mut gzip: Option<&mut Gzip>,
    decoder: &mut Decoder,
    mut bytes: &[u8],
    mut each: impl FnMut(&Event<'_>),
) -> Result<bool, LoadError> {
    loop {
        match body.next(&mut bytes) {
            Ok(Piece::Payload(payload)) => {
                let mut decode = |bytes: &[u8]| {
                    let mut has_ended = false;
                    let mut events = decoder.feed(bytes);
                    while let Some(event) = events.next() {
                        has_ended = true;
                        each(&event);
                    }
                    drop(events);
                    has_ended || decoder.is_at_rest()
                };
                match &mut gzip {
                    None => {
                        decode(payload);
                    }
                    Some(gzip) => gzip.feed(payload, decode)?,
                }
            }
            Ok(Piece::More) => return Ok(false),
            Ok(Piece::End) => return gzip.map_or(Ok(()), |gzip| gzip.end()).map(|()| true),
            Err(flaw) if !flaw.is_fatal() => {}
            Err(_) => {
                let text = "framing: invalid chunked encoding";
                return Err(LoadError::new(ErrorKind::Protocol, text));
            }
        }
    }
}
