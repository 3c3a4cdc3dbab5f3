//! From values to places on an axis.

/// A scale from an interval of values to one of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    Linear {
        values: (f64, f64),
        pixels: (f64, f64),
    },
    /// By the decimal logarithm; values are greater than zero.
    Log {
        values: (f64, f64),
        pixels: (f64, f64),
    },
    /// HdrHistogram's: a share of 0.9, 0.99, 0.999 at equal distances, up to this many nines.
    Percentile {
        nines: f64,
        pixels: (f64, f64),
    },
}

impl Scale {
    /// From zero to the value, which may be zero itself.
    pub fn to(most: f64, pixels: (f64, f64)) -> Self {
        let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
        Self::Linear { values: (0.0, most), pixels }
    }

    /// From the power of ten below the least value to the one above the greatest.
    pub fn log(least: f64, most: f64, pixels: (f64, f64)) -> Self {
        let least = if least > 0.0 && least.is_finite() { least } else { 1.0 };
        let low = 10f64.powf(least.log10().floor());
        let most = if most.is_finite() { most.max(least) } else { least };
        let high = 10f64.powf(most.log10().ceil());
        let high = if high > low { high } else { low * 10.0 };
        Self::Log { values: (low, high), pixels }
    }

    /// The place of a value; one outside of the interval is at its end.
    pub fn at(&self, value: f64) -> f64 {
        let (part, pixels) = match *self {
            Self::Linear { values: (low, high), pixels } => ((value - low) / (high - low), pixels),
            Self::Log { values: (low, high), pixels } => {
                let part = (value.max(low) / low).log10() / (high / low).log10();
                (part, pixels)
            }
            Self::Percentile { nines, pixels } => {
                let rest = (1.0 - value).max(10f64.powf(-nines));
                (-rest.log10() / nines, pixels)
            }
        };
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        pixels.0 + part * (pixels.1 - pixels.0)
    }

    /// The values that an axis names, about this many.
    pub fn ticks(&self, about: usize) -> Vec<f64> {
        match *self {
            Self::Linear { values: (low, high), .. } => steps(low, high, about),
            Self::Log { values: (low, high), .. } => {
                let decades = (high / low).log10().round();
                let every = (decades / about.max(1) as f64).ceil().max(1.0);
                let mut at = 0.0;
                let mut ticks = Vec::new();
                while at <= decades {
                    ticks.push(low * 10f64.powf(at));
                    at += every;
                }
                ticks
            }
            Self::Percentile { nines, .. } => {
                let mut ticks = vec![0.0, 0.5];
                let mut at = 1.0;
                while at <= nines {
                    ticks.push(1.0 - 10f64.powf(-at));
                    at += 1.0;
                }
                ticks
            }
        }
    }
}

/// Round values (1, 2 or 5 times a power of ten apart) from `low` to `high`, about this many.
pub(crate) fn steps(low: f64, high: f64, about: usize) -> Vec<f64> {
    let rough = (high - low) / about.max(1) as f64;
    if !rough.is_finite() || rough <= 0.0 {
        return vec![low];
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|of| of * power);
    let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(power * 10.0);
    let first = (low / step).ceil() as i64;
    // The last one may miss the end by an error of rounding.
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last.min(first.saturating_add(1000))).map(|at| at as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_places() {
        let line = Scale::to(200.0, (10.0, 110.0));
        assert_eq!(
            [0.0, 50.0, 200.0, 900.0, f64::NAN].map(|at| line.at(at)),
            [10.0, 35.0, 110.0, 110.0, 10.0]
        );
        let log = Scale::log(3.0, 900.0, (100.0, 0.0));
        assert_eq!(
            [1.0, 10.0, 1000.0, 0.0].map(|at| log.at(at).round()),
            [100.0, 67.0, 0.0, 100.0]
        );
        let share = Scale::Percentile { nines: 4.0, pixels: (0.0, 400.0) };
        assert_eq!(
            [0.0, 0.9, 0.99, 0.9999, 1.0].map(|at| share.at(at).round()),
            [0.0, 100.0, 200.0, 400.0, 400.0]
        );
    }

    #[test]
    fn axes_have_round_values() {
        assert_eq!(steps(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(steps(0.0, 1234.0, 4), [0.0, 500.0, 1000.0]);
        assert_eq!(steps(0.0, 0.0, 4), [0.0]);
        assert_eq!(steps(0.0, f64::NAN, 4), [0.0]);
        assert_eq!(Scale::log(0.0, 0.0, (0.0, 1.0)).ticks(4), [1.0, 10.0]);
        assert_eq!(Scale::log(3.0, 90_000.0, (0.0, 1.0)).ticks(3), [1.0, 100.0, 10_000.0]);
        let share = Scale::Percentile { nines: 3.0, pixels: (0.0, 1.0) };
        let words: Vec<_> = share.ticks(0).iter().map(|at| format!("{at:.3}")).collect();
        assert_eq!(words, ["0.000", "0.500", "0.900", "0.990", "0.999"]);
    }
}
