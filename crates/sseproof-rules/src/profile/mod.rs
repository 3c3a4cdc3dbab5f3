//! The protocols on top of event streams, each with the rules that it adds and the general rules that
//! it omits.
//!
//! A rule of a profile judges only if the profile is selected. Otherwise reports do not mention it: a
//! skip for each rule of another protocol would be noise.

mod anthropic_messages;
mod events;
mod graphql_sse;
mod json;
mod library_types;
mod look;
mod mcp;
mod mercure;
mod openai_chat;
mod openai_responses;
mod refused;
mod required;
mod table;
mod torn;
mod written;

use sseproof_http::Answer;

use crate::{Rule, delivery, encode, reconnect, response, resume, retry, stream};

/// A protocol on top of event streams.
pub struct Profile {
    /// Its name, as in `openai-chat`; the family of its rules, unless several profiles share them.
    pub id: &'static str,
    /// Other names for it, such as one with the version.
    pub aliases: &'static [&'static str],
    /// A short description, as a fragment: `chat completions as OpenAI streams them`.
    pub title: &'static str,
    /// The path at which the reference serves it.
    pub path: &'static str,
    pub method: &'static str,
    /// The header fields of each request.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body that asks for a stream: a template with the variables below.
    pub body: &'static str,
    /// The variables of the body and of the profile's probes, with their default values.
    pub variables: &'static [(&'static str, &'static str)],
    /// The general rules that do not apply.
    pub omits: &'static [&'static [&'static Rule]],
    pub rules: &'static [&'static Rule],
    /// The reference: the responses of a correct server of this profile.
    pub answer: Answer,
}

/// The general rules that do not apply if a stream is the response to one POST: the stream ends, is
/// neither resumed nor cached, and no client sends HEAD for it.
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

/// The rules on other requests for a stream, and on long streams.
const OF_LASTING_STREAMS: &[&Rule] = &[
    &response::head_method::RULE,
    &response::head_no_body::RULE,
    &response::other_method::RULE,
    &response::cache::RULE,
    &delivery::second_subscriber::RULE,
    &delivery::heartbeat::RULE,
];

/// The profiles, in the order of the list for users.
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

pub fn profile(id: &str) -> Option<&'static Profile> {
    profiles().find(|profile| profile.id == id || profile.aliases.contains(&id))
}

impl Profile {
    /// Whether this general rule applies.
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
