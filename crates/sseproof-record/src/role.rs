//! The part that an exchange plays for the rules that compare it with others.
//!
//! A step of a scenario names it (`role: through-later`). The name of a connection is free, and no
//! rule reads it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Owner,
    OtherUser,
    /// A request of another user with an event id from the owner's stream.
    OtherUserResumes,
    /// A request without credentials.
    Anonymous,
    /// A request without credentials, with an event id from the owner's stream.
    AnonymousResumes,
    /// A second request of a client, with the cookies that it got.
    SameSession,
    /// A request of a client without cookies, beside one that has some.
    Stranger,
    /// A request on a connection that the client keeps after an earlier one.
    SameConnection,
    /// A stream that the client cancels on a connection that it keeps.
    Cancelled,
    /// A publication that the server answers with the stream itself.
    Answer,
    /// One of two requests of which one goes through a proxy.
    Compared(Side, Sample),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Direct,
    Through,
}

/// Which request is made on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sample {
    Stream,
    /// A second one at the same time, which shows what every client gets.
    Control,
    /// One that is made while the first is open.
    Later,
    /// A reconnect with the last event id.
    Resumed,
    /// One that accepts content codings.
    Compressed,
    /// The stream that carries only what is published.
    Quiet,
    Head,
    /// HTTP/1.0.
    Http10,
    /// Without `Accept`.
    AnyType,
    /// A method that streams do not have.
    OtherMethod,
    /// The first, second and third of several that are open at once.
    One,
    Two,
    Three,
}

const SAMPLES: [(Sample, &str); 13] = [
    (Sample::Stream, ""),
    (Sample::Control, "-control"),
    (Sample::Later, "-later"),
    (Sample::Resumed, "-back"),
    (Sample::Compressed, "-coded"),
    (Sample::Quiet, "-quiet"),
    (Sample::Head, "-head"),
    (Sample::Http10, "-old"),
    (Sample::AnyType, "-any"),
    (Sample::OtherMethod, "-propfind"),
    (Sample::One, "-one"),
    (Sample::Two, "-two"),
    (Sample::Three, "-three"),
];
const SIDES: [(Side, &str); 2] = [(Side::Direct, "direct"), (Side::Through, "through")];
const OTHERS: [(Role, &str); 10] = [
    (Role::Owner, "owner"),
    (Role::OtherUser, "other"),
    (Role::OtherUserResumes, "other-again"),
    (Role::Anonymous, "nobody"),
    (Role::AnonymousResumes, "nobody-again"),
    (Role::SameSession, "same-session"),
    (Role::Stranger, "stranger"),
    (Role::SameConnection, "same-connection"),
    (Role::Cancelled, "cancelled"),
    (Role::Answer, "answer"),
];

impl Role {
    pub fn all() -> impl Iterator<Item = (Self, String)> {
        let compared = SIDES.iter().flat_map(|(side, start)| {
            SAMPLES
                .iter()
                .map(move |(sample, end)| (Self::Compared(*side, *sample), format!("{start}{end}")))
        });
        OTHERS.iter().map(|(role, name)| (*role, (*name).to_owned())).chain(compared)
    }

    /// In recordings of version 1, the names of a probe's connections are their roles.
    pub(crate) fn of_version_1(scenario: &str, name: &str) -> Option<Self> {
        let is_users = scenario.ends_with(".yaml") || scenario.ends_with(".yml");
        if is_users { None } else { name.parse().ok() }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::all().find_map(|(role, name)| (role == *self).then_some(name));
        f.write_str(&name.unwrap_or_default())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no role `{0}`")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::all().find_map(|(role, name)| (name == text).then_some(role));
        found.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_role_has_a_name_of_its_own_that_is_read_back() {
        let names: BTreeSet<_> = Role::all().map(|(_, name)| name).collect();
        assert_eq!(names.len(), OTHERS.len() + SIDES.len() * SAMPLES.len());
        for (role, name) in Role::all() {
            assert_eq!((role.to_string().as_str(), name.parse()), (name.as_str(), Ok(role)));
        }
        assert_eq!("direct-".parse::<Role>(), Err(UnknownRole("direct-".to_owned())));
    }

    #[test]
    fn in_version_1_only_the_names_of_probes_are_roles() {
        let later = Some(Role::Compared(Side::Through, Sample::Later));
        assert_eq!(Role::of_version_1("via", "through-later"), later);
        assert_eq!(Role::of_version_1("via", "first"), None);
        assert_eq!(Role::of_version_1("checks/own.yaml", "through-later"), None);
    }
}
