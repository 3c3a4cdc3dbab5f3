//! The probes of the profiles: scenarios that provoke what the rules of a protocol on top judge.

use crate::{Mistakes, Probe, Scenario, Variables};

/// A file below `scenarios/profiles/`, and what stands in it.
type Source = (&'static str, &'static str);

macro_rules! sources {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((
            concat!($folder, "/", $name),
            include_str!(concat!("../../../scenarios/profiles/", $folder, "/", $name, ".yaml")),
        )),*]
    };
}

/// The profiles, each with its probes in the order in which they run.
const PROFILES: &[(&str, &[Source])] = &[
    (
        "openai-chat",
        sources!["openai-chat": "whole", "usage", "characters", "tools", "choices", "refused"],
    ),
    ("openai-responses", sources!["openai-responses": "whole", "characters", "tools", "refused"]),
    (
        "anthropic-messages",
        sources!["anthropic-messages": "whole", "characters", "tools", "refused"],
    ),
    ("mcp", MCP),
    ("mcp-2025-03-26", MCP),
    ("mcp-2025-06-18", MCP),
    ("mcp-2026-07-28", sources!["mcp-2026-07-28": "calls", "refused"]),
    ("graphql-sse", sources!["graphql-sse": "whole", "invalid", "get-mutation", "single"]),
    ("mercure", sources!["mercure": "updates", "refused"]),
];

/// The probes of the versions that have sessions: only the version that they name differs.
const MCP: &[Source] = sources!["mcp": "session", "stateless", "resume", "refused"];

/// Other names for some of them.
const ALIASES: &[(&str, &str)] = &[("mcp-2025-11-25", "mcp")];

/// The other names, each with the profile that it stands for.
pub fn profile_aliases() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALIASES.iter().copied()
}

/// The ids of the profiles.
pub fn profile_ids() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|(id, _)| *id)
}

/// The probes of the profile, with these values for their variables; none for an unknown one.
///
/// # Errors
/// [`Mistakes`], where a given value makes no scenario.
pub fn profile_probes(profile: &str, variables: &Variables) -> Result<Vec<Probe>, Mistakes> {
    let sources = PROFILES.iter().find(|(id, _)| *id == profile).map_or(&[][..], |(_, all)| all);
    sources
        .iter()
        .map(|&(id, source)| {
            let file = format!("scenarios/profiles/{id}.yaml");
            let mut scenario = Scenario::parse(&file, source, variables)?;
            scenario.id = id.to_owned();
            scenario.is_probe = true;
            Ok(Probe { id, idle: scenario.idle, scenario })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_probe_of_a_profile_parses() {
        for id in profile_ids() {
            match profile_probes(id, &Variables::default()) {
                Ok(probes) => assert!(!probes.is_empty(), "{id}"),
                Err(mistakes) => panic!("{mistakes}"),
            }
        }
        assert_eq!(profile_probes("gopher", &Variables::default()).map(|found| found.len()), Ok(0));
    }

    #[test]
    fn every_file_is_played() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/profiles");
        let names = |path: &Path| -> Vec<_> {
            let entries = std::fs::read_dir(path).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let files: BTreeSet<String> = names(&folder)
            .into_iter()
            .flat_map(|name| {
                let files = names(&folder.join(&name)).into_iter();
                files.map(move |file| format!("{name}/{file}")).collect::<Vec<_>>()
            })
            .collect();
        let played = PROFILES.iter().flat_map(|(_, all)| *all);
        assert_eq!(files, played.map(|(id, _)| format!("{id}.yaml")).collect());
    }
}
