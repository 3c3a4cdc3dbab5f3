//! `specs/metrics.md`: the metrics of a load, from the tables in the code.

use std::fmt::Write as _;

use sseproof_load_model::{Counter, ErrorKind, Figure, Metric, Share};
use sseproof_units::Dimension;

const HEAD: &str = "\
# Metrics of a load

Each metric has one name in reports, results and thresholds.

## Common rules

- **Times are taken in nanoseconds** and shown in a suitable unit.
- **Nothing is clamped.**
  A histogram grows with its longest time, and a negative delivery latency is counted (`negative`) and not set to zero.
- **No coordinated omission.**
  An arrival or a publication has an intended time, from which it is measured, and not from the time at which the generator started it.
  So a late generator or server makes times longer, and not fewer.
- **Delays inside the generator count**, and are also reported as `lateness` and `loop-lag`.
- **No means of percentiles.**
  Histograms are added to a total, and percentiles are read from the sum.
  Rounds are compared by the percentile of each round, with their spread.

## Times

Each is a histogram per interval of a run.

";

const HISTOGRAMS: &str = "
### Histograms

- HdrHistogram with three significant digits: a value in it is at most 0.1% above the recorded time, and never below it, except for `min` and `mean`.
- In a JSON result, a histogram is text: HdrHistogram V2, compressed with DEFLATE, in Base64, which libraries in other languages read; values are nanoseconds.
- `p99` is the lowest value that 99% of all samples do not exceed (HdrHistogram's value at quantile 0.99).
  Percentiles go from `p0.01` to `p99.99`, with at most two decimals.
  With too few samples for a percentile (100 for `p99`), it is the maximum.
- `max`, `min`, `mean`, and `count`, the number of samples.

## Counters

With the suffix `.rate`, each is a count in a second.
`events.rate`, `bytes.rate`, `published.rate` and `publish-failed.rate` are of the intervals in which all clients were connected (99% of the most, at their start and end).
The others, and all of a run without such an interval or with requests whose streams end, are their count ÷ the length of the whole run, including ramps and pauses.

";

const MERGING: &str = "
## Merging

A run is a list of intervals; each has its counters, its histograms and the number of streams that are open at its end.
Intervals of several generators that have the same number are one: counters are added, histograms are added bucket by bucket, open streams are added.
So a merged result equals the result of one generator, percentiles included.

## Comparing

A round is one observation: its values come from its own histogram, and for several rounds the minimum, median and maximum are shown.
The ratio of two sides is exp(mean of the differences of the rounds' natural logarithms), with the 95% confidence interval by Student's t.
Alternating rounds are paired by number, which removes slow phases of the machine; rounds of other times are compared by Welch's method.
Fewer than three rounds, and an interval that contains 1, are inconclusive.

## Thresholds

";

const THRESHOLDS: &str = "```text
threshold  = name comparison limit
comparison = \"<\" | \"<=\" | \">\" | \">=\"
limit      = value | change
value      = number unit            ; the unit depends on the name
change     = (\"+\" | \"-\") number \"%\"  ; only in `sseproof diff`: a share of the older value
```

| the name is | units | examples |
|---|---|---|
";

const PLACES: &str = "
## Stamps and sequence numbers

A plan, `--stamp` and `--sequence` say where an event has its time and its number.
Without them (`auto`), the first events of a stream are read before the run, for a second, or for at most five if fewer than four come, and a place is used if only one can be it (for stamps, after 100 ms of history if enough events are left):

- `own`: the format of sseproof, with a time near the arrival.
- A stamp: a number of the JSON data, in all of these events, that is at most 10 s before and 1 s after the arrival in one of `s`, `ms`, `us` and `ns` since the Unix epoch, and that grows like the arrivals (to 500 ms between two of them).
  Whole seconds are too coarse for a latency and are not used.
- A number: the digits at the end of `id`, or else a whole number of the JSON data, that grows by one from event to event and is not a time.
  Numbers that were found count within a stream only, since they may begin anew in the next.

The report says what is used (*found in the first events*), and names the candidates if there are several; then none is used.
WebSockets have no `id`.

## The clocks

No latency is corrected.
If the server is on another machine, its `Date` headers bound the difference of its clock: a `Date` is exact to a second, and a server may send the same one for another second.
The report gives the difference if the bounds leave at most half of it open, and if no event arrived earlier than it allows; otherwise it says that the difference is unknown. It says nothing about a server on this machine, and nothing about stamps that the generator made.
";

const RESULT: &str = "
## The result as JSON

`--json` writes `{ format, tool, outcomes }`; the format is `sseproof load 1`.
New members may be added, so a reader ignores those that it does not know.
An outcome is one round over one transport: all figures of a report follow from it, in Markdown too.

| member of an outcome | content |
|---|---|
| `run.plan`, `run.url`, `run.transport`, `run.round`, `run.started` | what was played, and when (RFC 3339); the transport is `sse` or `web-socket` |
| `run.interval_ms`, `run.shards` | the length of an interval; the parts, each with `index`, `of` and `complete` |
| `run.streams_per_connection`, `run.compress`, `run.objectives` | over HTTP/2: the most streams on a connection; whether clients offered compression; the limits of a good request |
| `run.stamp`, `run.sequence`, `run.found` | where events had their time and number, as in a plan; what the first events showed |
| `run.conditions` | texts by name: `plan.…`, `server.…`, `generator.…` and `machine.…`, which `sseproof diff` compares |
| `run.partial`, `run.saturated` | why it is not the whole run; why the generator was the bottleneck |
| `intervals[].index`, `.open` | the number of the interval; the streams that were open at its end |
| `intervals[].counters` | `counts` by the names above, `errors` by message, and `error_kinds`, the kind of each message |
| `intervals[].histograms` | the times by the names above, each as text (see Histograms) |
| `intervals[].server-clock` | the server's clock less that of the generator, between `least` and `most` nanoseconds; none if the server is on the same machine |
| `resources.samples[]` | readings at `at_ms`: `open` and `events`, `server` and `generator` (bytes, and nanoseconds of processor time), `kernel` (bytes), `waiting` (bytes in receive queues) |
";

const NOTES: &str = "
- A threshold says when a run fails, as in `--fail-if 'delivery.p99 > 50ms'`.
- `kB` is 1000 bytes, `KiB` is 1024.
- **A threshold without data does not pass.**
  If no event had a stamp, `delivery.p99 > 50ms` has *no data*, and the run is inconclusive; otherwise a run without any stream would pass most thresholds.
  If the plan already shows it, this is reported before the run.
- A run in which clients never got a stream (`unanswered`, `rejected`, `unconnected`) is inconclusive, unless a threshold decides how many may fail: one on `streams`, `streams.share` or that counter, or, for `rejected` and `unconnected`, on `errors` or `errors.share`.
- A change is relative to the older value: `lost > +0%` fails if more events are lost than before, also if that was none.
";

pub(super) fn render() -> String {
    let mut out = HEAD.to_owned();
    row(&mut out, &["name", "metric", "formula", "clock"]);
    rule(&mut out, 4);
    for metric in Metric::ALL {
        let is = metric.definition();
        row(&mut out, &[&code(metric.key()), is.name, is.formula, is.clock]);
    }
    out.push_str(HISTOGRAMS);
    row(&mut out, &["name", "unit", "counts"]);
    rule(&mut out, 3);
    for counter in Counter::ALL {
        let unit = if counter == Counter::Bytes { "bytes" } else { "1" };
        row(&mut out, &[&code(counter.key()), unit, counter.definition()]);
    }
    out.push_str("\n`bytes.per-event` is `bytes` ÷ `events`.\n\n### Shares\n\n");
    row(&mut out, &["name", "formula"]);
    rule(&mut out, 2);
    for share in Share::ALL {
        row(&mut out, &[&code(&format!("{}.share", share.counter().key())), share.formula()]);
    }
    out.push_str("\n### Kinds of errors\n\nA run lists errors by message; these names are for thresholds.\n\n");
    row(&mut out, &["name", "meaning"]);
    rule(&mut out, 2);
    for kind in ErrorKind::ALL.into_iter().chain([ErrorKind::Status(503)]) {
        row(&mut out, &[&code(&format!("errors.{}", kind.key())), kind.definition()]);
    }
    out.push_str("\n## Costs\n\nFrom readings of processes (proc(5): private memory, processor time) and of the kernel, if they can be read.\nIf streams share connections, over HTTP/2, a connection here is a stream.\n\n");
    row(&mut out, &["name", "unit", "meaning"]);
    rule(&mut out, 3);
    for figure in Figure::ALL {
        row(&mut out, &[&code(figure.key()), unit(figure.dimension()), figure.definition()]);
    }
    out.push_str(PLACES);
    out.push_str(MERGING);
    out.push_str(THRESHOLDS);
    for (means, units, examples) in [
        ("a number", "none", "`lost > 0`, `errors.refused > 3`, `delivery.count < 1000`"),
        (
            "a time",
            "`ns`, `us`, `µs`, `ms`, `s`, `m` or `min`, `h`",
            "`delivery.p99 > 50ms`, `connect.mean > 5ms`, `first-event.max > 1s`",
        ),
        (
            "bytes",
            "`B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`",
            "`memory.server > 20KiB`, `bytes.per-event > 200B`",
        ),
        ("a share", "`%`", "`good.share < 99%`, `lost.share > 0.1%`, `streams.share < 100%`"),
        ("a rate", "`/s`, `/min`", "`events.rate < 1000/s`"),
        ("bytes in a second", "those of bytes, with `/s`", "`bytes.rate < 1MiB/s`"),
    ] {
        row(&mut out, &[means, units, examples]);
    }
    out.push_str(NOTES);
    out.push_str(RESULT);
    out
}

fn unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Count => "1",
        Dimension::Time => "time",
        Dimension::Bytes => "bytes",
        Dimension::Share => "share",
        Dimension::Rate => "1/s",
        Dimension::ByteRate => "bytes/s",
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn row(out: &mut String, cells: &[&str]) {
    // Writing to a string does not fail.
    let written = writeln!(out, "| {} |", cells.join(" | "));
    debug_assert!(written.is_ok());
}

fn rule(out: &mut String, columns: usize) {
    out.push_str(&"|---".repeat(columns));
    out.push_str("|\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(text: &str) -> impl Iterator<Item = &str> {
        let examples = text.rsplit("```").next().unwrap_or_default();
        let spans = examples.split('`').skip(1).step_by(2);
        let spans = spans.map(|span| span.trim_start_matches("--fail-if '").trim_end_matches('\''));
        spans.filter(|span| span.contains(' ') && span.contains(['<', '>']))
    }

    #[test]
    fn each_threshold_in_the_file_can_be_written() {
        let text = render();
        let shown: Vec<_> = examples(&text).collect();
        assert!(shown.len() > 12, "{shown:?}");
        for threshold in shown {
            if let Err(wrong) = sseproof_load_model::Threshold::parse_change(threshold) {
                panic!("{wrong}");
            }
        }
    }
}
