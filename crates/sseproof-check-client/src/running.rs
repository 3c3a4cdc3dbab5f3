//! A case while it is played.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sseproof_client_rules::case::described;
use sseproof_client_rules::record::How;
use sseproof_client_rules::{
    Asked, Call, Case, CaseVisit, ClientProfile, Connect, Do, Ended, Entry, Origins, Pace, Quiet,
    What, When, stream,
};
use sseproof_http::{Action, EVENT_STREAM, Framing, Headers, Plan, Request, Visit};
use sseproof_net::{Lab, ServedEnd};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::play::FIRST;
use crate::{Ground, Place};

/// The longest that a case is played, whatever happens: a usual one, and one that waits for long or
/// has large streams.
pub const LONGEST: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(90));
/// Enough for what is under way when a case is over.
const SHORT: Duration = Duration::from_millis(200);
/// How often the memory of a client is read, and for how long.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(20));
/// The most entries that a case may have.
pub const ENTRIES: usize = 1_000_000;

/// Something that a server of a case saw.
pub(crate) struct Served {
    pub(crate) case: usize,
    pub(crate) at: Instant,
    pub(crate) what: What,
    /// How long the answer waits in all.
    pub(crate) waits: Duration,
}

/// How many of each the case has seen.
#[derive(Default)]
struct Moment {
    requests: usize,
    ends: usize,
    events: usize,
    errors: usize,
    opens: usize,
    closes: usize,
    handshakes: usize,
    /// First responses that are over.
    read: usize,
}

pub(crate) struct Running {
    pub(crate) case: &'static Case,
    pub(crate) place: Box<dyn Place>,
    lab: Lab,
    retired: Arc<AtomicBool>,
    /// The numbers of its connections.
    pub(crate) ids: Vec<u64>,
    pub(crate) entries: Vec<Entry>,
    seen: Moment,
    /// The connections that the client is not asked for yet.
    waiting: VecDeque<Connect>,
    /// The requests that are the first ones for their paths, until their responses are over.
    first: HashMap<u64, String>,
    /// When each act is due, and whether it was done.
    due: Vec<(Option<Instant>, bool)>,
    over: Option<Instant>,
    /// When the case ends if nothing more happens.
    still: Instant,
    last: Instant,
    run_began: Instant,
    pace: Pace,
    /// The longest time without anything new.
    patience: Duration,
    /// When the memory of the client is read next, and for the last time.
    look: Option<(Instant, Instant)>,
}

impl Running {
    pub(crate) async fn begin(
        case: &'static Case,
        index: usize,
        ground: &dyn Ground,
        served: UnboundedSender<Served>,
        (run_began, pace): (Instant, Pace),
        adapted: Adapted,
    ) -> std::io::Result<Self> {
        // The answers depend on the address, which is known only when the server listens.
        let origins = Arc::new(OnceLock::new());
        let retired = Arc::default();
        let answers = Answers { adapted, ..Answers::new(case, Arc::clone(&origins)) };
        let lab = lab(answers, index, served, Arc::clone(&retired));
        let place = ground.place(lab.clone(), case.over).await?;
        origins.get_or_init(|| place.origins().clone());
        let waiting = (case.connects)(place.origins()).into();
        let now = Instant::now();
        let patience = pace.patience().max(case.patience);
        Ok(Self {
            case,
            place,
            lab,
            retired,
            ids: Vec::new(),
            entries: Vec::new(),
            seen: Moment::default(),
            waiting,
            first: HashMap::new(),
            due: vec![(None, false); case.acts.len()],
            over: None,
            still: now + patience,
            last: now + if case.idle || case.alone { LONGEST.1 } else { LONGEST.0 },
            run_began,
            pace,
            patience,
            look: case.measured.then_some((now, now + LOOKS.1)),
        })
    }

    /// Adds an entry; the answer to a request, if it is one, waits that long.
    pub(crate) fn add(&mut self, at: Instant, what: What, waits: Duration) {
        let at_us = at.saturating_duration_since(self.run_began).as_micros();
        let at_us = u64::try_from(at_us).unwrap_or(u64::MAX);
        self.count(&what);
        self.entries.push(Entry { at_us, what });
        self.still = self.still.max(at + self.patience + waits);
    }

    fn count(&mut self, what: &What) {
        let seen = &mut self.seen;
        let counted = match what {
            What::Asked(asked) => {
                let path = asked.request.path();
                if self.first.values().all(|first| first != path) {
                    self.first.insert(asked.number, path.to_owned());
                }
                &mut seen.requests
            }
            What::Ended(ended) => {
                seen.read += usize::from(self.first.contains_key(&ended.number));
                &mut seen.ends
            }
            What::Called { call, .. } => match call {
                Call::Open(_) => &mut seen.opens,
                Call::Event(_) => &mut seen.events,
                Call::Error(_) => &mut seen.errors,
                Call::Closed(_) => &mut seen.closes,
                Call::Comment(_) => return,
            },
            What::Handshake(_) => &mut seen.handshakes,
            What::Connect { .. }
            | What::Close { .. }
            | What::Away
            | What::Back
            | What::Memory(_) => return,
        };
        *counted += 1;
    }

    /// The next connection that the client is to be asked for now.
    pub(crate) fn next_connect(&mut self) -> Option<Connect> {
        let open = self.ids.len() - self.seen.read.min(self.ids.len());
        if open < self.case.lanes { self.waiting.pop_front() } else { None }
    }

    pub(crate) fn is_flooded(&self) -> bool {
        self.entries.len() >= ENTRIES
    }

    /// The acts that are to be done now.
    pub(crate) fn acts(&mut self, now: Instant) -> Vec<Do> {
        let mut done = Vec::new();
        for (index, act) in self.case.acts.iter().enumerate() {
            if self.due[index].0.is_none() && self.has_come(act.when) {
                self.due[index].0 = Some(now + act.after);
                self.still = self.still.max(now + act.after + self.patience);
            }
            if let (Some(due), false) = self.due[index]
                && due <= now
            {
                self.due[index].1 = true;
                done.push(act.what);
            }
        }
        done
    }

    /// Whether the memory of the client is to be read now.
    pub(crate) fn looks(&mut self, now: Instant) -> bool {
        let Some((next, last)) = self.look else { return false };
        let is_due = next <= now;
        if is_due {
            self.look = (now < last).then_some((now + LOOKS.0, last));
        }
        is_due
    }

    /// Whether the case is over.
    pub(crate) fn is_over(&mut self, now: Instant) -> bool {
        if self.over.is_none() && self.has_come(self.case.until) {
            let quiet = match self.case.quiet {
                Quiet::Short => SHORT,
                Quiet::Reconnect => self.pace.patience(),
                Quiet::Time(time) => time,
            };
            self.over = Some(now + quiet);
        }
        self.ends() <= now
    }

    /// When the case ends if nothing more happens.
    fn ends(&self) -> Instant {
        self.over.unwrap_or(self.still).min(self.last)
    }

    /// When there is something to do if nothing happens until then.
    pub(crate) fn wakes(&self) -> Instant {
        let acts = self.due.iter().filter(|(_, done)| !done).filter_map(|(due, _)| *due);
        acts.chain(self.look.map(|(next, _)| next)).chain([self.ends()]).min().unwrap_or(self.last)
    }

    fn has_come(&self, when: When) -> bool {
        let seen = &self.seen;
        match when {
            When::Start => true,
            When::Never => false,
            When::Requests(number) => seen.requests >= number,
            When::Ends(number) => seen.ends >= number,
            When::Events(number) => seen.events >= number,
            When::Errors(number) => seen.errors >= number,
            When::Opens(number) => seen.opens >= number,
            When::Closes(number) => seen.closes >= number,
            When::Handshakes(number) => seen.handshakes >= number,
            When::Read => self.waiting.is_empty() && seen.read >= self.ids.len(),
            When::Done(index) => self.due.get(index).is_some_and(|(_, done)| *done),
        }
    }

    /// The case is over, and its client stays connected: to a stream without events, which gives it
    /// no reason to reconnect.
    pub(crate) async fn retire(&mut self) {
        self.retired.store(true, Ordering::SeqCst);
        // Most cases end while their server listens.
        let _ = self.place.back().await;
        self.cut();
    }

    pub(crate) fn cut(&self) {
        self.lab.cut();
    }
}

fn lab(
    answers: Answers,
    index: usize,
    served: UnboundedSender<Served>,
    retired: Arc<AtomicBool>,
) -> Lab {
    let (ends, shaken) = (served.clone(), served.clone());
    // The numbers of the client's requests by those of all: browsers make others, too.
    let numbers: Arc<Mutex<HashMap<u64, u64>>> = Arc::default();
    let of_ends = Arc::clone(&numbers);
    let answer = move |visit: &Visit<'_>| {
        let request = visit.request;
        if retired.load(Ordering::SeqCst) {
            return stream().hold();
        }
        let (plan, is_aside) = answers.plan(request);
        if !is_aside {
            let number = {
                let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
                let number = numbers.len() as u64 + 1;
                *numbers.entry(visit.earlier + 1).or_insert(number)
            };
            let answer = described(&plan);
            let (request, secure) = (request.clone(), visit.secure);
            let what = What::Asked(Asked { number, request, secure, answer });
            let waits = plan.actions.iter().filter_map(|action| match action {
                Action::Wait(time) => Some(*time),
                _ => None,
            });
            let (at, waits) = (Instant::now(), waits.sum());
            // The run may be over.
            let _ = served.send(Served { case: index, at, what, waits });
        }
        plan
    };
    let lab = Lab::new(answer).handshakes(move |result| {
        let what = What::Handshake(result.err().map(ToString::to_string));
        let at = Instant::now();
        // The run may be over.
        let _ = shaken.send(Served { case: index, at, what, waits: Duration::ZERO });
    });
    lab.observed(move |seen| {
        let Some((how, _)) = seen.end else { return };
        let numbers = of_ends.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&number) = numbers.get(&seen.number) else { return };
        let how = match how {
            ServedEnd::Complete => How::Complete,
            ServedEnd::Closed => How::Closed,
            ServedEnd::Reset => How::Reset,
            ServedEnd::Disconnected => How::Disconnected,
        };
        let what = What::Ended(Ended { number, how });
        let served = Served { case: index, at: Instant::now(), what, waits: Duration::ZERO };
        let _ = ends.send(served);
    })
}

/// The server of a case alone, to try a client by hand.
pub fn server_of(case: &'static Case, origins: Origins) -> Lab {
    let answers = Answers::new(case, Arc::new(OnceLock::from(origins)));
    Lab::new(move |visit| answers.plan(visit.request).0)
}

/// The difference of the answers for some clients.
#[derive(Clone, Copy, Default)]
pub(crate) struct Adapted {
    pub(crate) profile: Option<&'static ClientProfile>,
    /// Whether streams are cut that would end, for a client that does not reconnect after an end.
    pub(crate) cuts: bool,
}

impl Adapted {
    fn plan(self, case: &Case, plan: Plan) -> Plan {
        let mut plan = match self.profile {
            Some(profile) => profile.plan(plan),
            None => plan,
        };
        let is_stream = plan.headers().and_then(|headers| headers.first("content-type"));
        let is_stream = is_stream.is_some_and(|named| named.starts_with(EVENT_STREAM));
        // The case that is about the end.
        let is_about_end = case.id == FIRST[1];
        if self.cuts && is_stream && !case.kinds.is_empty() && !is_about_end {
            for action in &mut plan.actions {
                if *action == Action::Finish {
                    *action = Action::Close;
                }
            }
        }
        plan
    }
}

/// The answers of the server of a case, which depend on the requests that came before.
struct Answers {
    case: &'static Case,
    /// How many requests each path had.
    paths: Mutex<HashMap<String, u64>>,
    /// Known when the server listens.
    origins: Arc<OnceLock<Origins>>,
    adapted: Adapted,
}

impl Answers {
    fn new(case: &'static Case, origins: Arc<OnceLock<Origins>>) -> Self {
        Self { case, paths: Mutex::default(), origins, adapted: Adapted::default() }
    }

    /// The answer, and whether the request is none of the client, but of the browser around it.
    fn plan(&self, request: &Request) -> (Plan, bool) {
        if let Some(plan) = aside(request) {
            return (plan, true);
        }
        let (earlier, here) = {
            let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
            let earlier = paths.values().sum();
            let here = paths.entry(request.path().to_owned()).or_default();
            *here += 1;
            (earlier, *here - 1)
        };
        // No request comes before the server listens.
        let Some(origins) = self.origins.get() else { return (Plan::default(), true) };
        let plan = (self.case.answer)(&CaseVisit { request, earlier, here, origins });
        (allowed(request, self.adapted.plan(self.case, plan)), false)
    }
}

/// The answer to a request that no client of event streams makes by itself: those of browsers.
fn aside(request: &Request) -> Option<Plan> {
    if request.path() == "/favicon.ico" {
        return Some(Plan::answer(404, "text/plain", "not found\n"));
    }
    let asks_leave = request.headers.has("access-control-request-method");
    (request.method == "OPTIONS" && asks_leave).then(|| {
        let head =
            Action::Head { status: 204, headers: Headers::default(), framing: Framing::None };
        let plan = Plan { actions: vec![head, Action::Finish] };
        let asked = request.headers.first("access-control-request-headers").unwrap_or_default();
        allowed(request, plan)
            .with_header("Access-Control-Allow-Headers", asked)
            .with_header("Access-Control-Allow-Methods", "GET, POST")
    })
}

/// The same answer, which pages of other origins may read.
fn allowed(request: &Request, plan: Plan) -> Plan {
    match request.headers.first("origin") {
        None => plan,
        Some(origin) => plan
            .with_header("Access-Control-Allow-Origin", origin)
            .with_header("Access-Control-Allow-Credentials", "true"),
    }
}
