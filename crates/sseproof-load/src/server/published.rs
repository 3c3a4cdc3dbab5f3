//! Published messages, sent to all subscribers, and again to those that reconnect.

use std::rc::Rc;

use sseproof_codec::EncodeError;

use super::connection::{Connection, Handle};
use super::fault::written;
use super::hub::{How, Hub};

impl Hub {
    pub(super) fn resume(
        self: &Rc<Self>,
        handle: Handle,
        connection: &mut Connection,
        name: &str,
    ) -> Option<How> {
        let topics = self.topics.borrow();
        let topic = topics.get(name)?;
        let mut batch = self.batch.borrow_mut();
        let out = batch.fill();
        let end = topic.next().min(connection.stream.end);
        for n in connection.stream.start..end {
            for n in written(connection.settings.fault, n, &connection.stream) {
                if let Some(message) = topic.message(n) {
                    message.write(connection.framing, out);
                }
            }
        }
        let ends = self.sent(handle, connection.send_batch(&mut batch, self.queue));
        ends.or((end == connection.stream.end).then_some(How::Clean))
    }

    pub(super) fn publish(self: &Rc<Self>, name: &str, data: String) -> Result<usize, EncodeError> {
        let mut ends = Vec::new();
        let mut reached = 0;
        {
            let mut topics = self.topics.borrow_mut();
            let topic = topics.entry(name.to_owned()).or_default();
            let message = topic.append(data)?;
            let mut connections = self.connections.borrow_mut();
            let mut batch = self.batch.borrow_mut();
            let now = self.clock.second();
            for key in &topic.members {
                let Some(connection) = connections.get_mut(*key as usize) else { continue };
                let handle = Handle { key: *key, life: connection.life };
                let mut end = None;
                for n in written(connection.settings.fault, message.n(), &connection.stream) {
                    let message = if n == message.n() { Some(&message) } else { topic.message(n) };
                    let Some(message) = message else { continue };
                    let sent = connection.send_message(message, &mut batch, self.queue);
                    end = end.or(self.sent(handle, sent));
                }
                connection.quiet_since = now;
                if end.is_none() {
                    reached += 1;
                    end = (message.n() + 1 >= connection.stream.end).then_some(How::Clean);
                }
                ends.extend(end.map(|how| (handle, how)));
            }
        }
        for (handle, how) in ends {
            self.end(handle, how);
        }
        Ok(reached)
    }
}
