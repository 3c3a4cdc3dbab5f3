//! The bugs with their reproductions, and the other reports in Markdown.

use maud::{Markup, html};
use sseproof_html::{line, text};

use crate::frame::{Page, root};
use crate::markdown::render;
use crate::places::file_anchor;
use crate::subject::reports_in;
use crate::tables::rule_link;
use crate::{Group, Site, Subject, Text, grave_faults};

const FOLDER: &str = "reports/bugs";

/// The overview, and a page for each.
pub(crate) fn pages(site: &Site<'_>) -> Vec<Page> {
    let rendered = render(&site.input.bugs_overview, &|link| site.places.linked(FOLDER, link));
    let mut overview = Page::new("bugs.html", "bugs", &rendered.title);
    overview.lead = rendered.body;
    let mut pages = vec![overview];
    pages.extend(site.input.bugs.iter().map(|bug| page(site, bug)));
    pages
}

fn page(site: &Site<'_>, bug: &Text) -> Page {
    let path = format!("bugs/{}.html", bug.name);
    let mut page = from_markdown(site, &path, FOLDER, &bug.text);
    page.subject = bug.name.clone();
    let scripts: Vec<&Text> =
        site.input.scripts.iter().filter(|script| bug.text.contains(&script.name)).collect();
    page.lead = html! {
        (page.lead)
        @if !scripts.is_empty() {
            h2 id="scripts" { "The scripts" }
            @for script in scripts {
                h3 id=(file_anchor(&script.name)) { code { (line(&script.name)) } }
                pre tabindex="0" { (text(script.text.trim_end())) }
            }
        }
        (found(site, bug, &path))
    };
    page
}

/// The subjects whose failures lead to this report.
fn found(site: &Site<'_>, bug: &Text, path: &str) -> Markup {
    let root = root(path);
    let rules: Vec<&str> = grave_faults(Group::Clients)
        .filter(|grave| grave.report == Some(bug.name.as_str()))
        .map(|grave| grave.rule)
        .collect();
    let named = |subject: &Subject| -> Vec<String> {
        let described = site.described(subject);
        let causes = described.into_iter().flat_map(|of| of.causes.iter().chain(&of.sometimes));
        let leads = |cause: &str| reports_in(site, cause).iter().any(|(_, page)| page == path);
        let named = causes.filter(|(_, cause)| leads(cause)).map(|(rule, _)| rule.clone());
        let grave = rules.iter().map(|rule| (*rule).to_owned());
        let mut all: Vec<String> = named.chain(grave).collect();
        all.retain(|rule| subject.status(rule) == Some(sseproof_rules::Status::Fail));
        all.sort();
        all.dedup();
        all
    };
    let found: Vec<(&Subject, Vec<String>)> = site
        .input
        .matrix
        .subjects
        .iter()
        .map(|subject| (subject, named(subject)))
        .filter(|(_, rules)| !rules.is_empty())
        .collect();
    html! {
        @if !found.is_empty() {
            h2 id="found" { "Found by" }
            ul { @for (subject, rules) in found {
                li {
                    a href={ (root) (subject.page()) } { (line(&subject.name)) } ": "
                    @for (at, rule) in rules.iter().enumerate() {
                        @if at > 0 { ", " }
                        (rule_link(rule, &root))
                    }
                }
            } }
        }
    }
}

/// The page of another report.
pub(crate) fn report(site: &Site<'_>, report: &Text) -> Page {
    let path = format!("reports/{}.html", report.name);
    let mut page = from_markdown(site, &path, "reports", &report.text);
    page.subject = report.name.clone();
    page
}

fn from_markdown(site: &Site<'_>, path: &str, folder: &str, text: &str) -> Page {
    let root = root(path);
    let rendered =
        render(text, &|link| Some(format!("{root}{}", site.places.linked(folder, link)?)));
    let mut page = Page::new(path, "", &rendered.title);
    page.lead = rendered.body;
    page
}
