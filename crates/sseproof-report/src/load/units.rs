//! Numbers with their units, to three digits: `12.3 ms`, `4.56 KiB`, `1.20 M/s`.

use sseproof_load_model::{Dimension, Estimate, Value};

/// A unit, and how many of the smallest one it is.
type Unit = (f64, &'static str);

const TIMES: [Unit; 5] = [(1.0, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s"), (6e11, " min")];
const BYTES: [Unit; 4] =
    [(1.0, " B"), (1024.0, " KiB"), (1_048_576.0, " MiB"), (1_073_741_824.0, " GiB")];
const RATES: [Unit; 3] = [(1.0, "/s"), (1e3, " k/s"), (1e6, " M/s")];
const BYTE_RATES: [Unit; 4] =
    [(1.0, " B/s"), (1024.0, " KiB/s"), (1_048_576.0, " MiB/s"), (1_073_741_824.0, " GiB/s")];
const SHARE: [Unit; 1] = [(0.01, " %")];
const NONE: [Unit; 1] = [(1.0, "")];

fn units(dimension: Dimension) -> &'static [Unit] {
    match dimension {
        Dimension::Time => &TIMES,
        Dimension::Bytes => &BYTES,
        Dimension::Rate => &RATES,
        Dimension::ByteRate => &BYTE_RATES,
        Dimension::Share => &SHARE,
        Dimension::Count => &NONE,
    }
}

/// The greatest unit of which there is one, when rounded to three digits.
fn fitting(amount: f64, units: &'static [Unit]) -> Unit {
    let first = units[0];
    let fits = |unit: &&Unit| amount.abs() >= unit.0 * 0.9995;
    units.iter().rfind(fits).copied().unwrap_or(first)
}

/// How many decimals make three digits of a number.
fn decimals(number: f64) -> usize {
    match number.abs() {
        0.0 => 0,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    }
}

/// A measured value.
pub(super) fn value(value: &Value) -> String {
    if value.dimension == Dimension::Count {
        return count_of(value.amount);
    }
    let units = units(value.dimension);
    let mut unit = fitting(value.amount, units);
    // Minutes with decimals are read wrongly, and so they begin where there are ten.
    if unit.1 == " min" {
        unit.0 = 6e10;
    }
    let number = value.amount / unit.0;
    // Smallest units are whole, unless they are less than ten.
    format!("{number:.*}{}", decimals(number), unit.1)
}

/// A time.
pub(super) fn time(nanoseconds: u64) -> String {
    value(&Value::time(nanoseconds as f64))
}

/// A value with how much it may be off: `1.46 ± 0.02 KiB`.
pub(super) fn estimate(estimate: &Estimate) -> String {
    let Some((_, high)) = estimate.interval else { return value(&estimate.value) };
    let Value { amount, dimension } = estimate.value;
    let off = (high - amount).abs();
    let (size, unit) = fitting(amount.abs().max(off), units(dimension));
    let digits = decimals(amount.abs().max(off) / size);
    let least = 0.1_f64.powi(i32::try_from(digits).unwrap_or_default());
    let off = off / size;
    if off > 0.0 && off < least / 2.0 {
        return format!("{:.digits$} ± <{least:.digits$}{unit}", amount / size);
    }
    format!("{:.digits$} ± {off:.digits$}{unit}", amount / size)
}

/// A number of things: `1,234,567`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn count_of(amount: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = amount.round() as u64;
    count(whole)
}

/// `1 stream`, `15,000 streams`.
pub(super) fn number(of: u64, one: &str) -> String {
    format!("{} {one}{}", count(of), if of == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        for (amount, dimension, shown) in [
            (0.0, Dimension::Time, "0 ns"),
            (740.0, Dimension::Time, "740 ns"),
            (12_345_678.0, Dimension::Time, "12.3 ms"),
            (9_999_999.0, Dimension::Time, "10.0 ms"),
            (999_600.0, Dimension::Time, "1.00 ms"),
            (124e9, Dimension::Time, "124 s"),
            (3600e9, Dimension::Time, "60.0 min"),
            (4669.0, Dimension::Bytes, "4.56 KiB"),
            (-4669.0, Dimension::Bytes, "-4.56 KiB"),
            (119.0, Dimension::Bytes, "119 B"),
            (0.25, Dimension::Bytes, "0.25 B"),
            (1_200_000.0, Dimension::Rate, "1.20 M/s"),
            (350.0, Dimension::Rate, "350/s"),
            (20_480.0, Dimension::ByteRate, "20.0 KiB/s"),
            (0.981, Dimension::Share, "98.1 %"),
            (0.00042, Dimension::Share, "0.04 %"),
            (15_000.0, Dimension::Count, "15,000"),
        ] {
            assert_eq!(value(&Value::new(amount, dimension)), shown, "{amount} {dimension:?}");
        }
        assert_eq!([count(999), count(1000), count(1_234_567)], ["999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_a_value_may_be_off_has_its_unit() {
        let of = |amount: f64, off: f64| {
            let interval = Some((amount - off, amount + off));
            estimate(&Estimate { value: Value::bytes(amount), interval })
        };
        assert_eq!(of(1495.0, 20.48), "1.46 ± 0.02 KiB");
        assert_eq!(of(-3.0, 1536.0), "-0.00 ± 1.50 KiB");
        assert_eq!(of(1495.0, 0.1), "1.46 ± <0.01 KiB");
        assert_eq!(of(1495.0, 0.0), "1.46 ± 0.00 KiB");
        let alone = Estimate { value: Value::bytes(1495.0), interval: None };
        assert_eq!(estimate(&alone), "1.46 KiB");
    }
}
