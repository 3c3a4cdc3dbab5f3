//! A verdict with its evidence, free of the transcript: what reports are made of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use sseproof_http::Bytes;
use sseproof_record::{Chunk, Exchange};

use crate::plain::lacks_part;
use crate::{Fault, Level, Place, Record, Rule, Verdict};

/// How many bytes an excerpt has before and after the marked one.
const AROUND: usize = 32;

/// The verdict of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The requirement holds.
    Pass,
    /// It does not.
    Fail,
    /// It could not be asked.
    Skip,
    /// The rule applies, and the evidence does not suffice for a verdict.
    Inconclusive,
}

/// A rule's verdict with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub rule: String,
    /// The requirement that it judges.
    pub requirement: String,
    /// How binding the requirement is.
    pub level: Level,
    pub status: Status,
    /// Pass: what was seen. Skip and inconclusive: why. Fail: empty.
    pub note: String,
    /// Fail: the places, at least one.
    pub evidence: Vec<Evidence>,
}

/// One place where a requirement is broken, with the bytes around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The message of the fault.
    pub message: String,
    /// The consequence for clients here, if it is more specific than the rule's `why`.
    pub consequence: Option<String>,
    /// The number of the exchange.
    pub exchange: usize,
    /// `GET /stream`.
    pub request: String,
    /// The scenario that asked for the exchange.
    pub scenario: String,
    /// `head`, `header content-type`, `body`, `wire` or `exchange`.
    pub place: String,
    /// The offset in the body or on the wire.
    pub offset: Option<u64>,
    /// Microseconds from the head of the exchange to the arrival of the byte at fault (of its end,
    /// if the fault has no byte); from the start of the exchange without response headers.
    pub after_us: u64,
    /// The bytes around the fault.
    pub excerpt: Option<Excerpt>,
    /// The bytes on the wire around the fault, line by line; filled in by the report.
    #[serde(default)]
    pub log: Vec<String>,
}

/// A piece of a body or of the wire, with one offset marked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// The offset of the first byte of the excerpt.
    pub start: u64,
    /// The bytes.
    pub bytes: Bytes,
    /// The marked offset, absolute like `start`; equal to the end if something is missing there.
    pub mark: u64,
    /// Whether the excerpt's last byte is the last one of all.
    pub at_end: bool,
}

impl Finding {
    /// Judges the record by the rule.
    pub fn of(rule: &Rule, record: &Record<'_>) -> Self {
        let verdict = lacks_part(rule, record).unwrap_or_else(|| judged(rule, record));
        let (status, note, faults) = match verdict {
            Verdict::Pass(note) => (Status::Pass, note, Vec::new()),
            Verdict::Fail(faults) => (Status::Fail, String::new(), faults),
            Verdict::Skip(why) => (Status::Skip, why, Vec::new()),
            Verdict::Inconclusive(why) => (Status::Inconclusive, why, Vec::new()),
        };
        Self {
            rule: rule.id.to_owned(),
            requirement: rule.requirement().id.clone(),
            level: rule.requirement().level,
            status,
            note,
            evidence: faults
                .into_iter()
                .filter_map(|fault| {
                    let exchange = record.exchange(fault.exchange)?.exchange();
                    Some(evidence(fault, exchange))
                })
                .collect(),
        }
    }
}

/// The note of a rule that panicked.
pub const BUG: &str = "a bug in sseproof stopped this rule";

/// A panic of one rule must not lose the verdicts of the others; the program still ends as after any
/// panic.
fn judged(rule: &Rule, record: &Record<'_>) -> Verdict {
    let judge = AssertUnwindSafe(|| (rule.judge)(record));
    catch_unwind(judge).unwrap_or_else(|_| Verdict::Inconclusive(BUG.to_owned()))
}

fn evidence(fault: Fault, exchange: &Exchange) -> Evidence {
    let (place, offset, chunks) = match &fault.place {
        Place::Exchange => ("exchange".to_owned(), None, None),
        Place::StatusLine => ("head".to_owned(), None, None),
        Place::Header(name) => (format!("header {name}"), None, None),
        Place::Body(offset) => {
            let place = if exchange.coded.is_empty() { "body" } else { "decoded body" };
            (place.to_owned(), Some(*offset), Some(&exchange.body))
        }
        Place::Coded(offset) => ("coded body".to_owned(), Some(*offset), Some(&exchange.coded)),
        Place::Wire(offset) => ("wire".to_owned(), Some(*offset), Some(&exchange.wire)),
    };
    let at = match (&fault.place, chunks, offset) {
        (_, Some(chunks), Some(offset)) => arrival(chunks, offset).unwrap_or(exchange.end.at),
        (Place::Exchange, ..) => exchange.end.at,
        _ => exchange.head.as_ref().map_or(exchange.end.at, |head| head.at),
    };
    let origin = exchange.head.as_ref().map_or(exchange.started, |head| head.at);
    Evidence {
        message: fault.message,
        consequence: fault.consequence,
        exchange: exchange.number,
        request: exchange.request.label(),
        scenario: exchange.scenario.clone(),
        place,
        offset,
        after_us: u64::try_from(at.saturating_sub(origin).as_micros()).unwrap_or(u64::MAX),
        excerpt: chunks.zip(offset).map(|(chunks, offset)| excerpt(chunks, offset)),
        log: Vec::new(),
    }
}

fn arrival(chunks: &[Chunk], offset: u64) -> Option<std::time::Duration> {
    let mut end = 0;
    chunks.iter().find_map(|chunk| {
        end += chunk.bytes.len() as u64;
        (offset < end).then_some(chunk.at)
    })
}

/// Copies only what it shows: a rule may have a fault in each of many exchanges.
fn excerpt(chunks: &[Chunk], mark: u64) -> Excerpt {
    let length = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    let middle = usize::try_from(mark).unwrap_or(usize::MAX).min(length);
    let (start, end) = (middle.saturating_sub(AROUND), (middle + AROUND).min(length));
    let mut bytes = Vec::with_capacity(end - start);
    let mut at = 0;
    for Chunk { bytes: all, .. } in chunks {
        let within = |offset: usize| offset.clamp(at, at + all.len()) - at;
        bytes.extend_from_slice(&all[within(start)..within(end)]);
        at += all.len();
    }
    Excerpt { start: start as u64, bytes: bytes.into(), mark: middle as u64, at_end: end == length }
}
