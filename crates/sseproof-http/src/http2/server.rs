//! The server's end of an HTTP/2 connection: bytes in, bytes out, requests.
//!
//! It lets a lab server be wrong on purpose: any frame can be written to any stream.

use std::collections::BTreeMap;

use super::reader::{Event, Reader};
use super::{MAX_FRAME, WINDOW, flag, kind, settings, write_frame};
use crate::{Bytes, Headers, Request, Version};

/// The most bytes of the body of a request.
const BODY: usize = 16 << 20;

pub struct Server {
    reader: Reader,
    out: Vec<u8>,
    window: i64,
    initial: i64,
    /// How many bytes may be sent on each stream with a request.
    windows: BTreeMap<u32, i64>,
    /// Requests whose body is still to come, with what of it came.
    asked: BTreeMap<u32, (Request, Vec<u8>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Request(u32, Box<Request>),
    /// The client cancels the stream.
    Cancelled(u32),
}

impl Default for Server {
    fn default() -> Self {
        let mut out = Vec::new();
        write_frame(&mut out, kind::SETTINGS, 0, 0, &[]);
        Self {
            reader: Reader::of_client(),
            out,
            window: i64::from(WINDOW),
            initial: i64::from(WINDOW),
            windows: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }
}

impl Server {
    pub fn take_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    pub fn feed(&mut self, bytes: &Bytes) {
        self.reader.feed(bytes);
    }

    /// The client's next action; `None` if more bytes are needed.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub fn asked(&mut self) -> Result<Option<Asked>, String> {
        while let Some(event) = self.reader.event() {
            if let Some(asked) = self.event(event?)? {
                return Ok(Some(asked));
            }
        }
        Ok(None)
    }

    fn event(&mut self, event: Event) -> Result<Option<Asked>, String> {
        match event {
            Event::Fields { stream, fields, ends } => {
                self.asked.entry(stream).or_insert_with(|| (request(fields), Vec::new()));
                return Ok(self.whole(stream, ends));
            }
            Event::Data { stream, content, spent, ends } => {
                if let Some((_, body)) = self.asked.get_mut(&stream) {
                    body.extend_from_slice(&content);
                    if body.len() > BODY {
                        return Err(format!("a request of more than {} MiB", BODY >> 20));
                    }
                }
                for id in [0, stream].into_iter().filter(|_| spent > 0) {
                    let more = spent.to_be_bytes();
                    write_frame(&mut self.out, kind::WINDOW_UPDATE, 0, id, &more);
                }
                return Ok(self.whole(stream, ends));
            }
            Event::Reset { stream, .. } => {
                self.asked.remove(&stream);
                return Ok(Some(Asked::Cancelled(stream)));
            }
            Event::Settings(all) => {
                for (_, to) in all.iter().filter(|one| one.0 == settings::INITIAL_WINDOW_SIZE) {
                    let change = i64::from(*to) - self.initial;
                    self.initial = i64::from(*to);
                    self.windows.values_mut().for_each(|window| *window += change);
                }
                write_frame(&mut self.out, kind::SETTINGS, flag::ACK, 0, &[]);
            }
            Event::Ping(payload) => {
                write_frame(&mut self.out, kind::PING, flag::ACK, 0, &payload);
            }
            Event::WindowUpdate { stream: 0, by } => self.window += i64::from(by),
            Event::WindowUpdate { stream, by } => {
                if let Some(window) = self.windows.get_mut(&stream) {
                    *window += i64::from(by);
                }
            }
            Event::GoAway { .. } | Event::Other => {}
        }
        Ok(None)
    }

    fn whole(&mut self, stream: u32, ends: bool) -> Option<Asked> {
        if !ends {
            return None;
        }
        let (mut request, body) = self.asked.remove(&stream)?;
        request.body = body.into();
        self.windows.insert(stream, self.initial);
        Some(Asked::Request(stream, Box::new(request)))
    }

    pub fn is_blocked(&self, stream: u32) -> bool {
        self.windows.get(&stream).is_some_and(|window| *window <= 0)
    }

    /// Writes bytes that need not be frames.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Writes one frame of data, as long as the windows let it be; gives how much of it was
    /// written.
    pub fn data(&mut self, stream: u32, data: &[u8], ends: bool) -> usize {
        let own = self.windows.get(&stream).copied().unwrap_or(0);
        let room = usize::try_from(self.window.min(own)).unwrap_or(0).min(MAX_FRAME);
        if room == 0 && !data.is_empty() {
            return 0;
        }
        let sent = data.len().min(room);
        let flags = if ends && sent == data.len() { flag::END_STREAM } else { 0 };
        write_frame(&mut self.out, kind::DATA, flags, stream, &data[..sent]);
        let spent = i64::try_from(sent).unwrap_or(0);
        self.window -= spent;
        self.windows.entry(stream).and_modify(|window| *window -= spent);
        sent
    }
}

fn request(fields: Headers) -> Request {
    let first = |name: &str| fields.first(name).unwrap_or_default();
    let (method, url) = (first(":method"), first(":path"));
    let mut headers = fields;
    headers.0.retain(|header| !header.name.starts_with(':'));
    Request { method, url, version: Version::Http2, headers, body: Bytes::default() }
}

#[cfg(test)]
mod tests {
    use super::super::client::{Client, Over, Part};
    use super::super::{write_field, write_fields};
    use super::*;

    fn exchanged(client: &mut Client, server: &mut Server) -> Vec<Asked> {
        let sent = client.out().to_vec();
        client.wrote(sent.len());
        server.feed(&sent.into());
        let mut asked = Vec::new();
        while let Some(one) = server.asked().unwrap() {
            asked.push(one);
        }
        client.feed(&server.take_out().into());
        asked
    }

    #[test]
    fn client_and_server_understand_each_other() {
        let (mut client, mut server) = (Client::new(Some(10)), Server::default());
        let mut block = Vec::new();
        write_field(&mut block, b":method", b"POST");
        write_field(&mut block, b":path", b"/s");
        write_field(&mut block, b"accept", b"x");
        let id = client.ask(&block, vec![b'x'; 100_000].into(), true);
        assert_eq!(exchanged(&mut client, &mut server), [], "the body waits for windows");
        assert_eq!(client.part().unwrap(), None);
        let asked = exchanged(&mut client, &mut server);
        let [Asked::Request(stream, request)] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!((*stream, request.method.as_str(), request.url.as_str()), (id, "POST", "/s"));
        assert_eq!((request.headers.0.len(), request.body.len()), (1, 100_000));

        let mut block = Vec::new();
        write_field(&mut block, b":status", b"200");
        let mut head = Vec::new();
        write_fields(&mut head, id, false, &block);
        server.raw(&head);
        assert_eq!(server.data(id, b"0123456789ab", true), 10);
        assert!(server.is_blocked(id) && server.data(id, b"ab", true) == 0);
        exchanged(&mut client, &mut server);
        assert!(matches!(client.part().unwrap(), Some((_, Part::Head { status: 200, .. }))));
        assert!(matches!(client.part().unwrap(), Some((_, Part::Data { spent: 10, .. }))));
        client.read(id, 10);
        exchanged(&mut client, &mut server);
        assert_eq!(server.data(id, b"ab", true), 2);
        exchanged(&mut client, &mut server);
        assert!(matches!(client.part().unwrap(), Some((_, Part::Data { spent: 2, .. }))));
        assert_eq!(client.part().unwrap(), Some((id, Part::Over(Over::Complete))));
    }

    #[test]
    fn a_stream_that_is_cancelled_is_reported() {
        let (mut client, mut server) = (Client::new(None), Server::default());
        let mut block = Vec::new();
        write_field(&mut block, b":method", b"GET");
        let id = client.ask(&block, Bytes::default(), false);
        client.cancel(id);
        let asked = exchanged(&mut client, &mut server);
        assert!(matches!(asked[..], [Asked::Request(1, _), Asked::Cancelled(1)]), "{asked:?}");
    }
}
