//! The values that an axis names.

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
    fn axes_have_round_values() {
        assert_eq!(steps(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(steps(0.0, 1234.0, 4), [0.0, 500.0, 1000.0]);
        assert_eq!(steps(0.0, 0.0, 4), [0.0]);
        assert_eq!(steps(0.0, f64::NAN, 4), [0.0]);
    }
}
