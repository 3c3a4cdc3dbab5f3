//! The line with the progress of a run.
//!
//! On a terminal it is one line, with failures above it; elsewhere, as in the log of a CI job, a line
//! from time to time shows that the run is not stuck.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sseproof_report::{Progress, progress};
use tokio::task::JoinHandle;

use crate::screen;

/// How often the line is written on a terminal, and elsewhere.
const TERMINAL: Duration = Duration::from_secs(1);
const LOG: Duration = Duration::from_secs(10);

/// The line, until it is dropped: the report takes its place.
pub(crate) struct Line {
    state: Arc<State>,
    writer: JoinHandle<()>,
}

struct State {
    progress: Mutex<Progress>,
    began: Instant,
}

impl Line {
    pub(crate) fn new(total: usize, is_quiet: bool) -> Self {
        let progress = Mutex::new(Progress { total, ..Progress::default() });
        let state = Arc::new(State { progress, began: Instant::now() });
        let writer = tokio::spawn(write(Arc::clone(&state), is_quiet));
        Self { state, writer }
    }

    pub(crate) fn update(&self, update: impl FnOnce(&mut Progress)) {
        update(&mut self.state.lock());
        self.show(&[]);
    }

    /// Shows the line with these lines above it, on a terminal.
    pub(crate) fn show(&self, above: &[String]) {
        self.state.show(above);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.writer.abort();
        screen::progress(&[], "");
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, width: usize) -> String {
        let state = Progress { elapsed: self.began.elapsed(), ..self.lock().clone() };
        progress(&state, width)
    }

    fn show(&self, above: &[String]) {
        if screen::shows_progress() {
            screen::progress(above, &self.text(screen::columns()));
        }
    }
}

async fn write(state: Arc<State>, is_quiet: bool) {
    let is_terminal = screen::shows_progress();
    loop {
        tokio::time::sleep(if is_terminal { TERMINAL } else { LOG }).await;
        match is_terminal {
            true => state.show(&[]),
            false if is_quiet => return,
            false => screen::say(state.text(screen::columns())),
        }
    }
}
