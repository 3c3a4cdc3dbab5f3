//! The built-in pack: scenarios that provoke what the standing rules judge.

use std::sync::LazyLock;

use crate::{Scenario, Variables};

/// A scenario of the built-in pack.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name: the stem of its file.
    pub id: &'static str,
    /// Whether it takes so long that it only runs when it is asked for.
    pub idle: bool,
    /// What it does.
    pub scenario: Scenario,
}

impl Probe {
    /// The rules that it is for, each as in `lifecycle/no-leak` or `cors/*`; none where it is for all.
    pub fn rules(&self) -> &[String] {
        &self.scenario.rules
    }
}

macro_rules! sources {
    ($($id:literal),* $(,)?) => {
        /// The probes, in the order in which they run: the others need what `baseline` shows.
        const SOURCES: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../../../scenarios/conformance/", $id, ".yaml")))),*
        ];
    };
}

sources![
    "baseline",
    "resume",
    "end",
    "reconnect",
    "odd-ids",
    "compression",
    "accept",
    "other-method",
    "head",
    "http10",
    "connection-close",
    "cors",
    "auth",
    "versions",
    "streams",
    "window",
    "idle",
    "encode",
    "encode-long",
    "deliver",
    "away",
    "leave",
    "leave-idle",
    "churn",
    "stall",
    "stall-memory",
    "restart",
    "via",
    "via-same",
    "via-leave",
    "via-restart",
    "via-idle",
];

/// Plays only where no head came in the usual time.
const LATE_HEAD: (&str, &str) =
    ("late-head", include_str!("../../../scenarios/conformance/late-head.yaml"));

/// The probe for a target whose head did not come in the usual time; it asks for more patience than
/// the limits of most clients have.
pub fn patient_probe() -> Option<&'static Probe> {
    static PROBE: LazyLock<Option<Probe>> = LazyLock::new(|| probe(LATE_HEAD.0, LATE_HEAD.1));
    PROBE.as_ref()
}

/// The built-in pack, in the order in which it runs.
pub fn probes() -> &'static [Probe] {
    static PROBES: LazyLock<Vec<Probe>> =
        LazyLock::new(|| SOURCES.iter().filter_map(|&(id, source)| probe(id, source)).collect());
    &PROBES
}

/// The probes among these that rules look at: those that are for one of them; those that show streams,
/// where one of them is a rule on all streams, which no probe is for alone; and `baseline`, which finds
/// out whether there is a stream at all.
pub fn needed(mut all: Vec<Probe>, rules: &[&str]) -> Vec<Probe> {
    let is_general = |rule: &str| !all.iter().any(|probe| probe.scenario.is_for(rule));
    let general = rules.iter().any(|rule| is_general(rule));
    all.retain(|probe| {
        let shows = probe.scenario.rules.is_empty() || probe.scenario.shows_streams();
        probe.id == "baseline"
            || general && shows
            || rules.iter().any(|rule| probe.scenario.is_for(rule))
    });
    all
}

/// The tests see to it that every file parses: none is left out here.
fn probe(id: &'static str, source: &str) -> Option<Probe> {
    let file = format!("scenarios/conformance/{id}.yaml");
    let mut scenario = Scenario::parse(&file, source, &Variables::default()).ok()?;
    scenario.id = id.to_owned();
    scenario.is_probe = true;
    Some(Probe { id, idle: scenario.idle, scenario })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_probe_parses() {
        for (id, source) in SOURCES.iter().chain([&LATE_HEAD]) {
            if let Err(mistakes) = Scenario::parse(id, source, &Variables::default()) {
                panic!("{mistakes}");
            }
        }
        assert_eq!(probes().len(), SOURCES.len());
        assert!(patient_probe().is_some());
        assert_eq!(probes().iter().filter(|probe| probe.idle).count(), 2);
    }

    #[test]
    fn a_rule_needs_the_probes_that_are_for_it_and_one_on_all_streams_those_that_show_some() {
        let ids = |rules: &[&str]| -> Vec<_> {
            needed(probes().to_vec(), rules).into_iter().map(|probe| probe.id).collect()
        };
        assert_eq!(ids(&["lifecycle/no-leak"]), ["baseline", "churn"]);
        assert_eq!(ids(&["lifecycle/no-leak", "cors/vary-origin"]), ["baseline", "cors", "churn"]);
        let general = ids(&["stream/utf8"]);
        assert!(general.contains(&"http10") && general.contains(&"odd-ids"), "{general:?}");
        assert!(!general.contains(&"encode") && !general.contains(&"auth"), "{general:?}");
        assert!(!general.contains(&"churn") && !general.contains(&"via"), "{general:?}");
    }

    #[test]
    fn every_file_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/conformance");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let embedded =
            SOURCES.iter().chain([&LATE_HEAD]).map(|(id, _)| format!("{id}.yaml")).collect();
        assert_eq!(files, embedded);
    }
}
