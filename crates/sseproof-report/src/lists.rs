//! The lists of `sseproof list`: rules, requirements, mutants, probes, plans, profiles.
//!
//! A row is a line, so that `grep` finds all of it; a terminal of a width shows its beginning.

use sseproof_rules::{Mutant, Profile, Requirement, Rule, RuleText, client_rule_texts};

use crate::table::table;
use crate::text::truncate;

pub fn list_rules<'a>(rules: impl IntoIterator<Item = &'a Rule>, width: Option<usize>) -> String {
    let rows = rules.into_iter().map(|rule| rule_row(rule.requirement(), rule.text()));
    headed(RULE_HEAD, rows, width)
}

/// The rules on clients.
pub fn list_client_rules(width: Option<usize>) -> String {
    let rows = client_rule_texts().map(|(requirement, text)| rule_row(requirement, text));
    headed(RULE_HEAD, rows, width)
}

const RULE_HEAD: [&str; 3] = ["rule", "level", "holds when"];

fn rule_row(requirement: &Requirement, text: &RuleText) -> [String; 3] {
    [text.id.clone(), level(requirement), marked(&text.title, requirement)]
}

fn level(requirement: &Requirement) -> String {
    requirement.level.word().to_owned()
}

/// The text, and whether it is a matter of security.
fn marked(text: &str, requirement: &Requirement) -> String {
    match requirement.security {
        Some(_) => format!("{text} (security)"),
        None => text.to_owned(),
    }
}

pub fn list_requirements<'a>(
    requirements: impl IntoIterator<Item = &'a Requirement>,
    width: Option<usize>,
) -> String {
    let rows = requirements.into_iter().map(|found| {
        let text = match &found.untestable {
            Some(why) => format!("{} (untestable: {why})", found.text),
            None => found.text.clone(),
        };
        let text = marked(&text, found);
        [found.id.clone(), level(found), found.subject.word().to_owned(), text]
    });
    headed(["requirement", "level", "binds", "text"], rows, width)
}

pub fn list_mutants<'a>(
    mutants: impl IntoIterator<Item = (&'a Rule, &'a Mutant)>,
    width: Option<usize>,
) -> String {
    let rows = mutants.into_iter().map(|(rule, mutant)| [mutant.id, mutant.wrong, rule.id]);
    list_client_mutants(rows, width)
}

/// Wrong clients, each with its fault and the rule that it fails.
pub fn list_client_mutants<'a>(
    mutants: impl IntoIterator<Item = [&'a str; 3]>,
    width: Option<usize>,
) -> String {
    // The rule is before the fault, of which a narrow terminal shows the beginning.
    let rows = mutants.into_iter().map(|[id, wrong, rule]| [id, rule, wrong].map(str::to_owned));
    headed(["mutant", "fails", "fault"], rows, width)
}

/// The probes: id, purpose, when it runs (`always`, `with --idle`).
pub fn list_probes(probes: &[(String, String, String)], width: Option<usize>) -> String {
    let rows = probes.iter().map(|(id, about, runs)| [id.clone(), runs.clone(), about.clone()]);
    headed(["probe", "runs", "purpose"], rows, width)
}

pub fn list_plans(plans: impl IntoIterator<Item = [String; 3]>, width: Option<usize>) -> String {
    headed(["plan", "models", "phases"], plans, width)
}

/// The profiles: id, the variables of `--var`, title.
pub fn list_profiles<'a>(
    profiles: impl IntoIterator<Item = &'a Profile>,
    width: Option<usize>,
) -> String {
    let rows = profiles.into_iter().map(|profile| {
        let variables: Vec<_> = profile.variables.iter().map(|(name, _)| *name).collect();
        [profile.id.to_owned(), variables.join(", "), profile.title.to_owned()]
    });
    headed(["profile", "--var", "title"], rows, width)
}

fn headed<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    width: Option<usize>,
) -> String {
    let rows = std::iter::once(head.map(str::to_owned)).chain(rows);
    let lines = table(rows, 0, usize::MAX);
    let Some(width) = width else { return lines };
    lines.lines().map(|line| truncate(line, width) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples;
    use crate::text::columns;
    use insta::assert_snapshot;
    use sseproof_rules::{Level, Subject};

    #[test]
    fn the_lists_read_well() {
        let (rule, requirement) = (examples::RULE, examples::requirement());
        let untestable = Requirement {
            id: "whatwg-sse/cors-credentials".to_owned(),
            level: Level::Advice,
            subject: Subject::Client,
            untestable: Some("not visible from outside".to_owned()),
            ..requirement.clone()
        };
        let probes = [
            ("baseline".to_owned(), "connects and reads".to_owned(), "always".to_owned()),
            ("idle".to_owned(), "waits silently".to_owned(), "with --idle".to_owned()),
        ];
        let lists = [
            headed(RULE_HEAD, [rule_row(&requirement, &examples::rule_text())], None),
            list_requirements([&requirement, &untestable], Some(80)),
            list_mutants(rule.mutants.iter().map(|mutant| (&rule, mutant)), Some(80)),
            list_probes(&probes, Some(80)),
            list_plans(
                [["ticks", "stock ticks", "up to 1000 clients, 38s"].map(str::to_owned)],
                Some(80),
            ),
        ];
        assert_snapshot!(lists.join("\n"));
    }

    #[test]
    fn a_row_fits_a_line_of_a_terminal() {
        let lists = |width| {
            [
                list_rules(sseproof_rules::rules(), width),
                list_requirements(sseproof_rules::requirements(), width),
                list_mutants(sseproof_rules::mutants(), width),
                list_profiles(sseproof_rules::profiles(), width),
            ]
        };
        for (whole, fits) in lists(None).iter().zip(lists(Some(80))) {
            assert!(fits.lines().all(|line| columns(line) <= 80), "{fits}");
            assert_eq!(whole.lines().count(), fits.lines().count());
            assert!(whole.lines().any(|line| columns(line) > 80), "{whole}");
        }
    }

    #[test]
    fn an_empty_list_is_its_head() {
        assert_eq!(list_probes(&[], Some(80)), "probe  runs  purpose\n");
    }
}
