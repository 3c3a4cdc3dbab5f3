//! The rows of the tables, and where their values are in a result.

use sseproof_load_model::compare::{
    NoRatio, Numbered, Pairing, Ratio, Round, Spread, ratio, spread,
};
use sseproof_load_model::threshold::Subject;
use sseproof_load_model::{Counter, Interval, Outcome, Transport};
use sseproof_units::Value;

use super::load::Kind;

pub(super) struct Row {
    /// The kinds of loads whose tables have it.
    kinds: &'static [Kind],
    pub(super) name: &'static str,
    pub(super) short: Option<&'static str>,
    of: fn(&Outcome) -> Option<Value>,
}

const ROWS: [Row; 14] = [
    Row {
        kinds: &[Kind::Compressed],
        name: "share of the streams that were compressed",
        short: None,
        of: |outcome| value(outcome, "compressed.share"),
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed],
        name: "memory of a connection before its first event",
        short: Some("memory, idle"),
        of: |outcome| value(outcome, "memory.server"),
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed],
        name: "memory of a connection after its first event",
        short: Some("memory, in use"),
        of: |outcome| {
            let (idle, more) =
                (value(outcome, "memory.server")?, value(outcome, "memory.server.first-event")?);
            Some(Value::bytes(idle.amount + more.amount))
        },
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed, Kind::Events],
        name: "processor time of one event for one client",
        short: Some("CPU"),
        of: |outcome| value(outcome, "cpu.server"),
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed, Kind::Events],
        name: "share of one core that the server took",
        short: None,
        of: |outcome| value(outcome, "cpu.server.share"),
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed, Kind::Events],
        name: "bytes of an event on the wire",
        short: Some("bytes"),
        of: |outcome| of_some(outcome, is_streaming, "bytes.per-event"),
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed, Kind::Events],
        name: "delivery latency, p50",
        short: Some("delivery p50"),
        of: |outcome| value(outcome, "delivery.p50"),
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed, Kind::Events],
        name: "delivery latency, p99",
        short: Some("delivery p99"),
        of: |outcome| value(outcome, "delivery.p99"),
    },
    Row {
        kinds: &[Kind::Costs, Kind::Compressed],
        name: "time to the response headers of a new stream, p50",
        short: None,
        of: |outcome| value(outcome, "head.p50"),
    },
    Row {
        kinds: &[Kind::Storm],
        name: "time to connect of clients that reconnect, p99",
        short: Some("connect p99"),
        of: |outcome| of_some(outcome, is_storm, "connect.p99"),
    },
    Row {
        kinds: &[Kind::Storm],
        name: "time to the response headers of clients that reconnect, p50",
        short: Some("headers p50"),
        of: |outcome| of_some(outcome, is_storm, "head.p50"),
    },
    Row {
        kinds: &[Kind::Storm],
        name: "until the last client is reconnected, with the time it waits",
        short: Some("last reconnected"),
        of: |outcome| value(outcome, "reconnect.max"),
    },
    Row {
        kinds: &[Kind::Storm],
        name: "events lost",
        short: Some("lost"),
        of: |outcome| value(outcome, "lost"),
    },
    Row {
        kinds: &[Kind::Storm],
        name: "events received twice",
        short: None,
        of: |outcome| value(outcome, "duplicated"),
    },
];

pub(super) struct Both {
    pub(super) sse: Option<Spread>,
    pub(super) websocket: Option<Spread>,
    /// WebSocket ÷ SSE.
    pub(super) ratio: Result<Ratio, NoRatio>,
}

/// The rows of the tables of this kind.
pub(super) fn rows(kind: Kind) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.kinds.contains(&kind))
}

impl Row {
    pub(super) fn both(&self, outcomes: &[Outcome]) -> Both {
        let [sse, websocket] = [Transport::Sse, Transport::WebSocket].map(|transport| {
            let own = outcomes.iter().filter(|outcome| outcome.run.transport == transport);
            own.map(|outcome| (outcome.run.round, (self.of)(outcome))).collect::<Vec<Numbered>>()
        });
        Both {
            sse: spread(&sse),
            websocket: spread(&websocket),
            ratio: ratio(&sse, &websocket, Pairing::ByNumber),
        }
    }
}

fn value(outcome: &Outcome, name: &str) -> Option<Value> {
    of_some(outcome, |_| true, name)
}

/// The same, in these intervals only.
fn of_some(outcome: &Outcome, wanted: fn(&Interval) -> bool, name: &str) -> Option<Value> {
    let subject = Subject::all().find(|subject| subject.to_string() == name)?;
    let mut outcome = outcome.clone();
    outcome.intervals.retain(wanted);
    Round::of(&outcome).value(&subject)
}

/// Whether events came, but no response headers, which would count as bytes of events.
fn is_streaming(interval: &Interval) -> bool {
    let count = |counter| interval.counters.count(counter);
    count(Counter::Events) > 0 && count(Counter::Arrivals) == 0 && count(Counter::Reconnects) == 0
}

fn is_storm(interval: &Interval) -> bool {
    interval.counters.count(Counter::Reconnects) > 0
}
