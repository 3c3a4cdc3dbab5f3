//! Results as HTML: one file for each, for a reader whose CI job has just failed.
//!
//! A page is complete without JavaScript; a script adds a filter, sorting and tooltips.
//! It asks for nothing: its `Content-Security-Policy` permits its own style and script, by their
//! hashes, and nothing else, so even a mistake in escaping would load and run nothing.
//! The same result always gives the same bytes.
//!
//! Text of others is written as [`Quoted`]: without effect, and cut; it is never part of an attribute,
//! of the style or of the script.

pub mod check;
pub mod client;
pub mod diff;
mod document;
mod hex;
pub mod load;
mod quoted;
pub mod svg;

pub use check::findings::{anchor, written as recipe};
pub use document::{Around, Document, Mark, Section, chip, scroll};
pub use quoted::{Quoted, line, prose, text};
