//! The plans of the cases: each stream has a fixed number of events and ends before the run does, so
//! that every count is known beforehand, however many generators play it.

use std::fs;

use anyhow::Context as _;

use super::engines::Engines;

pub(super) struct Plan {
    pub(super) file: &'static str,
    pub(super) clients: u64,
    /// Of each client, one in 100 ms.
    pub(super) events: u64,
    ramp: &'static str,
    hold: &'static str,
}

pub(super) const WHOLE: Plan =
    Plan { file: "whole.yaml", clients: 400, events: 50, ramp: "4s", hold: "7s" };
/// For what goes wrong.
pub(super) const BRIEF: Plan =
    Plan { file: "brief.yaml", clients: 80, events: 20, ramp: "1s", hold: "4s" };
/// For a shard that is killed after it has stored a part: it stores every 10 s, and first some 5 s after
/// the start.
pub(super) const LONG: Plan =
    Plan { file: "long.yaml", clients: 80, events: 50, ramp: "2s", hold: "10s" };

pub(super) fn write(engines: &Engines) -> anyhow::Result<()> {
    for Plan { file, clients, events, ramp, hold } in [WHOLE, BRIEF, LONG] {
        let url = format!("{}/events?every=100ms&size=100&count={events}", engines.origin);
        let text = format!(
            "plan: many generators\nurl: {url}\nclients:\n  - ramp: {{ to: {clients}, over: {ramp}, plateaus: 1 }}\n  - hold: {hold}\nreconnect: never\nstamp: own\nsequence: own\n"
        );
        fs::write(engines.work.join(file), text).with_context(|| format!("write {file}"))?;
    }
    Ok(())
}
