//! Bytes that stay readable in a recording.

use std::fmt;
use std::ops::{Deref, RangeBounds};

use bstr::ByteVec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A byte string.
///
/// In JSON it is one string: UTF-8 stands as it is, the backslash, control characters and bytes
/// that are not UTF-8 are escaped as `\\`, `\n`, `\x00` and `\xE9`.
/// Reading it back gives the same bytes.
/// A clone and a slice share the memory: what was received once is kept once.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes(bytes::Bytes);

impl Bytes {
    /// The bytes as text, with U+FFFD where they are not UTF-8.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// A part of them, which shares their memory.
    ///
    /// # Panics
    /// Where the range ends after they do, as a slice does.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        Self(self.0.slice(range))
    }

    /// The bytes as text that loses nothing: what stands in a recording.
    pub fn escaped(&self) -> String {
        let mut out = String::with_capacity(self.len());
        for chunk in self.utf8_chunks() {
            for char in chunk.valid().chars() {
                match char {
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    control if control.is_ascii_control() => {
                        out.push_str(&format!("\\x{:02X}", u32::from(control)));
                    }
                    char => out.push(char),
                }
            }
            for byte in chunk.invalid() {
                out.push_str(&format!("\\x{byte:02X}"));
            }
        }
        out
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escaped())
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<T: AsRef<[u8]> + ?Sized> From<&T> for Bytes {
    fn from(bytes: &T) -> Self {
        Self(bytes::Bytes::copy_from_slice(bytes.as_ref()))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.escaped())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Vec::unescape_bytes(text).into())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Bytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Bytes: UTF-8 stands as it is; the backslash, control characters and bytes that are not UTF-8 are escaped as in \\n, \\x00 and \\xE9.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_survive_json(bytes: Vec<u8>) {
            let json = serde_json::to_string(&Bytes::from(&bytes)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Bytes>(&json).unwrap().to_vec(), bytes);
        }
    }

    #[test]
    fn text_stays_readable() {
        let json = serde_json::to_string(&Bytes::from("data: café\n\n")).unwrap();
        assert_eq!(json, r#""data: café\\n\\n""#);
    }
}
