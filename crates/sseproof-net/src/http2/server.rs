//! HTTP/2 as the lab server speaks it: each stream plays its own plan.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sseproof_record::http2::{
    Fields, Frame, MAX_FRAME, PREFACE, WINDOW, flag, kind, write_field, write_fields, write_frame,
};
use sseproof_record::{Action, Bytes, Framing, Headers, Plan, Request, Version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, split};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::lab::Beside;
use crate::player::id_line;
use crate::{Lab, Socket};

/// The number of the setting for the window of a new stream.
const INITIAL_WINDOW_SIZE: u16 = 4;
/// The error code of a server that gave up on a response.
const INTERNAL_ERROR: u32 = 2;
/// The most bytes of a request that is still to become whole.
const UNREAD: usize = 16 << 20;

/// What the streams of a connection share.
#[derive(Clone)]
struct Wire {
    state: Arc<Mutex<State>>,
    /// Rings when there is something to send, and when a window was enlarged.
    bell: watch::Sender<()>,
}

struct State {
    out: Vec<u8>,
    window: i64,
    initial: i64,
    windows: BTreeMap<u32, i64>,
    /// How the connection ends, once a plan has said so: whether by a reset.
    over: Option<bool>,
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.bell.send_replace(());
    }
}

/// Serves a connection that begins with these bytes, the preface among them.
pub(crate) async fn serve(lab: Lab, socket: Box<dyn Socket>, begun: Vec<u8>) {
    let wire = Wire {
        state: Arc::new(Mutex::new(State {
            out: Vec::new(),
            window: i64::from(WINDOW),
            initial: i64::from(WINDOW),
            windows: BTreeMap::new(),
            over: None,
        })),
        bell: watch::Sender::new(()),
    };
    wire.change(|state| write_frame(&mut state.out, kind::SETTINGS, 0, 0, &[]));
    let (mut reader, mut writer) = split(socket);
    let mut connection = Connection {
        lab,
        wire: wire.clone(),
        fields: Fields::default(),
        asked: BTreeMap::new(),
        block: Vec::new(),
        players: BTreeMap::new(),
        playing: JoinSet::new(),
    };
    let mut unread = begun;
    let mut bell = wire.bell.subscribe();
    loop {
        connection.heard(&mut unread);
        let out = std::mem::take(&mut wire.state().out);
        let written = async {
            writer.write_all(&out).await?;
            writer.flush().await
        };
        if written.await.is_err() || unread.len() > UNREAD {
            return;
        }
        if let Some(resets) = wire.state().over {
            if resets {
                reader.unsplit(writer).reset();
            }
            return;
        }
        tokio::select! {
            biased;
            _ = bell.changed() => {}
            read = reader.read_buf(&mut unread) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
        }
    }
}

struct Connection {
    lab: Lab,
    wire: Wire,
    fields: Fields,
    /// Requests whose body is still to come, with what of it came.
    asked: BTreeMap<u32, (Request, Vec<u8>)>,
    block: Vec<u8>,
    players: BTreeMap<u32, tokio::task::AbortHandle>,
    playing: JoinSet<()>,
}

impl Connection {
    /// Takes the whole frames off what is unread.
    fn heard(&mut self, unread: &mut Vec<u8>) {
        if unread.starts_with(PREFACE) {
            unread.drain(..PREFACE.len());
        }
        let mut at = 0;
        while let Some(frame) = Frame::read(&unread[at..]) {
            at += frame.length();
            self.frame(&frame);
        }
        unread.drain(..at);
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        match frame.kind {
            kind::HEADERS | kind::CONTINUATION => {
                self.block.extend_from_slice(frame.content().unwrap_or_default());
                if frame.kind == kind::HEADERS {
                    self.asked.insert(frame.stream, (Request::subscribe(""), Vec::new()));
                }
                if frame.has(flag::END_HEADERS) {
                    let block = std::mem::take(&mut self.block);
                    let Ok(fields) = self.fields.read(&block) else { return };
                    self.asked.insert(frame.stream, (request(fields), Vec::new()));
                }
            }
            kind::DATA => {
                if let Some((_, body)) = self.asked.get_mut(&frame.stream) {
                    body.extend_from_slice(frame.content().unwrap_or_default());
                }
                let spent = u32::try_from(frame.payload.len()).unwrap_or(0);
                if spent > 0 {
                    self.wire.change(|state| {
                        for id in [0, frame.stream] {
                            let more = spent.to_be_bytes();
                            write_frame(&mut state.out, kind::WINDOW_UPDATE, 0, id, &more);
                        }
                    });
                }
            }
            kind::RST_STREAM => {
                self.asked.remove(&frame.stream);
                if let Some(player) = self.players.remove(&frame.stream) {
                    player.abort();
                }
            }
            kind::SETTINGS if !frame.has(flag::ACK) => self.wire.change(|state| {
                for (_, to) in frame.settings().filter(|(which, _)| *which == INITIAL_WINDOW_SIZE) {
                    let change = i64::from(to) - state.initial;
                    state.initial = i64::from(to);
                    state.windows.values_mut().for_each(|window| *window += change);
                }
                write_frame(&mut state.out, kind::SETTINGS, flag::ACK, 0, &[]);
            }),
            kind::PING if !frame.has(flag::ACK) => self.wire.change(|state| {
                write_frame(&mut state.out, kind::PING, flag::ACK, 0, frame.payload);
            }),
            kind::WINDOW_UPDATE => self.wire.change(|state| {
                let more = i64::from(frame.number(0).unwrap_or(0));
                match state.windows.get_mut(&frame.stream) {
                    _ if frame.stream == 0 => state.window += more,
                    Some(window) => *window += more,
                    None => {}
                }
            }),
            _ => {}
        }
        if frame.ends_stream() {
            self.begin(frame.stream);
        }
    }

    fn begin(&mut self, id: u32) {
        let Some((mut request, body)) = self.asked.remove(&id) else { return };
        request.body = body.into();
        self.players.retain(|_, player| !player.is_finished());
        let beside = self.beside();
        self.wire.change(|state| {
            let initial = state.initial;
            state.windows.insert(id, initial);
        });
        let (lab, wire) = (self.lab.clone(), self.wire.clone());
        let player = self.playing.spawn(async move {
            let (plan, _playing) = lab.plan(&request, beside);
            let is_head = request.method == "HEAD";
            let player = Player { id, wire, written: Vec::new(), is_head, over: false };
            player.play(plan, &lab).await;
        });
        self.players.insert(id, player);
    }

    fn beside(&self) -> Beside {
        let state = self.wire.state();
        let is_blocked = |id: &&u32| state.windows.get(id).is_some_and(|window| *window <= 0);
        let blocked = self.players.keys().filter(is_blocked).count();
        Beside { streams: self.players.len(), blocked }
    }
}

fn request(fields: Headers) -> Request {
    let first = |name: &str| fields.first(name).unwrap_or_default();
    let (method, url) = (first(":method"), first(":path"));
    let mut headers = fields.clone();
    headers.0.retain(|header| !header.name.starts_with(':'));
    Request { method, url, version: Version::Http2, headers, body: Bytes::default() }
}

/// The answer on one stream.
struct Player {
    id: u32,
    wire: Wire,
    written: Vec<u8>,
    is_head: bool,
    /// Whether the stream is over.
    over: bool,
}

impl Player {
    async fn play(mut self, plan: Plan, lab: &Lab) {
        let mut framing = Framing::None;
        for action in plan.actions {
            match action {
                Action::Head { status, headers, framing: chosen } => {
                    framing = chosen;
                    self.head(status, &headers, framing);
                }
                Action::Write(bytes) => self.written.extend_from_slice(&bytes),
                Action::Flush => self.flush(false).await,
                Action::Wait(time) => {
                    self.flush(false).await;
                    sleep(time).await;
                }
                Action::Raw(bytes) => {
                    self.wire.change(|state| state.out.extend_from_slice(&bytes));
                }
                Action::Frame { kind, flags, payload } => {
                    self.flush(false).await;
                    let id = self.id;
                    self.wire
                        .change(|state| write_frame(&mut state.out, kind, flags, id, &payload));
                    self.over |= kind == kind::RST_STREAM;
                }
                Action::Finish => self.flush(true).await,
                Action::Close | Action::Reset => {
                    self.flush(false).await;
                    let resets = action == Action::Reset;
                    self.wire.change(|state| state.over = Some(resets));
                    return;
                }
                Action::Hold => {
                    self.flush(false).await;
                    pending::<()>().await;
                }
                Action::Follow { topic, after } => self.follow(lab, &topic, after).await,
                Action::FollowBehind { topic, line } => {
                    self.follow(lab, &topic, lab.behind(&topic, &line)).await;
                }
                Action::Publish { topic, bytes } => lab.publish(&topic, bytes),
                Action::Restart { forget } => lab.restart(forget),
                // Over HTTP/2 nothing outlives its client.
                Action::Outlive { .. } => {}
            }
        }
        // A body of unknown length that nobody finished is a response that was given up.
        self.flush(framing != Framing::Chunked).await;
        if !self.over {
            let (id, code) = (self.id, INTERNAL_ERROR.to_be_bytes());
            self.wire.change(|state| write_frame(&mut state.out, kind::RST_STREAM, 0, id, &code));
        }
    }

    /// Names in lower case, as HTTP/2 demands; otherwise what the plan says, forbidden or not.
    fn head(&mut self, status: u16, headers: &Headers, framing: Framing) {
        let mut block = Vec::new();
        write_field(&mut block, b":status", status.to_string().as_bytes());
        for header in &headers.0 {
            write_field(&mut block, header.name.to_ascii_lowercase().as_bytes(), &header.value);
        }
        if let Framing::Length(length) = framing {
            write_field(&mut block, b"content-length", length.to_string().as_bytes());
        }
        self.over = self.is_head || framing == Framing::None;
        let (id, over) = (self.id, self.over);
        self.wire.change(|state| write_fields(&mut state.out, id, over, &block));
    }

    /// Sends what was written, as far as the windows let it through, and the end.
    async fn flush(&mut self, ends: bool) {
        let written = std::mem::take(&mut self.written);
        if self.over || (written.is_empty() && !ends) {
            return;
        }
        let mut bell = self.wire.bell.subscribe();
        let mut rest = written.as_slice();
        loop {
            bell.mark_unchanged();
            let sent = self.piece(rest, ends);
            rest = &rest[sent..];
            if rest.is_empty() {
                break;
            }
            if sent == 0 && bell.changed().await.is_err() {
                return;
            }
        }
        self.over |= ends;
    }

    fn piece(&self, rest: &[u8], ends: bool) -> usize {
        let mut sent = 0;
        let mut state = self.wire.state();
        let stream = state.windows.get(&self.id).copied().unwrap_or(0);
        let room = usize::try_from(state.window.min(stream)).unwrap_or(0).min(MAX_FRAME);
        if room > 0 || rest.is_empty() {
            sent = rest.len().min(room);
            let flags = if ends && sent == rest.len() { flag::END_STREAM } else { 0 };
            write_frame(&mut state.out, kind::DATA, flags, self.id, &rest[..sent]);
            let spent = i64::try_from(sent).unwrap_or(0);
            state.window -= spent;
            if let Some(window) = state.windows.get_mut(&self.id) {
                *window -= spent;
            }
        }
        drop(state);
        if sent > 0 || rest.is_empty() {
            self.wire.bell.send_replace(());
        }
        sent
    }

    async fn follow(&mut self, lab: &Lab, topic: &str, after: u64) {
        let mut bell = lab.bell();
        // A position that is still to come means: what is published from now on.
        let mut position = after.min(lab.latest(topic));
        loop {
            bell.mark_unchanged();
            for (number, bytes) in lab.published(topic, position) {
                self.written.extend(id_line(number, &bytes));
                self.written.extend_from_slice(&bytes);
                self.flush(false).await;
                position = number;
            }
            if bell.changed().await.is_err() {
                return;
            }
        }
    }
}
