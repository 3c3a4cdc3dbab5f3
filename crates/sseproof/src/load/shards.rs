//! The part of the plan that this process plays, as its arguments or the engine that started it say.

use anyhow::{Context as _, bail};
use sseproof_load_model::schedule::Part;

/// `--shard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharding {
    Auto,
    Index(u64),
    Part(Part),
}

pub(super) fn sharding(text: &str) -> Result<Sharding, &'static str> {
    let parsed = match text.split_once('/') {
        _ if text == "auto" => Some(Sharding::Auto),
        None => text.parse().ok().map(Sharding::Index),
        Some((index, of)) => index
            .parse()
            .ok()
            .zip(of.parse().ok())
            .and_then(|(index, of)| (index < of).then_some(Sharding::Part(Part { index, of }))),
    };
    parsed.ok_or(
        "write it as 0/4, the first of four, up to 3/4; as 0 with --shards 4; or as auto, if an engine says it",
    )
}

/// The variables by which an engine says to a task which one of how many it is.
struct Engine {
    name: &'static str,
    index: &'static str,
    count: Option<&'static str>,
    /// The index of the first task, if it is not 0, and the distance between two.
    first: Option<&'static str>,
    step: Option<&'static str>,
}

const ENGINES: [Engine; 6] = [
    engine("Kubernetes", "JOB_COMPLETION_INDEX", None),
    // Not SLURM_NTASKS, which a batch script has, too, though it is not one of the tasks.
    engine("srun of Slurm", "SLURM_PROCID", Some("SLURM_STEP_NUM_TASKS")),
    Engine {
        first: Some("SLURM_ARRAY_TASK_MIN"),
        step: Some("SLURM_ARRAY_TASK_STEP"),
        ..engine("an array of Slurm", "SLURM_ARRAY_TASK_ID", Some("SLURM_ARRAY_TASK_COUNT"))
    },
    engine("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", None),
    engine("Google Cloud Batch", "BATCH_TASK_INDEX", Some("BATCH_TASK_COUNT")),
    engine("Nomad", "NOMAD_ALLOC_INDEX", None),
];

const fn engine(name: &'static str, index: &'static str, count: Option<&'static str>) -> Engine {
    Engine { name, index, count, first: None, step: None }
}

/// An engine whose variables are set.
struct Sighting {
    engine: &'static Engine,
    index: u64,
    count: Option<u64>,
    /// The variables, as they are set.
    variables: String,
}

/// The part that the arguments name; `None` if this process plays the whole plan. Arguments have
/// precedence over the environment.
pub(super) fn part(
    shard: Option<Sharding>,
    shards: Option<u64>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<Part>> {
    let of = |index: u64, of: u64| {
        if index >= of {
            bail!("there is no shard {index} of {of}: they are counted from 0 to {}", of - 1);
        }
        Ok(Some(Part { index, of }))
    };
    match (shard, shards) {
        (None, None) => Ok(None),
        (Some(Sharding::Part(part)), Some(count)) if part.of != count => {
            bail!("--shard says {} shards, and --shards {count}: remove one of them", part.of)
        }
        (Some(Sharding::Part(part)), _) => Ok(Some(part)),
        (Some(Sharding::Index(index)), Some(count)) => of(index, count),
        (Some(Sharding::Index(index)), None) => {
            bail!("--shard {index} does not say of how many: add --shards, or write {index}/4")
        }
        (Some(Sharding::Auto) | None, count) => {
            let seen = seen(variable)?;
            let Some(first) = seen.first() else { bail!("{}", unseen(variable)) };
            if let Some(other) = seen.iter().find(|other| {
                (other.index, other.count.or(first.count))
                    != (first.index, first.count.or(other.count))
            }) {
                bail!(
                    "{} and {} contradict each other: {}; and {}; name the part with --shard INDEX/COUNT",
                    first.engine.name,
                    other.engine.name,
                    first.variables,
                    other.variables
                );
            }
            let known = seen.iter().find_map(|seen| seen.count);
            match (known, count) {
                (Some(known), Some(count)) if known != count => bail!(
                    "--shards says {count}, but {} has {known} tasks: {}",
                    first.engine.name,
                    first.variables
                ),
                (None, None) => bail!(
                    "{} does not say how many tasks there are ({}): add --shards COUNT",
                    first.engine.name,
                    first.variables
                ),
                (known, count) => of(first.index, known.or(count).unwrap_or(1))
                    .with_context(|| format!("{}: {}", first.engine.name, first.variables)),
            }
        }
    }
}

/// The engines whose variables are set. A task that is alone says nothing if another engine has
/// several, as with one `srun -n 1` in each task of an array.
fn seen(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Vec<Sighting>> {
    let mut all = Vec::new();
    for engine in &ENGINES {
        let mut variables = Vec::new();
        let mut number = |name: Option<&str>| -> anyhow::Result<Option<u64>> {
            let Some((name, value)) = name.and_then(|name| Some((name, variable(name)?))) else {
                return Ok(None);
            };
            let number = value.trim().parse().ok();
            let number = number.with_context(|| format!("{name}={value} is not a number"))?;
            variables.push(format!("{name}={value}"));
            Ok(Some(number))
        };
        let Some(index) = number(Some(engine.index))? else { continue };
        let (count, first) = (number(engine.count)?, number(engine.first)?);
        let step = number(engine.step)?.unwrap_or(1).max(1);
        // The variables of Slurm are also set in a batch script, which is not a task of a step.
        if engine.index == "SLURM_PROCID" && count.is_none() {
            continue;
        }
        let variables = variables.join(" ");
        let index = index.checked_sub(first.unwrap_or(0)).filter(|index| index % step == 0);
        let index = index.map(|index| index / step).filter(|i| count.is_none_or(|n| *i < n));
        let Some(index) = index else {
            bail!(
                "the indexes of {} have gaps ({variables}): name the part with --shard INDEX/COUNT",
                engine.name
            )
        };
        all.push(Sighting { engine, index, count, variables });
    }
    if all.iter().any(|seen| seen.count != Some(1)) {
        all.retain(|seen| seen.count != Some(1));
    }
    Ok(all)
}

fn unseen(variable: &dyn Fn(&str) -> Option<String>) -> String {
    let names: Vec<_> = ENGINES.iter().map(|engine| engine.index).collect();
    let hint = match variable("SLURM_JOB_ID") {
        Some(_) => {
            "; this is the batch script of a job of Slurm and not one of its tasks: start sseproof with srun"
        }
        None => "",
    };
    format!(
        "no engine says which shard this is (none of {} is set){hint}; name it with --shard INDEX/COUNT",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result in one line, for these arguments and variables.
    fn outcome(shard: &str, shards: Option<u64>, variables: &str) -> String {
        let variable = |name: &str| {
            let mut all = variables.split_whitespace().filter_map(|one| one.split_once('='));
            Some(all.find(|(known, _)| *known == name)?.1.to_owned())
        };
        let shard = (!shard.is_empty()).then(|| sharding(shard).unwrap());
        match part(shard, shards, &variable) {
            Ok(None) => "whole".to_owned(),
            Ok(Some(part)) => format!("{}/{}", part.index, part.of),
            Err(error) => format!("{error:#}"),
        }
    }

    const ARRAY: &str = "SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_STEP=2";

    #[test]
    fn the_part_is_the_one_that_arguments_or_the_engine_say() {
        let step = "SLURM_JOB_ID=7 SLURM_PROCID=3 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4";
        let alone = format!("{ARRAY} SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1");
        for (shard, shards, variables, expected) in [
            ("", None, step, "whole"),
            ("1/4", None, step, "1/4"),
            ("1/4", Some(4), "", "1/4"),
            ("2", Some(4), "", "2/4"),
            ("auto", None, step, "3/4"),
            ("", Some(4), step, "3/4"),
            ("auto", None, ARRAY, "2/4"),
            ("auto", None, &alone, "2/4"),
            ("auto", None, "SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1", "0/1"),
            ("auto", Some(3), "JOB_COMPLETION_INDEX=2", "2/3"),
            ("", Some(3), "AWS_BATCH_JOB_ARRAY_INDEX=0", "0/3"),
            ("auto", None, "BATCH_TASK_INDEX=1 BATCH_TASK_COUNT=2", "1/2"),
            ("auto", Some(2), "NOMAD_ALLOC_INDEX=1", "1/2"),
            // Two engines that say the same.
            ("auto", None, "JOB_COMPLETION_INDEX=1 BATCH_TASK_INDEX=1 BATCH_TASK_COUNT=2", "1/2"),
        ] {
            assert_eq!(outcome(shard, shards, variables), expected, "{shard} {variables}");
        }
    }

    #[test]
    fn whatever_is_not_known_is_an_error_with_what_was_seen() {
        let both = format!("{ARRAY} JOB_COMPLETION_INDEX=1");
        let batch = "SLURM_JOB_ID=7 SLURM_PROCID=0 SLURM_NTASKS=4";
        for (shard, shards, variables, parts) in [
            (
                "auto",
                None,
                "",
                &["no engine says", "JOB_COMPLETION_INDEX", "--shard INDEX/COUNT"][..],
            ),
            ("auto", None, batch, &["start sseproof with srun"]),
            ("auto", None, "JOB_COMPLETION_INDEX=1", &["JOB_COMPLETION_INDEX=1", "--shards COUNT"]),
            ("auto", Some(1), "JOB_COMPLETION_INDEX=1", &["no shard 1 of 1"]),
            ("auto", Some(8), ARRAY, &["--shards says 8", "4 tasks"]),
            (
                "auto",
                None,
                &both,
                &["contradict", "JOB_COMPLETION_INDEX=1", "SLURM_ARRAY_TASK_ID=5"],
            ),
            ("auto", None, "BATCH_TASK_INDEX=x", &["BATCH_TASK_INDEX=x is not a number"]),
            (
                "auto",
                None,
                "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3",
                &["have gaps", "SLURM_ARRAY_TASK_ID=9"],
            ),
            ("1/4", Some(8), "", &["--shard says 4", "--shards 8"]),
            ("2", None, "", &["does not say of how many"]),
            ("4", Some(4), "", &["no shard 4 of 4"]),
        ] {
            let outcome = outcome(shard, shards, variables);
            assert!(parts.iter().all(|part| outcome.contains(part)), "{outcome}");
        }
        for wrong in ["4/4", "a/4", "1/", "", "-1", "auto/4"] {
            assert!(sharding(wrong).is_err(), "{wrong}");
        }
    }
}
