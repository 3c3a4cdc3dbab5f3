//! The body of an HTTP/1.1 response, piece by piece, borrowed from what was read.

/// How a body is delimited (RFC 9112 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// In chunks.
    Chunked(Chunk),
    /// So many bytes are left.
    Length(u64),
    /// Until the connection closes.
    UntilClose,
}

/// Where a reader stands within chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// Within the size, and whether a digit was there.
    Size(u64, bool),
    /// Behind the size, before the line ends.
    Extension(u64),
    /// Before the line feed of the size's line.
    SizeEnd(u64),
    /// So many bytes of data are left.
    Data(u64),
    /// Before the line end of the data.
    DataEnd,
    /// Behind a carriage return there.
    DataFeed,
    /// At the begin of a trailer's line.
    TrailerBegin,
    /// Within one.
    Trailer,
    /// Before the last line feed.
    LastFeed,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Some of the body.
    Payload(&'a [u8]),
    /// Nothing before more is read.
    More,
    /// The body is over.
    End,
}

/// The chunks are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Torn;

impl Body {
    /// One in chunks, at its begin.
    pub(crate) const CHUNKED: Self = Self::Chunked(Chunk::Size(0, false));

    /// Takes the next piece off the input.
    ///
    /// # Errors
    /// [`Torn`] where the chunks are none.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Piece<'a>, Torn> {
        match self {
            Self::UntilClose if input.is_empty() => Ok(Piece::More),
            Self::UntilClose => Ok(Piece::Payload(std::mem::take(input))),
            Self::Length(0) => Ok(Piece::End),
            Self::Length(_) if input.is_empty() => Ok(Piece::More),
            Self::Length(left) => Ok(Piece::Payload(take(input, left))),
            Self::Chunked(chunk) => chunk.next(input),
        }
    }
}

impl Chunk {
    fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Piece<'a>, Torn> {
        loop {
            if let Self::Data(left) = self {
                if *left == 0 {
                    *self = Self::DataEnd;
                    continue;
                }
                if input.is_empty() {
                    return Ok(Piece::More);
                }
                return Ok(Piece::Payload(take(input, left)));
            }
            let Some((&byte, rest)) = input.split_first() else { return Ok(Piece::More) };
            *input = rest;
            *self = match (*self, byte) {
                (Self::Size(size, _), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                    let digit = char::from(byte).to_digit(16).ok_or(Torn)?;
                    let size = size.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                    Self::Size(size.ok_or(Torn)?, true)
                }
                (Self::Size(_, false), _) => return Err(Torn),
                (Self::Size(size, true), b'\r') => Self::SizeEnd(size),
                (Self::Size(size, true), b';' | b' ' | b'\t') => Self::Extension(size),
                // Many read a bare line feed as the end of the line.
                (Self::Size(0, true) | Self::SizeEnd(0) | Self::Extension(0), b'\n') => {
                    Self::TrailerBegin
                }
                (Self::Size(size, true) | Self::SizeEnd(size) | Self::Extension(size), b'\n') => {
                    Self::Data(size)
                }
                (Self::Extension(size), b'\r') => Self::SizeEnd(size),
                (Self::Extension(size), _) => Self::Extension(size),
                (Self::DataEnd, b'\r') => Self::DataFeed,
                (Self::DataEnd | Self::DataFeed, b'\n') => Self::Size(0, false),
                (Self::TrailerBegin, b'\r') => Self::LastFeed,
                (Self::TrailerBegin | Self::LastFeed, b'\n') => return Ok(Piece::End),
                (Self::Trailer, b'\n') => Self::TrailerBegin,
                (Self::TrailerBegin | Self::Trailer, _) => Self::Trailer,
                _ => return Err(Torn),
            };
        }
    }
}

/// As much of the input as is left.
fn take<'a>(input: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    let (piece, rest) = input.split_at(length);
    *input = rest;
    *left -= length as u64;
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The payload, whether the end was seen, and what is behind it; in pieces of that size.
    fn read(mut body: Body, bytes: &[u8], size: usize) -> Result<(Vec<u8>, bool, usize), Torn> {
        let mut payload = Vec::new();
        let mut begin = 0;
        for part in bytes.chunks(size) {
            let mut input = part;
            loop {
                match body.next(&mut input)? {
                    Piece::Payload(piece) => payload.extend_from_slice(piece),
                    Piece::More => break,
                    Piece::End => {
                        let at = begin + part.len() - input.len();
                        return Ok((payload, true, bytes.len() - at));
                    }
                }
            }
            begin += part.len();
        }
        Ok((payload, false, 0))
    }

    #[test]
    fn every_cut_gives_the_same() {
        let bytes = b"5\r\ndata:\r\n00B;x=y\r\n 1\n\ndata: 2\r\n0\r\nX: y\r\n\r\nHTTP";
        for size in 1..=bytes.len() {
            assert_eq!(
                read(Body::CHUNKED, bytes, size),
                Ok((b"data: 1\n\ndata: 2".to_vec(), true, 4)),
                "in pieces of {size}"
            );
            assert_eq!(
                read(Body::Length(7), b"data: 1\n\n", size),
                Ok((b"data: 1".to_vec(), true, 2))
            );
        }
        assert_eq!(read(Body::UntilClose, b"abc", 2), Ok((b"abc".to_vec(), false, 0)));
    }

    #[test]
    fn what_are_no_chunks_is_torn() {
        for bytes in
            ["x\r\n", "\r\n", "3\r\nabcd\r\n", "3\rx", "fffffffffffffffff\r\n", "3 \r\nabcx"]
        {
            assert_eq!(read(Body::CHUNKED, bytes.as_bytes(), 64), Err(Torn), "{bytes:?}");
        }
        // What is cut is no fault of the chunks.
        assert_eq!(read(Body::CHUNKED, b"5\r\nab", 64), Ok((b"ab".to_vec(), false, 0)));
    }
}
