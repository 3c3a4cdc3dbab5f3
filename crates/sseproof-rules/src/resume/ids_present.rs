//! Events carry ids, so that a stream can be resumed.

use sseproof_codec::Item;

use crate::retry::done::says_done;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "resume/ids-present",
    judge,
    mutants: &[Mutant::new("no-ids", "gives its events no ids", |visit| {
        reference::answer(visit).map_writes(|_, bytes| {
            let text = bytes.to_text();
            match text.strip_prefix("id: ").and_then(|rest| rest.split_once('\n')) {
                Some((_, rest)) => rest.into(),
                None => bytes,
            }
        })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let streams: Vec<_> = record.streams().filter(|view| view.first_event().is_some()).collect();
    let total: usize = streams.iter().map(|view| view.events().count()).sum();
    let with_id: usize = streams.iter().map(with_ids).sum();
    if total == 0 {
        return Verdict::Skip("no stream carried an event".to_owned());
    }
    if with_id > 0 {
        return Verdict::Pass(match total {
            1 => "the only event has an id".to_owned(),
            _ => format!("{with_id} of {total} events have an id"),
        });
    }
    // Where one stream says that it is over, the others were only left before they could.
    let resumable: Vec<_> = match streams.iter().any(says_done) {
        true => Vec::new(),
        false => streams.iter().filter(|view| view.request.method == "GET").collect(),
    };
    let Some(first) = resumable.first() else {
        return Verdict::Skip("the streams are over for good when they end".to_owned());
    };
    let message = match total {
        1 => "the only event has no id: the stream cannot be resumed".to_owned(),
        _ => format!("none of {total} events has an id: the stream cannot be resumed"),
    };
    let start = first.events().next().map_or(0, |(event, _)| event.span.start);
    Verdict::Fail(vec![Fault::at(first, start, message)])
}

/// How many ids the stream gives out; a block without data gives one out too.
fn with_ids(view: &View<'_>) -> usize {
    let gives = |item: &Item<'_>| match item {
        Item::Event(event) => event.sets_id && !event.last_event_id.is_empty(),
        Item::EmptyBlock(block) => block.sets_id,
        _ => false,
    };
    view.seen().iter().filter(|seen| gives(&seen.item)).count()
}
