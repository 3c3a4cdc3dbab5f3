//! Answers of the mutants of this family: a buffer on the way, or an encoder that is not flushed.

use std::time::Duration;

use sseproof_http::{Action, Bytes, Plan, Visit};

use crate::gzip::gzipped;
use crate::reference;

/// The header of a gzip file: ten bytes that say nothing of what follows.
pub(super) const GZIP: &[u8; 10] = b"\x1F\x8B\x08\0\0\0\0\0\0\x03";

/// The right answer through a buffer of that many bytes; `None` has no limit.
pub(crate) fn buffered(visit: &Visit<'_>, size: Option<usize>) -> Plan {
    let mut plan = Plan::default();
    let mut held = Vec::new();
    for action in reference::answer(visit).actions {
        match action {
            Action::Write(bytes) => {
                held.extend_from_slice(&bytes);
                while let Some(size) = size.filter(|&size| held.len() >= size) {
                    let full = held.drain(..size).collect::<Vec<u8>>().into();
                    plan.actions.extend([Action::Write(full), Action::Flush]);
                }
            }
            Action::Flush => {}
            Action::Finish => {
                let rest = Bytes::from(std::mem::take(&mut held));
                plan.actions.extend([Action::Write(rest), Action::Finish]);
            }
            other => plan.actions.push(other),
        }
    }
    plan
}

/// The plan of a buffered answer with its headers as late as its first bytes, and all other bytes
/// together later.
pub(super) fn with_head(plan: Plan) -> Plan {
    let is_write = |action: &Action| matches!(action, Action::Write(_));
    let (mut writes, others): (Vec<_>, Vec<_>) = plan.actions.into_iter().partition(is_write);
    let head = others.into_iter().next();
    let rest = writes.split_off(writes.len().min(1));
    let late = Action::Wait(Duration::from_millis(2_200));
    let later = Action::Wait(Duration::from_millis(1_500));
    let begin = [late].into_iter().chain(head).chain(writes);
    Plan { actions: begin.chain([later]).chain(rest).chain([Action::Finish]).collect() }
}

/// The reference's stream, changed as a compressor does, for a client that accepts gzip.
pub(crate) fn compressed(visit: &Visit<'_>, edit: impl FnOnce(Plan) -> Plan) -> Plan {
    let answer = reference::answer(visit);
    let accepts = visit.request.headers.list("accept-encoding").contains(&"gzip".to_owned());
    if visit.request.method != "GET" || !accepts {
        return answer;
    }
    edit(answer.with_header("Vary", "Accept-Encoding"))
}

/// The plan, in gzip, with all of its writes after all of its waits.
pub(super) fn until_end(plan: Plan) -> Plan {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for action in gzipped(plan, usize::MAX).actions {
        match action {
            Action::Write(bytes) => last.push(Action::Write(bytes)),
            Action::Flush => {}
            Action::Finish => last.push(Action::Finish),
            other => first.push(other),
        }
    }
    first.extend(last);
    Plan { actions: first }
}

/// The plan with these actions held back until the first of them is that old, and then all of
/// them together.
pub(crate) fn corked(plan: Plan, time: Duration, is_held: fn(&Action) -> bool) -> Plan {
    let mut corked = Plan::default();
    let mut held = Vec::new();
    let mut left = Duration::ZERO;
    for action in plan.actions {
        match action {
            Action::Flush => {}
            Action::Wait(mut pause) => {
                if !held.is_empty() && pause >= left {
                    corked.actions.push(Action::Wait(left));
                    corked.actions.append(&mut held);
                    corked.actions.push(Action::Flush);
                    pause -= left;
                }
                left = left.saturating_sub(pause);
                corked.actions.push(Action::Wait(pause));
            }
            action if is_held(&action) => {
                if held.is_empty() {
                    left = time;
                }
                held.push(action);
            }
            end => {
                corked.actions.append(&mut held);
                corked.actions.push(end);
            }
        }
    }
    corked
}
