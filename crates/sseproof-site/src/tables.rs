//! The page of a group: its subjects, and their results by rule.

use maud::{Markup, html};
use sseproof_html::{Mark, Section, anchor, line, prose, scroll};
use sseproof_report::family;
use sseproof_rules::{Level, Status};
use sseproof_units::counted;

use crate::frame::{Page, mark, root, rule_name};
use crate::matrix::{rules, sign};
use crate::places::{group_page, rule_page};
use crate::{Group, Kind, Site, Subject, Verdict};

pub(crate) fn page(site: &Site<'_>, group: Group) -> Page {
    let path = group_page(group);
    let subjects: Vec<&Subject> = site.input.matrix.of(group).collect();
    let (title, about) = words(group);
    let mut page = Page::new(&path, title, title);
    page.lead = html! {
        p { (prose(about)) }
        p { (summary(site, group, &subjects)) }
    };
    page.sections.push(Section {
        id: "subjects",
        title: "Checked".to_owned(),
        short: "checked".to_owned(),
        body: list(site, group, &subjects, &root(&path)),
    });
    page.sections.push(Section {
        id: "results",
        title: "Results by rule".to_owned(),
        short: "by rule".to_owned(),
        body: html! {
            (legend())
            @for kind in Kind::ALL.into_iter().filter(|kind| kind.group() == group) {
                @let of_kind: Vec<&Subject> = subjects.iter().copied().filter(|one| one.kind == kind).collect();
                @if !of_kind.is_empty() {
                    @if group == Group::Clients { h3 { (kind.title()) } }
                    (matrix(site, kind, &of_kind, &root(&path)))
                }
            }
        },
    });
    page
}

/// The title of the page, and what was checked and how.
pub(crate) const fn words(group: Group) -> (&'static str, &'static str) {
    match group {
        Group::Servers => (
            "Servers",
            "Frameworks and libraries that write event streams, each set up as its own documentation says. A failure is of the library or of the program that its documentation shows; the page of each server says which.",
        ),
        Group::Proxies => (
            "Proxies",
            "Each in front of the same Node server; the stream through the proxy is compared with the stream of the server itself.",
        ),
        Group::Protocols => (
            "Protocols",
            "Servers with a protocol on top of event streams: the APIs of language models, MCP, GraphQL, Mercure.",
        ),
        Group::Clients => (
            "Clients",
            "Browsers, runtimes, packages and SDKs. Each plays cases against a server that knows what a right client does.",
        ),
        Group::Parsers => (
            "Parsers",
            "Each reads a corpus of streams in one piece, cut anywhere and byte by byte, with every line end, and random streams.",
        ),
    }
}

fn summary(site: &Site<'_>, group: Group, subjects: &[&Subject]) -> Markup {
    let of = |level| subjects.iter().map(move |one| one.failed(&site.input.matrix, level).len());
    let broken = of(Level::Must).filter(|count| *count > 0).count();
    let rules = rules(subjects).len();
    let what = if group == Group::Parsers { "requirement" } else { "rule" };
    html! {
        (counted(subjects.len(), group.noun())) " by " (counted(rules, what)) ": "
        strong { (broken) " of them break at least one must" } "; in all they break "
        (counted(of(Level::Must).sum::<usize>(), "must"))
        @if group != Group::Parsers { " and " (counted(of(Level::Should).sum::<usize>(), "should")) }
        "."
    }
}

fn list(site: &Site<'_>, group: Group, subjects: &[&Subject], root: &str) -> Markup {
    let numbers = |one: &Subject| {
        [Level::Must, Level::Should, Level::Advice]
            .map(|level| one.failed(&site.input.matrix, level).len())
    };
    // All requirements on parsers are a must.
    let has_levels = group != Group::Parsers;
    html! {
        (scroll("Subjects", &html! { table.sorted {
            caption { "The numbers are rules that it breaks, or advice that it does not follow." }
            thead { tr {
                th scope="col" { "Name" }
                @if group == Group::Clients { th scope="col" { "Kind" } }
                th.right scope="col" { "must" }
                @if has_levels { th.right scope="col" { "should" } th.right scope="col" { "advice" } }
                th scope="col" { "Description" } th scope="col" { "Versions" } th scope="col" { "Checked" }
            } }
            tbody { @for one in subjects {
                @let [must, should, advice] = numbers(one);
                tr.filtered {
                    th scope="row" { (verdict(one)) " " a href={ (root) (one.page()) } { (line(&one.name)) } }
                    @if group == Group::Clients { td { (one.kind.word()) } }
                    td.number { (must) }
                    @if has_levels { td.number { (should) } td.number { (advice) } }
                    td.wide { (prose(&one.about)) }
                    td.wide { (line(&one.versions.join(", "))) }
                    td.nowrap { (line(&one.checked)) }
                }
            } }
        } }))
    }
}

pub(crate) fn verdict(subject: &Subject) -> Mark {
    match subject.outcome {
        Verdict::Passed => Mark::Good,
        Verdict::Broken => Mark::Bad,
        Verdict::Inconclusive => Mark::Warning,
    }
}

fn legend() -> Markup {
    let all = [
        (Status::Pass, Level::Must, "passed"),
        (Status::Fail, Level::Must, "a must is broken"),
        (Status::Fail, Level::Should, "a should is broken"),
        (Status::Fail, Level::Advice, "advice is not met"),
        (Status::Inconclusive, Level::Must, "inconclusive"),
        (Status::Skip, Level::Must, "skipped: it cannot be asked there"),
    ];
    html! {
        ul.legend { @for (status, level, words) in all {
            li { span.(mark(status, level).class()) { (sign(status, level)) } " " (words) }
        } }
        p.faint { "Each failure leads to its evidence, and each rule to what it requires." }
    }
}

/// Rules as rows: those that one of them breaks, then those that all meet, folded.
fn matrix(site: &Site<'_>, kind: Kind, subjects: &[&Subject], root: &str) -> Markup {
    let has = |rule: &str, status| subjects.iter().any(|one| one.status(rule) == Some(status));
    let (broken, other): (Vec<&str>, Vec<&str>) =
        rules(subjects).into_iter().partition(|rule| has(rule, Status::Fail));
    let (met, unasked): (Vec<&str>, Vec<&str>) = other
        .into_iter()
        .partition(|rule| has(rule, Status::Pass) || has(rule, Status::Inconclusive));
    html! {
        @if !broken.is_empty() { (rows(site, "Broken by at least one", &broken, subjects, root)) }
        @if !met.is_empty() {
            details.more.many {
                summary { (counted(met.len(), "rule")) " that none of these breaks" }
                (rows(site, "Broken by none", &met, subjects, root))
            }
        }
        @if !unasked.is_empty() {
            details.more {
                summary { (counted(unasked.len(), "rule")) " that could not be asked of any " (kind.group().noun()) " here" }
                p { @for (at, rule) in unasked.iter().enumerate() {
                    @if at > 0 { ", " }
                    (rule_link(rule, root))
                } }
            }
        }
    }
}

fn rows(
    site: &Site<'_>,
    caption: &'static str,
    rules: &[&str],
    subjects: &[&Subject],
    root: &str,
) -> Markup {
    let families: Vec<&[&str]> =
        rules.chunk_by(|one, other| family(one) == family(other)).collect();
    html! {
        div.scroll.matrix tabindex="0" role="group" aria-label=(caption) {
            table {
                thead { tr {
                    th scope="col" { (caption) }
                    @for one in subjects {
                        th.turned scope="col" { a href={ (root) (one.page()) } { (line(&one.name)) } }
                    }
                } }
                @for of_family in families {
                    tbody {
                        @if rules.len() > 8 { tr.group {
                            th scope="rowgroup" { (family(of_family[0])) }
                            td colspan=(subjects.len()) {}
                        } }
                        @for rule in of_family { (row(site, rule, subjects, root)) }
                    }
                }
            }
        }
    }
}

fn row(site: &Site<'_>, rule: &str, subjects: &[&Subject], root: &str) -> Markup {
    let level = site.level(rule);
    html! {
        tr.filtered {
            th scope="row" { (rule_link(rule, root)) " " span.level { (level.word()) } }
            @for one in subjects { (cell(one, rule, level, root)) }
        }
    }
}

fn cell(subject: &Subject, rule: &str, level: Level, root: &str) -> Markup {
    let Some(status) = subject.status(rule) else { return html! { td {} } };
    let (class, sign) = (mark(status, level).class(), sign(status, level));
    let words = match status {
        Status::Fail => "breaks",
        Status::Inconclusive => "is inconclusive by",
        Status::Pass | Status::Skip => return html! { td.(class) { (sign) } },
    };
    let label = format!("{} {words} {rule}", subject.name);
    html! {
        td.(class) { a href={ (root) (subject.page()) "#" (anchor(rule)) } aria-label=(label) { (sign) } }
    }
}

/// The rule, with a link to its page if it has one.
pub(crate) fn rule_link(rule: &str, root: &str) -> Markup {
    html! {
        @match rule_page(rule) {
            Some(page) => { a href={ (root) (page) } { (rule_name(rule)) } }
            None => (rule_name(rule)),
        }
    }
}
