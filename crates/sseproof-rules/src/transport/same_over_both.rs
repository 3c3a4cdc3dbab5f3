//! The same stream over HTTP/1.1 and HTTP/2.

use std::collections::BTreeMap;

use sseproof_codec::Event;
use sseproof_http::{Bytes, Version};

use super::{NO_HTTP2, answers, on_stream};
use crate::delivery::figures::{shown, waited_in_vain};
use crate::outcome::{Outcome, count, each_once, is_hang};
use crate::{Fault, Mutant, Over, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "transport/same-over-both",
    judge,
    mutants: &[
        Mutant::new("h2-other-head", "sends another Cache-Control over HTTP/2", |visit| {
            on_stream(visit, |plan| plan.with_header("Cache-Control", "no-cache, no-transform"))
        })
        .over(Over::Http2),
        Mutant::new(
            "h2-other-events",
            "sends other data over HTTP/2 for the same events",
            |visit| {
                on_stream(visit, |plan| {
                    plan.map_writes(|_, bytes| Bytes::from(bytes.to_text().replace("café", "cafe")))
                })
            },
        )
        .over(Over::Http2),
    ],
};

/// The fields that say what the answer is. Others are about the way.
const FIELDS: [&str; 5] = [
    "content-type",
    "cache-control",
    "content-encoding",
    "access-control-allow-origin",
    "access-control-allow-credentials",
];

fn judge(record: &Record<'_>) -> Verdict {
    let pairs: Vec<_> = pairs(record).collect();
    let mut faults = Vec::new();
    let mut doubt = None;
    let mut alike = 0;
    for (old, new) in &pairs {
        match compare(record, old, new) {
            Ok(found) if found.is_empty() => alike += 1,
            Ok(found) => faults.extend(found),
            Err(why) => doubt = doubt.or(Some(why)),
        }
    }
    match doubt {
        _ if !faults.is_empty() => Verdict::Fail(each_once(faults)),
        None if alike > 0 => Verdict::Pass(format!("{} of both alike", count(alike, "pair"))),
        Some(why) => Verdict::Skip(why),
        None if answers(record).next().is_none() => Verdict::Skip(NO_HTTP2.to_owned()),
        None => Verdict::Skip("no request was made over both HTTP/1.1 and HTTP/2".to_owned()),
    }
}

/// Requests that differ in nothing but their version, under way at the same time.
fn pairs<'r>(record: &'r Record<'_>) -> impl Iterator<Item = (View<'r>, View<'r>)> {
    let of = |version: Version| {
        record.all().filter(move |view| {
            view.request.version == version && view.transport.window.is_none() && !view.via
        })
    };
    of(Version::Http2).filter_map(move |new| {
        let is_same = |old: &View<'_>| {
            let (one, other) = (&old.request, &new.request);
            old.scenario == new.scenario
                && old.overlaps(&new)
                && (&one.method, &one.url, &one.headers, &one.body)
                    == (&other.method, &other.url, &other.headers, &other.body)
        };
        of(Version::Http11).find(is_same).map(|old| (old, new))
    })
}

/// The differences; an error if the two cannot be compared.
fn compare(record: &Record<'_>, old: &View<'_>, new: &View<'_>) -> Result<Vec<Fault>, String> {
    let (Some(one), Some(other)) = (&old.head, &new.head) else {
        return missing(record, old, new);
    };
    if one.status != other.status {
        let message = format!(
            "the answer is {} over HTTP/2, and {} over HTTP/1.1 (exchange {})",
            Outcome::of(new).describe(),
            Outcome::of(old).describe(),
            old.number
        );
        return Ok(vec![Fault::new(new, crate::Place::StatusLine, message)]);
    }
    let mut faults = Vec::new();
    for name in FIELDS {
        let value = |view: &View<'_>| {
            view.head.as_ref().map(|head| head.headers.list(name)).unwrap_or_default()
        };
        let (before, now) = (value(old), value(new));
        if before != now {
            let list = |values: &[String]| match values {
                [] => "is absent".to_owned(),
                values => format!("is `{}`", values.join(", ")),
            };
            let message = format!(
                "{name} {} over HTTP/2, and {} over HTTP/1.1 (exchange {})",
                list(&now),
                list(&before),
                old.number
            );
            faults.push(Fault::header(new, name, message));
        }
    }
    faults.extend(other_event(record, old, new));
    Ok(faults)
}

/// The case that one of the two has no response headers.
fn missing(record: &Record<'_>, old: &View<'_>, new: &View<'_>) -> Result<Vec<Fault>, String> {
    for (silent, answered, version) in [(new, old, "HTTP/2"), (old, new, "HTTP/1.1")] {
        let Some(waited) = waited_in_vain(silent) else { continue };
        if answered.is_stream() && is_hang(record, waited) {
            let message = format!(
                "no response headers came within {} over {version}, and exchange {} has its stream",
                shown(waited),
                answered.number
            );
            return Ok(vec![Fault::whole(silent, message)]);
        }
    }
    let (silent, version) = if new.head.is_none() { (new, "HTTP/2") } else { (old, "HTTP/1.1") };
    Err(format!("{} came over {version}", Outcome::of(silent).describe()))
}

/// An event with the same id that says something else, where an id says the same otherwise.
fn other_event(record: &Record<'_>, old: &View<'_>, new: &View<'_>) -> Option<Fault> {
    let known = by_id(old);
    let differs = new.events().find_map(|(event, _)| {
        let before = known.get(&*event.last_event_id)?;
        (!is_same(before, event)).then_some((*before, event))
    });
    let (before, event) = differs?;
    // Ids that each connection counts anew name other events each time.
    let others = || record.streams().filter(|view| view.number != new.number);
    let agree = others().any(|one| {
        let known = by_id(&one);
        others().filter(|other| other.number > one.number).any(|other| {
            let same = other.events().filter_map(|(event, _)| {
                known.get(&*event.last_event_id).map(|before| is_same(before, event))
            });
            let same: Vec<_> = same.collect();
            !same.is_empty() && same.into_iter().all(|same| same)
        })
    });
    let message = format!(
        "the event with the id `{}` is `{}` over HTTP/2, and `{}` over HTTP/1.1 (exchange {})",
        event.last_event_id, event.data, before.data, old.number
    );
    agree.then(|| Fault::at(new, event.span.start, message))
}

fn by_id<'r>(view: &View<'r>) -> BTreeMap<&'r str, &'r Event<'static>> {
    let with_ids = view.events().filter(|(event, _)| !event.last_event_id.is_empty());
    with_ids.map(|(event, _)| (&*event.last_event_id, event)).collect()
}

fn is_same(one: &Event<'_>, other: &Event<'_>) -> bool {
    (&one.data, &one.event_type) == (&other.data, &other.event_type)
}
