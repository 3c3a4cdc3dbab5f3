//! A straight line through points by least squares, with 95 % confidence intervals.

/// A line `y = slope · x + intercept`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) slope: Estimated,
    pub(super) intercept: Estimated,
}

/// A value, and its error to both sides; two points have no known error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimated {
    pub(super) value: f64,
    pub(super) off: Option<f64>,
}

/// The line through these points, if they have more than one `x`.
///
/// The intervals are those of ordinary least squares: Student's t with two degrees of freedom fewer
/// than points, times the standard error.
pub(super) fn line(points: &[(f64, f64)]) -> Option<Line> {
    let count = points.len() as f64;
    let mean_of = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean_of(|point| point.0), mean_of(|point| point.1));
    let xx: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    if xx <= 0.0 || !xx.is_finite() {
        return None;
    }
    let xy: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let slope = xy / xx;
    let intercept = y_mean - slope * x_mean;
    let off = (points.len() > 2).then(|| {
        let freedom = points.len() - 2;
        let left: f64 = points.iter().map(|(x, y)| (y - slope * x - intercept).powi(2)).sum();
        let error = (left / freedom as f64).sqrt();
        let t = students_t(freedom);
        (t * error / xx.sqrt(), t * error * (1.0 / count + x_mean.powi(2) / xx).sqrt())
    });
    Some(Line {
        slope: Estimated { value: slope, off: off.map(|off| off.0) },
        intercept: Estimated { value: intercept, off: off.map(|off| off.1) },
    })
}

/// The quantile of Student's t that leaves 2.5 % above it.
pub(crate) fn students_t(freedom: usize) -> f64 {
    /// Up to where the expansion below is off by more than a thousandth.
    const FEW: [f64; 8] =
        [12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004];
    /// The same quantile of the normal distribution.
    const NORMAL: f64 = 1.959_963_985;
    if let Some(t) = freedom.checked_sub(1).and_then(|at| FEW.get(at)) {
        return *t;
    }
    // Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5).
    let (z, n) = (NORMAL, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / n + second / n.powi(2) + third / n.powi(3)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_distr::{Distribution as _, Normal};

    use super::*;

    #[test]
    fn students_t_is_that_of_the_tables() {
        for (freedom, t) in [
            (1, 12.706),
            (2, 4.303),
            (4, 2.776),
            (5, 2.571),
            (9, 2.262),
            (10, 2.228),
            (30, 2.042),
            (1000, 1.962),
        ] {
            assert!((students_t(freedom) - t).abs() < 0.002, "{freedom}: {}", students_t(freedom));
        }
    }

    #[test]
    fn a_line_is_found_again() {
        let points: Vec<_> =
            (0..5).map(|n| (f64::from(n) * 100.0, f64::from(n) * 250.0 + 7.0)).collect();
        let found = line(&points).unwrap();
        assert!(
            (found.slope.value - 2.5).abs() < 1e-9 && (found.intercept.value - 7.0).abs() < 1e-9
        );
        assert!(found.slope.off.unwrap() < 1e-9);
        assert_eq!(line(&points[..2]).unwrap().slope.off, None);
        assert_eq!(line(&[(3.0, 1.0), (3.0, 2.0)]), None);
        assert_eq!(line(&[]), None);
    }

    #[test]
    fn a_published_line_is_found_with_its_error() {
        // Anscombe's first set: slope 0.500 (standard error 0.118), intercept 3.00 (1.125).
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let points: Vec<_> = x.into_iter().zip(y).collect();
        let found = line(&points).unwrap();
        let t = students_t(9);
        assert!((found.slope.value - 0.5001).abs() < 1e-4, "{found:?}");
        assert!((found.slope.off.unwrap() / t - 0.1179).abs() < 1e-4, "{found:?}");
        assert!((found.intercept.off.unwrap() / t - 1.1247).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn the_interval_has_the_truth_in_19_of_20_cases() {
        let mut chance = rand::rngs::StdRng::seed_from_u64(5);
        let noise = Normal::new(0.0, 300_000.0).unwrap();
        let held = (0..1000)
            .filter(|_| {
                let points: Vec<_> = (0..6)
                    .map(|n| f64::from(n) * 3000.0)
                    .map(|x| (x, 1500.0 * x + 5e6 + noise.sample(&mut chance)))
                    .collect();
                let slope = line(&points).unwrap().slope;
                (slope.value - 1500.0).abs() <= slope.off.unwrap()
            })
            .count();
        assert!((930..=970).contains(&held), "{held} of 1000");
    }
}
