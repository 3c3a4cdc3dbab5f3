//! Writes the steps of a response to a connection.
//!
//! The lab server writes its own framing, because a mutant must be able to break it.

use std::future::pending;
use std::io;

use sseproof_http::{After, Script, Step, Then};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::{Lab, Socket};

pub(crate) trait Stage {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    async fn body(&mut self, bytes: &[u8], ends: bool) -> io::Result<()>;

    /// Waits; an error if the client disconnects in the meantime.
    async fn until<T>(&mut self, due: impl Future<Output = T>) -> io::Result<T>;
}

/// Plays the script to its end; an error if the client disconnects.
pub(crate) async fn play(
    mut script: Script,
    stage: &mut impl Stage,
    lab: &Lab,
) -> io::Result<Then> {
    while let Some(step) = script.next() {
        match step {
            Step::Send(bytes) => stage.send(&bytes).await?,
            Step::Body { bytes, ends } => stage.body(&bytes, ends).await?,
            Step::Wait(time) => stage.until(sleep(time)).await?,
            Step::Hold => stage.until(pending()).await?,
            Step::Follow { topic, after } => {
                let after = match after {
                    // A position after the last entry means: what is published from now on.
                    After::Entries(entries) => entries.min(lab.latest(&topic)),
                    After::Exactly(entries) => entries,
                    After::Line(line) => lab.entry_with(&topic, &line),
                };
                follow(&mut script, stage, lab, &topic, after).await?;
            }
            Step::Publish { topic, bytes } => lab.publish(&topic, bytes),
            Step::Restart { forget } => lab.restart(forget),
            Step::End(then) => return Ok(then),
        }
    }
    Ok(Then::Close)
}

async fn follow(
    script: &mut Script,
    stage: &mut impl Stage,
    lab: &Lab,
    topic: &str,
    mut position: u64,
) -> io::Result<()> {
    let mut bell = lab.bell();
    loop {
        bell.mark_unchanged();
        for (number, entry) in lab.published(topic, position) {
            stage.body(&script.entry(number, &entry), false).await?;
            position = number;
        }
        if stage.until(bell.changed()).await?.is_err() {
            return Ok(());
        }
    }
}

pub(crate) struct Connection<'a> {
    pub(crate) socket: &'a mut Box<dyn Socket>,
    /// The bytes from the client during the response: the beginning of its next request.
    pub(crate) rest: &'a mut Vec<u8>,
}

impl Stage for Connection<'_> {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.socket.flush().await
    }

    async fn body(&mut self, bytes: &[u8], _ends: bool) -> io::Result<()> {
        self.send(bytes).await
    }

    async fn until<T>(&mut self, due: impl Future<Output = T>) -> io::Result<T> {
        tokio::select! {
            biased;
            left = self.left() => Err(left),
            value = due => Ok(value),
        }
    }
}

impl Connection<'_> {
    /// Reads until the client disconnects; the bytes that it sends until then are kept.
    async fn left(&mut self) -> io::Error {
        loop {
            // A client that sends without end is cut off at the limit of the next request.
            if self.rest.len() > 1 << 20 {
                return io::ErrorKind::InvalidData.into();
            }
            match self.socket.read_buf(self.rest).await {
                Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }
}
