//! `sseproof explain`, `sseproof list` and `sseproof schema`.

use anyhow::anyhow;
use sseproof_files::model::{Need, Purpose};
use sseproof_files::{Probe, ReadyPlan, Variables, plans, probes, profile_probes};
use sseproof_report::terminal::Detail;
use sseproof_report::{
    Explained, explain as render, list_mutants, list_plans, list_probes, list_profiles,
    list_requirements, list_rules,
};
use sseproof_rules::{mutants, profiles, requirements, rule, rules};

use crate::args::{Listed, Schema};
use crate::exit::{Blame, Exit};
use crate::screen;

pub(crate) fn explain(id: &str) -> Result<Exit, Blame> {
    let options = screen::options(Detail::Verbose);
    if let Some(rule) = sseproof_client_rules::rule(id) {
        let all = sseproof_client_rules::cases().filter(|case| rule.cases.contains(&case.id));
        let all = all.map(|case| (case.id, case.about));
        let page = Explained::of_client(id, all).map(|rule| render(&rule, &options));
        screen::print_page(&page.unwrap_or_default())?;
        return Ok(Exit::Held);
    }
    let Some(rule) = rule(id) else {
        let near: Vec<_> = rules()
            .map(|rule| rule.id)
            .chain(sseproof_client_rules::rules().map(|rule| rule.id))
            .filter(|known| {
                known.contains(id) || id.contains(known.split('/').nth(1).unwrap_or("/"))
            })
            .collect();
        let hint = match near.as_slice() {
            [] => "`sseproof list rules` lists all rules".to_owned(),
            near => format!("did you mean {}?", near.join(", ")),
        };
        let error = anyhow!("unknown rule `{id}`; {hint}");
        return Err(Blame { exit: Exit::Usage, error });
    };
    screen::print_page(&render(&Explained::of(rule, rule.mutants), &options))?;
    Ok(Exit::Held)
}

pub(crate) fn schema(kind: Schema) -> Result<Exit, Blame> {
    let schema = match kind {
        Schema::Target => sseproof_files::target_schema(),
        Schema::Scenario => sseproof_files::schema(),
        Schema::Plan => sseproof_files::plan_schema(),
    };
    screen::print_json(&format!("{schema:#}\n"))?;
    Ok(Exit::Held)
}

pub(crate) fn list(what: Listed, of_clients: bool) -> Result<Exit, Blame> {
    let width = screen::width();
    let text = match what {
        Listed::Rules if of_clients => sseproof_report::list_client_rules(width),
        Listed::Mutants if of_clients => {
            let mutants = sseproof_client_rules::mutants();
            let rows = mutants.map(|(rule, mutant)| [mutant.id, mutant.wrong, rule.id]);
            sseproof_report::list_client_mutants(rows, width)
        }
        _ if of_clients => {
            let error = anyhow!("--clients is for `list rules` and `list mutants`");
            return Err(Blame { exit: Exit::Usage, error });
        }
        Listed::Rules => list_rules(rules(), width),
        Listed::Requirements => list_requirements(requirements(), width),
        Listed::Mutants => list_mutants(mutants(), width),
        Listed::Probes => list_probes(&all_probes(), width),
        Listed::Plans => list_plans(plans().iter().map(row), width),
        Listed::Profiles => list_profiles(profiles(), width),
    };
    screen::print(&text)?;
    Ok(Exit::Held)
}

fn row(plan: &ReadyPlan) -> [String; 3] {
    let happens = plan.file.plan.workload.to_string();
    [plan.id.to_owned(), plan.file.plan.name.clone(), happens]
}

fn all_probes() -> Vec<(String, String, String)> {
    let row = |probe: &Probe, runs| (probe.id.to_owned(), probe.scenario.title.clone(), runs);
    let mut rows: Vec<_> = probes().iter().map(|probe| row(probe, runs(probe))).collect();
    for profile in profiles() {
        // They parse: a test reads all of them.
        let all = profile_probes(profile.id, &Variables::default()).unwrap_or_default();
        let own = all.iter().filter(|probe| probe.is_of_a_profile());
        // The id begins with the profile.
        rows.extend(own.map(|probe| row(probe, "with --profile".to_owned())));
    }
    rows
}

fn runs(probe: &Probe) -> String {
    let scenario = &probe.scenario;
    let runs = match scenario.purpose() {
        Purpose::FindLateHeaders => "if headers are late",
        _ if scenario.needs(Need::Publish) => "with --publish",
        _ if scenario.idle => "with --idle",
        _ => "always",
    };
    runs.to_owned()
}
