//! The built-in pack: scenarios whose traffic the rules judge.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::model::Purpose;
use crate::{Mistakes, Scenario, Variables};

/// A scenario of the built-in pack.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The path of its file, without the first folder and the extension.
    pub id: &'static str,
    pub scenario: Scenario,
    path: &'static str,
    source: &'static str,
}

macro_rules! sources {
    ($($path:literal),* $(,)?) => {
        /// Every file of the pack; each has its own order and profiles.
        const SOURCES: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../../scenarios/", $path, ".yaml")))),*
        ];
    };
}

sources![
    "conformance/accept",
    "conformance/auth",
    "conformance/away",
    "conformance/baseline",
    "conformance/cancelled",
    "conformance/capacity",
    "conformance/churn",
    "conformance/compression",
    "conformance/connection-close",
    "conformance/cors",
    "conformance/deliver",
    "conformance/encode",
    "conformance/encode-long",
    "conformance/end",
    "conformance/find",
    "conformance/head",
    "conformance/http10",
    "conformance/idle",
    "conformance/idle-event",
    "conformance/late-head",
    "conformance/leave",
    "conformance/leave-idle",
    "conformance/odd-ids",
    "conformance/other-method",
    "conformance/reconnect",
    "conformance/restart",
    "conformance/resume",
    "conformance/same-session",
    "conformance/shutdown",
    "conformance/stall",
    "conformance/stall-memory",
    "conformance/streams",
    "conformance/versions",
    "conformance/via",
    "conformance/via-idle",
    "conformance/via-leave",
    "conformance/via-restart",
    "conformance/via-same",
    "conformance/window",
    "profiles/anthropic-messages/characters",
    "profiles/anthropic-messages/refused",
    "profiles/anthropic-messages/thinking",
    "profiles/anthropic-messages/tools",
    "profiles/anthropic-messages/whole",
    "profiles/graphql-sse/get-mutation",
    "profiles/graphql-sse/invalid",
    "profiles/graphql-sse/single",
    "profiles/graphql-sse/whole",
    "profiles/mcp-2026-07-28/apart",
    "profiles/mcp-2026-07-28/calls",
    "profiles/mcp-2026-07-28/refused",
    "profiles/mcp/apart",
    "profiles/mcp/apart-stateless",
    "profiles/mcp/begin",
    "profiles/mcp/event-unknown",
    "profiles/mcp/listen",
    "profiles/mcp/refused",
    "profiles/mcp/resume",
    "profiles/mcp/resume-apart",
    "profiles/mcp/session",
    "profiles/mcp/shutdown",
    "profiles/mcp/stateless",
    "profiles/mcp/together",
    "profiles/mercure/refused",
    "profiles/mercure/updates",
    "profiles/openai-chat/characters",
    "profiles/openai-chat/choices",
    "profiles/openai-chat/refused",
    "profiles/openai-chat/tools",
    "profiles/openai-chat/usage",
    "profiles/openai-chat/whole",
    "profiles/openai-responses/characters",
    "profiles/openai-responses/refused",
    "profiles/openai-responses/tools",
    "profiles/openai-responses/whole",
];

impl Probe {
    fn read(
        path: &'static str,
        source: &'static str,
        variables: &Variables,
    ) -> Result<Self, Mistakes> {
        let file = format!("scenarios/{path}.yaml");
        let mut scenario = Scenario::probe(&file, source, variables)?;
        let id = path.split_once('/').map_or(path, |(_, id)| id);
        scenario.id = id.to_owned();
        Ok(Self { id, scenario, path, source })
    }

    /// The profiles that it belongs to; none for a probe of the general pack.
    fn profiles(&self) -> &[String] {
        self.scenario.probe.as_ref().map_or(&[], |probe| &probe.only_with)
    }

    pub fn is_of_a_profile(&self) -> bool {
        !self.profiles().is_empty()
    }

    /// Whether a probe of the general pack is played with this profile.
    fn is_kept_by(&self, profile: &str) -> bool {
        self.scenario.probe.iter().flat_map(|probe| &probe.also_with).any(|name| name == profile)
    }
}

/// Every probe in its order. The tests prove that every file parses, so none is left out here.
fn all() -> &'static [Probe] {
    static ALL: LazyLock<Vec<Probe>> = LazyLock::new(|| {
        let read = |&(path, source)| Probe::read(path, source, &Variables::default()).ok();
        let mut all: Vec<Probe> = SOURCES.iter().filter_map(read).collect();
        all.sort_by_key(|probe| probe.scenario.probe.as_ref().map(|probe| probe.order));
        all
    });
    &ALL
}

/// The probes of the general pack, in the order in which they run.
pub fn probes() -> &'static [Probe] {
    static GENERAL: LazyLock<Vec<Probe>> = LazyLock::new(|| {
        let mut probes: Vec<Probe> =
            all().iter().filter(|probe| !probe.is_of_a_profile()).cloned().collect();
        let finds = |probe: &&mut Probe| probe.scenario.purpose() == Purpose::FindStream;
        // Once the stream is found, the next one that could find it only looks at it.
        for probe in probes.iter_mut().filter(finds).skip(1) {
            if let Some(options) = &mut probe.scenario.probe {
                options.purpose = Purpose::Provoke;
            }
        }
        probes
    });
    &GENERAL
}

/// The probes of the general pack that are played with the profile, then its own, with these values
/// for their variables.
///
/// # Errors
/// [`Mistakes`], if a given value does not fit into a scenario.
pub fn profile_probes(profile: &str, variables: &Variables) -> Result<Vec<Probe>, Mistakes> {
    let general = all().iter().filter(|probe| probe.is_kept_by(profile)).cloned().map(Ok);
    let own = all().iter().filter(|probe| probe.profiles().iter().any(|name| name == profile));
    let own = own.map(|probe| Probe::read(probe.path, probe.source, variables));
    general.chain(own).collect()
}

pub fn profile_ids() -> impl Iterator<Item = &'static str> {
    let ids: BTreeSet<&str> = all().iter().flat_map(Probe::profiles).map(String::as_str).collect();
    ids.into_iter()
}

/// The probes that these rules need: those that name one of them; those with streams, if one of the
/// rules is named by no probe and so judges all streams; and those with a purpose for the run.
pub fn needed(mut all: Vec<Probe>, rules: &[&str]) -> Vec<Probe> {
    let is_general = |rule: &str| !all.iter().any(|probe| probe.scenario.is_for(rule));
    let general = rules.iter().any(|rule| is_general(rule));
    all.retain(|probe| {
        let shows = probe.scenario.rules.is_empty() || probe.scenario.shows_streams();
        probe.scenario.purpose() != Purpose::Provoke
            || general && shows
            || rules.iter().any(|rule| probe.scenario.is_for(rule))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProbeOptions, Step};
    use std::path::Path;

    fn options(probe: &Probe) -> &ProbeOptions {
        probe.scenario.probe.as_ref().expect("a probe")
    }

    #[test]
    fn every_probe_parses() {
        for (path, source) in SOURCES {
            if let Err(mistakes) = Probe::read(path, source, &Variables::default()) {
                panic!("{mistakes}");
            }
        }
        assert_eq!(all().len(), SOURCES.len());
        assert_eq!(probes().iter().filter(|probe| probe.scenario.idle).count(), 3);
        for id in profile_ids() {
            assert!(profile_probes(id, &Variables::default()).is_ok_and(|all| !all.is_empty()));
        }
        assert!(profile_probes("gopher", &Variables::default()).is_ok_and(|all| all.is_empty()));
    }

    #[test]
    fn a_file_without_the_options_of_a_probe_is_not_a_probe() {
        let source = "scenario: s\nsteps: [connect: {}]\n";
        let mistakes = Scenario::probe("f", source, &Variables::default()).unwrap_err();
        assert_eq!(mistakes.0[0].what, "`probe` is missing");
        assert!(Scenario::parse("f", source, &Variables::default()).is_ok());
    }

    #[test]
    fn the_order_is_unique_within_what_is_played_together() {
        let unique = |probes: Vec<Probe>| {
            let orders: BTreeSet<_> = probes.iter().map(|probe| options(probe).order).collect();
            assert_eq!(orders.len(), probes.len());
        };
        unique(probes().to_vec());
        for profile in profile_ids() {
            let own = all().iter().filter(|probe| probe.profiles().iter().any(|id| id == profile));
            unique(own.cloned().collect());
        }
    }

    #[test]
    fn one_probe_finds_the_stream_first_and_one_late_headers_with_patience() {
        let found = |probes: &[Probe], purpose| -> Vec<Probe> {
            let of = probes.iter().filter(|probe| probe.scenario.purpose() == purpose);
            of.cloned().collect()
        };
        let general = probes();
        let [finds] = &found(general, Purpose::FindStream)[..] else { panic!("not one") };
        assert_eq!(finds.id, general[0].id);
        let [late] = &found(general, Purpose::FindLateHeaders)[..] else { panic!("not one") };
        assert!(options(late).patience.is_some());
        assert!(
            found(general, Purpose::Provoke).iter().all(|probe| options(probe).patience.is_none())
        );
        for profile in &options(late).also_with {
            let probes = profile_probes(profile, &Variables::default()).expect("probes");
            let [finds] = &found(&probes, Purpose::FindStream)[..] else { panic!("not one") };
            assert_eq!(finds.id, probes[0].id, "{profile}");
        }
    }

    #[test]
    fn a_probe_that_affects_the_whole_server_runs_alone() {
        let touches = |step: &Step| {
            matches!(
                step,
                Step::Gauge(_)
                    | Step::Churn(_)
                    | Step::Crowd(_)
                    | Step::Pour(_)
                    | Step::Publish(_)
                    | Step::Payloads(_)
                    | Step::Stall(_)
                    | Step::ReadOn(_)
                    | Step::Restart(_)
                    | Step::Terminate(_)
            )
        };
        for probe in all() {
            // A probe of silent streams publishes to another one.
            let alone = options(probe).alone || probe.scenario.idle;
            assert!(alone || !probe.scenario.has_step(&touches), "{}", probe.id);
        }
        assert!(all().iter().any(|probe| !options(probe).alone));
    }

    #[test]
    fn a_rule_needs_the_probes_that_are_for_it_and_one_on_all_streams_those_that_show_some() {
        let ids = |rules: &[&str]| -> Vec<_> {
            needed(probes().to_vec(), rules).into_iter().map(|probe| probe.id).collect()
        };
        assert_eq!(ids(&["lifecycle/no-leak"]), ["find", "churn", "late-head"]);
        assert_eq!(
            ids(&["lifecycle/no-leak", "cors/vary-origin"]),
            ["find", "cors", "churn", "late-head"]
        );
        let general = ids(&["stream/utf8"]);
        assert!(general.contains(&"http10") && general.contains(&"odd-ids"), "{general:?}");
        assert!(!general.contains(&"encode") && !general.contains(&"auth"), "{general:?}");
        assert!(!general.contains(&"churn") && !general.contains(&"via"), "{general:?}");
    }

    #[test]
    fn every_file_is_embedded_and_once() {
        fn files(folder: &Path, prefix: &str, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{prefix}/{}", entry.file_name().into_string().unwrap());
                match name.strip_suffix(".yaml") {
                    Some(path) => found.push(path.to_owned()),
                    None => files(&entry.path(), &name, found),
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
        let mut found = Vec::new();
        for folder in ["conformance", "profiles"] {
            files(&root.join(folder), folder, &mut found);
        }
        found.sort();
        assert!(SOURCES.iter().map(|(path, _)| *path).eq(found));
    }
}
