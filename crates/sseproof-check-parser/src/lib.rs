//! Checks a parser of event streams in any language, and shows the smallest stream that it reads
//! wrongly.
//!
//! A [`Parser`] is fed the corpus of `specs/corpus`, each case cut in many ways, and then random
//! streams; [`check()`] judges the results. It asks a trait, so its tests need no process;
//! [`Adapter`] is a parser in another process, which speaks `specs/parser-protocol.md`.

mod adapter;
mod answer;
mod browser;
mod check;
mod ci;
mod html;
mod judge;
mod report;

pub use adapter::{Adapter, LINE_BYTES};
pub use answer::{Answer, Fault, Parser, Reference};
pub use browser::{Browser, Served};
pub use check::{Options, check, check_only, ids};
pub use ci::ci;
pub use html::html;
pub use judge::Failure;
pub use report::{Known, Report, Verdict, junit, text};
pub use sseproof_corpus::{
    Anomaly, Case, Event, LineEnds, Stream, corpus, json as corpus_json, streams,
};
