//! A histogram of times that is written and read as text.
//!
//! A complete one is packed: a run has one per metric and second, and an open one has more than
//! 100 KiB.

use std::borrow::Cow;

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::serialization::{
    Deserializer as Reader, Serializer as _, V2DeflateSerializer, V2Serializer,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Three significant digits.
const DIGITS: u8 = 3;
/// The cookie of the format V2, compressed.
const COMPRESSED: [u8; 4] = 0x1C84_9314_u32.to_be_bytes();
/// How many bytes stand before the counts.
const HEADER: usize = 40;
/// The most bytes of a histogram: 9 for each of its counts, if its values have 64 bits.
const LONGEST: u64 = 1 << 20;
/// The one count that the library cannot negate.
const LARGEST: [u8; 9] = [0xFF; 9];

/// Times in nanoseconds, to three significant digits; it grows with the highest value.
///
/// As text it is the HdrHistogram format V2, compressed, in base64, which the tools of other
/// languages read.
#[derive(Clone, Debug)]
pub struct Histogram(Form);

#[derive(Clone, Debug)]
enum Form {
    /// A place for each value up to the highest: more than 100 KiB if that is 100 ms.
    Open(Places),
    /// The format V2: some hundred bytes. A run has a histogram of each metric in each second, and
    /// looks at most of them only once.
    Packed(Box<[u8]>),
}

type Places = hdrhistogram::Histogram<u64>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistogramError {
    #[error("not valid base64: {0}")]
    Base64(String),
    #[error("not a valid HdrHistogram V2: {0}")]
    Format(String),
}

impl Default for Histogram {
    fn default() -> Self {
        // Three digits are within the bounds of the library, and so there is always one.
        Self(Form::Open(Places::new(DIGITS).unwrap_or_else(|_| unreachable!())))
    }
}

impl Histogram {
    pub fn record(&mut self, nanoseconds: u64) {
        // It grows as needed, so every value fits; the saturating form would not let it grow.
        let recorded = self.open().record(nanoseconds);
        debug_assert!(recorded.is_ok(), "{recorded:?}");
    }

    pub fn count(&self) -> u64 {
        self.places().len()
    }

    /// The time below which this share (0 to 1) of all lies.
    pub fn quantile(&self, share: f64) -> u64 {
        let places = self.places();
        places.value_at_quantile(share).min(places.max())
    }

    pub fn max(&self) -> u64 {
        self.places().max()
    }

    pub fn min(&self) -> u64 {
        self.places().min()
    }

    /// The mean of all, 0 if there are none.
    pub fn mean(&self) -> f64 {
        self.places().mean()
    }

    pub fn absorb(&mut self, other: &Self) {
        // It grows as needed, so adding cannot fail.
        let added = self.open().add(&*other.places());
        debug_assert!(added.is_ok(), "{added:?}");
    }

    /// Removes all values, and keeps the memory.
    pub fn clear(&mut self) {
        self.open().reset();
    }

    pub fn to_base64(&self) -> String {
        let mut bytes = Vec::new();
        let written = V2DeflateSerializer::new().serialize(&self.places(), &mut bytes);
        debug_assert!(written.is_ok(), "{written:?}");
        STANDARD.encode(bytes)
    }

    /// Reads that form.
    ///
    /// # Errors
    /// [`HistogramError`]
    pub fn from_base64(text: &str) -> Result<Self, HistogramError> {
        let bytes =
            STANDARD.decode(text).map_err(|error| HistogramError::Base64(error.to_string()))?;
        let read = read(&bytes).map_err(HistogramError::Format)?;
        Ok(Self(Form::Open(read)).packed())
    }

    /// The same in some hundred bytes, until something is recorded in it; each use unpacks it.
    #[must_use]
    pub fn packed(&self) -> Self {
        match &self.0 {
            Form::Packed(bytes) => Self(Form::Packed(bytes.clone())),
            Form::Open(places) => {
                let mut bytes = Vec::new();
                let written = V2Serializer::new().serialize(places, &mut bytes);
                debug_assert!(written.is_ok(), "{written:?}");
                Self(Form::Packed(bytes.into_boxed_slice()))
            }
        }
    }

    /// The histogram of the library, for its writers of other formats.
    pub fn places(&self) -> Cow<'_, hdrhistogram::Histogram<u64>> {
        match &self.0 {
            Form::Open(places) => Cow::Borrowed(places),
            Form::Packed(bytes) => Cow::Owned(unpacked(bytes)),
        }
    }

    fn open(&mut self) -> &mut Places {
        if let Form::Packed(bytes) = &self.0 {
            self.0 = Form::Open(unpacked(bytes));
        }
        match &mut self.0 {
            Form::Open(places) => places,
            Form::Packed(_) => unreachable!("it has just been unpacked"),
        }
    }
}

fn unpacked(bytes: &[u8]) -> Places {
    read(bytes).unwrap_or_else(|error| unreachable!("what was written is read: {error}"))
}

/// Reads the format V2, compressed or not.
fn read(bytes: &[u8]) -> Result<Places, String> {
    let unpacked;
    let bytes = match bytes.strip_prefix(&COMPRESSED) {
        None => bytes,
        Some(packed) => {
            let mut out = Vec::new();
            // A byte can stand for a thousand.
            let mut inflated = ZlibDecoder::new(packed.get(4..).unwrap_or_default()).take(LONGEST);
            inflated.read_to_end(&mut out).map_err(|error| error.to_string())?;
            unpacked = out;
            &unpacked
        }
    };
    check(bytes)?;
    let mut read: Places =
        Reader::new().deserialize(&mut { bytes }).map_err(|error| error.to_string())?;
    read.auto(true);
    Ok(read)
}

/// Refuses what would make the library take a lot of memory, or overflow: it trusts the numbers in
/// front of the counts.
fn check(bytes: &[u8]) -> Result<(), String> {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let (length, digits) = number(4).zip(number(12)).ok_or("it is too short")?;
    let counts = bytes.get(HEADER..).unwrap_or_default();
    if length as usize > counts.len() {
        return Err(format!("it announces {length} bytes of counts, and has {}", counts.len()));
    }
    if digits != u32::from(DIGITS) {
        return Err(format!("it has {digits} significant digits; {DIGITS} are supported"));
    }
    if counts.windows(LARGEST.len()).any(|counts| counts == LARGEST) {
        return Err("it has a count of more than 63 bits".to_owned());
    }
    Ok(())
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.places() == other.places()
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_base64(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_merged_is_what_was_recorded_together() {
        let (mut left, mut right, mut both) =
            (Histogram::default(), Histogram::default(), Histogram::default());
        for n in 1..2000_u64 {
            let time = n * n * 977;
            both.record(time);
            if n % 3 == 0 { left.record(time) } else { right.record(time) }
        }
        left.absorb(&Histogram::from_base64(&right.to_base64()).unwrap());
        assert_eq!(left, both);
        assert_eq!(left.quantile(1.0), both.max());
    }

    #[test]
    fn what_is_packed_is_the_same_in_less_room() {
        let mut histogram = Histogram::default();
        for time in [0, 1, 999, 50_000_000, 3_600_000_000_000, u64::MAX / 2] {
            histogram.record(time);
        }
        let mut packed = histogram.packed();
        assert_eq!(packed, histogram);
        let Form::Packed(bytes) = &packed.0 else { panic!("not packed") };
        assert!(bytes.len() < 200, "{} bytes", bytes.len());
        packed.record(7);
        assert_eq!((packed.count(), packed.max()), (7, histogram.max()));
    }

    #[test]
    fn a_time_keeps_three_digits_however_long_it_is() {
        let mut histogram = Histogram::default();
        for time in [0, 1, 999, 50_000_000, 3_600_000_000_000, u64::MAX] {
            histogram.record(time);
            let (most, kept) = (time as f64 * 1.001, histogram.max() as f64);
            assert!((time as f64..=most).contains(&kept), "{time} is kept as {kept}");
        }
        assert_eq!((histogram.min(), histogram.count()), (0, 6));
    }

    #[test]
    fn what_is_none_is_said_to_be_none() {
        assert!(matches!(Histogram::from_base64("*"), Err(HistogramError::Base64(_))));
        assert!(matches!(Histogram::from_base64("AAAA"), Err(HistogramError::Format(_))));
    }

    #[test]
    fn a_histogram_that_would_take_too_much_is_refused() {
        let Form::Packed(good) = Histogram::default().packed().0 else { panic!("not packed") };
        let refused = |change: fn(&mut Vec<u8>)| {
            let mut bytes = good.to_vec();
            change(&mut bytes);
            let text = STANDARD.encode(bytes);
            Histogram::from_base64(&text).expect_err("refused").to_string()
        };
        for (change, why) in [
            ((|bytes| bytes[4] = 0xFF) as fn(&mut Vec<u8>), "bytes of counts, and has"),
            (|bytes| bytes[15] = 5, "5 significant digits; 3 are supported"),
            (|bytes| bytes.truncate(12), "too short"),
            (
                |bytes| {
                    bytes[4..8].copy_from_slice(&9_u32.to_be_bytes());
                    bytes.truncate(HEADER);
                    bytes.extend(LARGEST);
                },
                "more than 63 bits",
            ),
        ] {
            let error = refused(change);
            assert!(error.contains(why), "{error}");
        }
        // 64 MiB of zeros.
        let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut bomb, &vec![0; 64 << 20]).unwrap();
        let bomb = [&COMPRESSED[..], &[0; 4], &bomb.finish().unwrap()].concat();
        assert!(Histogram::from_base64(&STANDARD.encode(bomb)).is_err());
    }
}
