//! The frame of all pages: policy, style, header, sections, script.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sseproof_units::inert;

use crate::quoted::{Quoted, line, prose};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// SHA-256 of both, in base64; a test names the right ones.
const STYLE_HASH: &str = "CCa+qt2aaQ8n45zntl4FwnZWfxuj4LwryXkNmgOij0Y=";
const SCRIPT_HASH: &str = "YAWSPSq5/3RD6vfdnomSLxDtWlmgFjzvqaZtFBDMoKw=";

/// A page.
pub struct Document<'a> {
    /// The sign of its outcome.
    pub mark: Mark,
    /// The verdict in words: the heading of the page.
    pub verdict: String,
    /// The subject of the check, in short, for the title and the bar.
    pub subject: &'a str,
    /// The facts about the run below the heading: label, and text of others.
    pub facts: Vec<(&'static str, Quoted<'a>)>,
    pub sections: Vec<Section>,
    /// As in `sseproof 0.1.0`.
    pub tool: &'a str,
}

/// The parts that only a page of a site has.
pub struct Around {
    /// The links to the other pages, before the bar.
    pub nav: Markup,
    /// The content before the sections.
    pub lead: Markup,
}

/// A part of a page, to which its bar has a link.
pub struct Section {
    /// Of letters and hyphens.
    pub id: &'static str,
    pub title: String,
    /// The words of its link; empty if there is none.
    pub short: String,
    pub body: Markup,
}

/// The sign of a verdict. It is also written, so that nothing depends on its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Good,
    Bad,
    Warning,
    Hint,
    None,
}

impl Mark {
    /// The class of its colour.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Warning => "warning",
            Self::Hint => "hint",
            Self::None => "faint",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Warning => "!",
            Self::Hint => "·",
            Self::None => "–",
        }
    }
}

impl maud::Render for Mark {
    fn render_to(&self, out: &mut String) {
        html! { span.sign.(self.class()) aria-hidden="true" { (self.sign()) } }.render_to(out);
    }
}

/// A word in a box of the mark's colour.
pub fn chip(mark: Mark, words: &str) -> Markup {
    html! { span.chip.(mark.class()) { (line(words)) } }
}

/// A part that may be wider than the page, in a frame that scrolls, also by keys.
pub fn scroll(label: &'static str, body: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="group" aria-label=(label) { (body) } }
}

impl Document<'_> {
    /// The bytes of the page.
    pub fn render(&self) -> String {
        self.written(None)
    }

    /// The bytes of the page, as one of a site. Without a mark, its heading has no sign.
    pub fn render_within(&self, around: &Around) -> String {
        self.written(Some(around))
    }

    fn written(&self, around: Option<&Around>) -> String {
        // Every text of others is inert already; what is not would be a mistake of this crate.
        let body = inert(&self.body(around).0);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy());
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    // Without an icon, a browser asks the server for one.
                    link rel="icon" href="data:,";
                    title { (self.title(around.is_some())) }
                    style { (PreEscaped(STYLE)) }
                }
                (PreEscaped(body))
            }
        }
        .into_string()
    }

    fn title(&self, is_of_site: bool) -> Markup {
        /// The length of a title that a tab shows.
        const MOST: usize = 40;
        let subject: String = self.subject.chars().take(MOST).collect();
        html! {
            @if !is_of_site || self.mark != Mark::None { (self.mark.sign()) " " }
            "sseproof: " (line(&subject))
        }
    }

    fn body(&self, around: Option<&Around>) -> Markup {
        let is_marked = around.is_none() || self.mark != Mark::None;
        let linked = self.sections.iter().filter(|section| !section.short.is_empty());
        html! {
            body {
                a.skip href="#main" { "Skip to the results" }
                @if let Some(around) = around { (around.nav) }
                header.bar {
                    p.verdict { @if is_marked { (self.mark) " " } (line(self.subject)) }
                    nav aria-label="Parts of this page" {
                        ul { @for section in linked {
                            li { a href={ "#" (section.id) } { (section.short) } }
                        } }
                    }
                }
                main #main tabindex="-1" {
                    @match around {
                        Some(_) if !is_marked => h1 { (prose(&self.verdict)) },
                        _ => h1.(self.mark.class()) { (self.mark) " " (line(&self.verdict)) },
                    }
                    @if !self.facts.is_empty() {
                        dl.facts { @for (label, fact) in &self.facts {
                            div { dt { (label) } dd { (fact) } }
                        } }
                    }
                    @if let Some(around) = around { (around.lead) }
                    @for section in &self.sections {
                        section aria-labelledby=(section.id) {
                            h2 id=(section.id) { (section.title) }
                            (section.body)
                        }
                    }
                }
                footer { p { (line(self.tool)) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn policy() -> String {
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{STYLE_HASH}'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_permits_this_style_and_this_script() {
        for (name, text, hash) in
            [("style.css", STYLE, STYLE_HASH), ("script.js", SCRIPT, SCRIPT_HASH)]
        {
            assert_eq!(STANDARD.encode(Sha256::digest(text)), hash, "of {name}");
            // They stand in the page as they are.
            assert!(!text.contains("</"), "{name}");
        }
        assert!(SCRIPT.len() < 10_000);
    }
}
