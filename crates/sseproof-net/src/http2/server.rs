//! HTTP/2 as the lab server speaks it: each stream plays its own plan.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sseproof_http::http2::{Asked, Server, kind};
use sseproof_http::{Action, Request, Script, Then};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, split};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::lab::{Beside, ServedEnd, is_restart};
use crate::player::{Stage, play};
use crate::{Lab, Socket};

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
pub(crate) async fn serve(lab: Lab, socket: Box<dyn Socket>, begun: Vec<u8>, secure: bool) {
    let wire = Wire { state: Arc::default(), bell: watch::Sender::new(()) };
    let (mut reader, mut writer) = split(socket);
    let mut cut = lab.cuts();
    let mut connection = Connection {
        lab,
        secure,
        wire: wire.clone(),
        players: BTreeMap::new(),
        playing: JoinSet::new(),
        cancelled: 0,
    };
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
            () = connection.lab.crowded(), if connection.is_idle() => return,
            Ok(()) = cut.changed(), if connection.is_idle() => return,
        }
    }
}

struct Connection {
    lab: Lab,
    secure: bool,
    wire: Wire,
    players: BTreeMap<u32, AbortHandle>,
    playing: JoinSet<()>,
    cancelled: usize,
}

impl Connection {
    fn is_idle(&self) -> bool {
        self.players.values().all(AbortHandle::is_finished)
    }

    /// An error if a client breaks the protocol.
    fn heard(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        self.wire.change(|state| state.server.feed(&bytes.into()));
        while let Some(asked) = self.wire.change(|state| state.server.asked())? {
            match asked {
                Asked::Request(id, request) => self.begin(id, *request),
                Asked::Cancelled(id) => {
                    self.cancelled += 1;
                    self.players.remove(&id).iter().for_each(AbortHandle::abort);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, id: u32, request: Request) {
        self.players.retain(|_, player| !player.is_finished());
        let beside = self.beside();
        let (lab, wire, secure) = (self.lab.clone(), self.wire.clone(), self.secure);
        let player = self.playing.spawn(async move {
            let (plan, mut playing) = lab.plan(&request, secure, beside);
            let restarts = is_restart(&plan);
            let resets = plan
                .actions
                .iter()
                .any(|action| matches!(action, Action::Frame { kind: kind::RST_STREAM, .. }));
            let mut restarted = lab.restarts();
            let script = Script::http2(plan, &request, id);
            let mut stage = Stream { id, wire };
            let played = tokio::select! {
                played = play(script, &mut stage, &lab) => played,
                Ok(()) = restarted.changed(), if !restarts => Ok(Then::Close),
            };
            playing.ends(match &played {
                Ok(_) if resets => ServedEnd::Reset,
                played => ServedEnd::from(played),
            });
            match played {
                Ok(Then::KeepAlive) | Err(_) => {}
                Ok(ends) => stage.wire.change(|state| state.over = Some(ends == Then::Reset)),
            }
        });
        self.players.insert(id, player);
    }

    fn beside(&self) -> Beside {
        let state = self.wire.state();
        let blocked = self.players.keys().filter(|id| state.server.is_blocked(**id)).count();
        Beside { streams: self.players.len(), blocked, cancelled: self.cancelled }
    }
}

struct Stream {
    id: u32,
    wire: Wire,
}

/// A client that resets its stream ends the task that plays on it.
impl Stage for Stream {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.change(|state| state.server.raw(bytes));
        Ok(())
    }

    /// As far as the windows let it through.
    async fn body(&mut self, bytes: &[u8], ends: bool) -> io::Result<()> {
        let mut bell = self.wire.bell.subscribe();
        let mut rest = bytes;
        while !rest.is_empty() || ends {
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
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(())
    }

    async fn until<T>(&mut self, due: impl Future<Output = T>) -> io::Result<T> {
        Ok(due.await)
    }
}
