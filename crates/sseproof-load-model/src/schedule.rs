//! Intended times: pure functions of a plan, its seed and the shard.
//!
//! Shard `i` of `n` takes every `n`-th arrival of one schedule, so that all shards together play
//! exactly that schedule, on one machine or on many.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Exp1};

use crate::{Arrivals, Lifetime, Rate, Stage};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which, from 0.
    pub index: u64,
    pub of: u64,
}

impl Part {
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    pub fn has(self, number: u64) -> bool {
        number % self.of == self.index
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    Arrive(u64),
    Disconnect(u64),
    Storm(f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    pub at: Duration,
    pub action: Action,
}

pub fn length(stages: &[Stage]) -> Duration {
    stages.iter().map(Stage::duration).sum()
}

pub fn actions(
    stages: &[Stage],
    arrivals: Arrivals,
    seed: u64,
    part: Part,
) -> impl Iterator<Item = Timed> {
    let mut begin = Duration::ZERO;
    let mut open = 0;
    let stages: Vec<_> = stages
        .iter()
        .map(|stage| {
            let (at, before) = (begin, open);
            begin += stage.duration();
            if let Stage::Ramp { to, .. } = stage {
                open = *to;
            }
            (*stage, at, before)
        })
        .collect();
    stages
        .into_iter()
        .enumerate()
        .flat_map(move |(number, (stage, begin, before))| {
            let actions: Box<dyn Iterator<Item = Timed>> = match stage {
                Stage::Hold { .. } => Box::new(std::iter::empty()),
                Stage::Storm { share, .. } => {
                    Box::new(std::iter::once(Timed { at: begin, action: Action::Storm(share) }))
                }
                Stage::Ramp { to, over, plateaus } => {
                    let mut random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
                    let count = to.abs_diff(before);
                    let times = ramp(count, over, plateaus, arrivals, &mut random);
                    Box::new(times.into_iter().enumerate().map(move |(n, at)| {
                        let n = n as u64;
                        let action = if to > before {
                            Action::Arrive(before + n)
                        } else {
                            Action::Disconnect(before - 1 - n)
                        };
                        Timed { at: begin + at, action }
                    }))
                }
            };
            actions
        })
        .filter(move |timed| match timed.action {
            Action::Arrive(n) | Action::Disconnect(n) => part.has(n),
            Action::Storm(_) => true,
        })
}

/// Which share of each step of a ramp is a pause.
const PAUSE: f64 = 0.3;

fn ramp(
    count: u64,
    over: Duration,
    plateaus: u32,
    arrivals: Arrivals,
    random: &mut StdRng,
) -> Vec<Duration> {
    let steps = u64::from(plateaus.max(1));
    // A ramp of one step needs no pause: what follows it is one.
    let pause = if steps > 1 { PAUSE } else { 0.0 };
    let step = over.as_secs_f64() / steps as f64;
    (0..steps)
        .flat_map(|at| {
            let count = count * (at + 1) / steps - count * at / steps;
            let moving = step * (1.0 - pause);
            spread(count, arrivals, random)
                .into_iter()
                .map(move |share| Duration::from_secs_f64(at as f64 * step + share * moving))
        })
        .collect()
}

/// Where so many arrivals stand between 0 and 1, ascending.
fn spread(count: u64, arrivals: Arrivals, random: &mut StdRng) -> Vec<f64> {
    match arrivals {
        Arrivals::Constant => (0..count).map(|n| n as f64 / count as f64).collect(),
        // Given their number, the arrivals of a Poisson process are spread uniformly.
        Arrivals::Poisson => {
            let mut shares: Vec<f64> = (0..count).map(|_| random.random::<f64>()).collect();
            shares.sort_by(f64::total_cmp);
            shares
        }
    }
}

/// The times of an open model of requests, ascending; number and time.
pub fn requests(
    rate: Rate,
    lasting: Duration,
    seed: u64,
    part: Part,
) -> impl Iterator<Item = (u64, Duration)> {
    let (from, to, arrivals) = match rate {
        Rate::Open { from, to, arrivals } => (from, to, arrivals),
        Rate::Closed { .. } => (0.0, 0.0, Arrivals::Constant),
    };
    let seconds = lasting.as_secs_f64();
    let growth = if seconds > 0.0 { (to - from) / seconds } else { 0.0 };
    let mut random = StdRng::seed_from_u64(seed);
    // How many the rate has asked for so far: 1 for the first, each one more, or by chance.
    let mut asked = 0.0;
    (0_u64..)
        .map(move |n| {
            asked += match arrivals {
                Arrivals::Constant if n == 0 => 0.0,
                Arrivals::Constant => 1.0,
                Arrivals::Poisson => Exp1.sample(&mut random),
            };
            (n, reached(from, growth, asked))
        })
        .take_while(move |(_, at)| at.is_some_and(|at| at < seconds))
        .filter_map(|(n, at)| Some((n, Duration::from_secs_f64(at?))))
        .filter(move |(n, _)| part.has(*n))
}

/// When a rate that begins at `from` and grows by `growth` in each second has asked for so many.
fn reached(from: f64, growth: f64, asked: f64) -> Option<f64> {
    // from * t + growth * t² / 2 = asked
    if growth.abs() < 1e-12 {
        return if from > 0.0 { Some(asked / from) } else { None };
    }
    let root = from * from + 2.0 * growth * asked;
    if root < 0.0 { None } else { Some((root.sqrt() - from) / growth) }
}

/// How long the client of that number stays, in its life of that number.
pub fn lifetime(lifetime: Lifetime, seed: u64, client: u64, life: u64) -> Duration {
    match lifetime {
        Lifetime::Fixed(lasting) => lasting,
        Lifetime::Exponential(mean) => {
            let share: f64 = Exp1.sample(&mut chance(seed, client, life));
            mean.mul_f64(share)
        }
    }
}

/// A number between 0 and 1 that belongs to that client in its life of that number.
pub fn share(seed: u64, client: u64, life: u64) -> f64 {
    chance(seed, client, life).random()
}

fn chance(seed: u64, client: u64, life: u64) -> StdRng {
    let mut mixed = [0; 32];
    mixed[..8].copy_from_slice(&seed.to_le_bytes());
    mixed[8..16].copy_from_slice(&client.to_le_bytes());
    mixed[16..24].copy_from_slice(&life.to_le_bytes());
    StdRng::from_seed(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn up(to: u64, plateaus: u32) -> Stage {
        Stage::Ramp { to, over: 10 * SECOND, plateaus }
    }

    #[test]
    fn the_parts_of_a_schedule_are_the_schedule() {
        let stages = [
            up(101, 4),
            Stage::Storm { share: 0.5, lasting: SECOND },
            Stage::Ramp { to: 20, over: SECOND, plateaus: 1 },
        ];
        for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
            let whole: Vec<_> = actions(&stages, arrivals, 7, Part::WHOLE).collect();
            let mut parts: Vec<_> = (0..3)
                .flat_map(|index| actions(&stages, arrivals, 7, Part { index, of: 3 }))
                .collect();
            assert_eq!(whole.len(), 101 + 1 + 81);
            assert!(whole.is_sorted_by_key(|timed| timed.at));
            // Each part plays the storm for its own clients.
            assert_eq!(parts.len(), whole.len() + 2);
            parts.dedup();
            assert!(whole.iter().all(|timed| parts.contains(timed)));
        }
    }

    #[test]
    fn a_ramp_down_sends_the_last_ones_away() {
        let stages = [up(3, 1), Stage::Ramp { to: 1, over: SECOND, plateaus: 1 }];
        let actions: Vec<_> = actions(&stages, Arrivals::Constant, 0, Part::WHOLE)
            .map(|timed| timed.action)
            .collect();
        let [a, b] = [Action::Disconnect(2), Action::Disconnect(1)];
        assert_eq!(actions, [Action::Arrive(0), Action::Arrive(1), Action::Arrive(2), a, b]);
    }

    #[test]
    fn a_plateau_is_a_pause() {
        let at: Vec<_> = actions(&[up(40, 4)], Arrivals::Constant, 0, Part::WHOLE)
            .map(|timed| timed.at)
            .collect();
        let gaps: Vec<_> = at.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
        assert_eq!(gaps.iter().filter(|gap| **gap > 900).count(), 3, "{gaps:?}");
        assert!(at.iter().all(|at| *at < 10 * SECOND));
    }

    #[test]
    fn a_rate_asks_for_as_many_as_it_says() {
        let count = |from, to, arrivals| {
            requests(Rate::Open { from, to, arrivals }, 100 * SECOND, 3, Part::WHOLE).count()
        };
        assert_eq!(count(5.0, 5.0, Arrivals::Constant), 500);
        assert!((995..=1005).contains(&count(0.0, 20.0, Arrivals::Constant)));
        assert!((995..=1005).contains(&count(20.0, 0.0, Arrivals::Constant)));
        // Four standard deviations.
        assert!((5000 - 283..5000 + 283).contains(&count(50.0, 50.0, Arrivals::Poisson)));
    }

    #[test]
    fn lifetimes_have_their_mean() {
        let mean = Lifetime::Exponential(10 * SECOND);
        let sum: Duration = (0..4000).map(|client| lifetime(mean, 1, client, 0)).sum();
        let average = sum.as_secs_f64() / 4000.0;
        assert!((9.3..10.7).contains(&average), "{average}");
        assert_eq!(lifetime(mean, 1, 5, 2), lifetime(mean, 1, 5, 2));
    }
}
