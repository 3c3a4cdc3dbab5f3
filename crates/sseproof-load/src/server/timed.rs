//! Bytes sent at their time: own events, ends and heartbeats.

use std::rc::Rc;
use std::time::Duration;

use super::connection::{Connection, Handle, State};
use super::event::Stamp;
use super::fault::written;
use super::hub::{How, Hub, alive};
use super::query::Ending;
use super::ticker::{Due, What, unix};
use crate::clock::nanoseconds;

/// After how many seconds of silence a heartbeat is sent.
const SILENCE: u32 = 15;

/// How many seconds a client may take to close a connection whose stream has ended.
const FAREWELL: u32 = 5;

/// How many seconds a client may take to read the rest of a stream that has ended.
const LAST_WORDS: u32 = 60;

impl Hub {
    /// Handles a due connection; `now` is the same for all that are due.
    pub(super) fn due(self: &Rc<Self>, due: Due, moment: u64) {
        let how = {
            let mut connections = self.connections.borrow_mut();
            let Some(connection) = alive(&mut connections, due.handle) else { return };
            match (due.what, connection.settings.ending) {
                (What::End, Some(Ending::Reset(_))) => Some(How::Reset),
                (What::End, _) => Some(How::Clean),
                (What::Events, _) => self.own_events(due, connection, moment),
            }
        };
        if let Some(how) = how {
            self.end(due.handle, how);
        }
    }

    fn own_events(
        self: &Rc<Self>,
        due: Due,
        connection: &mut Connection,
        moment: u64,
    ) -> Option<How> {
        if connection.waits() {
            connection.park(due);
            return None;
        }
        let settings = Rc::clone(&connection.settings);
        let every = settings.every.map_or(u64::MAX, nanoseconds);
        let intended = settings.delay.map(|delay| due.at.saturating_sub(nanoseconds(delay)));
        let mut batch = self.batch.borrow_mut();
        let out = batch.fill();
        let end = connection.stream.end.min(connection.next.saturating_add(settings.burst));
        for turn in connection.next..end {
            for n in written(settings.fault, turn, &connection.stream) {
                let stamp = match intended {
                    // Directly before it is written, so that what a client measures less what was
                    // held is the error of the measurement.
                    Some(intended) => {
                        let held = self.clock.now().saturating_sub(intended);
                        let held = Some(Duration::from_nanos(held));
                        let at = unix();
                        Stamp { at: at.saturating_sub(held.map_or(0, nanoseconds)), n, held }
                    }
                    None if settings.sync => Stamp { at: moment, n, held: None },
                    None => Stamp { at: unix(), n, held: None },
                };
                stamp.write(connection.framing, settings.size, out);
            }
        }
        connection.next = end;
        if !batch.content().is_empty() {
            connection.quiet_since = self.clock.second();
            let sent = self.sent(due.handle, connection.send_batch(&mut batch, self.queue));
            if sent.is_some() {
                return sent;
            }
        }
        if end == connection.stream.end {
            return Some(How::Clean);
        }
        self.ticker.add(Due { at: due.at.saturating_add(every), ..due });
        None
    }

    pub(super) fn sweep(self: &Rc<Self>) {
        let now = self.clock.second();
        let mut ends = Vec::new();
        let mut connections = self.connections.borrow_mut();
        let mut batch = self.batch.borrow_mut();
        for (key, connection) in connections.iter_mut() {
            let handle = Handle { key: key as u32, life: connection.life };
            let silent = now.saturating_sub(connection.quiet_since);
            match connection.state {
                State::Open if silent >= SILENCE && !connection.waits() => {
                    connection.quiet_since = now;
                    let sent = connection.send_heartbeat(&mut batch, self.queue);
                    ends.extend(self.sent(handle, sent).map(|_| handle));
                }
                // Bytes that the kernel still has for the client are delivered after this.
                State::Ending if silent >= FAREWELL && !connection.waits() => {
                    connection.state = State::Cut;
                    connection.socket.hang_up();
                }
                State::Ending if silent >= LAST_WORDS => {
                    connection.state = State::Cut;
                    connection.socket.reset();
                }
                _ => {}
            }
        }
        drop((batch, connections));
        for handle in ends {
            self.end(handle, How::Reset);
        }
    }
}
