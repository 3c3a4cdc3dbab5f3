//! The rule book: one page per rule, with what `sseproof explain` says, and with those that break it.

use maud::{Markup, html};
use sseproof_html::{Mark, Section, anchor, line, prose, recipe, scroll};
use sseproof_report::{Examples, Explained, family};
use sseproof_rules::{Level, Status};
use sseproof_units::counted;

use crate::frame::{Page, root};
use crate::places::rule_page;
use crate::tables::rule_link;
use crate::{Group, Site, Subject};

/// The overview, and a page for each rule.
pub(crate) fn pages(site: &Site<'_>) -> Vec<Page> {
    let servers = sseproof_rules::rules().map(|rule| Explained::of(rule, rule.mutants));
    let clients = sseproof_client_rules::rules().map(|rule| {
        let cases = sseproof_client_rules::cases().filter(|case| rule.cases.contains(&case.id));
        let (requirement, text) = rule.texts();
        let cases = cases.map(|case| (case.id, case.about)).collect();
        Explained { text, requirement, examples: Examples::Cases(cases) }
    });
    let all: Vec<Explained<'_>> = servers.chain(clients).collect();
    let mut pages = vec![overview(site, &all)];
    pages.extend(all.iter().filter_map(|rule| page(site, rule)));
    pages
}

fn mark(level: Level) -> Mark {
    match level {
        Level::Must => Mark::Bad,
        Level::Should => Mark::Warning,
        Level::Advice => Mark::Hint,
    }
}

fn overview(site: &Site<'_>, all: &[Explained<'_>]) -> Page {
    let mut page =
        Page::new("rules.html", "rules", &format!("The rule book: {}", counted(all.len(), "rule")));
    page.lead = html! {
        p {
            "Each rule judges what was seen on the wire. A must is required by a standard, or a client breaks without it; a should needs a good reason not to be met; advice is good practice."
        }
        p { "The same in a terminal: " code { "sseproof explain RULE" } "." }
    };
    let of = |rule: &Explained<'_>, status| {
        let subjects = site.input.matrix.subjects.iter();
        subjects.filter(|one| one.status(&rule.text.id) == Some(status)).count()
    };
    page.sections.push(Section {
        id: "rules",
        title: "All rules".to_owned(),
        short: String::new(),
        body: html! {
            (scroll("All rules", &html! { table.sorted {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "Level" } th scope="col" { "Title" }
                    th.right scope="col" { "Broken by" }
                } }
                tbody { @for rule in all {
                    @let failed = of(rule, Status::Fail);
                    tr.filtered {
                        th scope="row" { (rule_link(&rule.text.id, "")) }
                        td { (line(&rule.requirement.standing())) }
                        td { (prose(&rule.text.title)) }
                        td.number { (failed) " of " (failed + of(rule, Status::Pass)) }
                    }
                } }
            } }))
        },
    });
    page
}

fn page(site: &Site<'_>, rule: &Explained<'_>) -> Option<Page> {
    let Explained { text, requirement, .. } = rule;
    let path = rule_page(&text.id)?;
    let mut page = Page::new(&path, &text.id, &format!("{}: {}", text.id, text.title));
    page.facts = vec![
        ("level", requirement.standing()),
        ("family", family(&text.id).to_owned()),
        ("requirement", requirement.id.clone()),
    ];
    page.lead = html! {
        h2 id="requirement" { "Requirement" }
        p { (prose(&requirement.text)) }
        p.source { "Source: " a href=(requirement.link) rel="noreferrer" { (line(&requirement.source)) } }
        h2 id="why" { "Why" }
        p { (prose(&text.why)) }
        h2 id="fix" { "Fix" }
        div.fix {
            p { (prose(&text.fix)) }
            @for one in &text.recipes { (recipe(one)) }
        }
    };
    let sections = [Some(check(rule)), examples(rule), found(site, rule, &root(&path))];
    page.sections = sections.into_iter().flatten().collect();
    Some(page)
}

fn check(rule: &Explained<'_>) -> Section {
    Section {
        id: "check",
        title: "Check this rule alone".to_owned(),
        short: "check it".to_owned(),
        body: html! { pre tabindex="0" { (line(&rule.command())) } },
    }
}

fn examples(rule: &Explained<'_>) -> Option<Section> {
    let (id, title) = match &rule.examples {
        Examples::Mutants(_) => ("mutants", "Servers that break it on purpose"),
        Examples::Cases(_) => ("cases", "The cases that it judges"),
    };
    let all = rule.examples.all();
    (!all.is_empty()).then(|| Section {
        id,
        title: title.to_owned(),
        short: id.to_owned(),
        body: html! {
            p { "To try one by hand: " code { (rule.examples.command()) } }
            dl.rows.names { @for (name, about) in all {
                div { dt { code { (line(name)) } } dd { (prose(about)) } }
            } }
        },
    })
}

/// Those that break it, and how many do not.
fn found(site: &Site<'_>, rule: &Explained<'_>, root: &str) -> Option<Section> {
    let id = &rule.text.id;
    let of = |group: Group, status: Status| -> Vec<&Subject> {
        site.input.matrix.of(group).filter(|one| one.status(id) == Some(status)).collect()
    };
    let rows: Vec<(Group, Vec<&Subject>, usize, Vec<&Subject>)> = Group::ALL
        .into_iter()
        .map(|group| {
            let failed = of(group, Status::Fail);
            let passed = of(group, Status::Pass).len();
            (group, failed, passed, of(group, Status::Inconclusive))
        })
        .filter(|(_, failed, passed, open)| failed.len() + passed + open.len() > 0)
        .collect();
    let names = |all: &[&Subject]| -> Markup {
        html! { @for (at, one) in all.iter().enumerate() {
            @if at > 0 { ", " }
            a href={ (root) (one.page()) "#" (anchor(id)) } { (line(&one.name)) }
        } }
    };
    (!rows.is_empty()).then(|| Section {
        id: "found",
        title: "Results".to_owned(),
        short: "found".to_owned(),
        body: html! {
            (scroll("Results", &html! { table {
                thead { tr {
                    th scope="col" { "Kind" } th.right scope="col" { "Passed" } th scope="col" { "Broken by" } th scope="col" { "Inconclusive" }
                } }
                tbody { @for (group, failed, passed, open) in &rows {
                    tr {
                        th scope="row" { (group.folder()) }
                        td.number { (passed) }
                        td { @if failed.is_empty() { "none" } @else { (mark(site.level(id))) " " (failed.len()) ": " (names(failed)) } }
                        td { @if open.is_empty() { "none" } @else { (names(open)) } }
                    }
                } }
            } }))
        },
    })
}
