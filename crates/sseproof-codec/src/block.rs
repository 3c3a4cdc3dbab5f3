//! The buffers of the standard: what a block has set before a blank line dispatches it.

use crate::buffer::Buffer;

/// What the lines since the last blank line have set.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Where its first field line starts. Comments are of no block, so that a heartbeat that came
    /// long before an event does not count as its begin.
    pub(crate) start: Option<u64>,
    /// The data lines, each with an LF behind it, save one that is still lent from the chunk.
    pub(crate) data: Buffer,
    /// What stands in `data` before the data: the name of the field, where the first line was taken
    /// over whole.
    pub(crate) data_start: usize,
    pub(crate) has_data: bool,
    /// A data line goes on in the next chunk; what came of it is in `data` already.
    pub(crate) in_data: bool,
    pub(crate) event_type: Buffer,
    /// The value of the `id` field, which counts only once the block is complete.
    pub(crate) id: Buffer,
    pub(crate) sets_id: bool,
    /// Whether it had an `event`, `id` or `retry` field.
    pub(crate) has_other_field: bool,
    /// A limit was passed: everything up to the next blank line is skipped.
    pub(crate) dropped: bool,
    /// The event was handed out, so its buffers may be emptied.
    pub(crate) dispatched: bool,
}

impl Block {
    pub(crate) fn data(&self) -> &str {
        let data = &self.data.as_str()[self.data_start..];
        data.strip_suffix('\n').unwrap_or(data)
    }

    pub(crate) const fn data_len(&self) -> usize {
        self.data.len() - self.data_start
    }

    /// Appends a line of data.
    #[inline(always)]
    pub(crate) fn push_line(&mut self, line: &str) {
        self.data.push(line);
        self.end_line();
    }

    /// The line of data that was pushed is complete.
    #[inline(always)]
    pub(crate) fn end_line(&mut self) {
        self.data.push_line_feed();
    }

    /// Whether nothing was set since the last blank line.
    pub(crate) const fn is_empty(&self) -> bool {
        self.start.is_none() && !self.dropped && !self.dispatched
    }

    #[inline(always)]
    pub(crate) fn set_event_type(&mut self, event_type: &str) {
        self.has_other_field = true;
        self.event_type.clear();
        self.event_type.push(event_type);
    }

    #[inline(always)]
    pub(crate) fn set_id(&mut self, id: &str) {
        self.has_other_field = true;
        self.sets_id = true;
        self.id.clear();
        self.id.push(id);
    }

    /// Begins the next block, with the buffers of this one.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.data_start = 0;
        self.event_type.clear();
        self.id.clear();
        self.start = None;
        self.has_data = false;
        self.in_data = false;
        self.sets_id = false;
        self.has_other_field = false;
        self.dropped = false;
        self.dispatched = false;
    }

    /// A limit was passed: forgets what the block has set, and what it will set.
    pub(crate) fn drop_rest(&mut self) {
        self.clear();
        self.dropped = true;
    }
}
