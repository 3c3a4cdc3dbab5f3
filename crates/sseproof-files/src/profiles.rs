//! Other names of profiles.

/// Other names for some of them.
const ALIASES: &[(&str, &str)] = &[("mcp-2025-11-25", "mcp")];

/// The other names, each with the profile that it stands for.
pub fn profile_aliases() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALIASES.iter().copied()
}
