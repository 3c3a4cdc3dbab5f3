//! `specs/metrics.md`: what a load measures, from the tables that the code measures by.

use std::fmt::Write as _;

use sseproof_load_model::{Counter, ErrorKind, Figure, Metric, Share};
use sseproof_units::Dimension;

const HEAD: &str = "\
# Metrics of a load

Each has a name, which is the same in reports, results and thresholds.

## Rules that hold for all

- **Times are taken in nanoseconds** and shown in the unit that suits them.
- **Nothing is clamped.**
  A histogram grows with its longest time, and a delivery latency below zero is counted (`negative`) and not made a zero.
- **No coordinated omission.**
  What is planned has an intended time (an arrival, a publication), and its time begins there, not when the generator got round to it.
  So a generator or a server that is late makes times longer and not fewer.
- **Waiting inside the generator counts**, and is shown beside it as `lateness` and `loop-lag`.
- **No mean of percentiles, anywhere.**
  A total is made of histograms that are added, and a percentile is read from the sum.
  Rounds are compared by the percentile of each round, with their spread.

## Times

A histogram each, for each interval of a run.

";

const HISTOGRAMS: &str = "
### Histograms

- HdrHistogram with three significant digits: a value that is read from it is at most 0.1% above the time that was recorded, and never below it, but for `min` and `mean`.
- In a JSON result, a histogram is text: HdrHistogram V2, compressed with DEFLATE, in Base64, as the libraries of other languages read it; values are nanoseconds.
- `p99` is the lowest value that 99% of all samples do not exceed (HdrHistogram's value at quantile 0.99).
  Percentiles go from `p0.01` to `p99.99`, with two decimals at the most.
  With fewer samples than a percentile can tell apart (100 for `p99`), it is the longest time.
- `max`, `min`, `mean`, and `count`, the number of samples.

## Counters

Behind each, `.rate` is its count ÷ the length of the whole run, ramps and pauses included.

";

const MERGING: &str = "
## Merging

A run is a list of intervals; each has its counters, its histograms and the number of streams that are open at its end.
Intervals of several generators that have the same number are one: counters are added, histograms are added bucket by bucket, open streams are added.
So what is merged is exactly what one generator would have written that had seen all of it, percentiles included.

## Comparing

A round is one observation: a value is taken of its own histogram, and of several rounds the least, the middle one and the greatest are shown.
What one side has in proportion to the other is exp(mean of the differences of the rounds' natural logarithms), with the 95% confidence interval by Student's t.
Rounds that were made in turn are paired by their number, so that what slows the machine for a while drops out; rounds of other times are compared by Welch's method.
Fewer than three rounds decide nothing, and an interval that contains 1 means that both are possible.

## Thresholds

";

const THRESHOLDS: &str = "```text
threshold  = name comparison limit
comparison = \"<\" | \"<=\" | \">\" | \">=\"
limit      = value | change
value      = number unit            ; the unit belongs to what the name means
change     = (\"+\" | \"-\") number \"%\"  ; only of `sseproof diff`: a share of the older value
```

| the name means | units | examples |
|---|---|---|
";

const BEHIND: &str = "
- A threshold says when a run fails, as in `--fail-if 'delivery.p99 > 50ms'`.
- `kB` is 1000 bytes, `KiB` is 1024.
- **What was never measured does not pass.**
  Where no event had a stamp, `delivery.p99 > 50ms` is reported as *no data*, and the run fails; otherwise the run in which the server served nobody would pass the most thresholds.
  Where the plan shows that there will be no data, that is said before the run.
- A change is one of the older value: `lost > +0%` fails where more is lost than before, also where that was nothing.
";

/// The whole file.
pub(super) fn render() -> String {
    let mut out = HEAD.to_owned();
    row(&mut out, &["name", "is", "formula", "clock"]);
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
    out.push_str("\n### Kinds of errors\n\nA run lists errors by what was said of each; these names are for thresholds.\n\n");
    row(&mut out, &["name", "means"]);
    rule(&mut out, 2);
    for kind in ErrorKind::ALL.into_iter().chain([ErrorKind::Status(503)]) {
        row(&mut out, &[&code(&format!("errors.{}", kind.key())), kind.definition()]);
    }
    out.push_str("\n## What it costs\n\nMade of readings of processes (proc(5): private memory, processor time) and of the kernel, where these can be read.\nWhere streams share connections, over HTTP/2, a connection here is a stream.\n\n");
    row(&mut out, &["name", "unit", "means"]);
    rule(&mut out, 3);
    for figure in Figure::ALL {
        row(&mut out, &[&code(figure.key()), unit(figure.dimension()), figure.definition()]);
    }
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
    out.push_str(BEHIND);
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
    // Writing to memory does not fail.
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

    /// Every threshold that the file shows, behind its grammar.
    fn examples(text: &str) -> impl Iterator<Item = &str> {
        let behind = text.rsplit("```").next().unwrap_or_default();
        let spans = behind.split('`').skip(1).step_by(2);
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
