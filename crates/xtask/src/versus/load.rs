//! The plans of `scenarios/versus/`: one table of the page for each.

use std::fs;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Deserialize;
use sseproof_files::{PlanFile, Variables};

use super::{INSTALLED, Server};
use crate::root;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Load {
    Steady,
    Fast,
    Storm,
    StormJitter,
    Tls,
    Http2,
    Compress,
}

/// The rows of its tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Memory of connections, then events.
    Costs,
    /// The same, and how many streams were compressed.
    Compressed,
    /// Events only: too few clients to show memory.
    Events,
    Storm,
}

impl Load {
    pub(super) const ALL: [Self; 7] = [
        Self::Steady,
        Self::Fast,
        Self::Storm,
        Self::StormJitter,
        Self::Tls,
        Self::Http2,
        Self::Compress,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Fast => "fast",
            Self::Storm => "storm",
            Self::StormJitter => "storm-jitter",
            Self::Tls => "tls",
            Self::Http2 => "http2",
            Self::Compress => "compress",
        }
    }

    /// The heading of its table.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Steady => "Idle, then ten events a second",
            Self::Fast => "A hundred events a second",
            Self::Storm => "Half of the clients reconnect at the same moment",
            Self::StormJitter => "Half of the clients reconnect, each after a time of its own",
            Self::Tls => "With TLS",
            Self::Http2 => "A hundred streams on each HTTP/2 connection",
            Self::Compress => "Compressed",
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Steady | Self::Tls | Self::Http2 => Kind::Costs,
            Self::Compress => Kind::Compressed,
            Self::Fast => Kind::Events,
            Self::Storm | Self::StormJitter => Kind::Storm,
        }
    }

    pub(super) fn has_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Http2)
    }

    pub(super) fn path(self) -> PathBuf {
        root().join(format!("scenarios/versus/{}.yaml", self.name()))
    }

    pub(super) fn plan(self) -> Option<PlanFile> {
        let text = fs::read_to_string(self.path()).ok()?;
        PlanFile::parse(self.name(), &text, &Variables::default()).ok()
    }

    pub(super) fn result(self, server: &Server) -> PathBuf {
        root().join(INSTALLED).join(&server.server).join(format!("{}.json", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_load_has_a_plan_of_its_name() {
        for load in Load::ALL {
            let plan = load.plan().unwrap_or_else(|| panic!("there is no plan {}", load.name()));
            assert_eq!(plan.plan.name, load.name());
            assert_eq!(load.to_possible_value().expect("a value").get_name(), load.name());
            let read: Load = serde_yaml::from_str(load.name()).expect("a load");
            assert_eq!(read, load);
        }
    }
}
