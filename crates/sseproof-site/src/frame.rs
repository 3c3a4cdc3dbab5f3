//! The frame of a page of the site: where it is, its heading, and the links to all other parts.

use maud::{Markup, html};
use sseproof_html::{Around, Mark, Section};
use sseproof_rules::{Level, Status};

/// The parts of the site, and the words of their links.
const PARTS: [(&str, &str); 10] = [
    ("index.html", "Start"),
    ("servers.html", "Servers"),
    ("proxies.html", "Proxies"),
    ("protocols.html", "Protocols"),
    ("clients.html", "Clients"),
    ("parsers.html", "Parsers"),
    ("bugs.html", "Bugs"),
    ("sse-vs-websocket.html", "SSE and WebSockets"),
    ("rules.html", "Rules"),
    ("changes.html", "Changes"),
];

pub(crate) struct Page {
    /// From the root of the site.
    pub(crate) path: String,
    /// The page in few words, for the title and the bar.
    pub(crate) subject: String,
    pub(crate) heading: String,
    pub(crate) mark: Mark,
    pub(crate) facts: Vec<(&'static str, String)>,
    /// The content before the sections.
    pub(crate) lead: Markup,
    pub(crate) sections: Vec<Section>,
}

impl Page {
    pub(crate) fn new(path: &str, subject: &str, heading: &str) -> Self {
        Self {
            path: path.to_owned(),
            subject: subject.to_owned(),
            heading: heading.to_owned(),
            mark: Mark::None,
            facts: Vec::new(),
            lead: Markup::default(),
            sections: Vec::new(),
        }
    }

    pub(crate) fn around(&self) -> Around {
        let root = root(&self.path);
        // A page in a folder belongs to the part of that name.
        let part = self.path.split('/').next().unwrap_or_default();
        let is_here = |of: &str| of == self.path || of.strip_suffix(".html") == Some(part);
        let nav = html! {
            nav.site aria-label="Site" {
                ul { @for (path, words) in PARTS {
                    li { a href={ (root) (path) } aria-current=[is_here(path).then_some("page")] { (words) } }
                } }
            }
        };
        Around { nav, lead: self.lead.clone() }
    }
}

/// The way from the page to the root of the site: empty, or `../` for each folder.
pub(crate) fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count())
}

/// The mark of a result.
pub(crate) const fn mark(status: Status, level: Level) -> Mark {
    match (status, level) {
        (Status::Pass, _) => Mark::Good,
        (Status::Fail, Level::Must) => Mark::Bad,
        (Status::Fail, Level::Should) => Mark::Warning,
        (Status::Fail, Level::Advice) => Mark::Hint,
        (Status::Skip | Status::Inconclusive, _) => Mark::None,
    }
}

/// The word for a result.
pub(crate) const fn word(status: Status, level: Level) -> &'static str {
    match (status, level) {
        (Status::Pass, _) => "passed",
        (Status::Fail, Level::Must | Level::Should) => "broken",
        (Status::Fail, Level::Advice) => "not met",
        (Status::Skip, _) => "skipped",
        (Status::Inconclusive, _) => "inconclusive",
    }
}

/// The id of a rule, which may be broken after its family.
pub(crate) fn rule_name(rule: &str) -> Markup {
    html! {
        @match rule.split_once('/') {
            Some((family, name)) => { (family) "/" wbr; (name) }
            None => (rule),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_a_folder_finds_the_root_and_its_part() {
        assert_eq!([root("index.html"), root("rules/a.html")], ["", "../"]);
        let nav = Page::new("servers/axum.html", "axum", "axum").around().nav.0;
        assert!(nav.contains("href=\"../servers.html\" aria-current=\"page\""), "{nav}");
        assert_eq!(nav.matches("aria-current").count(), 1);
    }
}
