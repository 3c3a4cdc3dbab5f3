//! The output of a run while it goes on: how far it is, and each failure that is final.
//!
//! On a terminal it is one line, with the failures above it; elsewhere, as in the log of a CI job, a
//! line from time to time shows that the run is not stuck.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sseproof_record::Transcript;
use sseproof_report::{Judged, Progress, progress, terminal};
use tokio::task::JoinHandle;

use crate::screen;

/// How often the line is written on a terminal, and elsewhere.
const TERMINAL: Duration = Duration::from_secs(1);
const LOG: Duration = Duration::from_secs(10);
/// How often the record is judged: that must not take the run's time.
const JUDGE: Duration = Duration::from_secs(1);
/// A record with larger bodies is only judged at the end.
const LARGE: u64 = 1 << 20;

/// Returns the failures that are errors and that no later exchange changes, without secrets.
pub(super) type Failures<'f> = &'f (dyn Fn(&Transcript) -> Vec<Judged> + Sync);

pub(super) struct Live<'f> {
    line: Arc<Line>,
    writer: JoinHandle<()>,
    failures: Failures<'f>,
    judged: Option<Instant>,
    shown: BTreeSet<String>,
}

struct Line {
    progress: Mutex<Progress>,
    began: Instant,
}

impl<'f> Live<'f> {
    pub(super) fn new(total: usize, is_quiet: bool, failures: Failures<'f>) -> Self {
        let progress = Mutex::new(Progress { total, ..Progress::default() });
        let line = Arc::new(Line { progress, began: Instant::now() });
        let writer = tokio::spawn(write(Arc::clone(&line), is_quiet));
        Self { line, writer, failures, judged: None, shown: BTreeSet::new() }
    }

    pub(super) fn update(&self, update: impl FnOnce(&mut Progress)) {
        update(&mut self.line.lock());
        self.line.show(&[]);
    }

    /// Shows the new failures of the record so far.
    pub(super) fn kept(&mut self, transcript: &Transcript) {
        let is_early = self.judged.is_some_and(|judged| judged.elapsed() < JUDGE);
        let size: u64 = transcript.exchanges.iter().map(|exchange| exchange.body_len()).sum();
        if is_early || size > LARGE || !screen::shows_progress() {
            return;
        }
        let mut failures = (self.failures)(transcript);
        failures.retain(|failure| self.shown.insert(failure.rule.clone()));
        let width = screen::columns();
        let lines: Vec<_> =
            failures.iter().map(|failure| terminal::found(failure, width)).collect();
        self.line.show(&lines);
        self.judged = Some(Instant::now());
    }
}

/// The report takes the place of the line.
impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.writer.abort();
        screen::progress(&[], "");
    }
}

impl Line {
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

async fn write(line: Arc<Line>, is_quiet: bool) {
    let is_terminal = screen::shows_progress();
    loop {
        tokio::time::sleep(if is_terminal { TERMINAL } else { LOG }).await;
        match is_terminal {
            true => line.show(&[]),
            false if is_quiet => return,
            false => screen::say(line.text(screen::columns())),
        }
    }
}
