//! Tables without lines: columns two spaces apart, the last one wrapped into what is left.

use sseproof_units::inert;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style, object::Columns};

use crate::text::{columns, wrap};

const LAST: usize = 24;

/// The lines of the table, each indented by `indent` spaces, in at most `width` columns if the
/// columns before the last one leave room for it.
pub(crate) fn table<const N: usize>(
    rows: impl IntoIterator<Item = [String; N]>,
    indent: usize,
    width: usize,
) -> String {
    let rows: Vec<[String; N]> =
        rows.into_iter().map(|row| row.map(|cell| inert(&cell).replace('\n', " "))).collect();
    if rows.is_empty() || N == 0 {
        return String::new();
    }
    let before: usize = (0..N - 1)
        .map(|column| rows.iter().map(|row| columns(&row[column])).max().unwrap_or(0) + 2)
        .sum();
    let last = width.saturating_sub(indent + before).max(LAST);
    let mut builder = Builder::with_capacity(rows.len(), N);
    for mut row in rows {
        if let Some(cell) = row.last_mut() {
            *cell = wrap(cell, last).join("\n");
        }
        builder.push_record(row);
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    table.modify(Columns::first(), Padding::new(indent, 2, 0, 0));
    let mut out = String::new();
    for line in table.to_string().lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_is_wrapped_and_nothing_trails() {
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        let text = table(
            [row("日本", "must", "one two three four five six seven"), row("a", "b", "\x1b[1m\nx")],
            2,
            40,
        );
        insta::assert_snapshot!(text, @r"
          日本  must  one two three four five
                      six seven
          a     b     ␛[1m x
        ");
        assert_eq!(table::<2>([], 2, 40), "");
    }
}
