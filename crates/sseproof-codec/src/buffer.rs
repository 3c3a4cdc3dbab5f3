//! A text that is filled and emptied again and again.

use alloc::string::String;

/// What a buffer may always keep, in bytes.
pub(crate) const KEPT_CAPACITY: usize = 4096;
/// After so many chunks or texts that needed little of it, a larger buffer is given back: one large
/// line must not weigh on a connection that is idle ever after, and a stream of large lines must
/// not allocate for each.
const PATIENCE: u8 = 16;

/// A text that is filled and emptied again and again.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    text: String,
    /// How often in a row it was larger than needed.
    unused: u8,
}

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self { text: String::new(), unused: 0 }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) const fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    #[inline(always)]
    pub(crate) fn push_line_feed(&mut self) {
        self.text.push('\n');
    }

    /// Empties the buffer; most of its memory is kept.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if self.text.capacity() > KEPT_CAPACITY && self.text.len() > self.text.capacity() / 4 {
            self.unused = 0;
        }
        self.text.clear();
    }

    /// A chunk begins: gives memory back that was not needed for long.
    pub(crate) fn rest(&mut self) {
        if self.text.capacity() <= KEPT_CAPACITY || !self.text.is_empty() {
            return;
        }
        self.unused += 1;
        if self.unused == PATIENCE {
            *self = Self::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_is_given_back_once_it_is_not_needed() {
        let mut buffer = Buffer::new();
        for _ in 0..100 {
            buffer.push(&"x".repeat(10_000));
            buffer.clear();
            buffer.rest();
        }
        assert!(buffer.text.capacity() >= 10_000);
        for _ in 0..PATIENCE {
            buffer.push("x");
            buffer.clear();
            buffer.rest();
        }
        assert!(buffer.text.capacity() <= KEPT_CAPACITY);
    }
}
