//! The changes since another matrix.

use std::collections::BTreeMap;

use maud::{Markup, html};
use sseproof_html::{Mark, Section, anchor, line, prose, scroll};
use sseproof_rules::Status;
use sseproof_units::counted;

use crate::frame::{Page, word};
use crate::matrix::order;
use crate::tables::rule_link;
use crate::{Group, Matrix, Site, Subject};

/// The differences between two matrices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes<'m> {
    pub added: Vec<&'m Subject>,
    pub removed: Vec<&'m Subject>,
    /// The subjects that have other versions now, before and after.
    pub versions: Vec<(&'m Subject, &'m Subject)>,
    /// Worse ones first, then better ones.
    pub results: Vec<Change<'m>>,
    /// Rules by which no subject was judged before.
    pub rules: Vec<&'m str>,
}

/// A result that is another one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'m> {
    /// As it is now.
    pub subject: &'m Subject,
    pub rule: &'m str,
    /// `None` if it was not judged by this rule.
    pub before: Option<Status>,
    pub after: Option<Status>,
}

impl Change<'_> {
    /// Whether a rule is broken that was not.
    pub fn is_worse(&self) -> bool {
        self.after == Some(Status::Fail)
    }

    /// Whether a rule that was broken passes.
    pub fn is_better(&self) -> bool {
        self.before == Some(Status::Fail) && self.after == Some(Status::Pass)
    }

    fn mark(&self) -> (Mark, &'static str) {
        match (self.is_worse(), self.is_better()) {
            (true, _) => (Mark::Bad, "worse"),
            (_, true) => (Mark::Good, "better"),
            _ => (Mark::None, "other"),
        }
    }
}

impl<'m> Changes<'m> {
    pub fn between(before: &'m Matrix, after: &'m Matrix) -> Self {
        let (old, new) = (by_name(before), by_name(after));
        let mut changes = Self {
            added: missing(&new, &old),
            removed: missing(&old, &new),
            rules: after
                .levels
                .keys()
                .filter(|rule| !before.levels.contains_key(*rule))
                .map(String::as_str)
                .collect(),
            ..Self::default()
        };
        for (key, now) in &new {
            let Some((then, now)) = old.get(key).map(|then| (*then, *now)) else { continue };
            if then.versions != now.versions {
                changes.versions.push((then, now));
            }
            let mut all: Vec<&str> =
                then.results.keys().chain(now.results.keys()).map(String::as_str).collect();
            all.sort_unstable();
            all.dedup();
            let changed = all.into_iter().filter_map(|rule| {
                let (before, after) = (then.status(rule), now.status(rule));
                (before != after).then_some(Change { subject: now, rule, before, after })
            });
            changes.results.extend(changed);
        }
        changes.rules.sort_by_key(|rule| order(rule));
        changes.results.sort_by_key(|one| {
            (
                !one.is_worse(),
                !one.is_better(),
                one.subject.kind,
                &one.subject.name,
                order(one.rule),
            )
        });
        changes
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `2 results are worse and 3 are better; 1 subject is new`.
    pub(crate) fn words(&self) -> String {
        if self.is_empty() {
            return "Nothing changed".to_owned();
        }
        let worse = self.results.iter().filter(|one| one.is_worse()).count();
        let better = self.results.iter().filter(|one| one.is_better()).count();
        let other = self.results.len() - worse - better;
        let parts = [
            (worse, "worse result"),
            (better, "better result"),
            (other, "other result"),
            (self.versions.len(), "new version"),
            (self.added.len(), "new subject"),
            (self.removed.len(), "removed subject"),
            (self.rules.len(), "new rule"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| counted(count, noun))
            .collect();
        sseproof_units::list(&parts)
    }
}

type ByName<'m> = BTreeMap<(Group, &'m str), &'m Subject>;

fn by_name(matrix: &Matrix) -> ByName<'_> {
    let key = |one: &'_ Subject| one.kind.group();
    matrix.subjects.iter().map(|one| ((key(one), one.name.as_str()), one)).collect()
}

/// Those of the first that the second does not have.
fn missing<'m>(first: &ByName<'m>, second: &ByName<'_>) -> Vec<&'m Subject> {
    let missing = first.iter().filter(|(key, _)| !second.contains_key(*key));
    missing.map(|(_, subject)| *subject).collect()
}

pub(crate) fn page(site: &Site<'_>, changes: Option<&Changes<'_>>) -> Page {
    let mut page = Page::new("changes.html", "changes", "Changes since the last results");
    let Some(changes) = changes else {
        page.lead = html! {
            p { "There are no earlier results to compare with: " code { "cargo xtask site --since FILE" } " takes an earlier " code { "matrix.json" } "." }
        };
        return page;
    };
    page.lead = html! { p { strong { (changes.words()) } "." } };
    let sections = [results(site, changes), versions(changes), subjects(changes), rules(changes)];
    page.sections = sections.into_iter().flatten().collect();
    page
}

fn results(site: &Site<'_>, changes: &Changes<'_>) -> Option<Section> {
    let words = |status: Option<Status>, rule: &str| {
        status.map_or("not judged", |status| word(status, site.level(rule)))
    };
    (!changes.results.is_empty()).then(|| Section {
        id: "results",
        title: format!("Results: {}", changes.results.len()),
        short: "results".to_owned(),
        body: html! {
            (scroll("Results that changed", &html! { table.sorted {
                thead { tr {
                    th scope="col" { "Change" } th scope="col" { "Subject" } th scope="col" { "Rule" }
                    th scope="col" { "Level" } th scope="col" { "Before" } th scope="col" { "Now" } th scope="col" { "Evidence" }
                } }
                tbody { @for one in &changes.results {
                    @let (mark, kind) = one.mark();
                    tr.filtered {
                        td.result.(mark.class()) { (mark) " " (kind) }
                        th scope="row" { a href={ (one.subject.page()) (place(one)) } { (line(&one.subject.name)) } }
                        td { (rule_link(one.rule, "")) }
                        td { (site.level(one.rule).word()) }
                        td { (words(one.before, one.rule)) }
                        td { (words(one.after, one.rule)) }
                        td { @if let Some(message) = one.subject.message(one.rule) { (prose(message)) } }
                    }
                } }
            } }))
        },
    })
}

/// The anchor of a result that has one.
fn place(change: &Change<'_>) -> String {
    match change.after {
        Some(Status::Fail | Status::Inconclusive) => format!("#{}", anchor(change.rule)),
        _ => String::new(),
    }
}

fn versions(changes: &Changes<'_>) -> Option<Section> {
    (!changes.versions.is_empty()).then(|| Section {
        id: "versions",
        title: "New versions".to_owned(),
        short: "versions".to_owned(),
        body: html! {
            (scroll("New versions", &html! { table {
                thead { tr { th scope="col" { "Subject" } th scope="col" { "Before" } th scope="col" { "Now" } } }
                tbody { @for (before, now) in &changes.versions {
                    tr.filtered {
                        th scope="row" { a href=(now.page()) { (line(&now.name)) } }
                        td { (line(&before.versions.join(", "))) }
                        td { (line(&now.versions.join(", "))) }
                    }
                } }
            } }))
        },
    })
}

fn subjects(changes: &Changes<'_>) -> Option<Section> {
    let row = |one: &Subject, is_new: bool| -> Markup {
        html! { li {
            @if is_new { "new: " a href=(one.page()) { (line(&one.name)) } } @else { "removed: " (line(&one.name)) }
            " (" (one.kind.word()) ")"
        } }
    };
    (!changes.added.is_empty() || !changes.removed.is_empty()).then(|| Section {
        id: "subjects",
        title: "New and removed".to_owned(),
        short: "new".to_owned(),
        body: html! { ul {
            @for one in &changes.added { (row(one, true)) }
            @for one in &changes.removed { (row(one, false)) }
        } },
    })
}

fn rules(changes: &Changes<'_>) -> Option<Section> {
    (!changes.rules.is_empty()).then(|| Section {
        id: "rules",
        title: "New rules".to_owned(),
        short: "rules".to_owned(),
        body: html! { ul { @for rule in &changes.rules { li { (rule_link(rule, "")) } } } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::matrix::examples::{matrix, subject};

    #[test]
    fn worse_results_come_first() {
        use Status::{Fail, Pass, Skip};
        let before = matrix(vec![
            subject(
                Kind::Server,
                "a",
                &[("stream/utf8", Fail), ("stream/bom", Pass), ("response/status", Skip)],
            ),
            subject(Kind::Server, "gone", &[("stream/utf8", Pass)]),
        ]);
        let mut now = subject(
            Kind::Server,
            "a",
            &[
                ("stream/utf8", Pass),
                ("stream/bom", Fail),
                ("response/status", Pass),
                ("retry/announced", Pass),
            ],
        );
        now.versions = vec!["a 2.0".to_owned()];
        let after = matrix(vec![now, subject(Kind::Server, "new", &[("stream/utf8", Pass)])]);
        let changes = Changes::between(&before, &after);
        let rules: Vec<_> = changes.results.iter().map(|one| one.rule).collect();
        assert_eq!(rules, ["stream/bom", "stream/utf8", "response/status", "retry/announced"]);
        assert!(changes.results[0].is_worse() && changes.results[1].is_better());
        assert_eq!(
            changes.words(),
            "1 worse result, 1 better result, 2 other results, 1 new version, 1 new subject, 1 removed subject and 1 new rule"
        );
        assert!(Changes::between(&after, &after).is_empty());
    }
}
