//! The process groups that this program starts: each ends with it, whatever ends it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sseproof_files::Signal;
use tokio::process::{Child, Command};

/// A server with all processes that it has started; they are killed when this is dropped.
pub(crate) struct Group(i32);

static ALL: Mutex<Vec<i32>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<i32>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills all of them, before an end that drops nothing.
pub(crate) fn kill_all() {
    all().drain(..).for_each(|id| send(id, Signal::Kill));
}

/// Starts the command as the leader of a group of its own, so that Ctrl-C does not reach it.
pub(crate) fn spawn(command: &mut Command) -> std::io::Result<(Child, Option<Group>)> {
    #[cfg(unix)]
    command.process_group(0);
    let child = command.kill_on_drop(true).spawn()?;
    let id = child.id().filter(|_| cfg!(unix)).and_then(|id| i32::try_from(id).ok());
    all().extend(id);
    Ok((child, id.map(Group)))
}

impl Group {
    pub(crate) fn id(&self) -> i32 {
        self.0
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(self.0, signal);
    }

    #[cfg(unix)]
    pub(crate) fn is_there(&self) -> bool {
        rustix::process::Pid::from_raw(self.0)
            .is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
    }

    #[cfg(not(unix))]
    pub(crate) fn is_there(&self) -> bool {
        false
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::Kill);
        all().retain(|id| *id != self.0);
    }
}

#[cfg(unix)]
fn send(id: i32, signal: Signal) {
    if let Some(group) = rustix::process::Pid::from_raw(id) {
        // It may have ended already.
        let _ = rustix::process::kill_process_group(group, unix(signal));
    }
}

#[cfg(not(unix))]
fn send(_id: i32, _signal: Signal) {}

#[cfg(unix)]
pub(crate) fn unix(signal: Signal) -> rustix::process::Signal {
    match signal {
        Signal::Term => rustix::process::Signal::TERM,
        Signal::Int => rustix::process::Signal::INT,
        Signal::Quit => rustix::process::Signal::QUIT,
        Signal::Kill => rustix::process::Signal::KILL,
    }
}
