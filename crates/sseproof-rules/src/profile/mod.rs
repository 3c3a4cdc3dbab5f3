//! The protocols on top of event streams, each with the rules that it adds and those that it
//! makes pointless.
//!
//! A rule of a profile judges only where the profile was chosen, and is not even mentioned
//! otherwise: what no reader asked for is no skip, but noise.

mod anthropic_messages;
mod events;
mod graphql_sse;
mod json;
mod look;
mod mcp;
mod mercure;
mod openai_chat;
mod openai_responses;
mod refused;
mod table;
#[cfg(test)]
mod testing;
mod torn;
mod written;

use sseproof_record::Answer;

use crate::{Rule, delivery, encode, reconnect, response, resume, retry, stream};

/// A protocol on top of event streams.
pub struct Profile {
    /// Its name, as in `openai-chat`; the family of its rules, unless several profiles share them.
    pub id: &'static str,
    /// Other names for it, for who writes out what the name leaves open.
    pub aliases: &'static [&'static str],
    /// What it is, as a fragment: `chat completions as OpenAI streams them`.
    pub title: &'static str,
    /// The path at which the reference serves it.
    pub path: &'static str,
    /// The method that asks for a stream.
    pub method: &'static str,
    /// The header fields of each request.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body that asks for a stream: a template with the variables below.
    pub body: &'static str,
    /// The variables of the body and of the profile's probes, with the values that they have where
    /// nobody gives others.
    pub variables: &'static [(&'static str, &'static str)],
    /// The general rules that make no sense here.
    pub omits: &'static [&'static [&'static Rule]],
    pub rules: &'static [&'static Rule],
    /// The reference: what a right server of this profile answers.
    pub answer: Answer,
}

/// What makes no sense where a stream is the answer to one POST, which ends and is not resumed: a
/// client does not come back to it, nothing is cached, and nobody asks for its head alone.
const OF_ANSWERS: &[&[&Rule]] = &[
    resume::FAMILY.rules,
    reconnect::FAMILY.rules,
    retry::FAMILY.rules,
    encode::FAMILY.rules,
    OF_LASTING_STREAMS,
    stream::ON_IDS,
    // An `EventSource` cannot POST, and two of these protocols have an event that is called `error`.
    &[&stream::event_type_clash::RULE],
];

/// The rules on other requests for a stream, and on streams that last.
const OF_LASTING_STREAMS: &[&Rule] = &[
    &response::head_method::RULE,
    &response::head_no_body::RULE,
    &response::other_method::RULE,
    &response::cache::RULE,
    &delivery::second_subscriber::RULE,
    &delivery::heartbeat::RULE,
];

/// The profiles, in the order in which they are listed.
const PROFILES: &[&Profile] = &[
    &openai_chat::PROFILE,
    &openai_responses::PROFILE,
    &anthropic_messages::PROFILE,
    &mcp::NEWEST_WITH_SESSIONS,
    &mcp::OF_2025_03,
    &mcp::OF_2025_06,
    &mcp::OF_2026_07,
    &graphql_sse::PROFILE,
    &mercure::PROFILE,
];

pub fn profiles() -> impl Iterator<Item = &'static Profile> {
    PROFILES.iter().copied()
}

/// The profile of that id, or of that other name.
pub fn profile(id: &str) -> Option<&'static Profile> {
    profiles().find(|profile| profile.id == id || profile.aliases.contains(&id))
}

impl Profile {
    /// Whether the rule, a general one, makes sense here.
    pub fn keeps(&self, rule: &Rule) -> bool {
        !self.omits.iter().any(|rules| rule.is_in(rules))
    }

    pub fn adds(&self, rule: &Rule) -> bool {
        rule.is_in(self.rules)
    }
}

/// The profiles that add the rule; none for a general rule.
pub fn profiles_of(rule: &Rule) -> impl Iterator<Item = &'static Profile> {
    profiles().filter(move |profile| profile.adds(rule))
}
