//! The limits of a good request: `ttft < 500ms`.

use sseproof_units::{Dimension, Value};

use super::Relation;
use super::parse::{Reader, ThresholdError};
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
    let mut reader = Reader::new(text);
    let name = reader.name();
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
        return Err(reader.wrong(what, format!("write one of {all}, as in ttft < 500ms")));
    };
    reader.pass(name.len());
    let example = format!("write {name} < 500ms");
    let (relation, length) = reader.relation(&example)?;
    if let Relation::Greater | Relation::GreaterOrEqual = relation {
        return Err(reader.wrong("an objective is an upper limit; use < or <=", example));
    }
    reader.pass(length);
    let limit = reader.limit(Value::parse(reader.rest(), Dimension::Time))?;
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
