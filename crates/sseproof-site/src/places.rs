//! Where a file of the repository is on the site.

use std::collections::BTreeMap;

use crate::{Group, Input};

/// From paths of the repository to pages.
pub(crate) struct Places {
    pages: BTreeMap<String, String>,
}

impl Places {
    pub(crate) fn of(input: &Input) -> Self {
        let own = |(from, to): (&str, &str)| (from.to_owned(), to.to_owned());
        let mut pages: BTreeMap<String, String> = [
            ("reports/peers.md", "servers.html"),
            ("reports/clients.md", "clients.html"),
            ("reports/bugs/README.md", "bugs.html"),
            ("reports/sse-vs-websocket.md", "sse-vs-websocket.html"),
            ("reports/matrix.json", "matrix.json"),
            ("reports/matrix.schema.json", "matrix.schema.json"),
            ("specs/RULES.md", "rules.html"),
            ("scenarios/peers", "servers.html"),
            ("scenarios/clients", "clients.html"),
            ("scenarios/parsers", "parsers.html"),
        ]
        .map(own)
        .into();
        for subject in &input.matrix.subjects {
            let folder = subject.kind.group().scenarios();
            pages.insert(format!("scenarios/{folder}/{}", subject.name), subject.page());
        }
        for report in &input.reports {
            let page = format!("reports/{}.html", report.name);
            pages.entry(format!("reports/{}.md", report.name)).or_insert(page);
        }
        for bug in &input.bugs {
            let page = format!("bugs/{}.html", bug.name);
            for script in &input.scripts {
                // The first report that shows it.
                if bug.text.contains(&script.name) {
                    let place = format!("{page}#{}", file_anchor(&script.name));
                    pages.entry(format!("reports/bugs/{}", script.name)).or_insert(place);
                }
            }
            pages.insert(format!("reports/bugs/{}.md", bug.name), page);
        }
        Self { pages }
    }

    /// The page of a file or folder of the repository.
    pub(crate) fn page(&self, file: &str) -> Option<&str> {
        self.pages.get(file.trim_end_matches('/')).map(String::as_str)
    }

    /// The page of a link in a file in this folder, from the root of the site. A link to the same page
    /// stays as it is.
    pub(crate) fn linked(&self, folder: &str, link: &str) -> Option<String> {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let mut parts: Vec<&str> = folder.split('/').collect();
        for part in path.split('/') {
            match part {
                "." | "" => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let page = self.page(&parts.join("/"))?;
        match anchor {
            "" => Some(page.to_owned()),
            // Headings of tables have no counterpart.
            _ if page.starts_with("reports/") || page.starts_with("bugs/") => {
                Some(format!("{page}#{anchor}"))
            }
            _ => Some(page.to_owned()),
        }
    }
}

/// The page of a rule, if it has one.
pub(crate) fn rule_page(rule: &str) -> Option<String> {
    sseproof_rules::rule_text(rule)?;
    Some(format!("rules/{}.html", rule.replace('/', "-")))
}

/// The id of a shown file.
pub(crate) fn file_anchor(name: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    let plain: String = name.chars().map(|one| if is_plain(one) { one } else { '-' }).collect();
    format!("file-{plain}")
}

/// The page of a group.
pub(crate) fn group_page(group: Group) -> String {
    format!("{}.html", group.folder())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Text;

    #[test]
    fn links_of_the_repository_lead_to_pages() {
        let text = |name: &str, text: &str| Text { name: name.to_owned(), text: text.to_owned() };
        let input = Input {
            bugs: vec![text("hono", "see `hono.mjs`")],
            scripts: vec![text("hono.mjs", "")],
            reports: vec![text("load", "")],
            ..Input::default()
        };
        let places = Places::of(&input);
        let linked = |link: &str| places.linked("reports/bugs", link).unwrap_or_default();
        assert_eq!(
            ["hono.md", "hono.mjs", "../clients.md", "../load.md#a", "../../specs/RULES.md", "x"]
                .map(linked),
            [
                "bugs/hono.html",
                "bugs/hono.html#file-hono-mjs",
                "clients.html",
                "reports/load.html#a",
                "rules.html",
                ""
            ]
        );
    }

    #[test]
    fn each_rule_has_a_page_of_its_own() {
        let servers = sseproof_rules::rules().map(|rule| rule.id);
        let all: Vec<_> =
            servers.chain(sseproof_client_rules::rules().map(|rule| rule.id)).collect();
        let pages: BTreeSet<_> = all.iter().map(|rule| rule_page(rule).expect("a page")).collect();
        assert_eq!(pages.len(), all.len());
    }
}
