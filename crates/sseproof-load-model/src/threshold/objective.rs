//! The limits of a good request: `ttft < 500ms`.

use super::Relation;
use super::parse::{ThresholdError, relation};
use sseproof_units::{Dimension, UnitError, Value};

use crate::Metric;

/// The times that a single request has.
pub const OBJECTIVES: [Metric; 6] =
    [Metric::Head, Metric::FirstEvent, Metric::Ttft, Metric::Itl, Metric::Tpot, Metric::EndToEnd];

/// Reads an objective: a time of a request, and the nanoseconds that it must not exceed. Of `itl`,
/// which a request has many of, it is the longest that must not.
///
/// # Errors
/// [`ThresholdError`], with what to write instead.
pub fn objective(text: &str) -> Result<(Metric, u64), ThresholdError> {
    let wrong = |at: usize, what: String, instead: String| ThresholdError {
        text: text.to_owned(),
        at,
        what,
        instead,
    };
    let start = text.len() - text.trim_start().len();
    let length = text[start..]
        .find(|char: char| char.is_whitespace() || "<>=!".contains(char))
        .unwrap_or(text.len() - start);
    let name = &text[start..start + length];
    let Some(metric) = OBJECTIVES.into_iter().find(|metric| metric.key() == name) else {
        let all = OBJECTIVES.map(Metric::key).join(", ");
        let what = match name.split_once('.') {
            Some((metric, _)) if Metric::of(metric).is_some() => {
                format!(
                    "`{name}` is a value of many requests; an objective is a time of each request"
                )
            }
            _ => format!("`{name}` is not a time of a request"),
        };
        return Err(wrong(start, what, format!("write one of {all}, as in ttft < 500ms")));
    };
    let behind = &text[start + length..];
    let at = text.len() - behind.trim_start().len();
    let example = format!("write {name} < 500ms");
    let (relation, length) =
        relation(&text[at..]).map_err(|what| wrong(at, what, example.clone()))?;
    if let Relation::Greater | Relation::GreaterOrEqual = relation {
        let what = "an objective is an upper limit; use < or <=";
        return Err(wrong(at, what.to_owned(), example));
    }
    let rest = text[at + length..].trim_start();
    let at = text.len() - rest.len();
    let limit = Value::parse(rest.trim_end(), Dimension::Time)
        .map_err(|UnitError { at: within, what, instead }| wrong(at + within, what, instead))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let nanoseconds = limit.amount as u64;
    Ok((metric, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_a_time_of_one_request() {
        assert_eq!(objective("ttft < 500ms"), Ok((Metric::Ttft, 500_000_000)));
        assert_eq!(objective(" end-to-end<=2s "), Ok((Metric::EndToEnd, 2_000_000_000)));
        for (text, at, what) in [
            ("", 0, "`` is not a time of a request"),
            ("lost < 1", 0, "`lost` is not a time of a request"),
            (
                "ttft.p99 < 1s",
                0,
                "`ttft.p99` is a value of many requests; an objective is a time of each request",
            ),
            ("ttft", 4, "a comparison is missing: <, <=, > or >="),
            ("ttft > 1s", 5, "an objective is an upper limit; use < or <="),
            ("ttft < 1", 8, "`1` has no unit"),
        ] {
            let wrong = objective(text).unwrap_err();
            assert_eq!((wrong.at, wrong.what.as_str()), (at, what), "{text}");
        }
    }
}
