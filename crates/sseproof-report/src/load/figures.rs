//! The costs of several rounds combined.

use sseproof_load_model::{Cost, Estimate, Figure, Unmeasured};
use sseproof_units::Value;

pub struct Figures {
    figures: Vec<(Figure, Result<Estimate, Unmeasured>)>,
    /// Of the first round, with the number of points of the lines.
    pub first: Option<Cost>,
}

impl Figures {
    /// Memory is that of the first round with a value: later rounds reuse memory of earlier ones,
    /// and would seem to need none. Processor time is that of the median round.
    pub fn of(costs: &[Cost]) -> Self {
        let figures = Figure::ALL.map(|figure| (figure, put_together(figure, costs)));
        Self { figures: figures.into(), first: costs.first().cloned() }
    }

    pub fn measured(&self) -> impl Iterator<Item = (Figure, &Estimate)> {
        self.figures
            .iter()
            .filter_map(|(figure, estimate)| Some((*figure, estimate.as_ref().ok()?)))
    }

    pub fn figure(&self, figure: Figure) -> Option<&Estimate> {
        self.measured().find(|(known, _)| *known == figure).map(|(_, estimate)| estimate)
    }

    pub fn value(&self, key: &str) -> Option<Value> {
        Some(self.figure(Figure::of(key)?)?.value)
    }

    pub fn why(&self, figure: Figure) -> Option<&Unmeasured> {
        let found = self.figures.iter().find(|(known, _)| *known == figure)?;
        found.1.as_ref().err()
    }

    /// Each reason for missing figures, with their keys.
    pub fn missing(&self) -> Vec<(&Unmeasured, Vec<&'static str>)> {
        let mut reasons: Vec<(&Unmeasured, Vec<&'static str>)> = Vec::new();
        for (figure, estimate) in &self.figures {
            let Err(why) = estimate else { continue };
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, keys)) => keys.push(figure.key()),
                None => reasons.push((why, vec![figure.key()])),
            }
        }
        reasons
    }
}

fn put_together(figure: Figure, costs: &[Cost]) -> Result<Estimate, Unmeasured> {
    let mut measured: Vec<&Estimate> =
        costs.iter().filter_map(|cost| cost.figure(figure).ok()).collect();
    let is_memory = figure.key().starts_with("memory.");
    if !is_memory {
        measured.sort_by(|one, other| one.value.amount.total_cmp(&other.value.amount));
    }
    let at = if is_memory { 0 } else { measured.len() / 2 };
    match (measured.get(at), costs.first()) {
        (Some(estimate), _) => Ok(**estimate),
        (None, Some(first)) => first.figure(figure).copied().map_err(Clone::clone),
        (None, None) => Err(Unmeasured::NoSamples),
    }
}
