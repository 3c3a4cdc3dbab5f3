//! A site of static pages about what was measured: servers, proxies, protocols, clients and parsers of
//! others by rule, the bugs found in them, event streams against WebSockets, and the rule book.
//!
//! [`pages`] is a pure function from an [`Input`]; `cargo xtask site` reads that input from the
//! repository, where [`Matrix`] keeps the results, and writes the pages.
//! Each page is a file of its own with the frame of `sseproof-html`: complete without JavaScript,
//! without a request, the same bytes for the same input. All links are relative, so the site works in
//! any folder, also without a web server.

mod bugs;
mod changes;
mod charts;
mod frame;
mod gravest;
mod markdown;
mod matrix;
mod places;
mod rule_book;
mod start;
mod subject;
mod tables;
mod versus;

use std::collections::BTreeMap;

use sseproof_html::Document;

pub use changes::{Change, Changes};
pub use gravest::{Grave, grave_faults};
pub use matrix::{Group, Kind, Matrix, Subject, Verdict, schema, table};
pub use versus::{Compared, Load, Range, Row, Server, Times, Unit, Versus};

use crate::frame::Page;
use crate::places::Places;

/// All that the site is made from.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub matrix: Matrix,
    /// The results with which the page of changes compares.
    pub before: Option<Matrix>,
    /// The descriptions of the subjects in the repository, by folder of `scenarios/` and name.
    pub described: BTreeMap<(String, String), Described>,
    /// The reports on bugs, without their overview, in Markdown; the name has no `.md`.
    pub bugs: Vec<Text>,
    /// The overview of the bugs.
    pub bugs_overview: String,
    /// The scripts that provoke the bugs.
    pub scripts: Vec<Text>,
    pub versus: Versus,
    /// The conclusions from it, in Markdown.
    pub versus_words: String,
    /// Other reports, in Markdown; the name has no `.md`.
    pub reports: Vec<Text>,
    /// As in `sseproof 0.1.0`.
    pub tool: String,
}

/// A named text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub name: String,
    pub text: String,
}

/// The description of a subject in its folder under `scenarios/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The manual checks: rule, and what was found.
    pub causes: BTreeMap<String, String>,
    /// The same, for failures that only some runs show.
    pub sometimes: BTreeMap<String, String>,
    /// The server, the configuration, or the adapter: the files that were checked.
    pub files: Vec<Text>,
}

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the root of the site, with slashes.
    pub path: String,
    pub text: String,
}

/// All files of the site: pages, and `matrix.json` with its schema.
pub fn pages(input: &Input) -> Vec<File> {
    let places = Places::of(input);
    let site = Site { input, places: &places };
    let changes = input.before.as_ref().map(|before| Changes::between(before, &input.matrix));
    let mut pages =
        vec![start::page(&site, changes.as_ref()), changes::page(&site, changes.as_ref())];
    pages.extend(Group::ALL.map(|group| tables::page(&site, group)));
    pages.extend(input.matrix.subjects.iter().map(|one| subject::page(&site, one)));
    pages.extend(bugs::pages(&site));
    pages.push(charts::page(&site));
    pages.extend(rule_book::pages(&site));
    pages.extend(input.reports.iter().map(|report| bugs::report(&site, report)));
    let mut files: Vec<File> = pages.into_iter().map(|page| page.file(&input.tool)).collect();
    files.push(File { path: "matrix.json".to_owned(), text: input.matrix.json() });
    let schema = format!("{:#}\n", schema());
    files.push(File { path: "matrix.schema.json".to_owned(), text: schema });
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The input, and where its parts are on the site.
pub(crate) struct Site<'a> {
    input: &'a Input,
    places: &'a Places,
}

impl<'a> Site<'a> {
    pub(crate) fn described(&self, subject: &Subject) -> Option<&'a Described> {
        let key = (subject.kind.group().scenarios().to_owned(), subject.name.clone());
        self.input.described.get(&key)
    }

    /// How binding the rule was when it was last judged.
    pub(crate) fn level(&self, rule: &str) -> sseproof_rules::Level {
        self.input.matrix.level(rule)
    }
}

impl Page {
    fn file(self, tool: &str) -> File {
        let facts = self.facts.iter().map(|(label, fact)| (*label, sseproof_html::line(fact)));
        let around = self.around();
        let document = Document {
            mark: self.mark,
            verdict: self.heading,
            subject: &self.subject,
            facts: facts.collect(),
            sections: self.sections,
            tool,
        };
        File { path: self.path, text: document.render_within(&around) }
    }
}

#[cfg(test)]
mod tests {
    use sseproof_rules::Status;

    use super::*;
    use crate::matrix::examples::{matrix, subject};

    const EVIL: &str = "<script>alert(1)</script>\u{202e}\" onclick=\"alert(1)";

    #[test]
    fn text_of_others_is_inert_on_each_page() {
        let mut evil = subject(Kind::Server, "evil", &[("stream/utf8", Status::Fail)]);
        evil.about = EVIL.to_owned();
        evil.versions = vec![EVIL.to_owned()];
        evil.messages.insert("stream/utf8".to_owned(), EVIL.to_owned());
        let text =
            |name: &str| Text { name: name.to_owned(), text: format!("# {EVIL}\n\n{EVIL}\n") };
        let described = Described {
            causes: [("stream/utf8".to_owned(), EVIL.to_owned())].into(),
            files: vec![text("server.js")],
            ..Described::default()
        };
        let input = Input {
            before: Some(matrix(vec![subject(Kind::Server, "evil", &[])])),
            matrix: matrix(vec![evil]),
            described: [(("peers".to_owned(), "evil".to_owned()), described)].into(),
            bugs: vec![text("bug")],
            bugs_overview: text("README").text,
            reports: vec![text("load")],
            versus_words: EVIL.to_owned(),
            ..Input::default()
        };
        let files = pages(&input);
        let html = || files.iter().filter(|file| file.path.ends_with(".html"));
        for file in html() {
            assert_eq!(file.text.matches("<script").count(), 1, "{}", file.path);
            assert!(!file.text.contains('\u{202e}'), "{}", file.path);
            assert!(!file.text.contains("\" onclick"), "{}", file.path);
        }
        let shown = html().filter(|file| file.text.contains("&lt;script&gt;alert(1)")).count();
        assert!(shown > 5, "only {shown} pages show it");
    }
}
