//! The text of one rule, for `sseproof explain`.

use sseproof_rules::{Mutant, Requirement, Rule, RuleText, rule_text};

use crate::command;
use crate::paint::Ink;
use crate::terminal::{Options, Page, write_recipe};

/// The requirement, its source, the reason, the fix, the mutants that break it (its own, or more if
/// the caller knows more), and how to check this rule alone.
pub fn explain(rule: &Rule, mutants: &[Mutant], options: &Options) -> String {
    explain_as(rule.text(), rule.requirement(), mutants, options)
}

/// The same for a rule on clients, with the cases that it judges: the id of each, and what its server
/// does.
pub fn explain_client<'c>(
    id: &str,
    cases: impl IntoIterator<Item = (&'c str, &'c str)>,
    options: &Options,
) -> Option<String> {
    let (requirement, rule) = rule_text(id)?;
    let mut page = texts(rule, requirement, options);
    page.gap();
    page.text(0, Ink::Strong, "cases (sseproof serve --for CASE)");
    for (case, about) in cases {
        page.labelled(2, &format!("{case}: "), Ink::Faint, Ink::Plain, about);
    }
    section(&mut page, "check this rule alone", &command::only(&rule.id));
    Some(page.finish())
}

fn explain_as(
    rule: &RuleText,
    requirement: &Requirement,
    mutants: &[Mutant],
    options: &Options,
) -> String {
    let mut page = texts(rule, requirement, options);
    if !mutants.is_empty() {
        page.gap();
        page.text(0, Ink::Strong, "mutants that break it (sseproof serve --mutant ID)");
        for mutant in mutants {
            page.labelled(2, &format!("{}: ", mutant.id), Ink::Faint, Ink::Plain, mutant.wrong);
        }
    }
    section(&mut page, "check this rule alone", &command::only(&rule.id));
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
        assert_snapshot!(explain_as(&text, &requirement, rule.mutants, &Options::default()));
        let narrow = Options { width: 50, ..Options::default() };
        explain_as(&text, &requirement, rule.mutants, &narrow);
    }

    #[test]
    fn a_rule_with_the_least() {
        let text = RuleText { recipes: Vec::new(), ..examples::rule_text() };
        let requirement = examples::requirement();
        assert_snapshot!(explain_as(&text, &requirement, &[], &Options::default()));
    }

    #[test]
    fn every_rule_of_the_registry_explains_itself() {
        for rule in sseproof_rules::rules() {
            let text = explain(rule, rule.mutants, &Options::default());
            assert!(text.contains("https://") && text.contains(rule.id), "{text}");
        }
    }
}
