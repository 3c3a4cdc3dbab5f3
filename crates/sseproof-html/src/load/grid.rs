//! Tables of numbers.

use maud::{Markup, html};
use sseproof_report::load::grid::Grid;

use crate::document::scroll;
use crate::quoted::line;

/// The table, with a caption.
pub(crate) fn grid(caption: &str, grid: &Grid) -> Markup {
    html! {
        (scroll("Table", &html! { table {
            caption { (line(caption)) }
            thead { tr { @for (at, head) in grid.head.iter().enumerate() {
                @if at == 0 && head.is_empty() { td {} }
                @else { th.right[at > 0] scope="col" { (line(head)) } }
            } } }
            tbody { @for row in &grid.rows {
                tr { @for (at, cell) in row.iter().enumerate() {
                    @if at == 0 { th scope="row" { (line(cell)) } }
                    @else { td.number.several { (values(cell)) } }
                } }
            } }
        } }))
    }
}

/// The values of a cell; a line ends between two of them, and not between a number and its unit.
fn values(cell: &str) -> Markup {
    html! { @for (at, value) in cell.split(", ").enumerate() {
        @if at > 0 { ", " }
        span.nowrap { (line(value)) }
    } }
}
