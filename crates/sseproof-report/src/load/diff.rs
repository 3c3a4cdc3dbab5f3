//! Two results of a load, compared: what they were made with, and what changed, the worst first.
//!
//! Values of results that were made under other conditions differ because of these, so they come
//! before the values.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sseproof_load_model::compare::{
    Comparison, FEWEST_ROUNDS, Finding, NoRatio, Pairing, Ratio, Round, compare,
};
use sseproof_load_model::threshold::{Statistic, Subject};
use sseproof_load_model::{Cost, Counter, Metric, Share, Steady, Threshold, Transport, threshold};
use sseproof_units::{counted, list};

use super::facts::is_of_generator;
use super::grid::Grid;
use super::sides_compared::{self, times_as_much};
use super::terminal::verdict;
use super::{JudgedThreshold, LoadReport};
use crate::Outcome as Verdict;
use crate::paint::Ink;
use crate::terminal::{Detail, Options, Page};

/// Two results, and the thresholds on the change.
#[derive(Clone, Debug, Default)]
pub struct LoadDiff {
    pub old: LoadReport,
    pub new: LoadReport,
    pub thresholds: Vec<Threshold>,
}

/// One transport in both results.
pub struct Pair {
    pub name: &'static str,
    pub old: Vec<Round>,
    pub new: Vec<Round>,
}

impl LoadDiff {
    pub fn pairs(&self) -> Vec<Pair> {
        let rounds = |report: &LoadReport, transport: Transport| -> Vec<Round> {
            let own = report.outcomes.iter().filter(|outcome| outcome.run.transport == transport);
            own.map(Round::of).collect()
        };
        let pair = |transport: Transport| {
            let (old, new) = (rounds(&self.old, transport), rounds(&self.new, transport));
            Pair { name: transport.name(), old, new }
        };
        let pairs = [Transport::Sse, Transport::WebSocket].map(pair).into_iter();
        pairs.filter(|pair| !pair.old.is_empty() || !pair.new.is_empty()).collect()
    }

    pub fn judged(&self) -> Vec<JudgedThreshold> {
        let pairs = self.pairs();
        let judge = |pair: &Pair, threshold: &Threshold| {
            let judgement = with_evidence(&pair.new, |new| {
                with_evidence(&pair.old, |old| threshold.judge(new, Some(old)))
            });
            let of = if pairs.len() > 1 { pair.name.to_owned() } else { String::new() };
            JudgedThreshold { threshold: threshold.clone(), of, judgement, why: None }
        };
        pairs
            .iter()
            .flat_map(|pair| self.thresholds.iter().map(move |threshold| judge(pair, threshold)))
            .collect()
    }

    /// Results that nothing can be concluded from: incomplete, or of a generator that was too slow.
    fn doubts(&self) -> Vec<String> {
        let of = |name: &str, report: &LoadReport| {
            let runs = || report.outcomes.iter().map(|outcome| &outcome.run);
            let mut why = Vec::new();
            if runs().any(|run| !run.partial.is_empty()) {
                why.push(format!("the {name} run is incomplete"));
            }
            if runs().any(|run| !run.saturated.is_empty()) {
                why.push(format!("the generator was the bottleneck of the {name} run"));
            }
            why
        };
        [of("older", &self.old), of("newer", &self.new)].concat()
    }

    /// The verdict: a crossed threshold fails, and whatever leaves one open is inconclusive.
    pub fn verdict(&self) -> Verdict {
        let judged = self.judged();
        match () {
            () if judged.iter().any(JudgedThreshold::is_crossed) => Verdict::Broken,
            () if !self.doubts().is_empty() => Verdict::Unproven,
            () if judged.iter().any(|judged| !judged.judgement.passes()) => Verdict::Unproven,
            () => Verdict::Held,
        }
    }

    pub fn verdict_words(&self) -> String {
        let judged = self.judged();
        let crossed = judged.iter().filter(|judged| judged.is_crossed()).count();
        let open = judged.iter().filter(|judged| !judged.judgement.passes()).count() - crossed;
        let all = counted(judged.len(), "threshold");
        match self.verdict() {
            Verdict::Broken => format!("failed: {crossed} of {all} crossed"),
            Verdict::Unproven => {
                let mut why = self.doubts();
                if open > 0 {
                    why.push(format!("no data for {open} of {all}"));
                }
                format!("inconclusive: {}", list(&why))
            }
            Verdict::Held if judged.is_empty() => {
                "compared; no threshold was given (--fail-if)".to_owned()
            }
            Verdict::Held => format!("passed: none of {all} crossed"),
        }
    }

    fn says_conditions(report: &LoadReport) -> bool {
        report.outcomes.first().is_some_and(|outcome| !outcome.run.conditions.is_empty())
    }

    /// The results that do not say what they were made with.
    pub fn silent(&self) -> Vec<String> {
        let both = [("older", &self.old), ("newer", &self.new)];
        let silent = both.into_iter().filter(|(_, report)| !Self::says_conditions(report));
        silent.map(|(name, _)| name.to_owned()).collect()
    }

    /// The conditions that differ: the name of each, the older and the newer value.
    pub fn conditions(&self) -> Vec<(String, String, String)> {
        let of = |report: &LoadReport| -> BTreeMap<String, String> {
            let Some(run) = report.outcomes.first().map(|outcome| &outcome.run) else {
                return BTreeMap::new();
            };
            let known = [
                ("sseproof.version", report.tool.trim_start_matches("sseproof ")),
                ("plan.name", &run.plan),
                ("plan.stamp", &run.stamp),
                ("plan.sequence", &run.sequence),
                ("server.URL", &run.url),
            ];
            let known = known.into_iter().filter(|(_, value)| !value.is_empty());
            let mut all: BTreeMap<_, _> =
                known.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            all.extend(run.conditions.clone());
            all
        };
        let (old, new) = (of(&self.old), of(&self.new));
        // A result of an earlier version says little, which does not count as a difference.
        let is_known = |name: &&String| {
            [&self.old, &self.new].into_iter().all(LoadDiff::says_conditions)
                || old.contains_key(*name) && new.contains_key(*name)
        };
        let names: BTreeSet<_> = old.keys().chain(new.keys()).filter(is_known).collect();
        let value = |of: &BTreeMap<String, String>, name: &str| {
            of.get(name).cloned().unwrap_or_else(|| "not known".to_owned())
        };
        let all =
            names.into_iter().map(|name| (name.clone(), value(&old, name), value(&new, name)));
        let mut differs: Vec<_> = all.filter(|(_, old, new)| old != new).collect();
        let order = ["plan", "server", "machine", "generator", "sseproof"];
        differs.sort_by_key(|(name, ..)| {
            order.iter().position(|start| name.starts_with(start)).unwrap_or(order.len())
        });
        differs
    }
}

impl Pair {
    /// The worst first.
    pub fn changes(&self) -> Vec<Change> {
        let all = compare(&self.old, &self.new, Pairing::Independent, subjects());
        let mut changes: Vec<Change> = all.into_iter().filter_map(change).collect();
        changes
            .sort_by(|one, other| one.kind.cmp(&other.kind).then(other.size.total_cmp(&one.size)));
        changes
    }

    /// Why changes may be chance, if there are too few rounds.
    pub fn caution(&self) -> Option<String> {
        (self.old.len().min(self.new.len()) < FEWEST_ROUNDS).then(|| {
            format!(
                "Changes of less than {:.0}% are left out, and the others may be chance: with fewer than {FEWEST_ROUNDS} rounds (--rounds) on both sides the variation is not known.",
                LARGE * 100.0
            )
        })
    }
}

fn with_evidence<T>(rounds: &[Round], judge: impl FnOnce(&threshold::Evidence<'_>) -> T) -> T {
    let (mut total, mut steady) = (sseproof_load_model::Interval::default(), Steady::default());
    for round in rounds {
        total.total(&round.total);
        steady += &round.steady;
    }
    // Each round has a line of its own for what a connection costs; the last one stands for all.
    let cost: Option<&Cost> = rounds.last().map(|round| &round.cost);
    let figures = |key: &str| cost?.value(key);
    let lasting = rounds.iter().map(|round| round.lasting);
    let lasting = lasting.fold(Duration::ZERO, Duration::saturating_add);
    judge(&threshold::Evidence { total: &total, lasting, steady: &steady, figures: &figures })
}

/// The values that a comparison shows.
fn subjects() -> impl Iterator<Item = Subject> {
    Subject::all().filter(|subject| match subject {
        Subject::Time(metric, _) if is_of_generator(*metric) => false,
        Subject::Time(metric, Statistic::Percentile(percentile)) => {
            let shares: &[f64] =
                if *metric == Metric::Delivery { &[0.5, 0.99, 0.999] } else { &[0.5, 0.99] };
            shares.contains(&percentile.share())
        }
        Subject::Time(metric, Statistic::Max) => *metric == Metric::Delivery,
        Subject::Count(Counter::Lost | Counter::Duplicated | Counter::Reordered)
        | Subject::Count(Counter::Errors | Counter::Unread)
        | Subject::Rate(Counter::Events | Counter::Tokens)
        | Subject::Share(Share::Streams | Share::Completed | Share::Good)
        | Subject::BytesPerEvent
        | Subject::Figure(_) => true,
        _ => false,
    })
}

/// Whether a change is for the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Worse,
    Other,
    Better,
    Same,
}

pub struct Change {
    pub comparison: Comparison,
    pub kind: Kind,
    /// How great it is, in both directions: a logarithm.
    size: f64,
}

/// How many changes are shown on a screen.
const MOST: usize = 16;

/// With fewer rounds, only a change of this share is worth a line.
const LARGE: f64 = 0.1;

fn change(comparison: Comparison) -> Option<Change> {
    let (first, second) = (comparison.first?, comparison.second?);
    // From nothing in each round to something in each, or back. A cost has an error, and is nothing by
    // chance.
    let is_exact = !matches!(comparison.subject, Subject::Figure(_));
    let is_new = is_exact && first.greatest.amount <= 0.0 && second.least.amount > 0.0;
    let is_gone = is_exact && first.least.amount > 0.0 && second.greatest.amount <= 0.0;
    let (is_changed, more) = match comparison.ratio {
        Ok(ratio) => (is_changed(&ratio), ratio.value.ln()),
        Err(NoRatio::Zero) if is_new => (true, f64::INFINITY),
        Err(NoRatio::Zero) if is_gone => (true, f64::NEG_INFINITY),
        Err(_) => (false, 0.0),
    };
    let kind = match is_worse_if_more(&comparison.subject) {
        _ if !is_changed => Kind::Same,
        None => Kind::Other,
        Some(worse) if worse == (more > 0.0) => Kind::Worse,
        Some(_) => Kind::Better,
    };
    Some(Change { comparison, kind, size: more.abs() })
}

fn is_changed(ratio: &Ratio) -> bool {
    match ratio.finding() {
        Finding::More | Finding::Less => !sides_compared::is_within_a_percent(ratio),
        Finding::Inconclusive => false,
        Finding::TooFew => ratio.value >= 1.0 + LARGE || ratio.value <= 1.0 / (1.0 + LARGE),
    }
}

/// Whether more of it is worse; `None` if neither is.
fn is_worse_if_more(subject: &Subject) -> Option<bool> {
    match subject {
        // How long streams last and events lie apart is what the plan and the server chose.
        Subject::Time(Metric::Stream | Metric::Gap, _) => None,
        Subject::Rate(_) | Subject::Share(_) => Some(false),
        _ => Some(true),
    }
}

pub fn render(diff: &LoadDiff, options: &Options) -> String {
    let mut page = Page::new(options);
    verdict(&mut page, diff.verdict(), &diff.verdict_words());
    for judged in diff.judged() {
        let (mark, ink) = match () {
            () if judged.is_crossed() => ("✗ ", Ink::Bad),
            () if judged.judgement.passes() => ("✓ ", Ink::Good),
            () => ("? ", Ink::Warning),
        };
        let text = format!("{}{}: {}", judged.of(), judged.threshold, judged.seen());
        page.labelled(2, mark, ink, Ink::Plain, &text);
    }
    page.gap();
    conditions(&mut page, &diff.conditions());
    let silent = diff.silent();
    if !silent.is_empty() {
        let text = format!(
            "The {} result does not say with which clients and on which machine it was made.",
            list(&silent)
        );
        page.text(0, Ink::Plain, &text);
    }
    for pair in diff.pairs() {
        page.gap();
        one(&mut page, &pair);
    }
    page.finish()
}

fn conditions(page: &mut Page, differs: &[(String, String, String)]) {
    if differs.is_empty() {
        page.text(0, Ink::Plain, "Plan, server and machine are the same, as far as is known.");
        return;
    }
    page.text(0, Ink::Strong, "Made under different conditions:");
    let spoken = |name: &str| name.replace('.', " ");
    let width = differs.iter().map(|(name, ..)| name.len()).max().unwrap_or_default() + 2;
    for (name, old, new) in differs {
        let label = format!("{:<width$}", spoken(name));
        page.labelled(2, &label, Ink::Faint, Ink::Warning, &format!("{old} → {new}"));
    }
}

fn one(page: &mut Page, pair: &Pair) {
    let (old, new) = (counted(pair.old.len(), "round"), counted(pair.new.len(), "round"));
    page.titled("■", Ink::Hint, pair.name, &format!("{old} before, {new} after"));
    let mut changes = pair.changes();
    let same = changes.iter().filter(|change| change.kind == Kind::Same).count();
    let mut others = Vec::new();
    if page.detail < Detail::Verbose {
        changes.retain(|change| change.kind != Kind::Same);
        if changes.len() > MOST {
            others.push(counted(changes.len() - MOST, "more change"));
            changes.truncate(MOST);
        }
        if same > 0 {
            others.push(format!("no change in {}", counted(same, "other value")));
        }
    }
    if changes.is_empty() {
        page.text(2, Ink::Plain, &format!("No change was shown in {}.", counted(same, "value")));
        return;
    }
    let head = ["", "before", "after", "change", ""].map(str::to_owned);
    let grid = Grid { head: head.into(), rows: changes.iter().map(row).collect() };
    for (at, line) in grid.lines(page.width.saturating_sub(2), &[""]).iter().enumerate() {
        let ink = match at.checked_sub(1).and_then(|at| changes.get(at)).map(|it| it.kind) {
            None | Some(Kind::Same) => Ink::Faint,
            Some(Kind::Worse) => Ink::Bad,
            Some(Kind::Better) => Ink::Good,
            Some(Kind::Other) => Ink::Plain,
        };
        page.verbatim(2, ink, line);
    }
    if !others.is_empty() {
        page.text(2, Ink::Faint, &format!("{} (-v)", list(&others)));
    }
    if let Some(why) = pair.caution() {
        page.text(2, Ink::Warning, &why);
    }
}

/// The subject, its medians before and after, the ratio, and a word for it.
pub fn row(change: &Change) -> Vec<String> {
    let Comparison { subject, first, second, ratio } = &change.comparison;
    let middle = |spread: &Option<sseproof_load_model::compare::Spread>| {
        spread.map_or_else(String::new, |spread| spread.middle.to_string())
    };
    let word = match change.kind {
        Kind::Worse => "worse",
        Kind::Better => "better",
        Kind::Other | Kind::Same => "",
    };
    let shown = match ratio {
        Ok(Ratio { value, interval: Some((low, high)), .. }) => format!(
            "× {} ({} to {})",
            times_as_much(*value),
            times_as_much(*low),
            times_as_much(*high)
        ),
        Ok(Ratio { value, .. }) => format!("× {}", times_as_much(*value)),
        Err(_) => String::new(),
    };
    vec![subject.to_string(), middle(first), middle(second), shown, word.to_owned()]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::examples::{broken, good, rounds, saturated};
    use super::*;

    fn diff(old: LoadReport, new: LoadReport, thresholds: &[&str]) -> LoadDiff {
        let thresholds =
            thresholds.iter().map(|text| Threshold::parse_change(text).expect(text)).collect();
        LoadDiff { old, new, thresholds }
    }

    /// The rounds of one transport only.
    fn of(mut report: LoadReport, transport: Transport) -> LoadReport {
        report.outcomes.retain(|outcome| outcome.run.transport == transport);
        report.outcomes.iter_mut().for_each(|outcome| outcome.run.transport = Transport::Sse);
        report
    }

    fn machine(mut report: LoadReport, processors: &str, clients: &str) -> LoadReport {
        let conditions = [("machine.processors", processors), ("plan.clients", clients)];
        for outcome in &mut report.outcomes {
            outcome.run.conditions =
                conditions.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        }
        report
    }

    #[test]
    fn each_comparison_is_written_as_expected() {
        let (sse, other) = (of(rounds(), Transport::Sse), of(rounds(), Transport::WebSocket));
        let before = machine(good(), "4 × Xeon", "up to 10000 clients, 60 s");
        let ten = machine(good(), "4 × Xeon", "up to 10000 clients, 60 s");
        let five = machine(broken(), "2 × Xeon", "up to 5000 clients, 60 s");
        let asked: &[&str] = &["delivery.p99 > +10%", "memory.server > +5%", "lost > 0"];
        for (name, diff, verdict) in [
            ("rounds", diff(sse.clone(), other.clone(), asked), Verdict::Broken),
            ("rounds-back", diff(other, sse.clone(), &["lost > 0"]), Verdict::Held),
            ("one_round_elsewhere", diff(ten, five, &["lost > +0%"]), Verdict::Broken),
            (
                "the_same",
                diff(machine(sse.clone(), "4", "9"), machine(sse, "4", "9"), &[]),
                Verdict::Held,
            ),
            ("a_generator_that_was_too_slow", diff(good(), saturated(), &[]), Verdict::Unproven),
            ("no_data", diff(before, broken(), &["memory.server > +5%"]), Verdict::Unproven),
        ] {
            assert_eq!(diff.verdict(), verdict, "{name}");
            let text = render(&diff, &Options { width: 80, ..Options::default() });
            assert!(text.lines().count() < 38, "{name}:\n{text}");
            assert!(text.lines().all(|line| crate::text::columns(line) <= 80), "{name}:\n{text}");
            assert_snapshot!(name, text);
        }
    }
}
