//! Header fields, in order, with their values as the bytes that they were.

use serde::{Deserialize, Serialize};

use crate::Bytes;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The name as sent or received; compared without regard to case.
    pub name: String,
    /// The value, without surrounding white space.
    pub value: Bytes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(pub Vec<Header>);

impl Headers {
    /// The first value of the field, as text.
    pub fn first(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|header| header.value.to_text())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Header> {
        self.0.iter().filter(move |header| header.name.eq_ignore_ascii_case(name))
    }

    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The members of a comma-separated list field, trimmed, in lower case, of all its lines.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(|header| {
                header
                    .value
                    .to_text()
                    .split(',')
                    .map(|member| member.trim().to_ascii_lowercase())
                    .collect::<Vec<_>>()
            })
            .filter(|member| !member.is_empty())
            .collect()
    }

    /// Sets the field: the first line of that name is replaced in its place, others are removed.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        let place = self.0.iter().position(|header| header.name.eq_ignore_ascii_case(name));
        let header = Header { name: name.to_owned(), value: value.into() };
        match place {
            Some(index) => {
                self.0[index] = header;
                let mut seen = 0;
                self.0.retain(|other| {
                    seen += 1;
                    seen - 1 <= index || !other.name.eq_ignore_ascii_case(name)
                });
            }
            None => self.0.push(header),
        }
    }

    /// Adds a field line after the others.
    pub fn add(&mut self, name: &str, value: impl Into<Bytes>) {
        self.0.push(Header { name: name.to_owned(), value: value.into() });
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|header| !header.name.eq_ignore_ascii_case(name));
    }
}

impl<N: Into<String>, V: Into<Bytes>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| Header { name: name.into(), value: value.into() })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_replaces_in_place_and_removes_the_other_lines() {
        let mut headers: Headers =
            [("A", "1"), ("b", "2"), ("a", "3"), ("c", "4")].into_iter().collect();
        headers.set("a", "9");
        let names: Vec<_> =
            headers.0.iter().map(|h| (h.name.as_str(), h.value.to_text())).collect();
        assert_eq!(names, [("a", "9".into()), ("b", "2".into()), ("c", "4".into())]);
    }

    #[test]
    fn list_joins_lines_and_folds_case() {
        let headers: Headers =
            [("Cache-Control", "No-Cache, no-store"), ("cache-control", "no-transform")]
                .into_iter()
                .collect();
        assert_eq!(headers.list("cache-control"), ["no-cache", "no-store", "no-transform"]);
    }
}
