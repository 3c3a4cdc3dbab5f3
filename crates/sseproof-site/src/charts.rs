//! Event streams against WebSockets: the ratio of each value on each server, then the values.

use maud::{Markup, html};
use sseproof_html::svg::{Scale, legend, n, series};
use sseproof_html::{Section, line, prose, scroll};

use crate::frame::Page;
use crate::markdown::render;
use crate::{Compared, Load, Range, Row, Server, Site, Times};

const PATH: &str = "sse-vs-websocket.html";
/// In pixels.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 20.0;
const BAR: f64 = 16.0;
/// The most that a ratio may be away from 1 on the axis, in either direction.
const FARTHEST: f64 = 16.0;
const NONE: &str = "–";

pub(crate) fn page(site: &Site<'_>) -> Page {
    let mut page =
        Page::new(PATH, "SSE and WebSockets", "Server-Sent Events and WebSockets, measured");
    let versus = &site.input.versus;
    let linked = |link: &str| site.places.linked("reports", link);
    page.lead = html! {
        (render(&site.input.versus_words, &linked).body)
        @if !versus.machine.is_empty() { p.faint { "Measured with " code { "cargo xtask versus" } " on " (line(&versus.machine)) "; server and generator share it." } }
    };
    if !versus.servers.is_empty() {
        page.sections.push(ratios(&versus.servers));
        page.sections.push(values(&versus.servers));
    }
    page
}

/// The values of the overview of each plan, on each server that was measured with it.
fn ratios(servers: &[Server]) -> Section {
    let mut plans: Vec<&str> = Vec::new();
    for load in servers.iter().flat_map(|server| &server.loads) {
        if !plans.contains(&load.plan.as_str()) {
            plans.push(&load.plan);
        }
    }
    let rows = servers.iter().flat_map(|server| &server.loads).flat_map(|load| &load.rows);
    let scale = scale(rows.filter(|row| row.short.is_some()).filter_map(|row| row.ratio));
    Section {
        id: "ratios",
        title: "WebSocket ÷ SSE".to_owned(),
        short: "ratios".to_owned(),
        body: html! {
            p { "To the left of the line the WebSocket needs less, to the right more. The bar is the 95 % confidence interval; it is grey if it holds 1, or if there were too few rounds." }
            (legend([(1, false, "the event stream needs less"), (0, false, "the WebSocket needs less")]))
            @for plan in plans { (overview(servers, plan, &scale)) }
        },
    }
}

fn overview(servers: &[Server], plan: &str, scale: &Scale) -> Markup {
    let load = |server: &Server| server.loads.iter().find(|load| load.plan == plan).cloned();
    let measured: Vec<_> =
        servers.iter().filter_map(|server| Some((server, load(server)?))).collect();
    let first = measured.first().map(|(_, load)| load.clone()).unwrap_or_default();
    let names = first.rows.iter().filter_map(|row| row.short.as_deref());
    let of = |load: &Load, name: &str| -> Option<Times> {
        load.rows.iter().find(|row| row.short.as_deref() == Some(name))?.ratio
    };
    html! {
        h3.apart { (line(&first.title)) }
        (scroll("Ratios", &html! { table.charts {
            caption { "WebSocket ÷ SSE, " (line(plan)) }
            thead { tr { th scope="col" { "Value" } th scope="col" { "Server" } th scope="col" { (ticks(scale)) } th scope="col" { "WebSocket ÷ SSE" } } }
            @for name in names {
                tbody { @for (at, (server, load)) in measured.iter().enumerate() {
                    tr {
                        @if at == 0 { th scope="rowgroup" rowspan=(measured.len()) { (line(name)) } }
                        th scope="row" { a href={ "#" (anchor(&server.name)) } { (line(&server.name)) } }
                        td { @if let Some(times) = of(load, name) { (ratio(scale, &times)) } }
                        td.number { (of(load, name).map_or_else(|| NONE.to_owned(), |times| times.words())) }
                    }
                } }
            }
        } }))
    }
}

/// As far to both sides of 1, by the logarithm.
fn scale(all: impl Iterator<Item = Times>) -> Scale {
    let ends = all.flat_map(|times| {
        let (low, high) = times.interval.unwrap_or((times.value, times.value));
        [low, high, times.value]
    });
    let far = ends.filter(|end| *end > 0.0).map(|end| end.ln().abs()).fold(0.5, f64::max);
    let most = far.min(FARTHEST.ln()) * 1.05;
    Scale::Linear { values: (-most, most), pixels: (4.0, WIDTH - 4.0) }
}

fn at(scale: &Scale, ratio: f64) -> f64 {
    scale.at(ratio.max(1e-9).ln())
}

/// The values of the axis, as its heading.
fn ticks(scale: &Scale) -> Markup {
    let all = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
    let words = ["⅛", "¼", "½", "1", "2", "4", "8"];
    html! {
        svg.ratio role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) {
            title { "The axis: WebSocket ÷ SSE, logarithmic" }
            @for (value, word) in all.iter().zip(words) {
                @let x = at(scale, *value);
                // One outside of the axis is at its end.
                @if x > 5.0 && x < WIDTH - 5.0 {
                    path.axis d={ "M" (n(x)) " 15V20" } {}
                    text x=(n(x)) y="12" text-anchor="middle" { (word) }
                }
            }
        }
    }
}

fn ratio(scale: &Scale, times: &Times) -> Markup {
    let class = match times.compared() {
        Compared::More => series(1),
        Compared::Less => series(0),
        Compared::Same => "same",
    };
    let (low, high) = times.interval.unwrap_or((times.value, times.value));
    let [low, middle, high] = [low, times.value, high].map(|value| at(scale, value));
    html! {
        svg.ratio aria-hidden="true" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) {
            path.axis d={ "M" (n(at(scale, 1.0))) " 0V" (HEIGHT) } {}
            g.tip {
                title { (times.words()) }
                path.interval.(class) d={ "M" (n(low)) " 10H" (n(high)) "M" (n(low)) " 6v8M" (n(high)) " 6v8" } {}
                circle.(class) cx=(n(middle)) cy="10" r="4" {}
            }
        }
    }
}

fn values(servers: &[Server]) -> Section {
    Section {
        id: "values",
        title: "The values on each server".to_owned(),
        short: "values".to_owned(),
        body: html! {
            p.faint { "A bar is the median of the rounds, the thin line on it reaches from the least to the greatest. Each value has a scale of its own." }
            (legend([(0, false, "event stream"), (1, false, "WebSocket")]))
            @for server in servers {
                h3.apart id=(anchor(&server.name)) { (line(&server.name)) }
                p { (prose(&server.about)) ": " (line(&server.versions.join(", "))) "." }
                ul {
                    li { "Event stream: " (prose(&server.sse)) }
                    li { "WebSocket: " (prose(&server.websocket)) }
                    li { "Compression: " (prose(&server.compression)) }
                }
                @for load in &server.loads { (of_load(server, load)) }
                @if server.loads.iter().any(|load| !load.doubts.is_empty()) {
                    details.more {
                        summary { "Reasons to doubt these numbers" }
                        ul { @for load in &server.loads { @for doubt in &load.doubts {
                            li { (line(&load.plan)) ", " (line(doubt)) }
                        } } }
                    }
                }
            }
        },
    }
}

fn of_load(server: &Server, load: &Load) -> Markup {
    html! {
        (scroll("Values", &html! { table.charts {
            caption { (line(&server.name)) ", " (line(&load.plan)) ", " (sseproof_units::counted(load.rounds, "round")) }
            thead { tr {
                th scope="col" { "Value" } th scope="col" { "Median, and least to greatest" }
                th.right scope="col" { "Event stream" } th.right scope="col" { "WebSocket" }
            } }
            tbody { @for row in &load.rows {
                @let words = |range: Option<Range>| range.map_or_else(|| NONE.to_owned(), |range| range.words(row.unit));
                tr {
                    th scope="row" { (line(&row.name)) }
                    td { (bars(row)) }
                    td.number { (words(row.sse)) }
                    td.number { (words(row.websocket)) }
                }
            } }
        } }))
    }
}

fn bars(row: &Row) -> Markup {
    let both = [row.sse, row.websocket];
    let most = both.iter().flatten().map(|range| range.max).fold(0.0, f64::max);
    let scale = Scale::to(most * 1.02, (0.0, WIDTH));
    let height = BAR * 2.0 + 2.0;
    html! {
        @if most > 0.0 {
            svg.bars aria-hidden="true" viewBox={ "0 0 " (WIDTH) " " (n(height)) } width=(WIDTH) height=(n(height)) {
                @for (at, range) in both.iter().enumerate() {
                    @if let Some(range) = range {
                        @let top = 1.0 + BAR * at as f64;
                        @let middle = top + BAR / 2.0;
                        g.tip {
                            title { (range.words(row.unit)) }
                            rect.(series(at)) x="0" y=(n(top + 2.0)) width=(n(scale.at(range.median))) height=(n(BAR - 4.0)) {}
                            path.range d={ "M" (n(scale.at(range.min))) " " (n(middle)) "H" (n(scale.at(range.max))) } {}
                        }
                    }
                }
            }
        }
    }
}

/// The id of a server's heading.
fn anchor(name: &str) -> String {
    format!("server-{}", sseproof_html::anchor(name).replace('/', "-"))
}
