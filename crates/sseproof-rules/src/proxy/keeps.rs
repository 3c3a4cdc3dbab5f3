//! Rules that the server itself meets are met through the proxy, too.
//!
//! The ordinary rules judge what came through the proxy and what the server itself sent to the same
//! requests, each as a record of its own; only what holds of the second and not of the first is said.

use sseproof_http::{Framing, Plan, Version};

use super::sides::{all_pairs, alone, unless_invalid};
use super::{head_at_once, not_cut};
use crate::delivery::sendings::restarts;
use crate::lifecycle::leaving::lacking;
use crate::outcome::{Outcome, count};
use crate::registry::rules_for;
use crate::{Fault, Level, Mutant, Record, Rule, Verdict, profile, reference};
use crate::{
    auth, cors, delivery, encode, lifecycle, reconnect, response, resume, retry, stream, transport,
};

pub(super) const MUSTS: Rule = Rule {
    id: "proxy/keeps-musts",
    judge: |record| unless_invalid(record, judge(record, Level::Must)),
    mutants: &[
        Mutant::new(
            "proxy-bad-gateway",
            "is behind a proxy that answers 502 to each subscription",
            |visit| match reference::behind_proxy(visit.request) {
                Some(_) => Plan::answer(502, "text/html", "<h1>502 Bad Gateway</h1>\n"),
                None => reference::answer(visit),
            },
        ),
        Mutant::new(
            "proxy-chunks-http10",
            "is behind a proxy that sends chunks to a client of HTTP/1.0",
            |visit| {
                let answer = reference::answer(visit);
                match (visit.request.version, reference::behind_proxy(visit.request)) {
                    (Version::Http10, Some(_)) => answer.with_framing(Framing::Chunked),
                    _ => answer,
                }
            },
        ),
    ],
};

pub(super) const SHOULDS: Rule = Rule {
    id: "proxy/keeps-shoulds",
    judge: |record| unless_invalid(record, judge(record, Level::Should)),
    mutants: &[Mutant::new(
        "proxy-refuses-head",
        "is behind a proxy that answers HEAD with 404",
        |visit| {
            let answer = reference::answer(visit);
            match (visit.request.method.as_str(), reference::behind_proxy(visit.request)) {
                ("HEAD", Some(_)) => answer.with_status(404),
                _ => answer,
            }
        },
    )],
};

/// The rules that others of this family replace.
const JUDGED_ELSEWHERE: &[&[&Rule]] = &[
    super::FAMILY.rules,
    delivery::FAMILY.rules,
    resume::FAMILY.rules,
    lifecycle::FAMILY.rules,
    &[
        &response::answered::RULE,
        &response::head_before_event::RULE,
        &response::content_coding::RULE,
        &response::cache::RULE,
        &response::no_transform::RULE,
        &response::accel_buffering::RULE,
        &response::vary::RULE,
    ],
    // They need steps that no pair makes.
    &[&reconnect::after_end::RULE, &reconnect::at_once::RULE],
    retry::FAMILY.rules,
    encode::FAMILY.rules,
    cors::FAMILY.rules,
    auth::FAMILY.rules,
];
/// The rules that a cut alone breaks.
const OF_A_CUT: &[&Rule] = &[&response::framing::RULE, &stream::terminated::RULE];

fn judge(record: &Record<'_>, level: Level) -> Verdict {
    let pairs: Vec<_> = all_pairs(record)
        .into_iter()
        .filter(|pair| !restarts(record, &pair.through.scenario))
        .collect();
    let Some(first) = pairs.first() else {
        let lacks = [sseproof_record::Lack::Via];
        return Verdict::Skip(lacking(record, &lacks, "nothing was asked through a proxy"));
    };
    if matches!(
        Outcome::of(&first.through),
        Outcome::Silent(_) | Outcome::Refused | Outcome::Unreachable
    ) {
        let see = head_at_once::RULE.id;
        return Verdict::Skip(format!("the proxy answers no request: see {see}"));
    }
    let direct = alone(record, pairs.iter().map(|pair| pair.direct));
    let through = alone(record, pairs.iter().map(|pair| pair.through));
    let (direct, through) = (Record::new(&direct), Record::new(&through));
    let was_cut = not_cut::cuts(record);
    let mut faults = Vec::new();
    let mut held = 0;
    for rule in rules_for(record.target().profile.as_deref().and_then(profile)) {
        if JUDGED_ELSEWHERE.iter().any(|rules| rule.is_in(rules))
            || (was_cut && rule.is_in(OF_A_CUT))
            || rule.requirement().level != level
        {
            continue;
        }
        let directly = match (rule.judge)(&direct) {
            Verdict::Pass(seen) => format!("directly it holds ({seen})"),
            Verdict::Skip(_) if rule.is_in(transport::FAMILY.rules) => {
                "the server itself was not spoken to in that way".to_owned()
            }
            _ => continue,
        };
        match (rule.judge)(&through) {
            Verdict::Fail(found) => faults.extend(found.into_iter().take(1).map(|fault| Fault {
                message: format!("{}: {}; {directly}", rule.id, fault.message),
                consequence: Some(fault.consequence.unwrap_or_else(|| rule.text().why.clone())),
                ..fault
            })),
            Verdict::Pass(_) => held += 1,
            _ => {}
        }
    }
    Verdict::from_faults(faults, format!("{} held on both sides", count(held, "rule")))
}
