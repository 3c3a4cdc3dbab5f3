//! The body of a message, piece by piece, borrowed from what was read.

/// How a body is delimited, and how far it is (RFC 9112, section 6).
///
/// A connection under load keeps nothing but this, so its size matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Chunked(Chunk),
    /// So many bytes are left.
    Length(u64),
    UntilClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Within the size, and whether there was a digit.
    Size(u64, bool),
    /// In the white space after the size.
    SizeSpace(u64),
    Extension(u64),
    /// Before the line feed of the size's line.
    SizeFeed(u64),
    /// So many bytes of data are left.
    Data(u64),
    DataEnd,
    DataFeed,
    TrailerBegin,
    Trailer,
    /// Before the last line feed.
    LastFeed,
    End,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Payload(&'a [u8]),
    More,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkFlaw {
    #[error("expected a chunk size")]
    NoSize,
    /// Many read this as the end of the line.
    #[error("a chunk size that ends in LF alone; HTTP requires CR LF")]
    SizeBareLf,
    /// Many read this as the end of the chunk.
    #[error("a chunk that ends in LF alone; HTTP requires CR LF")]
    DataBareLf,
    #[error("no CR LF after a chunk: its size is wrong")]
    NoEnd,
    /// Found by the [`Reader`](super::Reader), which knows how long the line is.
    #[error("the line of a chunk size has more than {SIZE_LINE} bytes")]
    LongSize,
}

/// The most bytes of the line of a chunk size, with leading zeros and extensions. Servers and
/// clients have limits from 16 digits to 16 KiB.
pub const SIZE_LINE: usize = 4_096;

impl ChunkFlaw {
    /// Whether there is no way to go on.
    pub const fn is_fatal(self) -> bool {
        matches!(self, Self::NoSize | Self::NoEnd | Self::LongSize)
    }
}

impl Body {
    /// None at all.
    pub const NONE: Self = Self::Length(0);
    pub const CHUNKED: Self = Self::Chunked(Chunk::Size(0, false));

    /// Takes the next piece off the input.
    ///
    /// # Errors
    /// The chunks are wrong here. After a bare LF, which is taken off the input, it goes on;
    /// otherwise the byte stays, and all that comes after it is passed over.
    #[inline]
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Piece<'a>, ChunkFlaw> {
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
    fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Piece<'a>, ChunkFlaw> {
        loop {
            match self {
                Self::Data(0) => *self = Self::DataEnd,
                Self::Data(_) if input.is_empty() => return Ok(Piece::More),
                Self::Data(left) => return Ok(Piece::Payload(take(input, left))),
                Self::End => return Ok(Piece::End),
                Self::Lost => *input = &[],
                _ => {}
            }
            let Some((&byte, rest)) = input.split_first() else { return Ok(Piece::More) };
            match self.after(byte) {
                Ok(next) => *self = next,
                Err(flaw) => {
                    *self = match (flaw, *self) {
                        (ChunkFlaw::SizeBareLf, Self::Size(size, _))
                        | (ChunkFlaw::SizeBareLf, Self::SizeSpace(size) | Self::Extension(size)) => {
                            Self::sized(size)
                        }
                        (ChunkFlaw::DataBareLf, _) => Self::Size(0, false),
                        _ => Self::Lost,
                    };
                    if *self != Self::Lost {
                        *input = rest;
                    }
                    return Err(flaw);
                }
            }
            *input = rest;
        }
    }

    /// The grammar: `*chunk last-chunk trailer-section CRLF`, with
    /// `chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF` (RFC 9112, section 7.1).
    fn after(self, byte: u8) -> Result<Self, ChunkFlaw> {
        Ok(match (self, byte) {
            (Self::Size(size, _), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                let size = size.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                Self::Size(size.ok_or(ChunkFlaw::NoSize)?, true)
            }
            (Self::Size(_, false), _) => return Err(ChunkFlaw::NoSize),
            (Self::Size(size, true) | Self::SizeSpace(size) | Self::Extension(size), b'\r') => {
                Self::SizeFeed(size)
            }
            (Self::Size(_, true) | Self::SizeSpace(_) | Self::Extension(_), b'\n') => {
                return Err(ChunkFlaw::SizeBareLf);
            }
            (Self::Size(size, true) | Self::SizeSpace(size), b' ' | b'\t') => Self::SizeSpace(size),
            (Self::Size(size, true) | Self::SizeSpace(size), b';') => Self::Extension(size),
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::SizeFeed(size), b'\n') => Self::sized(size),
            (Self::Size(..) | Self::SizeSpace(_) | Self::SizeFeed(_), _) => {
                return Err(ChunkFlaw::NoSize);
            }
            (Self::DataEnd, b'\r') => Self::DataFeed,
            (Self::DataEnd, b'\n') => return Err(ChunkFlaw::DataBareLf),
            (Self::DataFeed, b'\n') => Self::Size(0, false),
            (Self::DataEnd | Self::DataFeed, _) => return Err(ChunkFlaw::NoEnd),
            (Self::TrailerBegin, b'\r') => Self::LastFeed,
            (Self::TrailerBegin | Self::LastFeed, b'\n') => Self::End,
            (Self::Trailer, b'\n') => Self::TrailerBegin,
            (Self::TrailerBegin | Self::Trailer | Self::LastFeed, _) => Self::Trailer,
            (Self::Data(_) | Self::End | Self::Lost, _) => self,
        })
    }

    /// Whether it is within the line of a size.
    pub(super) const fn is_size(self) -> bool {
        matches!(self, Self::Size(..) | Self::SizeSpace(_) | Self::Extension(_) | Self::SizeFeed(_))
    }

    const fn sized(size: u64) -> Self {
        if size == 0 { Self::TrailerBegin } else { Self::Data(size) }
    }
}

fn take<'a>(input: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    let (piece, rest) = input.split_at(length);
    *input = rest;
    *left -= length as u64;
    piece
}
