//! A topic: its subscribers, and a bounded log for those that reconnect.

use std::collections::VecDeque;
use std::rc::Rc;

use sseproof_codec::EncodeError;

use super::event::Message;

/// The log of a topic is bounded in bytes and in messages. A client that reconnects gets at most half
/// of the bytes that may wait for a client.
const LOGGED_BYTES: usize = 512 << 10;
const LOGGED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Topic {
    log: VecDeque<Rc<Message>>,
    bytes: usize,
    next: u64,
    pub(super) members: Vec<u32>,
}

impl Topic {
    pub(super) fn append(&mut self, data: String) -> Result<Rc<Message>, EncodeError> {
        let message = Rc::new(Message::new(self.next, data)?);
        self.next += 1;
        self.bytes += message.len();
        self.log.push_back(Rc::clone(&message));
        while self.bytes > LOGGED_BYTES || self.log.len() > LOGGED {
            let Some(oldest) = self.log.pop_front() else { break };
            self.bytes -= oldest.len();
        }
        Ok(message)
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn message(&self, n: u64) -> Option<&Rc<Message>> {
        let oldest = self.log.front()?.n();
        self.log.get(usize::try_from(n.checked_sub(oldest)?).ok()?)
    }

    /// The first message to send to a client whose last event ID is this one; an id of another log has
    /// no meaning here.
    pub(super) fn resume(&self, last: u64) -> u64 {
        let oldest = self.log.front().map_or(self.next, |oldest| oldest.n());
        match last.checked_add(1) {
            Some(first) if first <= self.next => first.max(oldest),
            _ => self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(messages: usize, size: usize) -> Topic {
        let mut topic = Topic::default();
        for _ in 0..messages {
            topic.append("x".repeat(size)).unwrap();
        }
        topic
    }

    #[test]
    fn the_log_is_bounded_in_messages_and_in_bytes() {
        let many = topic(LOGGED + 5, 1);
        assert_eq!((many.log.len(), many.resume(0)), (LOGGED, 5));
        let large = topic(10, LOGGED_BYTES / 4);
        assert_eq!((large.log.len(), large.bytes), (4, LOGGED_BYTES));
        let huge = topic(2, LOGGED_BYTES + 1);
        assert_eq!((huge.log.len(), huge.bytes, huge.next()), (0, 0, 2));
    }

    #[test]
    fn a_client_that_reconnects_resumes_after_its_last_message() {
        let topic = topic(10, 1);
        assert_eq!(topic.resume(3), 4);
        assert_eq!(topic.resume(9), 10);
        assert_eq!(topic.resume(10), 10, "an id from before a restart");
        assert_eq!(topic.resume(u64::MAX), 10);
        assert_eq!(topic.message(4).map(|message| message.n()), Some(4));
        assert!(topic.message(10).is_none());
    }
}
