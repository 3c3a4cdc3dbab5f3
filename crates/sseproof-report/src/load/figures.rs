//! The costs of several rounds put together.

use sseproof_load_model::{Cost, Estimate, Figure, Undecided};
use sseproof_units::Value;

/// Each figure of the rounds, or why there is none.
pub(super) struct Figures {
    told: Vec<(Figure, Result<Estimate, Undecided>)>,
    /// The first round's, which says what lines were drawn through.
    pub(super) first: Option<Cost>,
}

impl Figures {
    /// Memory is that of the first round that tells: later ones get the memory that it left, and
    /// would seem to need none. Processor time is that of the round in the middle.
    pub(super) fn of(costs: &[Cost]) -> Self {
        let told = Figure::ALL.map(|figure| (figure, put_together(figure, costs)));
        Self { told: told.into(), first: costs.first().cloned() }
    }

    /// Those that were told.
    pub(super) fn told(&self) -> impl Iterator<Item = (Figure, &Estimate)> {
        self.told.iter().filter_map(|(figure, told)| Some((*figure, told.as_ref().ok()?)))
    }

    /// The figure, where it was told.
    pub(super) fn figure(&self, figure: Figure) -> Option<&Estimate> {
        self.told().find(|(known, _)| *known == figure).map(|(_, estimate)| estimate)
    }

    /// The value of the figure of that key.
    pub(super) fn value(&self, key: &str) -> Option<Value> {
        Some(self.figure(Figure::of(key)?)?.value)
    }

    /// Why the figure was not told.
    pub(super) fn why(&self, figure: Figure) -> Option<&Undecided> {
        let found = self.told.iter().find(|(known, _)| *known == figure)?;
        found.1.as_ref().err()
    }

    /// Each reason for which figures were not told, with their keys.
    pub(super) fn untold(&self) -> Vec<(&Undecided, Vec<&'static str>)> {
        let mut reasons: Vec<(&Undecided, Vec<&'static str>)> = Vec::new();
        for (figure, told) in &self.told {
            let Err(why) = told else { continue };
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, keys)) => keys.push(figure.key()),
                None => reasons.push((why, vec![figure.key()])),
            }
        }
        reasons
    }
}

fn put_together(figure: Figure, costs: &[Cost]) -> Result<Estimate, Undecided> {
    let mut told: Vec<&Estimate> =
        costs.iter().filter_map(|cost| cost.figure(figure).ok()).collect();
    let is_memory = figure.key().starts_with("memory.");
    if !is_memory {
        told.sort_by(|one, other| one.value.amount.total_cmp(&other.value.amount));
    }
    let at = if is_memory { 0 } else { told.len() / 2 };
    match (told.get(at), costs.first()) {
        (Some(estimate), _) => Ok(**estimate),
        (None, Some(first)) => first.figure(figure).copied().map_err(Clone::clone),
        (None, None) => Err(Undecided::NoSamples),
    }
}
