//! All open streams of the server, and what is sent on them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use slab::Slab;
use tokio::task::spawn_local;

use super::connection::{Connection, Handle, Sent, State};
use super::event::{Batch, Framing};
use super::packer::Packer;
use super::query::{Ending, Settings};
use super::socket::Socket;
use super::ticker::{Clock, Due, Ticker, What, first_wait, unix};
use super::topic::Topic;
use super::websocket::Reply;
use crate::clock::nanoseconds;

/// There is one thread, and nothing is borrowed while it waits.
pub(super) struct Hub {
    pub(super) clock: Clock,
    pub(super) ticker: Ticker,
    pub(super) scratch: RefCell<Box<[u8]>>,
    pub(super) queue: usize,
    pub(super) connections: RefCell<Slab<Connection>>,
    pub(super) topics: RefCell<HashMap<String, Topic>>,
    pub(super) batch: RefCell<Batch>,
    /// How many streams are open, ended ones not counted.
    open: Cell<usize>,
    opened: Cell<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Clean,
    /// The client has sent a close frame, and was answered.
    Answered,
    Reset,
    Gone,
}

pub(super) struct Opening<'a> {
    pub(super) settings: Rc<Settings>,
    pub(super) framing: Framing,
    pub(super) packer: Option<Box<Packer>>,
    pub(super) head: &'a [u8],
    pub(super) last_event_id: Option<&'a str>,
}

impl Hub {
    pub(super) fn new(queue: usize) -> Self {
        Self {
            clock: Clock::new(),
            ticker: Ticker::default(),
            scratch: RefCell::new(vec![0; 64 << 10].into()),
            queue,
            connections: RefCell::default(),
            topics: RefCell::default(),
            batch: RefCell::default(),
            open: Cell::default(),
            opened: Cell::default(),
        }
    }

    pub(super) fn open_streams(&self) -> usize {
        self.open.get()
    }

    pub(super) fn count_open(&self, open: bool) {
        self.open.set(if open { self.open.get() + 1 } else { self.open.get() - 1 });
    }

    pub(super) fn number(&self) -> u64 {
        let number = self.opened.get();
        self.opened.set(number + 1);
        number
    }

    /// Opens a stream, and gives its key; [`Hub::poll_client`] must be polled until the client disconnects.
    pub(super) fn open(self: &Rc<Self>, socket: Socket, opening: Opening<'_>) -> u32 {
        let Opening { settings, framing, packer, head, last_event_id } = opening;
        let number = self.number();
        self.count_open(true);
        let last = last_event_id.or(settings.last_event_id.as_deref());
        let last = last.and_then(|id| id.parse::<u64>().ok());
        let now = self.clock.second();
        let life = number as u32;
        let mut connection =
            Connection::new(socket, Rc::clone(&settings), framing, packer, life, now);

        let mut connections = self.connections.borrow_mut();
        let entry = connections.vacant_entry();
        let handle = Handle { key: entry.key() as u32, life };
        let start = match &settings.topic {
            Some(name) => {
                let mut topics = self.topics.borrow_mut();
                let topic = topics.entry(name.clone()).or_default();
                connection.member = topic.members.len() as u32;
                topic.members.push(handle.key);
                last.map_or(topic.next(), |last| topic.resume(last))
            }
            None => last.map_or(0, |last| last.saturating_add(1)),
        };
        let end = settings.count.map_or(u64::MAX, |count| start.saturating_add(count));
        connection.next = start;
        connection.stream = start..end;
        let connection = entry.insert(connection);
        let mut ends = self.sent(handle, connection.send(head, None, self.queue));
        if let (Some(retry), true) = (settings.retry, framing != Framing::Frames)
            && ends.is_none()
        {
            let mut batch = self.batch.borrow_mut();
            batch.fill().extend_from_slice(format!("retry: {retry}\n\n").as_bytes());
            ends = self.sent(handle, connection.send_batch(&mut batch, self.queue));
        }
        if let Some(name) = &settings.topic
            && ends.is_none()
        {
            ends = self.resume(handle, connection, name);
        }
        drop(connections);

        let begun = self.clock.now();
        if let Some(every) = settings.every {
            let wait = first_wait(every, settings.sync, number, unix());
            let at = begun + wait + settings.delay.map_or(0, nanoseconds);
            self.ticker.add(Due { at, handle, what: What::Events });
        }
        if let Some(Ending::Clean(after) | Ending::Reset(after)) = settings.ending {
            self.ticker.add(Due { at: begun + nanoseconds(after), handle, what: What::End });
        }
        if let Some(how) = ends {
            self.end(handle, how);
        }
        handle.key
    }

    pub(super) fn sent(self: &Rc<Self>, handle: Handle, sent: Sent) -> Option<How> {
        match sent {
            Sent::Well => None,
            Sent::Drain => {
                let hub = Rc::clone(self);
                spawn_local(async move { poll_fn(|cx| hub.poll_drain(handle, cx)).await });
                None
            }
            Sent::Full | Sent::Gone => Some(How::Reset),
        }
    }

    fn poll_drain(self: &Rc<Self>, handle: Handle, cx: &mut Context<'_>) -> Poll<()> {
        let drained = {
            let mut connections = self.connections.borrow_mut();
            let connection = connections.get_mut(handle.key as usize);
            let Some(connection) = connection.filter(|found| found.life == handle.life) else {
                return Poll::Ready(());
            };
            ready!(connection.poll_drain(cx))
        };
        match drained {
            Ok(parked) => parked.into_iter().for_each(|due| self.ticker.add(due)),
            Err(_) => self.end(handle, How::Reset),
        }
        Poll::Ready(())
    }

    /// Ends a stream. The connection is kept until the client has closed it, or was cut off.
    pub(super) fn end(self: &Rc<Self>, handle: Handle, how: How) {
        let mut connections = self.connections.borrow_mut();
        let Some(connection) = alive(&mut connections, handle) else { return };
        self.count_open(false);
        connection.quiet_since = self.clock.second();
        match how {
            How::Clean | How::Answered => {
                connection.state = State::Ending;
                let sent = match how {
                    How::Clean => connection.send_end(&mut self.batch.borrow_mut()),
                    _ => Sent::Well,
                };
                if sent == Sent::Well && !connection.waits() {
                    connection.socket.finish();
                }
                self.sent(handle, sent);
            }
            How::Reset | How::Gone => {
                connection.state = State::Cut;
                if how == How::Reset {
                    connection.socket.reset();
                }
            }
        }
        let Some(topic) = &connection.settings.topic else { return };
        let place = connection.member as usize;
        let mut topics = self.topics.borrow_mut();
        let Some(topic) = topics.get_mut(topic) else { return };
        topic.members.swap_remove(place);
        if let Some(moved) = topic.members.get(place)
            && let Some(moved) = connections.get_mut(*moved as usize)
        {
            moved.member = place as u32;
        }
    }

    pub(super) fn poll_client(self: &Rc<Self>, key: u32, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let (handle, replies) = {
                let mut connections = self.connections.borrow_mut();
                let Some(connection) = connections.get_mut(key as usize) else {
                    return Poll::Ready(());
                };
                let handle = Handle { key, life: connection.life };
                let ready = ready!(connection.socket.poll_readable(cx));
                let mut scratch = self.scratch.borrow_mut();
                match ready.and_then(|()| connection.socket.try_read(&mut scratch)) {
                    Ok(read @ 1..) if connection.state != State::Cut => {
                        (handle, connection.hear(&scratch[..read]))
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                    Ok(_) | Err(_) => {
                        drop((scratch, connections));
                        self.remove(handle);
                        return Poll::Ready(());
                    }
                }
            };
            for reply in replies {
                self.reply(handle, reply);
            }
        }
    }

    fn reply(self: &Rc<Self>, handle: Handle, reply: Reply) {
        let (Reply::Send(bytes) | Reply::Close(bytes)) = &reply;
        let ends = {
            let mut connections = self.connections.borrow_mut();
            let Some(connection) = alive(&mut connections, handle) else { return };
            self.sent(handle, connection.send(bytes, None, self.queue))
        };
        match (ends, reply) {
            (Some(how), _) => self.end(handle, how),
            (None, Reply::Close(_)) => self.end(handle, How::Answered),
            (None, Reply::Send(_)) => {}
        }
    }

    fn remove(self: &Rc<Self>, handle: Handle) {
        self.end(handle, How::Gone);
        drop(self.connections.borrow_mut().try_remove(handle.key as usize));
    }
}

/// The connection, if it still carries a stream.
pub(super) fn alive(connections: &mut Slab<Connection>, handle: Handle) -> Option<&mut Connection> {
    let connection = connections.get_mut(handle.key as usize)?;
    (connection.life == handle.life && connection.state == State::Open).then_some(connection)
}
