//! The buffers of the standard: what a block has set before a blank line dispatches it.

use alloc::string::String;
use core::mem;

use crate::lines::KEPT_CAPACITY;

/// What the lines since the last blank line have set.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Where its first field line starts. Comments are of no block, so that a heartbeat that came
    /// long before an event does not count as its begin.
    pub(crate) start: Option<u64>,
    /// The data lines, joined by LF, save one that is still lent from the chunk.
    pub(crate) data: String,
    pub(crate) has_data: bool,
    pub(crate) event_type: String,
    /// The value of the `id` field, which counts only once the block is complete.
    pub(crate) id: String,
    pub(crate) sets_id: bool,
    /// Whether it had an `event`, `id` or `retry` field.
    pub(crate) has_other_field: bool,
    /// A limit was passed: everything up to the next blank line is skipped.
    pub(crate) dropped: bool,
    /// The event was handed out, so its buffers may be emptied.
    pub(crate) dispatched: bool,
}

impl Block {
    /// Begins the next block, with the buffers of this one unless they are large.
    pub(crate) fn clear(&mut self) {
        for buffer in [&mut self.data, &mut self.event_type, &mut self.id] {
            if buffer.capacity() > KEPT_CAPACITY {
                *buffer = String::new();
            } else {
                buffer.clear();
            }
        }
        *self = Self {
            data: mem::take(&mut self.data),
            event_type: mem::take(&mut self.event_type),
            id: mem::take(&mut self.id),
            ..Self::default()
        };
    }

    /// A limit was passed: forgets what the block has set, and what it will set.
    pub(crate) fn drop_rest(&mut self) {
        self.clear();
        self.dropped = true;
    }
}
