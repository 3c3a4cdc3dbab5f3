//! A chart with two axes: lines, dots and bands.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::number::n;
use super::scale::{Scale, steps};
use crate::document::scroll;
use crate::quoted::line;

/// In pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 226.0;
/// Where the chart itself lies: left, top, right, bottom.
const INNER: [f64; 4] = [72.0, 22.0, 624.0, 188.0];
/// The width of a letter of a name; on a phone it is larger than here.
const LETTER: f64 = 9.0;

/// The classes of the colours of series, in their order.
const COLOURS: [&str; 4] = ["one", "two", "three", "four"];

/// The values of an axis and their words.
pub(crate) struct Axis<'a> {
    pub(crate) scale: Scale,
    /// Its quantity, as in `connections`.
    pub(crate) name: &'a str,
    pub(crate) words: &'a dyn Fn(f64) -> String,
    /// About how many values it names.
    pub(crate) ticks: usize,
    /// Its values are round in this unit: 1024 for KiB.
    pub(crate) unit: f64,
}

impl Axis<'_> {
    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear { values: (low, high), .. } => {
                let round = steps(low / self.unit, high / self.unit, self.ticks);
                round.into_iter().map(|tick| tick * self.unit).collect()
            }
            scale => scale.ticks(self.ticks),
        }
    }
}

/// The largest unit of bytes that is not larger than half of them.
pub(crate) fn unit_of_bytes(most: f64) -> f64 {
    let units = [1.0, 1024.0, 1_048_576.0, 1_073_741_824.0];
    units.into_iter().rev().find(|unit| most >= unit * 2.0).unwrap_or(1.0)
}

pub(crate) struct Chart<'a> {
    /// For those that do not see it: what it shows.
    pub(crate) title: String,
    pub(crate) x: Axis<'a>,
    pub(crate) y: Axis<'a>,
    /// Intervals of the first axis, with their names.
    pub(crate) shaded: Vec<Shade>,
    pub(crate) series: Vec<Series>,
}

/// An interval of the first axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shade {
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Its name, shown if there is space; may be empty.
    pub(crate) words: &'static str,
    /// Whether it is darker than the rest.
    pub(crate) is_marked: bool,
}

/// The values of one name, in one colour.
#[derive(Default)]
pub(crate) struct Series {
    /// The number of its colour.
    pub(crate) colour: usize,
    pub(crate) is_dashed: bool,
    /// Pairs that a line joins; a gap is a `NaN`.
    pub(crate) line: Vec<(f64, f64)>,
    /// Pairs that have a dot, and the words for each.
    pub(crate) dots: Vec<(f64, f64, String)>,
    /// The lower and the upper edge of a band, from left to right.
    pub(crate) band: Vec<(f64, f64, f64)>,
}

/// The class of a colour.
pub fn series(colour: usize) -> &'static str {
    COLOURS[colour % COLOURS.len()]
}

impl Chart<'_> {
    pub(crate) const ACROSS: (f64, f64) = (INNER[0], INNER[2]);
    /// From the bottom to the top.
    pub(crate) const UP: (f64, f64) = (INNER[3], INNER[1]);

    pub(crate) fn svg(&self) -> Markup {
        html! {
            (scroll("Chart", &html! {
                svg.chart role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
                    title { (line(&self.title)) }
                    @for shade in &self.shaded { (self.shade(shade)) }
                    (self.axes())
                    @for series in &self.series { (self.one(series)) }
                }
            }))
        }
    }

    fn shade(&self, shade: &Shade) -> Markup {
        let (from, to) = (self.x.scale.at(shade.from), self.x.scale.at(shade.to));
        let width = (to - from).max(0.0);
        let is_named = !shade.words.is_empty() && width > LETTER * shade.words.len() as f64;
        html! {
            @if shade.is_marked {
                rect.shade x=(n(from)) y=(INNER[1]) width=(n(width)) height=(INNER[3] - INNER[1]) {}
            }
            @if is_named {
                text x=(n((from + to) / 2.0)) y=(INNER[3] - 6.0) text-anchor="middle" { (shade.words) }
            }
        }
    }

    fn axes(&self) -> Markup {
        let [left, top, right, bottom] = INNER;
        let (across, up) = (self.x.ticks(), self.y.ticks());
        let mut grid = String::new();
        for x in across.iter().map(|tick| self.x.scale.at(*tick)) {
            // Writing into a string does not fail.
            let _ = write!(grid, "M{} {top}V{bottom}", n(x));
        }
        for y in up.iter().map(|tick| self.y.scale.at(*tick)) {
            let _ = write!(grid, "M{left} {}H{right}", n(y));
        }
        html! {
            path.grid d=(grid) {}
            path.axis d={ "M" (left) " " (top) "V" (bottom) "H" (right) } {}
            @for tick in across {
                @let x = self.x.scale.at(tick);
                @let anchor = if x > right - 24.0 { "end" } else { "middle" };
                text x=(n(x)) y=(bottom + 15.0) text-anchor=(anchor) { ((self.x.words)(tick)) }
            }
            @for tick in up {
                text x=(left - 6.0) y=(n(self.y.scale.at(tick) + 4.0)) text-anchor="end" { ((self.y.words)(tick)) }
            }
            text x=(right) y=(bottom + 33.0) text-anchor="end" { (self.x.name) }
            text x=(left - 6.0) y=(top - 10.0) { (self.y.name) }
        }
    }

    fn one(&self, series: &Series) -> Markup {
        let class = self::series(series.colour);
        let at = |x: f64, y: f64| (self.x.scale.at(x), self.y.scale.at(y));
        html! {
            @if series.band.len() > 1 {
                path.band.(class) d=(self.band(&series.band)) {}
            }
            @if series.line.len() > 1 {
                path.line.(class).dashed[series.is_dashed] d=(self.path(&series.line)) {}
            }
            @for (x, y, words) in &series.dots {
                @let (x, y) = at(*x, *y);
                g.tip {
                    title { (line(words)) }
                    circle.(class) cx=(n(x)) cy=(n(y)) r="3.5" {}
                }
            }
        }
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        let mut is_up = true;
        for (x, y) in points {
            if y.is_nan() {
                is_up = true;
                continue;
            }
            let letter = if is_up { 'M' } else { 'L' };
            is_up = false;
            let _ = write!(path, "{letter}{} {}", n(self.x.scale.at(*x)), n(self.y.scale.at(*y)));
        }
        path
    }

    fn band(&self, edges: &[(f64, f64, f64)]) -> String {
        let low = edges.iter().map(|(x, low, _)| (*x, *low));
        let high = edges.iter().rev().map(|(x, _, high)| (*x, *high));
        self.path(&low.chain(high).collect::<Vec<_>>()) + "Z"
    }
}

/// The names of series, each with a sample of its line.
pub fn legend<'a>(names: impl IntoIterator<Item = (usize, bool, &'a str)>) -> Markup {
    html! {
        ul.legend { @for (colour, is_dashed, name) in names {
            li {
                svg.sample viewBox="0 0 18 20" width="18" height="20" aria-hidden="true" {
                    path.line.(series(colour)).dashed[is_dashed] d="M0 10H18" {}
                }
                " " (line(name))
            }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_axes_shades_lines_dots_and_bands() {
        let words = |value: f64| format!("{value}");
        let chart = Chart {
            title: "a <title>".to_owned(),
            x: Axis {
                scale: Scale::to(10.0, Chart::ACROSS),
                name: "time",
                words: &words,
                ticks: 2,
                unit: 1.0,
            },
            y: Axis {
                scale: Scale::to(4.0, Chart::UP),
                name: "rate",
                words: &words,
                ticks: 2,
                unit: 1.0,
            },
            shaded: vec![
                Shade { from: 2.0, to: 8.0, words: "all", is_marked: true },
                Shade { from: 8.0, to: 8.5, words: "too narrow", is_marked: false },
            ],
            series: vec![Series {
                line: vec![(0.0, 0.0), (5.0, 4.0), (6.0, f64::NAN), (7.0, 1.0), (10.0, 2.0)],
                dots: vec![(5.0, 4.0, "<4>".to_owned())],
                band: vec![(0.0, 0.0, 1.0), (10.0, 1.0, 4.0)],
                ..Series::default()
            }],
        };
        insta::assert_snapshot!(chart.svg().0.replace("><", ">\n<"));
    }
}
