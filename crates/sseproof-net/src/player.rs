//! Plays a plan onto a connection.

use std::io;
use std::time::Duration;

use sseproof_record::{Action, Framing, Headers, Plan, Request, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::{Lab, Socket};

/// What becomes of the connection behind an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It waits for the next request.
    KeepAlive,
    /// It is closed (FIN).
    Close,
    /// It is reset (RST).
    Reset,
}

/// The answer under way.
struct Player<'a> {
    socket: &'a mut Box<dyn Socket>,
    /// What the client sends while the answer is played: the beginning of its next request.
    rest: &'a mut Vec<u8>,
    written: Vec<u8>,
    framing: Framing,
    is_head: bool,
}

/// Plays the plan; an error where the client has left.
pub(crate) async fn play(
    plan: Plan,
    request: &Request,
    socket: &mut Box<dyn Socket>,
    rest: &mut Vec<u8>,
    lab: &Lab,
) -> io::Result<Then> {
    let wants_close = request.headers.list("connection").iter().any(|option| option == "close");
    let mut then = match request.version {
        Version::Http11 if !wants_close => Then::KeepAlive,
        _ => Then::Close,
    };
    let mut player = Player {
        socket,
        rest,
        written: Vec::new(),
        framing: Framing::None,
        is_head: request.method == "HEAD",
    };
    let mut finished = false;
    for action in plan.actions {
        match action {
            Action::Head { status, headers, framing } => {
                if framing == Framing::Close {
                    then = Then::Close;
                }
                player.head(status, headers, framing, then).await?;
            }
            Action::Write(bytes) => player.written.extend_from_slice(&bytes),
            Action::Flush => player.flush().await?,
            Action::Wait(time) => {
                player.flush().await?;
                player.wait(time).await?;
            }
            Action::Frame { .. } => player.flush().await?,
            Action::Raw(bytes) => player.raw(&bytes).await?,
            Action::Finish => {
                player.finish().await?;
                finished = true;
            }
            Action::Close => {
                player.flush().await?;
                return Ok(Then::Close);
            }
            Action::Reset => {
                player.flush().await?;
                return Ok(Then::Reset);
            }
            Action::Hold => {
                player.flush().await?;
                player.until_left().await?;
            }
            Action::Follow { topic, after } => player.follow(lab, &topic, after).await?,
            Action::FollowBehind { topic, line } => {
                player.follow(lab, &topic, lab.behind(&topic, &line)).await?;
            }
            Action::Publish { topic, bytes } => lab.publish(&topic, bytes),
            Action::Restart { forget } => lab.restart(forget),
            // The lab itself looks at what outlives a client.
            Action::Outlive { .. } => {}
        }
    }
    player.flush().await?;
    // Chunks without a last one can only be ended by the end of the connection.
    let open_ended = player.framing == Framing::Chunked && !finished && !player.is_head;
    Ok(if open_ended { Then::Close } else { then })
}

impl Player<'_> {
    async fn head(
        &mut self,
        status: u16,
        mut headers: Headers,
        framing: Framing,
        then: Then,
    ) -> io::Result<()> {
        self.framing = framing;
        match framing {
            Framing::Chunked => headers.add("Transfer-Encoding", "chunked"),
            Framing::Length(length) => headers.add("Content-Length", length.to_string()),
            Framing::Close | Framing::None => {}
        }
        if then == Then::Close && !headers.has("connection") {
            headers.add("Connection", "close");
        }
        let reason = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or_default();
        let mut head = format!("HTTP/1.1 {status} {reason}\r\n").into_bytes();
        for header in &headers.0 {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(&header.value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        self.raw(&head).await
    }

    async fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.socket.flush().await
    }

    /// Sends what was written as one chunk; the body of an answer to HEAD is swallowed.
    async fn flush(&mut self) -> io::Result<()> {
        let written = std::mem::take(&mut self.written);
        if written.is_empty() || self.is_head {
            return Ok(());
        }
        if self.framing != Framing::Chunked {
            return self.raw(&written).await;
        }
        let mut chunk = format!("{:x}\r\n", written.len()).into_bytes();
        chunk.extend_from_slice(&written);
        chunk.extend_from_slice(b"\r\n");
        self.raw(&chunk).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.flush().await?;
        if self.framing == Framing::Chunked && !self.is_head {
            self.raw(b"0\r\n\r\n").await?;
        }
        Ok(())
    }

    /// Waits; an error where the client leaves in the meantime.
    async fn wait(&mut self, time: Duration) -> io::Result<()> {
        tokio::select! {
            biased;
            left = until_left(self.socket, self.rest) => Err(left),
            () = sleep(time) => Ok(()),
        }
    }

    async fn until_left(&mut self) -> io::Result<()> {
        Err(until_left(self.socket, self.rest).await)
    }

    async fn follow(&mut self, lab: &Lab, topic: &str, after: u64) -> io::Result<()> {
        let mut bell = lab.bell();
        // A position that is still to come means: what is published from now on.
        let mut position = after.min(lab.latest(topic));
        loop {
            bell.mark_unchanged();
            for (number, bytes) in lab.published(topic, position) {
                self.written.extend(id_line(number, &bytes));
                self.written.extend_from_slice(&bytes);
                self.flush().await?;
                position = number;
            }
            tokio::select! {
                biased;
                left = until_left(self.socket, self.rest) => return Err(left),
                // The sender lives in the lab, which outlives this call.
                _ = bell.changed() => {}
            }
        }
    }
}

/// The line with the id of an entry; nothing where the entry has one by itself.
pub(crate) fn id_line(number: u64, entry: &[u8]) -> Vec<u8> {
    let has_id = entry.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"id:"));
    if has_id { Vec::new() } else { format!("id: {number}\n").into_bytes() }
}

/// Reads on until the client has left; what it sends until then is kept.
async fn until_left(socket: &mut Box<dyn Socket>, rest: &mut Vec<u8>) -> io::Error {
    loop {
        // A client that sends without end is cut off where the next request would be refused.
        if rest.len() > 1 << 20 {
            return io::ErrorKind::InvalidData.into();
        }
        match socket.read_buf(rest).await {
            Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}
