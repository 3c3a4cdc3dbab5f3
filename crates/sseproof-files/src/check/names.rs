//! The names of connections: known before they are used, free before they are given.

use std::collections::BTreeMap;

use sseproof_units::{names, nearest};

use super::Check;
use crate::mistake::{Place, Slip};
use crate::model::{At, Name};

/// What bears a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Stream,
    /// The answer to an ordinary request.
    Answer,
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
    /// Whether the name can be given again, and the line where it was dropped.
    free: bool,
    dropped: Option<usize>,
}

impl Names {
    pub(super) fn is_answer(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|bearer| bearer.what == Opened::Answer)
    }

    pub(super) fn free(&mut self, name: &str) {
        if let Some(bearer) = self.known.get_mut(name) {
            bearer.free = true;
        }
    }
}

impl Check<'_> {
    /// Where the name stands: a short form does not know it by itself.
    fn place(&self, name: &At<Name>, near: Place) -> Place {
        match name.place.line {
            0 => {
                let behind = Place { column: near.column + 1, ..near };
                let key = self.source.find(":", behind).unwrap_or(near);
                self.source.find(&name.0, key).unwrap_or(near)
            }
            _ => name.place,
        }
    }

    /// The connection or answer that a step is about.
    pub(super) fn named(&mut self, name: Option<&At<Name>>, near: Place) -> Option<String> {
        let Some(name) = name else {
            if self.names.latest.is_none() {
                let what = "nothing is connected before this step";
                self.slip(near, Slip::instead(what, "write `- connect: {}` above it"));
            }
            return self.names.latest.clone();
        };
        if self.names.known.contains_key(&name.0) {
            return Some(name.0.clone());
        }
        let place = self.place(name, near);
        let what = format!("nothing before this step is called `{}`", name.0);
        let known = || self.names.known.keys().map(String::as_str);
        let later = self.source.find(&format!("as: {}", name.0), place);
        let instead = match (nearest(&name.0, known()), later) {
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, Some(later)) => format!("it gets its name only in line {}", later.line),
            (None, None) if self.names.known.is_empty() => {
                format!("write `- connect: {{ as: {} }}` above it", name.0)
            }
            (None, None) => format!("the names are {}", names(known())),
        };
        self.slip(place, Slip::instead(what, instead));
        None
    }

    /// The connection that a step is about, which must be no answer to an ordinary request.
    pub(super) fn stream(&mut self, name: Option<&At<Name>>, near: Place) -> Option<String> {
        let found = self.named(name, near)?;
        if !self.names.is_answer(&found) {
            return Some(found);
        }
        let place = name.map_or(near, |name| self.place(name, near));
        let what = format!("`{found}` is the answer to an ordinary request, not a stream");
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
                (true, _) => format!("the second round finds `{word}` still connected"),
                (false, Some(_)) => {
                    format!("`{word}` is already the name of what line {} opened", bearer.line)
                }
                (false, None) => format!(
                    "this connection would be called `{word}`, as the one of line {} is",
                    bearer.line
                ),
            };
            let instead = match (again, name) {
                (true, _) => format!("end the round with `- drop: {word}`"),
                (false, Some(_)) => format!("choose another one, or `drop: {word}` before"),
                (false, None) => "give it a name of its own: `as: second`".to_owned(),
            };
            self.slip(place, Slip::instead(what, instead));
        }
        let free = what == Opened::Answer;
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
                self.slip(place, Slip::instead(what, "leave out one of the two"));
            }
            Some(_) => {
                let what = format!("the second round finds `{name}` already dropped");
                self.slip(place, Slip::instead(what, "connect it within the round"));
            }
            None => bearer.free = true,
        }
    }
}
