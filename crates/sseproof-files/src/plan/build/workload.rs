//! The clients or the requests of a plan.

use std::time::Duration;

use sseproof_load_model::{
    Arrivals, Lifetime, Pace, Rate, Reconnecting, Requests, Slow, Stage, Subscribe, Workload,
    objective,
};
use sseproof_units::Dimension;

use super::{Build, LONGEST};
use crate::mistake::Place;
use crate::model::{At, Pause, Short};
use crate::plan::document::{self, Document};
use crate::plan::scalar::{Jitter, PerSecond, Percent, value};

/// More clients than anybody has addresses for; a schedule of them fits into memory.
const MOST: u64 = 10_000_000;

impl Build<'_> {
    pub(super) fn workload(&mut self, document: &Document) -> Option<Workload> {
        match (&document.clients, &document.requests) {
            (Some(clients), None) => {
                let stages = self.stages(clients);
                Some(Workload::Subscribe(Subscribe {
                    stages,
                    arrivals: document.arrivals.unwrap_or_default(),
                    lifetime: document.lifetime.as_ref().map(|lifetime| self.lifetime(lifetime)),
                    slow: document.slow.as_ref().map(|slow| self.slow(slow)),
                    reconnecting: self.reconnecting(document.reconnect.as_ref()),
                }))
            }
            (None, Some(requests)) => {
                self.only_of_clients(document);
                Some(Workload::Request(
                    self.requests(requests, document.arrivals.unwrap_or_default()),
                ))
            }
            (Some(_), Some(requests)) => {
                let what = "`clients` that stay and `requests` that end are two plans";
                self.slip(
                    requests.place,
                    what,
                    "keep one of the two, and make a file of the other",
                );
                None
            }
            (None, None) => {
                let what = "the plan does not say what happens";
                let instead = "add `clients:` and below it `- ramp: { to: 1000, over: 10s }` and `- hold: 30s`, or `requests: { rate: 50/s, for: 60s }`";
                self.slip(document.plan.place, what, instead);
                None
            }
        }
    }

    /// Keys that only plans of clients have.
    fn only_of_clients(&mut self, document: &Document) {
        let said = [
            ("lifetime", document.lifetime.as_ref().map(|at| at.place)),
            ("slow", document.slow.as_ref().map(|at| at.place)),
            ("reconnect", document.reconnect.as_ref().map(|at| at.place)),
            ("websocket", document.websocket.as_ref().map(|at| at.place)),
        ];
        for (key, place) in said {
            if let Some(place) = place {
                let what = format!("`{key}` is for `clients` that stay, and these are `requests`");
                self.slip(place, what, "leave it out");
            }
        }
    }

    fn stages(&mut self, clients: &At<Vec<At<document::Stage>>>) -> Vec<Stage> {
        let (mut open, mut most) = (0, 0);
        let before = self.check.mistakes.len();
        let stages: Vec<_> = clients
            .iter()
            .map(|stage| {
                let place = stage.place;
                match &stage.value {
                    document::Stage::Ramp(ramp) => {
                        let stage = self.ramp(ramp, open, place);
                        open = ramp.to;
                        most = most.max(open);
                        stage
                    }
                    document::Stage::Hold(pause) => Stage::Hold { lasting: self.time(pause) },
                    document::Stage::Storm(storm) => {
                        if open == 0 {
                            let what = "no client is connected at that time";
                            self.slip(place, what, "begin with `- ramp: { to: 1000, over: 10s }`");
                        }
                        let Percent(share) = storm.drop;
                        Stage::Storm { share, lasting: self.time(&storm.watch) }
                    }
                }
            })
            .collect();
        let lasting: Duration = stages.iter().map(Stage::duration).sum();
        if most == 0 {
            // A stage may have this mistake already.
            if self.check.mistakes.len() == before {
                let what = "no client ever comes";
                self.slip(clients.place, what, "begin with `- ramp: { to: 1000, over: 10s }`");
            }
        } else if lasting.is_zero() {
            let what = "all of this takes no time, so there is nothing to measure";
            self.slip(clients.place, what, "end with `- hold: 30s`");
        } else if lasting > LONGEST {
            self.too_long(clients.place);
        }
        stages
    }

    fn ramp(&mut self, ramp: &document::Ramp, open: u64, place: Place) -> Stage {
        let over = ramp.over.as_ref().map_or(Duration::ZERO, |over| self.time(over));
        let plateaus = ramp.plateaus.as_ref().map_or(1, |plateaus| plateaus.value);
        if ramp.to == open && open > 0 {
            let what = format!("there are {open} clients already");
            self.slip(place, what, "write `- hold: 10s` where nothing is to change");
        } else if ramp.to == open {
            self.slip(place, "there are no clients yet", "say how many are to come");
        } else if ramp.to > MOST {
            let what = format!("{} clients are more than any machine has addresses for", ramp.to);
            self.slip(place, what, format!("write {MOST} or fewer"));
        } else if let Some(at) = &ramp.plateaus {
            let place = at.place;
            if plateaus == 0 {
                self.slip(place, "a ramp has one step at least", "leave it out, or write 4");
            } else if plateaus > 1 && over.is_zero() {
                let what = "a ramp that takes no time has no plateaus";
                self.slip(place, what, "say how long it takes: over: 20s");
            } else if u64::from(plateaus) > ramp.to.abs_diff(open) {
                let what = "there are more plateaus here than clients that come or go";
                self.slip(place, what, "write 4, as a rule");
            }
        }
        Stage::Ramp { to: ramp.to.min(MOST), over, plateaus: plateaus.max(1) }
    }

    fn requests(&mut self, requests: &At<document::Requests>, arrivals: Arrivals) -> Requests {
        let place = requests.place;
        let lasting = self.positive(&requests.lasting, "no request is ever made");
        let rate = match (&requests.rate, &requests.clients) {
            (Some(rate), None) => {
                if let Some(think) = &requests.think {
                    let what =
                        "requests at a rate do not wait for responses, so there is no think time";
                    self.slip(
                        think.place,
                        what,
                        "leave it out, or write `clients: 10` in place of `rate`",
                    );
                }
                let (PerSecond(from), PerSecond(to)) = (rate.from, rate.to);
                Rate::Open { from, to, arrivals }
            }
            (None, Some(clients)) => {
                if clients.value == 0 || clients.value > MOST {
                    let what = format!("{} clients cannot ask", clients.value);
                    self.slip(clients.place, what, "write a number such as 10");
                }
                let think = requests.think.as_ref().map_or(Duration::ZERO, |at| self.time(at));
                Rate::Closed { clients: clients.value, think }
            }
            (rate, _) => {
                let (what, instead) = if rate.is_some() {
                    (
                        "`rate` and `clients` both say when requests are made",
                        "keep `rate` for an open model, `clients` for a closed one",
                    )
                } else {
                    ("it is not said when requests are made", "add `rate: 50/s`, or `clients: 10`")
                };
                self.slip(place, what, instead);
                Rate::Closed { clients: 1, think: Duration::ZERO }
            }
        };
        let objectives = requests.objectives.iter();
        let objectives =
            objectives.filter_map(|text| self.read(text, objective(&text.value))).collect();
        Requests { rate, lasting, protocol: requests.profile, objectives }
    }

    fn lifetime(&mut self, at: &At<Short<document::Lifetime>>) -> Lifetime {
        let Pause(mean) = at.mean;
        if mean.is_zero() || mean > LONGEST {
            let what = "the mean stay must be longer than 0 s and at most 30 days";
            self.slip(at.place, what, "write a time such as 60s, or leave it out: then all stay");
        }
        if at.fixed { Lifetime::Fixed(mean) } else { Lifetime::Exponential(mean) }
    }

    fn slow(&mut self, slow: &At<document::Slow>) -> Slow {
        let Percent(share) = slow.share;
        let pace = if slow.pace.value == "never" {
            Pace::Never
        } else {
            match value(&slow.pace, Dimension::ByteRate) {
                Ok(bytes) if bytes >= 1.0 =>
                {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a cast saturates, and it is positive"
                    )]
                    Pace::BytesPerSecond(bytes as u64)
                }
                Ok(_) => {
                    let what = format!("at {} nothing is ever read", slow.pace.value);
                    self.slip(slow.pace.place, what, "write `never`, or a pace such as 1KiB/s");
                    Pace::Never
                }
                Err(slip) => {
                    let instead = slip.instead.unwrap_or_default();
                    self.slip(slow.pace.place, slip.what, format!("{instead}, or `never`"));
                    Pace::Never
                }
            }
        };
        Slow { share, pace }
    }

    fn reconnecting(&mut self, said: Option<&At<Short<document::Reconnect>>>) -> Reconnecting {
        let usual = Reconnecting::default();
        let Some(said) = said else { return usual };
        Reconnecting {
            back: !said.never,
            wait: said.wait.as_ref().map_or(usual.wait, |wait| self.time(wait)),
            jitter: said.jitter.map_or(usual.jitter, |Jitter(share)| share),
            last_event_id: said.last_event_id.unwrap_or(usual.last_event_id),
        }
    }
}
