//! The overview of the page: on which servers each transport needs less, and the medians of the
//! values that matter most, over all loads.

use sseproof_site::{Compared, Row, Server};

use super::Load;
use super::page::{NONE, line};

/// The values whose medians stand side by side, by their names in the tables of ratios.
const MEDIANS: [(&str, &str); 4] = [
    ("memory, idle", "Memory of an idle connection"),
    ("CPU", "Processor time of one event for one client"),
    ("bytes", "Bytes of an event on the wire"),
    ("connect p99", "Time to connect of clients that reconnect, p99"),
];

pub(super) fn in_short(all: &[Server]) -> String {
    let mut out = String::from(
        "\n## In short\n\nThe servers on which a transport needs less, in the sense of the [ratios](#websocket--sse) that are bold; `steady` has ten events a second and `fast` a hundred.\n\n",
    );
    counted(&mut out, all);
    for (short, title) in MEDIANS {
        medians(&mut out, short, title, all);
    }
    out
}

fn counted(out: &mut String, all: &[Server]) {
    let head = [
        "value",
        "the WebSocket needs less",
        "the event stream needs less",
        "no difference shown",
        "ratios",
    ];
    line(out, "load", head.map(str::to_owned).into_iter());
    line(out, "---", ["---", "---", "---", "---", "--:"].map(str::to_owned).into_iter());
    for load in Load::ALL {
        let mut shorts: Vec<&str> = Vec::new();
        for row in all.iter().filter_map(|one| rows(one, load)).flatten() {
            if let Some(short) = row.short.as_deref().filter(|short| !shorts.contains(short)) {
                shorts.push(short);
            }
        }
        for short in shorts {
            let ratios = all.iter().filter_map(|one| Some((one, row(one, load, short)?.ratio?)));
            let ratios: Vec<_> = ratios.collect();
            if ratios.is_empty() {
                continue;
            }
            let servers = |wanted: Compared| {
                let them = ratios.iter().filter(|(_, times)| times.compared() == wanted);
                let names: Vec<&str> = them.map(|(one, _)| one.name.as_str()).collect();
                if names.is_empty() { NONE.to_owned() } else { names.join(", ") }
            };
            let value = |pick: fn(f64, f64) -> f64| {
                let all = ratios.iter().map(|(_, times)| times.value);
                all.reduce(pick).map(|value| format!("{value:.2}")).unwrap_or_default()
            };
            let (least, most) = (value(f64::min), value(f64::max));
            let span = if least == most { least } else { format!("{least} to {most}") };
            let cells = [
                short.to_owned(),
                servers(Compared::Less),
                servers(Compared::More),
                servers(Compared::Same),
                span,
            ];
            line(out, load.name(), cells.into_iter());
        }
    }
}

fn medians(out: &mut String, short: &str, title: &str, all: &[Server]) {
    let loads =
        Load::ALL.into_iter().filter(|load| all.iter().any(|one| row(one, *load, short).is_some()));
    let loads: Vec<Load> = loads.collect();
    out.push_str(&format!("\n### {title}, medians\n\n"));
    let head = |name: &str| {
        loads.iter().map(|load| format!("{name}, {}", load.name())).collect::<Vec<_>>()
    };
    line(out, "", head("SSE").into_iter().chain(head("WebSocket")));
    line(out, "---", loads.iter().chain(&loads).map(|_| "--:".to_owned()));
    for one in all {
        let each = |is_sse: bool| {
            loads.iter().map(move |load| {
                let Some(row) = row(one, *load, short) else { return NONE.to_owned() };
                let range = if is_sse { row.sse } else { row.websocket };
                range.map_or_else(
                    || NONE.to_owned(),
                    |range| row.unit.value(range.median).to_string(),
                )
            })
        };
        line(out, &one.name, each(true).chain(each(false)));
    }
}

fn rows(server: &Server, load: Load) -> Option<&[Row]> {
    server.loads.iter().find(|of| of.plan == load.name()).map(|of| of.rows.as_slice())
}

fn row<'a>(server: &'a Server, load: Load, short: &str) -> Option<&'a Row> {
    rows(server, load)?.iter().find(|row| row.short.as_deref() == Some(short))
}
