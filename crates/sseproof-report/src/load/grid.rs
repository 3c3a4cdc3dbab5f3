//! Tables of numbers: columns side by side, aligned on the right.

use tabled::builder::Builder;
use tabled::settings::{Alignment, Padding, Style, object::Columns};

use crate::text::columns;

pub struct Grid {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    pub fn without(mut self, name: &str) -> Self {
        self.drop(name);
        self
    }

    fn drop(&mut self, name: &str) {
        let Some(at) = self.head.iter().position(|head| head == name) else { return };
        self.head.remove(at);
        for row in &mut self.rows {
            row.remove(at);
        }
    }

    pub fn width(&self) -> usize {
        let widest = |at: usize| {
            self.rows.iter().chain([&self.head]).map(|row| columns(&row[at])).max().unwrap_or(0)
        };
        (0..self.head.len()).map(|at| widest(at) + 2).sum::<usize>().saturating_sub(2)
    }

    /// The header and the rows as lines. If they are too wide, these columns are removed, in that
    /// order.
    pub fn lines(mut self, width: usize, spare: &[&str]) -> Vec<String> {
        for name in spare {
            if self.width() > width {
                self.drop(name);
            }
        }
        let mut builder = Builder::with_capacity(self.rows.len() + 1, self.head.len());
        builder.push_record(&self.head);
        for row in &self.rows {
            builder.push_record(row);
        }
        let mut table = builder.build();
        table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).with(Alignment::right());
        table.modify(Columns::first(), Alignment::left());
        table.to_string().lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spare_goes_first() {
        let grid = || Grid {
            head: ["", "count", "p50", "max"].map(str::to_owned).into(),
            rows: vec![["delivery", "1,000", "12.3 ms", "–"].map(str::to_owned).into()],
        };
        assert_eq!(
            grid().lines(60, &["p50"]),
            ["          count      p50  max", "delivery  1,000  12.3 ms    –"]
        );
        assert_eq!(
            grid().lines(25, &["p50", "max"]),
            ["          count  max", "delivery  1,000    –"]
        );
    }
}
