//! All that is known of one rule, for `sseproof explain`.

use sseproof_rules::{Mutant, Requirement, Rule, requirement};

use crate::paint::Ink;
use crate::terminal::{Options, Page, write_recipe};
use crate::{Mend, command};

/// The text: what the rule says, where that comes from, why it matters, how to mend what breaks
/// it, the mutants that do (its own, or more where the caller knows more), how to check by it alone.
pub fn explain(rule: &Rule, mutants: &[Mutant], options: &Options) -> String {
    explain_as(rule, requirement(rule.requirement), mutants, options)
}

fn explain_as(
    rule: &Rule,
    requirement: Option<&Requirement>,
    mutants: &[Mutant],
    options: &Options,
) -> String {
    let mut page = Page::new(options);
    page.text(0, Ink::Strong, rule.id);
    page.text(2, Ink::Plain, rule.title);
    page.gap();
    match requirement {
        Some(found) => {
            page.text(0, Ink::Strong, "what is asked");
            page.text(2, Ink::Plain, &found.text);
            let source = format!("{} · {} ({})", found.standing(), found.source, found.id);
            page.text(2, Ink::Faint, &source);
            page.text(2, Ink::Faint, &found.link);
        }
        None => page.text(2, Ink::Faint, rule.requirement),
    }
    section(&mut page, "why it matters", rule.why);
    section(&mut page, "how to mend it", rule.fix);
    for recipe in rule.recipes {
        let mend = Mend { with: recipe.with.to_owned(), write: recipe.write.to_owned() };
        write_recipe(&mut page, &mend);
    }
    if !mutants.is_empty() {
        page.gap();
        page.text(0, Ink::Strong, "servers that are wrong on purpose and break it");
        for mutant in mutants {
            page.labelled(2, &format!("{}: ", mutant.id), Ink::Faint, Ink::Plain, mutant.wrong);
        }
    }
    section(&mut page, "check by this rule alone", &command::only(rule.id));
    page.finish()
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
        let rule = examples::rule();
        let text = explain_as(&rule, Some(&requirement), rule.mutants, &Options::default());
        assert_snapshot!(text);
        let narrow = Options { width: 50, ..Options::default() };
        explain_as(&rule, Some(&requirement), rule.mutants, &narrow);
    }

    #[test]
    fn a_rule_with_the_least() {
        let rule = Rule { recipes: &[], mutants: &[], ..examples::rule() };
        assert_snapshot!(explain_as(&rule, None, &[], &Options::default()));
    }

    #[test]
    fn every_rule_of_the_registry_explains_itself() {
        for rule in sseproof_rules::rules() {
            let text = explain(rule, rule.mutants, &Options::default());
            assert!(text.contains("https://") && text.contains(rule.id), "{text}");
        }
    }
}
