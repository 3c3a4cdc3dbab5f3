//! The rules that are checked, and the cases that they need.

use globset::GlobMatcher;
use sseproof_client_rules::{Case, Rule, cases, rules};

use crate::args::CheckClient;
use crate::known::{self, OF_CLIENTS};

pub(super) struct Chosen {
    only: Vec<GlobMatcher>,
    skip: Vec<GlobMatcher>,
    /// In the order of the registry.
    pub(super) cases: Vec<&'static Case>,
}

impl Chosen {
    pub(super) fn new(arguments: &CheckClient) -> anyhow::Result<Self> {
        let only = known::only(&arguments.only, &OF_CLIENTS)?;
        let skip = known::skip(&arguments.skip, &OF_CLIENTS)?;
        let mut chosen = Self { only, skip, cases: Vec::new() };
        let needed: Vec<_> =
            rules().filter(|rule| chosen.has(rule)).flat_map(|rule| rule.cases).collect();
        anyhow::ensure!(!needed.is_empty(), "--only and --skip leave no rule to check");
        // The first cases show that the adapter works, and how quick the client is.
        let is_needed = |case: &&Case| {
            sseproof_check_client::FIRST.contains(&case.id) || needed.contains(&&case.id)
        };
        chosen.cases = cases().filter(is_needed).collect();
        Ok(chosen)
    }

    pub(super) fn has(&self, rule: &Rule) -> bool {
        let matches = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(rule.id));
        (self.only.is_empty() || matches(&self.only)) && !matches(&self.skip)
    }
}
