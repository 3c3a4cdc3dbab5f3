//! The part of the results that is kept: the values of the rows, with their spread.

use sseproof_load_model::compare::{Ratio, Spread};
use sseproof_site::{Range, Row, Server, Times, Unit};

use super::rows::{Both, ROWS};
use super::{Load, Measured};

pub(super) fn kept(measured: &Measured) -> Server {
    let server = &measured.server;
    let loads = Load::ALL.map(|load| {
        let rounds = measured.outcomes(load).iter().map(|outcome| outcome.run.round).max();
        let rows = ROWS.iter().filter(|row| row.load == load);
        sseproof_site::Load {
            plan: load.name().to_owned(),
            rounds: rounds.unwrap_or_default(),
            rows: rows.map(|of| row(of, &of.both(measured))).collect(),
        }
    });
    Server {
        name: server.server.clone(),
        about: server.about.clone(),
        versions: server.versions.clone(),
        sse: server.sends.sse.clone(),
        websocket: server.sends.websocket.clone(),
        deflate: server.deflate.clone(),
        loads: loads.into(),
        doubts: doubts(measured),
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
fn doubts(measured: &Measured) -> Vec<String> {
    let each = |load: Load| {
        measured.outcomes(load).iter().flat_map(move |outcome| {
            let run = &outcome.run;
            let transport = run.transport.name();
            run.saturated.iter().chain(&run.partial).map(move |reason| {
                format!("{}, round {}, {transport}: {reason}", load.name(), run.round)
            })
        })
    };
    Load::ALL.into_iter().flat_map(each).collect()
}
