//! Charts as SVG: pure functions from numbers to markup.
//!
//! A chart has a title for those that do not see it, and a table under it. It has no style of its own:
//! its classes are in `style.css`, so it is readable in both colour schemes and on paper.

mod number;
mod scale;

pub(crate) use number::n;
pub(crate) use scale::steps;
