//! The texts of one rule, and their page for `sseproof explain`.

use sseproof_rules::{Mutant, Requirement, Rule, RuleText, rule_text};

use crate::command;
use crate::paint::Ink;
use crate::terminal::{Options, Page, write_recipe};

/// All that is known of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained<'a> {
    pub text: &'a RuleText,
    pub requirement: &'a Requirement,
    pub examples: Examples<'a>,
}

/// The examples of the rule by name: of each an id, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examples<'a> {
    /// Servers that break it on purpose, and their faults.
    Mutants(Vec<(&'a str, &'a str)>),
    /// The cases by which a client is judged, and what the server of each does.
    Cases(Vec<(&'a str, &'a str)>),
}

impl<'a> Explained<'a> {
    /// A rule on servers, with its mutants, or with more if the caller knows more.
    pub fn of(rule: &'a Rule, mutants: &'a [Mutant]) -> Self {
        let examples = mutants.iter().map(|mutant| (mutant.id, mutant.wrong)).collect();
        let (text, requirement) = (rule.text(), rule.requirement());
        Self { text, requirement, examples: Examples::Mutants(examples) }
    }

    /// A rule on clients, with the cases that it judges; `None` if no rule has this id.
    pub fn of_client(
        id: &str,
        cases: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Option<Self> {
        let (requirement, text) = rule_text(id)?;
        Some(Self { text, requirement, examples: Examples::Cases(cases.into_iter().collect()) })
    }

    /// How to check this rule alone.
    pub fn command(&self) -> String {
        command::only(&self.text.id)
    }
}

impl Examples<'_> {
    pub fn all(&self) -> &[(&str, &str)] {
        match self {
            Self::Mutants(all) | Self::Cases(all) => all,
        }
    }

    /// The command that serves one of them.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Mutants(_) => "sseproof serve --mutant ID",
            Self::Cases(_) => "sseproof serve --for CASE",
        }
    }

    const fn title(&self) -> &'static str {
        match self {
            Self::Mutants(_) => "mutants that break it",
            Self::Cases(_) => "cases",
        }
    }
}

/// The requirement, its source, the reason, the fix, the mutants or cases, and how to check this rule
/// alone.
pub fn explain(rule: &Explained<'_>, options: &Options) -> String {
    let mut page = texts(rule.text, rule.requirement, options);
    let examples = &rule.examples;
    if !examples.all().is_empty() {
        page.gap();
        page.text(0, Ink::Strong, &format!("{} ({})", examples.title(), examples.command()));
        for (id, about) in examples.all() {
            page.labelled(2, &format!("{id}: "), Ink::Faint, Ink::Plain, about);
        }
    }
    section(&mut page, "check this rule alone", &rule.command());
    page.finish()
}

/// The requirement, its source, the reason and the fix.
fn texts(rule: &RuleText, requirement: &Requirement, options: &Options) -> Page {
    let mut page = Page::new(options);
    page.text(0, Ink::Strong, &rule.id);
    page.text(2, Ink::Plain, &rule.title);
    page.gap();
    page.text(0, Ink::Strong, "requirement");
    page.text(2, Ink::Plain, &requirement.text);
    let Requirement { id, source, .. } = requirement;
    page.text(2, Ink::Faint, &format!("{} · {source} ({id})", requirement.standing()));
    page.text(2, Ink::Faint, &requirement.link);
    section(&mut page, "why", &rule.why);
    section(&mut page, "fix", &rule.fix);
    for recipe in &rule.recipes {
        write_recipe(&mut page, recipe);
    }
    page
}

fn section(page: &mut Page, title: &str, text: &str) {
    page.gap();
    page.text(0, Ink::Strong, title);
    page.text(2, Ink::Plain, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples;
    use insta::assert_snapshot;

    #[test]
    fn a_rule_with_everything() {
        let requirement = examples::requirement();
        let (rule, text) = (examples::RULE, examples::rule_text());
        let mutants = rule.mutants.iter().map(|mutant| (mutant.id, mutant.wrong)).collect();
        let rule = Explained {
            text: &text,
            requirement: &requirement,
            examples: Examples::Mutants(mutants),
        };
        assert_snapshot!(explain(&rule, &Options::default()));
        let narrow = Options { width: 50, ..Options::default() };
        explain(&rule, &narrow);
    }

    #[test]
    fn a_rule_with_the_least() {
        let text = RuleText { recipes: Vec::new(), ..examples::rule_text() };
        let requirement = examples::requirement();
        let examples = Examples::Cases(Vec::new());
        let rule = Explained { text: &text, requirement: &requirement, examples };
        assert_snapshot!(explain(&rule, &Options::default()));
    }

    #[test]
    fn every_rule_of_the_registry_explains_itself() {
        for rule in sseproof_rules::rules() {
            let text = explain(&Explained::of(rule, rule.mutants), &Options::default());
            assert!(text.contains("https://") && text.contains(rule.id), "{text}");
        }
    }
}
