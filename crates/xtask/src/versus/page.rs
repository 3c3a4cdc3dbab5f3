//! The page: the results in tables, and the text written by hand.

use std::fmt::Write as _;
use std::fs;

use sseproof_site::{Compared, Range, Row, Server, Times, Versus};

use super::{Load, in_short};

/// The text between these marks is kept.
const BY_HAND: [&str; 2] = ["<!-- by hand, and kept -->\n", "<!-- made again from here -->\n"];
pub(super) const NONE: &str = "–";

pub(super) fn page(all: &Versus, before: &str) -> String {
    let mut out = String::from("# Server-Sent Events and WebSockets\n\n");
    out.push_str(BY_HAND[0]);
    out.push_str(by_hand(before));
    out.push_str(BY_HAND[1]);
    out.push_str(&measured(&all.machine, &all.servers));
    out.push_str(&in_short::in_short(&all.servers));
    out.push_str("\n## WebSocket ÷ SSE\n\nBelow 1 the WebSocket needs less, above 1 more; with the 95 % confidence interval, **bold** if 1 lies outside of it by more than 0.01.\n");
    for load in Load::ALL {
        summary(&mut out, load, &all.servers);
    }
    for one in &all.servers {
        server(&mut out, one);
    }
    out
}

/// The text of the page that is written by hand.
pub(super) fn by_hand(page: &str) -> &str {
    let between = page.split_once(BY_HAND[0]).and_then(|(_, rest)| rest.split_once(BY_HAND[1]));
    between.map_or("\n", |(kept, _)| kept)
}

/// The machine, as far as the numbers depend on it.
pub(super) fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.split('-').next().unwrap_or_default().trim();
    format!("{processors} cores, {} {kernel}, {}", std::env::consts::OS, std::env::consts::ARCH)
}

fn measured(machine: &str, all: &[Server]) -> String {
    let mut out = format!(
        "
## How it was measured

```sh
cargo xtask versus                            # all servers, all loads
cargo xtask versus node go --only tls         # these again
```

Machine: {machine}; server and generator share it, over loopback.
`sseproof load` plays each plan over Server-Sent Events and over WebSockets in turn, and restarts the server for each round.
All servers get the same plans, and the clients of both transports the same text.
TLS and compression are off, except in the tables of `tls`, `http2` and `compress`.
[metrics.md](../specs/metrics.md) defines the names; memory is the sum over the server's processes, without the kernel memory of their sockets; processor time includes user and kernel mode.

"
    );
    for load in Load::ALL {
        let name = load.name();
        let about = match load.plan() {
            Some(plan) => {
                let why = plan.why.unwrap_or_default();
                format!("{} ({})", why.trim(), plan.plan.workload)
            }
            None => String::new(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "- [{name}](../scenarios/versus/{name}.yaml), {}: {about}",
            rounds(load, all)
        );
    }
    out
}

/// `4 rounds`, or `1 to 4 rounds` if servers were measured at other times.
fn rounds(load: Load, all: &[Server]) -> String {
    let loads = all.iter().flat_map(|one| &one.loads);
    let each = loads.filter(|of| of.plan == load.name() && of.rounds > 0).map(|of| of.rounds);
    match (each.clone().min(), each.max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most} rounds"),
        (_, most) => format!("{} rounds", most.unwrap_or_default()),
    }
}

/// One row for each server, with the ratio WebSocket ÷ SSE.
fn summary(out: &mut String, load: Load, all: &[Server]) {
    let loads = |server: &Server| server.loads.iter().find(|of| of.plan == load.name()).cloned();
    let measured: Vec<_> = all.iter().filter_map(|one| Some((one, loads(one)?))).collect();
    let Some((_, first)) = measured.first() else { return };
    let name = load.name();
    let _ = writeln!(
        out,
        "\n### {}\n\nThe plan is [{name}](../scenarios/versus/{name}.yaml).\n",
        first.title
    );
    let columns: Vec<&str> = first.rows.iter().filter_map(|row| row.short.as_deref()).collect();
    line(out, "", columns.iter().map(|short| (*short).to_owned()));
    line(out, "---", columns.iter().map(|_| "--:".to_owned()));
    for (one, load) in &measured {
        let of = |short: &&str| load.rows.iter().find(|row| row.short.as_deref() == Some(*short));
        let ratios = columns.iter().map(|short| ratio(of(short).and_then(|row| row.ratio)));
        line(out, &format!("[{0}](#{0})", one.name), ratios);
    }
}

fn server(out: &mut String, server: &Server) {
    let name = &server.name;
    let _ = write!(
        out,
        "\n## {name}\n\n[{}](../scenarios/versus/{name}): {}.\n\n- SSE: {}\n- WebSocket: {}\n- compression: {}\n",
        server.about,
        server.versions.join(", "),
        server.sse,
        server.websocket,
        server.compression
    );
    for load in &server.loads {
        let head = [format!("SSE, {}", load.plan), "WebSocket".into(), "WebSocket ÷ SSE".into()];
        out.push('\n');
        line(out, "", head.into_iter());
        line(out, "---", ["--:"; 3].map(str::to_owned).into_iter());
        for row in &load.rows {
            let cells = [values(row, row.sse), values(row, row.websocket), ratio(row.ratio)];
            line(out, &row.name, cells.into_iter());
        }
    }
    let doubts: Vec<_> = server
        .loads
        .iter()
        .flat_map(|load| load.doubts.iter().map(move |doubt| (&load.plan, doubt)))
        .collect();
    if !doubts.is_empty() {
        out.push_str("\nReasons to doubt these numbers:\n\n");
    }
    for (plan, doubt) in doubts {
        let _ = writeln!(out, "- {plan}, {doubt}");
    }
}

/// A row of a table.
pub(super) fn line(out: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<_> = cells.collect();
    let _ = writeln!(out, "| {first} | {} |", cells.join(" | "));
}

fn values(row: &Row, range: Option<Range>) -> String {
    range.map_or_else(|| NONE.to_owned(), |range| range.words(row.unit))
}

fn ratio(times: Option<Times>) -> String {
    let Some(times) = times else { return NONE.to_owned() };
    match times.compared() {
        Compared::Same => times.words(),
        Compared::Less | Compared::More => format!("**{}**", times.words()),
    }
}

#[cfg(test)]
mod tests {
    use sseproof_load_model::{Counter, Interval, Metric, Outcome, Run, Transport};

    use super::super::{Sends, Server, kept};
    use super::*;

    fn round(transport: Transport, round: u32, delivery_ms: u64, saturated: &[&str]) -> Outcome {
        let mut ramp = Interval::default();
        ramp.counters.add(Counter::Arrivals, 10);
        ramp.counters.add(Counter::Events, 10);
        ramp.counters.add(Counter::Bytes, 99_999);
        let mut streaming = Interval { index: 1, ..Interval::default() };
        streaming.counters.add(Counter::Events, 100);
        streaming.counters.add(Counter::Bytes, 21_400);
        for _ in 0..200 {
            streaming
                .histograms
                .entry(Metric::Delivery)
                .or_default()
                .record(delivery_ms * 1_000_000);
        }
        let run = Run {
            transport,
            round,
            interval_ms: 1000,
            saturated: saturated.iter().map(|reason| (*reason).to_owned()).collect(),
            ..Run::default()
        };
        Outcome { run, intervals: vec![ramp, streaming], ..Outcome::default() }
    }

    fn measured() -> Versus {
        let own = |text: &str| text.to_owned();
        let server = Server {
            server: own("node"),
            about: own("Node's http"),
            versions: vec![own("Node 20")],
            needs: std::collections::BTreeMap::new(),
            install: Vec::new(),
            start: Vec::new(),
            sends: Sends { sse: own("a chunk"), websocket: own("a frame") },
            compression: own("none"),
            loads: vec![Load::Steady],
        };
        use Transport::{Sse, WebSocket};
        let steady = vec![
            round(Sse, 1, 10, &[]),
            round(WebSocket, 1, 20, &["the event loop lagged"]),
            round(Sse, 2, 20, &[]),
            round(WebSocket, 2, 40, &[]),
            round(Sse, 3, 30, &[]),
            round(WebSocket, 3, 61, &[]),
        ];
        let loads = vec![kept::load(Load::Steady, &steady)];
        Versus { machine: own("2 cores"), servers: vec![kept::server(&server, loads)] }
    }

    #[test]
    fn what_was_written_by_hand_is_kept() {
        let first = page(&measured(), "");
        assert!(first.contains("# Server-Sent Events and WebSockets\n\n<!-- by hand"), "{first}");
        let written = first.replacen(BY_HAND[0], &format!("{}Words.\n", BY_HAND[0]), 1);
        assert_ne!(first, written);
        assert_eq!(page(&measured(), &written), written);
    }

    #[test]
    fn both_stand_side_by_side_with_their_ratio() {
        let page = page(&measured(), "");
        for line in [
            "| delivery latency, p99 | 20.0 ms (10.0 ms to 30.0 ms) | 40.0 ms (20.0 ms to 61.0 ms) | **2.01 (1.96 to 2.06)** |",
            // The bytes of response headers count for the ramp, and not for events.
            "| bytes of an event on the wire | 214 B | 214 B | 1.00 (1.00 to 1.00) |",
            "| memory of a connection before its first event | – | – | – |",
            "- steady, round 1, WebSocket: the event loop lagged",
            "- [steady](../scenarios/versus/steady.yaml), 3 rounds: Two thousand clients",
            "| steady | delivery p99 | – | node | – | 2.01 |",
            "| node | 214 B | 214 B |",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }

    #[test]
    fn what_is_undecided_is_not_bold() {
        let of = |interval, rounds| super::ratio(Some(Times { value: 1.2, interval, rounds }));
        assert_eq!(of(Some((1.1, 1.3)), 3), "**1.20 (1.10 to 1.30)**");
        assert_eq!(of(Some((1.1, 1.3)), 2), "1.20 (1.10 to 1.30)");
        assert_eq!(of(Some((0.9, 1.6)), 4), "1.20 (0.90 to 1.60)");
        assert_eq!(of(None, 1), "1.20");
    }
}
