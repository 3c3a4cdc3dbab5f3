//! The picture of one exchange.

use std::fmt::Write as _;
use std::time::Duration;

use maud::{Markup, html};
use sseproof_record::Exchange;
use sseproof_units::{counted, duration};

use crate::quoted::line;
use crate::svg::{n, steps};

/// In pixels.
pub(crate) const WIDTH: f64 = 480.0;
pub(crate) const HEIGHT: f64 = 20.0;
pub(crate) const MIDDLE: f64 = HEIGHT / 2.0;
/// How many values the axis names.
const LABELS: usize = 5;
/// How many groups of events at the same time have a tooltip.
const TIPS: usize = 60;

/// The times of one scenario.
pub(crate) struct Axis {
    begin: Duration,
    lasting: f64,
}

pub(crate) struct Fault {
    pub(crate) at: Duration,
    pub(crate) message: String,
}

impl Axis {
    /// At least as long as `shortest`.
    pub(crate) fn new(begin: Duration, end: Duration, shortest: Duration) -> Self {
        let lasting = end.saturating_sub(begin).max(shortest).as_secs_f64();
        Self { begin, lasting }
    }

    /// From 1, so that a line at either end is whole.
    pub(crate) fn at(&self, time: Duration) -> f64 {
        let part = time.saturating_sub(self.begin).as_secs_f64() / self.lasting;
        1.0 + part.min(1.0) * (WIDTH - 2.0)
    }

    fn ticks(&self) -> Vec<f64> {
        steps(0.0, self.lasting, LABELS)
    }

    /// The values of the axis, above its rows.
    pub(crate) fn labels(&self) -> Markup {
        let ticks = self.ticks();
        let words = |tick: f64| match tick {
            0.0 => "0".to_owned(),
            tick => duration(Duration::from_secs_f64(tick)),
        };
        html! {
            svg.strip viewBox={ "0 0 " (WIDTH) " 14" } width=(WIDTH) height="14" aria-hidden="true" {
                @for tick in ticks {
                    @let x = self.at(self.begin + Duration::from_secs_f64(tick));
                    @let anchor = if x < 20.0 { "start" } else if x > WIDTH - 30.0 { "end" } else { "middle" };
                    text x=(n(x)) y="10" text-anchor=(anchor) { (words(tick)) }
                }
            }
        }
    }

    pub(crate) fn strip(&self, view: &Exchange, events: &[Duration], faults: &[Fault]) -> Markup {
        let (start, end) = (self.at(view.started), self.at(view.end.at));
        let head = view.head.as_ref().map(|head| self.at(head.at));
        let (single, groups) = self.columns(events);
        let picture = html! {
            path.wait d={ "M" (n(start)) " " (MIDDLE) "H" (n(head.unwrap_or(end))) } {}
            @if let Some(head) = head {
                path.body d={ "M" (n(head)) " " (MIDDLE) "H" (n(end)) } {}
                path.event d=(single) {}
                @for group in groups { (group) }
                path.head d={ "M" (n(head)) " 1V" (HEIGHT - 1.0) } {}
            }
            @if view.end.how.is_cut() { (cut(end)) }
        };
        let faults = &faults[..faults.len().min(TIPS)];
        self.framed(&described(view, events), &picture, faults)
    }

    /// A picture on the axis, with its title and with faults.
    pub(crate) fn framed(&self, title: &str, picture: &Markup, faults: &[Fault]) -> Markup {
        html! {
            svg.strip role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) {
                title { (line(title)) }
                path.grid d=(self.grid()) {}
                (picture)
                @for fault in faults {
                    @let x = self.at(fault.at);
                    g.tip {
                        title { (line(&fault.message)) }
                        path.fault d={ "M" (n(x - 4.0)) " 0h8l-4 6z" } {}
                    }
                }
            }
        }
    }

    fn grid(&self) -> String {
        let mut path = String::new();
        for tick in self.ticks() {
            let x = self.at(self.begin + Duration::from_secs_f64(tick));
            // Writing into a string does not fail.
            let _ = write!(path, "M{} 0V{HEIGHT}", n(x));
        }
        path
    }

    /// The events of each pixel: those that are alone as one path, the others with their number.
    fn columns(&self, events: &[Duration]) -> (String, Vec<Markup>) {
        let column = |at: &Duration| self.at(*at).round();
        let mut single = String::new();
        let mut groups = Vec::new();
        for group in events.chunk_by(|a, b| column(a) == column(b)) {
            let x = column(&group[0]);
            let half = height(group.len()) / 2.0;
            let path = format!("M{} {}V{}", n(x), n(MIDDLE - half), n(MIDDLE + half));
            if group.len() == 1 || groups.len() == TIPS {
                single.push_str(&path);
                continue;
            }
            let within = group[group.len() - 1].saturating_sub(group[0]);
            let after = duration(group[0].saturating_sub(self.begin));
            groups.push(html! {
                g.tip {
                    title { (counted(group.len(), "event")) " within " (duration(within)) ", at " (after) }
                    path.event.many[group.len() >= MANY] d=(path) {}
                }
            });
        }
        (single, groups)
    }
}

/// So many events at the same time are a burst.
const MANY: usize = 5;

/// The sign of a cut at that place.
pub(crate) fn cut(at: f64) -> Markup {
    html! { path.cut d={ "M" (n(at - 3.5)) " 6.5l7 7m0 -7l-7 7" } {} }
}

/// From an event alone to ten at once.
fn height(events: usize) -> f64 {
    6.0 + 12.0 * (events as f64).log10().min(1.0)
}

fn described(view: &Exchange, events: &[Duration]) -> String {
    let after = |at: Duration| duration(at.saturating_sub(view.started));
    let mut words = match &view.head {
        Some(head) => format!("response headers after {}", after(head.at)),
        None => "no response headers".to_owned(),
    };
    if let (Some(first), Some(last)) = (events.first(), events.last()) {
        let _ = write!(
            words,
            "; {}, the first after {}, the last after {}",
            counted(events.len(), "event"),
            after(*first),
            after(*last)
        );
    }
    let _ = write!(words, "; {} after {}", view.end.how, after(view.end.at));
    words
}

/// A sign of the legend.
pub(crate) fn sample(of: &'static str) -> Markup {
    let path = match of {
        "head" => "M9 1V19",
        "event" => "M5 7V13M11 3V17",
        "cut" => "M5.5 6.5l7 7m0 -7l-7 7",
        "fault" => "M5 5h8l-4 6z",
        _ => "M0 10H18",
    };
    html! {
        svg.sample viewBox="0 0 18 20" width="18" height="20" aria-hidden="true" { path.(of) d=(path) {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_higher_than_an_event_alone() {
        let axis = Axis::new(Duration::from_secs(1), Duration::from_secs(2), Duration::ZERO);
        let ms = |ms| Duration::from_millis(ms);
        let events = [vec![ms(1100), ms(1500)], vec![ms(1900); 12]].concat();
        let (single, groups) = axis.columns(&events);
        assert_eq!(single, "M49 7V13M240 7V13");
        let [group] = groups.as_slice() else { panic!("{groups:?}") };
        assert!(group.0.contains("12 events within 0 ms, at 900 ms"), "{}", group.0);
        assert!(group.0.contains("event many\" d=\"M431 1V19\""), "{}", group.0);
    }
}
