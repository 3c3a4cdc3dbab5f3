//! The page of a subject: each failure with its manual check and what to do, then all results, and what
//! was checked.

use maud::{Markup, html};
use sseproof_html::{Section, anchor, chip, line, prose, recipe, scroll, text};
use sseproof_rules::{Level, Recipe, Requirement, Status, requirement, rule_text};
use sseproof_units::counted;

use crate::frame::{Page, mark, root, word};
use crate::matrix::rules;
use crate::places::{file_anchor, rule_page};
use crate::tables::{rule_link, verdict};
use crate::{Described, Group, Kind, Site, Subject, Verdict};

/// How many recipes are shown unfolded.
const RECIPES: usize = 2;

pub(crate) fn page(site: &Site<'_>, subject: &Subject) -> Page {
    let path = subject.page();
    let mut page = Page::new(&path, &subject.name, &heading(site, subject));
    page.mark = verdict(subject);
    let profile = subject.profile.clone().unwrap_or_default();
    let facts = [
        ("what", subject.about.clone()),
        ("kind", kind(subject.kind).to_owned()),
        ("versions", subject.versions.join(", ")),
        ("protocol", profile),
        ("checked", format!("{} with {}", subject.checked, subject.tool)),
        ("again", format!("cargo xtask {} {}", subject.kind.group().scenarios(), subject.name)),
    ];
    page.facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty()).collect();
    let of = |level| failures(site, subject, level, &root(&path));
    let sections = [
        of(Level::Must),
        of(Level::Should),
        noted(site, subject, Advice, &root(&path)),
        noted(site, subject, Inconclusive, &root(&path)),
        Some(all(site, subject, &root(&path))),
        site.described(subject).and_then(files),
    ];
    page.sections = sections.into_iter().flatten().collect();
    page
}

fn heading(site: &Site<'_>, subject: &Subject) -> String {
    let of = |level| subject.failed(&site.input.matrix, level).len();
    let (must, should) = (of(Level::Must), of(Level::Should));
    let name = &subject.name;
    match subject.outcome {
        Verdict::Inconclusive => format!("{name}: inconclusive"),
        Verdict::Broken | Verdict::Passed => match (must, should) {
            (0, 0) => format!("{name}: no must and no should is broken"),
            (0, should) => {
                format!("{name}: no must is broken; {} not met", counted(should, "should"))
            }
            (must, 0) => format!("{name}: {} broken", counted(must, "must")),
            (must, should) => {
                format!(
                    "{name}: {} and {} broken",
                    counted(must, "must"),
                    counted(should, "should")
                )
            }
        },
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Server => "server",
        Kind::Proxy => "proxy",
        Kind::Protocol => "server with a protocol on top of event streams",
        Kind::Eventsource => "client that follows the standard of EventSource",
        Kind::OwnPolicy => "client that reconnects by a policy of its own",
        Kind::Reader => "client that reads one response",
        Kind::Parser => "parser",
    }
}

fn failures(site: &Site<'_>, subject: &Subject, level: Level, root: &str) -> Option<Section> {
    let failed = subject.failed(&site.input.matrix, level);
    let (id, title, short) = match level {
        Level::Must => ("broken", "Broken", "broken"),
        _ => ("should", "Not met, and each needs a good reason", "not met"),
    };
    (!failed.is_empty()).then(|| Section {
        id,
        title: format!("{title}: {}", counted(failed.len(), level.word())),
        short: format!("{short} ({})", failed.len()),
        body: html! { @for rule in failed { (failure(site, subject, rule, level, root)) } },
    })
}

fn failure(site: &Site<'_>, subject: &Subject, rule: &str, level: Level, root: &str) -> Markup {
    let mark = mark(Status::Fail, level);
    let texts = rule_text(rule);
    let of = texts.map(|(requirement, _)| requirement).or_else(|| requirement(rule));
    let message = subject.message(rule).map(str::to_owned);
    let message = message.or_else(|| Some(format!("broken: {}", texts?.1.title)));
    let message = message.or_else(|| of.map(|of| of.text.clone())).unwrap_or_default();
    html! {
        details.finding.filtered.(mark.class()) id=(anchor(rule)) open {
            summary {
                h3 { (mark) " " (line(rule)) }
                " " (chip(mark, &of.map_or_else(|| level.word().to_owned(), Requirement::standing)))
                " " span.message { (prose(&message)) }
            }
            @if let Some(described) = site.described(subject) { (by_hand(site, described, rule, root)) }
            @if let Some((_, text)) = texts {
                p { (prose(&text.why)) }
                (fix(&text.fix, &recipes(subject, &text.recipes), subject.kind))
            }
            p.source {
                @if rule_page(rule).is_some() { "The rule: " (rule_link(rule, root)) ". " }
                @if let Some(of) = of { span.faint {
                    "Source: " a href=(of.link) rel="noreferrer" { (line(&of.source)) }
                } }
            }
        }
    }
}

/// The manual check without sseproof, and the report on the bug.
fn by_hand(site: &Site<'_>, described: &Described, rule: &str, root: &str) -> Markup {
    let always = described.causes.get(rule).map(|cause| (cause, "Checked by hand"));
    let sometimes = described.sometimes.get(rule).map(|cause| (cause, "In some runs"));
    html! {
        @if let Some((cause, label)) = always.or(sometimes) {
            p { strong { (label) ": " } (prose(&without_reports(site, cause))) }
            @for (file, page) in reports_in(site, cause) {
                p { "Reproduction without sseproof: " a href={ (root) (page) } { (line(file)) } }
            }
        }
    }
}

/// The text without the names of reports, which get links of their own.
fn without_reports(site: &Site<'_>, cause: &str) -> String {
    let reports = reports_in(site, cause);
    reports.iter().fold(cause.to_owned(), |text, (file, _)| {
        let text = text.replace(&format!(" ({file})"), "");
        text.replace(&format!(" {file}."), "")
    })
}

/// The reports on bugs that the text names.
pub(crate) fn reports_in<'t>(site: &Site<'_>, text: &'t str) -> Vec<(&'t str, String)> {
    let words = text.split(|char: char| char.is_whitespace() || "(),;`".contains(char));
    words
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.starts_with("reports/bugs/"))
        .filter_map(|word| Some((word, site.places.page(word)?.to_owned())))
        .collect()
}

/// Those for the software itself first.
fn recipes<'r>(subject: &Subject, all: &'r [Recipe]) -> Vec<&'r Recipe> {
    let own: Vec<String> = subject
        .versions
        .iter()
        .filter_map(|version| version.split(' ').next())
        .chain([subject.name.as_str()])
        .map(str::to_lowercase)
        .collect();
    let is_own = |recipe: &Recipe| {
        let with = recipe.with.to_lowercase();
        own.iter().any(|name| with.split([',', ' ']).any(|word| word == name))
    };
    let mut recipes: Vec<&Recipe> = all.iter().collect();
    recipes.sort_by_key(|recipe| !is_own(recipe));
    recipes
}

fn fix(fix: &str, recipes: &[&Recipe], kind: Kind) -> Markup {
    // A user of a client or a proxy cannot follow the recipe of a server.
    let recipes = if kind.group() == Group::Parsers { &[][..] } else { recipes };
    html! {
        div.fix {
            p { strong { "Fix: " } (prose(fix)) }
            @for one in recipes.iter().take(RECIPES) { (recipe(one)) }
            @if recipes.len() > RECIPES {
                details.more {
                    summary {
                        "With " (recipes[RECIPES..].iter().map(|one| one.with.as_str()).collect::<Vec<_>>().join(", "))
                    }
                    @for one in &recipes[RECIPES..] { (recipe(one)) }
                }
            }
        }
    }
}

/// Rules that have only a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Noted {
    Advice,
    Inconclusive,
}
use Noted::{Advice, Inconclusive};

fn noted(site: &Site<'_>, subject: &Subject, noted: Noted, root: &str) -> Option<Section> {
    let is_one = |rule: &&str| {
        let (status, level) = (subject.status(rule), site.level(rule));
        match noted {
            Advice => status == Some(Status::Fail) && level == Level::Advice,
            Inconclusive => status == Some(Status::Inconclusive),
        }
    };
    let found: Vec<&str> = rules(&[subject]).into_iter().filter(is_one).collect();
    let (id, title, short) = match noted {
        Advice => ("advice", "Advice that is not met", "advice"),
        Inconclusive => ("inconclusive", "Inconclusive", "inconclusive"),
    };
    let message = |rule: &str| {
        let title = || rule_text(rule).map(|(_, text)| text.title.clone());
        subject.message(rule).map(str::to_owned).or_else(title).unwrap_or_default()
    };
    (!found.is_empty()).then(|| Section {
        id,
        title: format!("{title}: {}", counted(found.len(), "rule")),
        short: format!("{short} ({})", found.len()),
        body: html! {
            (scroll("Rules", &html! { table {
                thead { tr { th scope="col" { "Rule" } th scope="col" { @if noted == Advice { "Evidence" } @else { "Reason" } } } }
                tbody { @for rule in found {
                    tr.filtered id=(anchor(rule)) {
                        th scope="row" { (rule_link(rule, root)) }
                        td { (prose(&message(rule))) }
                    }
                } }
            } }))
        },
    })
}

fn all(site: &Site<'_>, subject: &Subject, root: &str) -> Section {
    let rules = rules(&[subject]);
    let of = |wanted| subject.results.values().filter(|status| **status == wanted).count();
    Section {
        id: "all",
        title: "All results".to_owned(),
        short: "all results".to_owned(),
        body: html! {
            p {
                (of(Status::Pass)) " passed, " (of(Status::Fail)) " not met, "
                (of(Status::Inconclusive)) " inconclusive, " (of(Status::Skip)) " skipped."
            }
            details.more.many {
                summary { "The result of each rule" }
                (scroll("All results", &html! { table.sorted {
                    thead { tr { th scope="col" { "Rule" } th scope="col" { "Level" } th scope="col" { "Result" } } }
                    tbody { @for rule in rules {
                        @let level = site.level(rule);
                        @if let Some(status) = subject.status(rule) { tr.filtered {
                            th scope="row" { (rule_link(rule, root)) }
                            td { (level.word()) }
                            td.result.(mark(status, level).class()) { (mark(status, level)) " " (word(status, level)) }
                        } }
                    } }
                } }))
            }
        },
    }
}

/// The files that were checked.
fn files(described: &Described) -> Option<Section> {
    (!described.files.is_empty()).then(|| Section {
        id: "files",
        title: "Files that were checked".to_owned(),
        short: "files".to_owned(),
        body: html! { @for file in &described.files {
            details.more id=(file_anchor(&file.name)) {
                summary { code { (line(&file.name)) } }
                pre tabindex="0" { (text(file.text.trim_end())) }
            }
        } },
    })
}
