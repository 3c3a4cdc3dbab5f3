//! The sides next to each other: a bar for the median of each, and a dot for each round.

use maud::{Markup, html};
use sseproof_load_model::compare::spread;
use sseproof_load_model::threshold::Subject;
use sseproof_report::load::side::Side;
use sseproof_report::load::{sides_compared, summary};
use sseproof_units::Value;

use super::grid;
use crate::document::{Section, scroll};
use crate::quoted::line;
use crate::svg::{Scale, legend, n, series};

/// In pixels.
const WIDTH: f64 = 420.0;
const BAR: f64 = 18.0;

pub(super) fn section(sides: &[Side<'_>]) -> Option<Section> {
    if sides.len() < 2 {
        return None;
    }
    let all = summary::compared(sides);
    let rows: Vec<Markup> = all.iter().filter_map(|(name, of)| row(sides, name, *of)).collect();
    Some(Section {
        id: "compared",
        title: "Side by side".to_owned(),
        short: "side by side".to_owned(),
        body: html! {
            p.faint { "A bar is the median of the rounds, and each dot is a round. Each row has a scale of its own." }
            (legend(sides.iter().enumerate().map(|(at, side)| (at, false, &*side.name))))
            @if !rows.is_empty() {
                (scroll("Side by side", &html! { table {
                    thead { tr {
                        th scope="col" { "Value" } th scope="col" { "Median, and each round" }
                        @for side in sides { th.right scope="col" { (line(&side.name)) } }
                        @if sides.len() == 2 { th.right scope="col" { "Ratio" } }
                    } }
                    tbody { @for row in rows { (row) } }
                } }))
            }
            details.more {
                summary { "All values" }
                (grid("All values", &sides_compared::comparison(sides, true)))
                @for why in sides_compared::gaps(sides) { p.faint { (line(&why)) } }
            }
        },
    })
}

fn row(sides: &[Side<'_>], name: &str, subject: Subject) -> Option<Markup> {
    let rounds = |side: &Side<'_>| -> Vec<(u32, Option<Value>)> {
        side.compared.iter().map(|round| (round.number, round.value(&subject))).collect()
    };
    let values: Vec<Vec<(u32, Option<Value>)>> = sides.iter().map(rounds).collect();
    let amounts = values.iter().flatten().filter_map(|(_, value)| Some((*value)?.amount));
    let most = amounts.fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let scale = Scale::to(most * 1.03, (0.0, WIDTH));
    let medians: Vec<Option<Value>> =
        values.iter().map(|rounds| spread(rounds).map(|spread| spread.middle)).collect();
    let ratio = match sides {
        [first, second] => sides_compared::ratio([first, second], subject),
        _ => None,
    };
    let height = BAR * sides.len() as f64 + 4.0;
    Some(html! {
        tr {
            th scope="row" { (line(name)) }
            td {
                svg.bars role="img" viewBox={ "0 0 " (WIDTH) " " (n(height)) } width=(WIDTH) height=(n(height)) {
                    title { (line(name)) }
                    @for (at, rounds) in values.iter().enumerate() {
                        @let top = 2.0 + BAR * at as f64;
                        @if let Some(median) = medians[at] {
                            rect.(series(at)) x="0" y=(n(top + 2.0)) width=(n(scale.at(median.amount))) height=(n(BAR - 4.0)) {}
                        }
                        @for (number, value) in rounds {
                            @if let Some(value) = value {
                                g.tip {
                                    title { (line(&sides[at].name)) ", round " (number) ": " (value) }
                                    circle.dot cx=(n(scale.at(value.amount))) cy=(n(top + BAR / 2.0)) r="3" {}
                                }
                            }
                        }
                    }
                }
            }
            @for median in &medians { td.number { @match median {
                Some(value) => (value.to_string()),
                None => "–",
            } } }
            @if sides.len() == 2 { td.number { @match ratio {
                Some(ratio) => (sides_compared::times_as_much(ratio.value)),
                None => "–",
            } } }
        }
    })
}
