//! The buffers of the standard: the fields of a block, until a blank line dispatches it.

use alloc::string::String;

use crate::buffer::Text;
use crate::utf8;

/// The fields since the last blank line, unless a chunk lends them.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Where its first field line starts. Comments belong to no block, so a heartbeat long before
    /// an event does not count as its start.
    pub(crate) start: Option<u64>,
    /// The data lines, each with an LF after it.
    pub(crate) data: Text,
    pub(crate) has_data: bool,
    pub(crate) event_type: String,
    /// The value of the `id` field, which counts only once the block is complete.
    pub(crate) id: String,
    pub(crate) sets_id: bool,
    /// Whether the block had an `event`, `id` or `retry` field.
    pub(crate) has_other_field: bool,
    /// A limit was passed: everything up to the next blank line is skipped.
    pub(crate) dropped: bool,
    /// The event was handed out, so its buffers may be emptied.
    pub(crate) dispatched: bool,
}

impl Block {
    /// Whether a line was taken since the last blank line.
    #[inline(always)]
    pub(crate) const fn is_open(&self) -> bool {
        self.start.is_some() || self.dropped
    }

    /// Appends a line of data.
    #[inline(always)]
    pub(crate) fn push_line(&mut self, line: &[u8]) {
        self.data.push(line);
        self.data.end_line();
        self.has_data = true;
    }

    /// Appends a line of data whose line end comes with it.
    #[inline(always)]
    pub(crate) fn push_ended_line(&mut self, line: &[u8]) {
        match line {
            [line @ .., b'\r'] => self.push_line(line),
            // That LF also separates it from the next line.
            line => self.data.push(line),
        }
    }

    /// Appends the part of a data line that has arrived.
    #[inline(always)]
    pub(crate) fn begin_line(&mut self, start: u64, value: &[u8]) {
        self.start.get_or_insert(start);
        self.data.push(value);
        self.has_data = true;
    }

    /// How long the data would be with this line, as dispatched.
    pub(crate) fn len_with(&mut self, line: &[u8]) -> usize {
        self.data.complete();
        self.data.len() + utf8::text_len(line)
    }

    pub(crate) fn set_event_type(&mut self, event_type: &[u8]) {
        self.has_other_field = true;
        self.event_type.clear();
        self.event_type.push_str(&utf8::text(event_type));
    }

    pub(crate) fn set_id(&mut self, id: &[u8]) {
        self.has_other_field = true;
        self.sets_id = true;
        self.id.clear();
        self.id.push_str(&utf8::text(id));
    }

    /// Begins the next block, with the buffers of this one.
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.event_type.clear();
        self.id.clear();
        self.start = None;
        self.has_data = false;
        self.sets_id = false;
        self.has_other_field = false;
        self.dropped = false;
        self.dispatched = false;
    }

    /// A limit was passed: drops the fields of the block, those to come included.
    pub(crate) fn drop_rest(&mut self) {
        self.clear();
        self.dropped = true;
    }
}
