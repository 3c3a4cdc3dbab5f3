//! The ready plans: what streams are used for, each with what is realistic in it.

use std::sync::LazyLock;

use super::PlanFile;
use crate::Variables;

/// A plan of the built-in pack.
#[derive(Clone, Debug)]
pub struct ReadyPlan {
    /// Its name: the stem of its file.
    pub id: &'static str,
    /// The text of its file, to be parsed with other variables, or to be copied.
    pub source: &'static str,
    pub file: PlanFile,
}

macro_rules! sources {
    ($($id:literal),* $(,)?) => {
        const SOURCES: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../../../../scenarios/load/", $id, ".yaml")))),*
        ];
    };
}

sources![
    "news-feed",
    "stock-ticks",
    "job-progress",
    "server-logs",
    "collaborative-editing",
    "leaderboard",
    "location-tracking",
    "chat-completion",
];

pub fn plans() -> &'static [ReadyPlan] {
    // The tests see to it that every file parses: none is left out here.
    static PLANS: LazyLock<Vec<ReadyPlan>> = LazyLock::new(|| {
        let parse = |&(id, source): &(&'static str, &'static str)| {
            let file = format!("scenarios/load/{id}.yaml");
            let file = PlanFile::parse(&file, source, &Variables::default()).ok()?;
            Some(ReadyPlan { id, source, file })
        };
        SOURCES.iter().filter_map(parse).collect()
    });
    &PLANS
}
