//! Charts as SVG: pure functions from numbers to markup.
//!
//! A chart has a title for those that do not see it, and a table under it. It has no style of its own:
//! its classes are in `style.css`, so it is readable in both colour schemes and on paper.

mod chart;
mod number;
mod scale;

pub(crate) use chart::{Axis, Chart, Series, Shade, unit_of_bytes};
pub use chart::{legend, series};
pub use number::n;
pub use scale::Scale;
pub(crate) use scale::steps;
