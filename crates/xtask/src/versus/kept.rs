//! The part of the results that is kept: the values of the rows, with their spread.

use sseproof_load_model::Outcome;
use sseproof_load_model::compare::{Ratio, Spread};
use sseproof_site::{Range, Row, Times, Unit};

use super::rows::{Both, rows};
use super::{Load, Server};

pub(super) fn server(server: &Server, loads: Vec<sseproof_site::Load>) -> sseproof_site::Server {
    sseproof_site::Server {
        name: server.server.clone(),
        about: server.about.clone(),
        versions: server.versions.clone(),
        sse: server.sends.sse.clone(),
        websocket: server.sends.websocket.clone(),
        compression: server.compression.clone(),
        loads,
    }
}

pub(super) fn load(load: Load, outcomes: &[Outcome]) -> sseproof_site::Load {
    let rounds = outcomes.iter().map(|outcome| outcome.run.round).max();
    sseproof_site::Load {
        plan: load.name().to_owned(),
        title: load.title().to_owned(),
        rounds: rounds.unwrap_or_default(),
        rows: rows(load.kind()).map(|of| row(of, &of.both(outcomes))).collect(),
        doubts: doubts(outcomes),
    }
}

fn row(row: &super::rows::Row, both: &Both) -> Row {
    let some = both.sse.or(both.websocket);
    Row {
        name: row.name.to_owned(),
        short: row.short.map(str::to_owned),
        unit: some.map_or(Unit::Count, |spread| spread.middle.dimension.into()),
        sse: both.sse.map(range),
        websocket: both.websocket.map(range),
        ratio: both.ratio.ok().map(times),
    }
}

fn range(Spread { rounds, least, middle, greatest }: Spread) -> Range {
    Range { rounds, min: least.amount, median: middle.amount, max: greatest.amount }
}

fn times(Ratio { value, interval, rounds }: Ratio) -> Times {
    Times { value, interval, rounds }
}

/// Why the generator was the bottleneck, or a round is incomplete, and in which round.
fn doubts(outcomes: &[Outcome]) -> Vec<String> {
    let each = outcomes.iter().flat_map(|outcome| {
        let run = &outcome.run;
        let transport = run.transport.name();
        let all = run.saturated.iter().chain(&run.partial);
        all.map(move |reason| format!("round {}, {transport}: {reason}", run.round))
    });
    each.collect()
}
