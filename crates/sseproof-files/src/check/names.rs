//! The names of connections: known before they are used, free before they are given.

use std::collections::BTreeMap;

use sseproof_units::{names, nearest};

use super::Check;
use crate::mistake::{Place, Slip};
use crate::model::{At, Name};

/// The kind of a named thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Stream,
    /// The response to an ordinary request.
    Response,
}

/// The names that are known at one step.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: BTreeMap<String, Bearer>,
    latest: Option<String>,
}

#[derive(Debug)]
struct Bearer {
    what: Opened,
    line: usize,
    /// Whether the name can be used again, and the line of its `drop`.
    free: bool,
    dropped: Option<usize>,
}

impl Names {
    pub(super) fn is_response(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|bearer| bearer.what == Opened::Response)
    }

    pub(super) fn free(&mut self, name: &str) {
        if let Some(bearer) = self.known.get_mut(name) {
            bearer.free = true;
        }
    }
}

impl Check<'_> {
    /// The place of the name: a short form does not contain it.
    fn place(&self, name: &At<Name>, near: Place) -> Place {
        match name.place.line {
            0 => {
                let after = Place { column: near.column + 1, ..near };
                let key = self.source.find(":", after).unwrap_or(near);
                self.source.find(&name.0, key).unwrap_or(near)
            }
            _ => name.place,
        }
    }

    /// The connection or response of a step.
    pub(super) fn named(&mut self, name: Option<&At<Name>>, near: Place) -> Option<String> {
        let Some(name) = name else {
            if self.names.latest.is_none() {
                let what = "no connection before this step";
                self.slip(near, Slip::instead(what, "write `- connect: {}` above it"));
            }
            return self.names.latest.clone();
        };
        if self.names.known.contains_key(&name.0) {
            return Some(name.0.clone());
        }
        let place = self.place(name, near);
        let what = format!("no earlier step is named `{}`", name.0);
        let known = || self.names.known.keys().map(String::as_str);
        let later = self.source.find(&format!("as: {}", name.0), place);
        let instead = match (nearest(&name.0, known()), later) {
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, Some(later)) => format!("it is opened only in line {}", later.line),
            (None, None) if self.names.known.is_empty() => {
                format!("write `- connect: {{ as: {} }}` above it", name.0)
            }
            (None, None) => format!("known names: {}", names(known())),
        };
        self.slip(place, Slip::instead(what, instead));
        None
    }

    /// The connection of a step, which must not be a response to an ordinary request.
    pub(super) fn stream(&mut self, name: Option<&At<Name>>, near: Place) -> Option<String> {
        let found = self.named(name, near)?;
        if !self.names.is_response(&found) {
            return Some(found);
        }
        let place = name.map_or(near, |name| self.place(name, near));
        let what = format!("`{found}` is the response to an ordinary request, not a stream");
        self.slip(place, Slip::instead(what, "use `connect` instead of `http` to open a stream"));
        None
    }

    /// Gives a name.
    pub(super) fn open(
        &mut self,
        name: Option<&At<Name>>,
        default: &str,
        what: Opened,
        near: Place,
    ) {
        let word = name.map_or(default, |name| &name.0).to_owned();
        let place = name.map_or(near, |name| self.place(name, near));
        if let Some(bearer) = self.names.known.get(&word).filter(|bearer| !bearer.free) {
            let again = bearer.line == near.line;
            let what = match (again, name) {
                (true, _) => format!("in the second round, `{word}` is still connected"),
                (false, Some(_)) => {
                    format!("the name `{word}` is in use since line {}", bearer.line)
                }
                (false, None) => {
                    format!("the default name `{word}` is in use since line {}", bearer.line)
                }
            };
            let instead = match (again, name) {
                (true, _) => format!("end the round with `- drop: {word}`"),
                (false, Some(_)) => {
                    format!("choose another name, or write `- drop: {word}` above it")
                }
                (false, None) => "give it another name: `as: second`".to_owned(),
            };
            self.slip(place, Slip::instead(what, instead));
        }
        let free = what == Opened::Response;
        let bearer = Bearer { what, line: near.line, free, dropped: None };
        self.names.known.insert(word.clone(), bearer);
        if what == Opened::Stream {
            self.names.latest = Some(word);
        }
    }

    pub(super) fn drop(&mut self, name: &str, place: Place) {
        let Some(bearer) = self.names.known.get_mut(name) else { return };
        match bearer.dropped.replace(place.line) {
            Some(line) if line != place.line => {
                let what = format!("`{name}` was already dropped in line {line}");
                self.slip(place, Slip::instead(what, "remove one of the two"));
            }
            Some(_) => {
                let what = format!("in the second round, `{name}` is already dropped");
                self.slip(place, Slip::instead(what, "connect it inside the round"));
            }
            None => bearer.free = true,
        }
    }
}
