//! Coordinates.

/// The number with at most one digit after the point: a tenth of a pixel is enough, and the same on
/// every machine.
pub fn n(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    // There is no negative zero in a picture, and no infinity.
    match tenths {
        _ if !tenths.is_finite() || tenths == 0.0 => "0".to_owned(),
        whole if whole.fract() == 0.0 => format!("{whole:.0}"),
        tenths => format!("{tenths:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        let all = [1.0, 1.04, -0.04, 0.55, 1234.56, f64::NAN, f64::INFINITY].map(n);
        assert_eq!(all, ["1", "1", "0", "0.6", "1234.6", "0", "0"]);
    }
}
