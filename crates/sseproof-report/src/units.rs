//! Numbers with their units, as people read them.

/// A time: `740 µs`, `12 ms`, `3.204 s`, `2 min 4 s`.
pub(crate) fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        1_000_000..60_000_000 => format!("{}.{:03} s", us / 1_000_000, us / 1_000 % 1_000),
        _ => format!("{} min {} s", us / 60_000_000, us / 1_000_000 % 60),
    }
}

/// The same of milliseconds.
pub(crate) fn millis(ms: u64) -> String {
    if ms == 0 { "0 ms".to_owned() } else { micros(ms.saturating_mul(1_000)) }
}

/// The same of a measure, which may be a fraction of a millisecond.
pub(crate) fn measure(ms: f64) -> String {
    // A cast of a float saturates, so no measure is too great or too odd.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let us = (ms * 1_000.0).round() as u64;
    micros(us)
}

/// A number of bytes: `512 bytes`, `45.2 kB`, `1.3 MB`.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", count / 1_000, count / 100 % 10),
        1_000_000..1_000_000_000 => {
            format!("{}.{} MB", count / 1_000_000, count / 100_000 % 10)
        }
        _ => format!("{}.{} GB", count / 1_000_000_000, count / 100_000_000 % 10),
    }
}

/// `1 rule`, `2 rules`.
pub(crate) fn number(count: impl Into<u64>, one: &str) -> String {
    match count.into() {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_its_unit() {
        let times = [0, 740, 12_300, 3_204_999, 60_000_000, 124_000_000].map(micros);
        assert_eq!(times, ["0 µs", "740 µs", "12 ms", "3.204 s", "1 min 0 s", "2 min 4 s"]);
        assert_eq!(
            (millis(0), measure(0.25), measure(f64::NAN)),
            ("0 ms".into(), "250 µs".into(), "0 µs".into())
        );
        let sizes = [0, 1, 999, 45_230, 1_300_000, 2_000_000_000].map(bytes);
        assert_eq!(sizes, ["0 bytes", "1 byte", "999 bytes", "45.2 kB", "1.3 MB", "2.0 GB"]);
    }

    #[test]
    fn lists_read_as_sentences() {
        let parts = ["a", "b", "c"].map(str::to_owned);
        assert_eq!([list(&[]), list(&parts[..1]), list(&parts)], ["", "a", "a, b and c"]);
        assert_eq!([number(1_u64, "rule"), number(0_u64, "rule")], ["1 rule", "0 rules"]);
    }
}
