//! Plays the cases: first a plain stream, then one that shows the pace of the client, then the
//! others side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::pin::{Pin, pin};
use std::time::Duration;

use sseproof_client_rules::{
    Can, Case, CaseEnd, CaseRecord, ClientProfile, ClientRecord, Command, Do, Hello, Kind, Pace,
    View, What, judge,
};
use sseproof_rules::{Finding, Level, Status};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::running::{Adapted, Running, Served};
use crate::{Carrier, Ground, Notice, Place, StartError};

/// How often a client that ended is started again.
pub const RESTARTS: usize = 20;
/// How many cases are played a second time.
const DOUBTFUL: usize = 40;

#[derive(Clone, Copy)]
pub struct Options {
    /// How many cases are played at the same time.
    pub at_once: usize,
    /// Whether the cases with long waits are played, too.
    pub idle: bool,
    /// The protocol on top of the streams, for a client that understands nothing else.
    pub profile: Option<&'static ClientProfile>,
}

impl Default for Options {
    fn default() -> Self {
        Self { at_once: 16, idle: false, profile: None }
    }
}

/// The progress of a run.
pub enum Progress<'a> {
    Client(&'a Hello),
    Begins {
        case: &'a Case,
    },
    /// A case is over, the `done`th of `all`.
    Ends {
        case: &'a CaseRecord,
        done: usize,
        all: usize,
    },
}

/// Why nothing can be said of a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    #[error("{error}")]
    Start { error: StartError, stderr: String },
    /// The first case failed, which every client can do.
    #[error("the adapter does not work: {why}")]
    Plain { why: String, stderr: String },
    #[error("no server can listen: {0}")]
    Ground(String),
}

/// The case that every client can do, and the one that shows its pace.
pub const FIRST: [&str; 2] = ["plain", "end"];
/// The case that shows the pace of a client that reconnects after a cut only.
const CUT: &str = "cut-chunked";

/// Plays the cases, until `cancel` says why not to go on.
///
/// # Errors
/// [`Broken`] if the client cannot be started, or cannot read a plain stream.
pub async fn play(
    cases: &[&'static Case],
    carrier: &mut dyn Carrier,
    ground: &dyn Ground,
    options: &Options,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
    cancel: impl Future<Output = String> + Send,
) -> Result<ClientRecord, Broken> {
    let played = play_all(cases, carrier, ground, options, progress, pin!(cancel)).await;
    carrier.stop().await;
    played
}

async fn play_all(
    cases: &[&'static Case],
    carrier: &mut dyn Carrier,
    ground: &dyn Ground,
    options: &Options,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
    cancel: Pin<&mut (dyn Future<Output = String> + Send)>,
) -> Result<ClientRecord, Broken> {
    let (said, hears) = unbounded_channel();
    let (served, serves) = unbounded_channel();
    let started = carrier.start(said.clone()).await;
    let client = started.map_err(|error| Broken::Start { error, stderr: carrier.stderr() })?;
    progress(Progress::Client(&client));
    let mut run = Run {
        carrier,
        ground,
        client,
        pace: Pace::default(),
        began: Instant::now(),
        next_id: 1,
        said,
        hears,
        served,
        serves,
        running: BTreeMap::new(),
        kept: Vec::new(),
        of_id: HashMap::new(),
        done: HashMap::new(),
        progress,
        all: cases.len(),
        restarts: 0,
        profile: options.profile,
        again: VecDeque::new(),
        cancel,
        cut: None,
    };
    let asked: Vec<&'static Case> = run.asked(cases, options);
    for id in FIRST {
        let Some(case) = asked.iter().find(|case| case.id == id) else { continue };
        run.side_by_side(vec![case], 1).await?;
        run.learn(id)?;
    }
    let by_cut = sseproof_client_rules::cases().find(|case| case.id == CUT);
    if let Some(case) = by_cut.filter(|_| run.client.needs_cuts()) {
        run.side_by_side(vec![case], 1).await?;
        run.learn(CUT)?;
    }
    let (alone, beside): (Vec<_>, Vec<_>) =
        asked.iter().filter(|case| !run.done.contains_key(case.id)).partition(|case| case.alone);
    run.side_by_side(beside, options.at_once).await?;
    let again: Vec<_> = run.again.drain(..).collect();
    let doubtful = run.doubtful();
    // Each in a process of its own: a client that is still busy with one would be late in the next.
    for case in again.into_iter().chain(doubtful).chain(alone) {
        if run.cut.is_none() && run.carrier.starts_anew() {
            run.restart("").await;
        }
        run.side_by_side(vec![case], 1).await?;
    }
    let Run { client, pace, mut done, cut, .. } = run;
    let cases = cases.iter().filter_map(|case| done.remove(case.id)).collect();
    Ok(ClientRecord { client, pace, cut, cases })
}

struct Run<'r> {
    carrier: &'r mut dyn Carrier,
    ground: &'r dyn Ground,
    client: Hello,
    pace: Pace,
    began: Instant,
    next_id: u64,
    said: UnboundedSender<Notice>,
    hears: UnboundedReceiver<Notice>,
    served: UnboundedSender<Served>,
    serves: UnboundedReceiver<Served>,
    running: BTreeMap<usize, Running>,
    /// The servers of cases that are over, for a client that does not disconnect, or goes on to
    /// reconnect: a port that is free could become the port of a later case.
    kept: Vec<Box<dyn Place>>,
    of_id: HashMap<u64, usize>,
    done: HashMap<&'static str, CaseRecord>,
    progress: &'r mut (dyn FnMut(Progress<'_>) + Send),
    all: usize,
    restarts: usize,
    profile: Option<&'static ClientProfile>,
    /// The cases during which the client died beside others.
    again: VecDeque<&'static Case>,
    cancel: Pin<&'r mut (dyn Future<Output = String> + Send)>,
    /// Why the run ended early.
    cut: Option<String>,
}

impl Run<'_> {
    /// The cases that this client is asked for; the others are done, with the reason.
    fn asked(&mut self, cases: &[&'static Case], options: &Options) -> Vec<&'static Case> {
        let mut asked = Vec::new();
        for case in cases {
            match self.refusal(case, options) {
                None => asked.push(*case),
                Some(why) => self.end(case, Vec::new(), CaseEnd::NotPlayed(why)),
            }
        }
        asked
    }

    fn refusal(&self, case: &Case, options: &Options) -> Option<String> {
        let kind = self.client.kind;
        if !case.kinds.is_empty() && !case.kinds.contains(&kind) {
            return Some(match kind {
                Kind::Eventsource => "only asked of clients that read one response".to_owned(),
                Kind::Resilient => "the client has a policy of its own here".to_owned(),
                Kind::Reader => "the client reads one response and does not reconnect".to_owned(),
            });
        }
        if let Some(lacks) = case.needs.iter().find(|can| !self.client.can.contains(can)) {
            return Some(format!("the adapter has no `{}`", lacks.name()));
        }
        if options.profile.is_some_and(|profile| !profile.has(case)) {
            return Some("its streams are not in the protocol of the profile".to_owned());
        }
        if case.idle && !options.idle {
            return Some("takes long (--idle)".to_owned());
        }
        case.measured.then(|| self.carrier.memory().err()).flatten()
    }

    /// Takes from the first cases what is needed for the others.
    fn learn(&mut self, id: &str) -> Result<(), Broken> {
        let Some(case) = self.done.get(id) else { return Ok(()) };
        let record = ClientRecord {
            client: self.client.clone(),
            pace: self.pace,
            cut: None,
            cases: Vec::new(),
        };
        let view = View::new(&record, case);
        if id != FIRST[0] {
            let pause =
                view.end(1).zip(view.request(2)).map(|(end, next)| next.at.saturating_sub(end.at));
            let pause = pause.and_then(|pause| u64::try_from(pause.as_micros()).ok());
            self.pace.reconnects_us = pause;
            return Ok(());
        }
        let why = match (&case.end, view.requests().is_empty(), view.events().is_empty()) {
            (CaseEnd::Died(why), ..) => why.clone(),
            (CaseEnd::Cut(_), ..) => return Ok(()),
            (_, true, _) => "it sent no request to the server of a plain stream".to_owned(),
            (_, _, true) => "it reported no event of a plain stream".to_owned(),
            _ => return Ok(()),
        };
        Err(Broken::Plain { why, stderr: self.carrier.stderr() })
    }

    /// Plays the cases, so many at the same time.
    async fn side_by_side(
        &mut self,
        cases: Vec<&'static Case>,
        at_once: usize,
    ) -> Result<(), Broken> {
        let mut cases = cases;
        // The longest first, so that the others are played beside them.
        cases.sort_by_key(|case| std::cmp::Reverse(case.patience));
        let mut waiting: VecDeque<_> = cases.into();
        loop {
            if let Some(why) = &self.cut {
                let why = format!("the run ended early: {why}");
                let running = std::mem::take(&mut self.running).into_values();
                let cut: Vec<_> = running.map(|running| (running.case, running.entries)).collect();
                let rest = waiting.drain(..).map(|case| (case, Vec::new()));
                for (case, entries) in cut.into_iter().chain(rest) {
                    self.end(case, entries, CaseEnd::Cut(why.clone()));
                }
                return Ok(());
            }
            while self.running.len() < at_once
                && let Some(case) = waiting.pop_front()
            {
                self.begin(case).await?;
            }
            if self.running.is_empty() {
                return Ok(());
            }
            self.advance().await?;
        }
    }

    async fn begin(&mut self, case: &'static Case) -> Result<(), Broken> {
        (self.progress)(Progress::Begins { case });
        let index = usize::try_from(self.next_id).unwrap_or(usize::MAX);
        let times = (self.began, self.pace);
        let served = self.served.clone();
        let adapted = Adapted { profile: self.profile, cuts: self.client.needs_cuts() };
        let running = Running::begin(case, index, self.ground, served, times, adapted)
            .await
            .map_err(|error| Broken::Ground(error.to_string()))?;
        self.running.insert(index, running);
        // A server may be away before the client connects.
        self.act(index, Instant::now()).await
    }

    /// Asks the client for as many connections as the case opens at the same time.
    fn connect(&mut self, index: usize) {
        let Some(running) = self.running.get_mut(&index) else { return };
        while let Some(mut connect) = running.next_connect() {
            if !self.client.can.contains(&Can::Types) {
                connect.types.clear();
            }
            if !self.client.can.contains(&Can::Headers) {
                connect.headers.clear();
            }
            // A client that cannot be asked for it begins with a time of its own.
            connect.retry = connect.retry.filter(|_| self.client.can.contains(&Can::Retry));
            let id = self.next_id;
            self.next_id += 1;
            running.ids.push(id);
            self.of_id.insert(id, index);
            let what = What::Connect { id, connect: connect.clone() };
            running.add(Instant::now(), what, Duration::ZERO);
            self.carrier.send(Command { id, connect: Some(connect), close: None });
        }
    }

    /// Waits for the next thing that happens, and does what is due.
    async fn advance(&mut self) -> Result<(), Broken> {
        let wakes = self.running.values().map(Running::wakes).min().unwrap_or(self.began);
        tokio::select! {
            biased;
            Some(served) = self.serves.recv() => {
                if let Some(running) = self.running.get_mut(&served.case) {
                    running.add(served.at, served.what, served.waits);
                }
            }
            Some(said) = self.hears.recv() => match said {
                Notice::Call { at, id, call } => {
                    let index = self.of_id.get(&id);
                    if let Some(running) = index.and_then(|index| self.running.get_mut(index)) {
                        let call = match self.profile {
                            Some(profile) => profile.call(call),
                            None => call,
                        };
                        running.add(at, What::Called { id, call }, Duration::ZERO);
                    }
                }
                Notice::Died(how) => return self.died(&how).await,
            },
            why = &mut self.cancel => self.cut = Some(why),
            () = sleep_until(wakes) => {}
        }
        let now = Instant::now();
        let indices: Vec<_> = self.running.keys().copied().collect();
        for index in indices {
            self.act(index, now).await?;
        }
        Ok(())
    }

    async fn act(&mut self, index: usize, now: Instant) -> Result<(), Broken> {
        let Some(running) = self.running.get_mut(&index) else { return Ok(()) };
        if running.is_flooded() {
            return self.died("the client did not stop to send requests or messages").await;
        }
        for act in running.acts(now) {
            let what = match act {
                Do::Close => {
                    for id in running.ids.clone() {
                        running.add(now, What::Close { id }, Duration::ZERO);
                        self.carrier.send(Command {
                            id,
                            connect: None,
                            close: Some(Default::default()),
                        });
                    }
                    continue;
                }
                Do::Cut => {
                    running.cut();
                    continue;
                }
                Do::Away => {
                    running.place.away();
                    running.cut();
                    What::Away
                }
                Do::Back => {
                    let back = running.place.back().await;
                    back.map_err(|error| Broken::Ground(error.to_string()))?;
                    What::Back
                }
            };
            running.add(now, what, Duration::ZERO);
        }
        self.connect(index);
        let Some(running) = self.running.get_mut(&index) else { return Ok(()) };
        if running.looks(now)
            && let Ok(bytes) = self.carrier.memory()
        {
            running.add(now, What::Memory(bytes), Duration::ZERO);
        }
        if running.is_over(now)
            && let Some(mut running) = self.running.remove(&index)
        {
            for id in &running.ids {
                self.of_id.remove(id);
                self.carrier.send(Command {
                    id: *id,
                    connect: None,
                    close: Some(Default::default()),
                });
            }
            running.retire().await;
            self.kept.push(running.place);
            self.end(running.case, running.entries, CaseEnd::Played);
        }
        Ok(())
    }

    fn end(
        &mut self,
        case: &'static Case,
        entries: Vec<sseproof_client_rules::Entry>,
        end: CaseEnd,
    ) {
        let record = CaseRecord { case: case.id.to_owned(), entries, end };
        // A case that is played a second time was done before.
        let done = self.done.len() + usize::from(!self.done.contains_key(case.id));
        (self.progress)(Progress::Ends { case: &record, done, all: self.all });
        self.done.insert(case.id, record);
    }

    /// The client is gone: a case that was played alone is judged by that, others are played once
    /// more, each alone.
    async fn died(&mut self, how: &str) -> Result<(), Broken> {
        let running = std::mem::take(&mut self.running);
        self.of_id.clear();
        let was_alone = running.len() == 1;
        for (_, running) in running {
            if was_alone {
                self.end(running.case, running.entries, CaseEnd::Died(how.to_owned()));
            } else if self.restarts < RESTARTS {
                self.again.push_back(running.case);
            } else {
                let why = format!("the client was started {RESTARTS} times again");
                self.end(running.case, running.entries, CaseEnd::Cut(why));
            }
        }
        self.restarts += 1;
        self.restart(&format!("{how}; ")).await;
        Ok(())
    }

    /// The cases that were played beside others in which a rule is broken, or no request came: they
    /// are played once more, and only that counts.
    fn doubtful(&self) -> Vec<&'static Case> {
        let record = ClientRecord {
            client: self.client.clone(),
            pace: self.pace,
            cut: None,
            cases: self.done.values().cloned().collect(),
        };
        let is_broken =
            |found: &Finding| found.status == Status::Fail && found.level != Level::Advice;
        let broken = judge(&record, |_| true).into_iter().filter(is_broken);
        let mut doubtful: BTreeSet<String> =
            broken.flat_map(|found| found.evidence).map(|evidence| evidence.scenario).collect();
        let is_mute =
            |case: &&CaseRecord| case.end == CaseEnd::Played && View::new(&record, case).is_mute();
        doubtful.extend(record.cases.iter().filter(is_mute).map(|case| case.case.clone()));
        let cases = sseproof_client_rules::cases().filter(|case| doubtful.contains(case.id));
        cases.filter(|case| !case.alone).take(DOUBTFUL).collect()
    }

    /// Starts the client anew; `why` it has to be, if it ended by itself.
    async fn restart(&mut self, why: &str) {
        // Calls of the process that is gone are about cases that are gone.
        let (said, hears) = unbounded_channel();
        (self.said, self.hears) = (said, hears);
        if let Err(error) = self.carrier.start(self.said.clone()).await {
            // The results until here are not lost.
            self.cut = Some(format!("{why}the client could not be started again: {error}"));
        }
    }
}
