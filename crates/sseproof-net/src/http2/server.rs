//! HTTP/2 as the lab server speaks it: each stream plays its own plan.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sseproof_record::http2::{Asked, Server, kind, write_field};
use sseproof_record::{Action, Framing, Headers, Plan, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, split};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use crate::lab::Beside;
use crate::player::id_line;
use crate::{Lab, Socket};

/// The error code of a server that gave up on a response.
const INTERNAL_ERROR: u32 = 2;

/// What the streams of a connection share.
#[derive(Clone)]
struct Wire {
    state: Arc<Mutex<State>>,
    /// Rings when there is something to send, and when a window was enlarged.
    bell: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    server: Server,
    /// How the connection ends, once a plan has said so: whether by a reset.
    over: Option<bool>,
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.bell.send_replace(());
        changed
    }
}

/// Serves a connection that begins with these bytes, the preface among them.
pub(crate) async fn serve(lab: Lab, socket: Box<dyn Socket>, begun: Vec<u8>) {
    let wire = Wire { state: Arc::default(), bell: watch::Sender::new(()) };
    let (mut reader, mut writer) = split(socket);
    let mut connection =
        Connection { lab, wire: wire.clone(), players: BTreeMap::new(), playing: JoinSet::new() };
    let mut came = begun;
    let mut bell = wire.bell.subscribe();
    loop {
        if !came.is_empty() && connection.heard(std::mem::take(&mut came)).is_err() {
            return;
        }
        bell.mark_unchanged();
        let (out, over) = {
            let mut state = wire.state();
            (state.server.take_out(), state.over)
        };
        let written = async {
            writer.write_all(&out).await?;
            writer.flush().await
        };
        if written.await.is_err() {
            return;
        }
        if let Some(resets) = over {
            if resets {
                reader.unsplit(writer).reset();
            }
            return;
        }
        tokio::select! {
            biased;
            _ = bell.changed() => {}
            read = reader.read_buf(&mut came) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
        }
    }
}

struct Connection {
    lab: Lab,
    wire: Wire,
    players: BTreeMap<u32, AbortHandle>,
    playing: JoinSet<()>,
}

impl Connection {
    /// An error where a client is wrong.
    fn heard(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        self.wire.change(|state| state.server.feed(&bytes.into()));
        while let Some(asked) = self.wire.change(|state| state.server.asked())? {
            match asked {
                Asked::Request(id, request) => self.begin(id, *request),
                Asked::Cancelled(id) => {
                    self.players.remove(&id).iter().for_each(AbortHandle::abort);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, id: u32, request: Request) {
        self.players.retain(|_, player| !player.is_finished());
        let beside = self.beside();
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
        let blocked = self.players.keys().filter(|id| state.server.is_blocked(**id)).count();
        Beside { streams: self.players.len(), blocked }
    }
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
                    self.wire.change(|state| state.server.raw(&bytes));
                }
                Action::Frame { kind, flags, payload } => {
                    self.flush(false).await;
                    let id = self.id;
                    self.wire.change(|state| state.server.frame(kind, flags, id, &payload));
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
            self.wire.change(|state| state.server.frame(kind::RST_STREAM, 0, id, &code));
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
        self.wire.change(|state| state.server.fields(id, over, &block));
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
            let sent = self.wire.state().server.data(self.id, rest, ends);
            // Not rung where nothing was sent: this would wake itself.
            if sent > 0 || rest.is_empty() {
                self.wire.bell.send_replace(());
            }
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
