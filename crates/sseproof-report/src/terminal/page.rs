//! The page of a report: wrapped lines, indented, coloured.

use sseproof_units::inert;

use super::{Detail, Options};
use crate::paint::{Ink, paint};
use crate::text::{columns, wrap};

pub(crate) struct Page {
    out: String,
    /// How many lines of a screen it takes.
    rows: usize,
    pub(crate) width: usize,
    pub(crate) detail: Detail,
    colour: bool,
}

impl Page {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            out: String::new(),
            rows: 0,
            width: options.width.max(40),
            detail: options.detail,
            colour: options.colour,
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the other page, after an empty line.
    pub(crate) fn add(&mut self, other: Self) {
        if !other.out.is_empty() {
            self.gap();
            self.out.push_str(&other.out);
            self.rows += other.rows;
        }
    }

    /// An empty line, except at the top.
    pub(crate) fn gap(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
            self.rows += 1;
        }
    }

    pub(crate) fn text(&mut self, indent: usize, ink: Ink, text: &str) {
        self.labelled(indent, "", Ink::Plain, ink, text);
    }

    /// Wrapped text with a label, aligned after it.
    pub(crate) fn labelled(
        &mut self,
        indent: usize,
        label: &str,
        label_ink: Ink,
        ink: Ink,
        text: &str,
    ) {
        let hang = indent + columns(label);
        for (index, line) in wrap(text, self.width.saturating_sub(hang)).iter().enumerate() {
            let (indent, label) = if index == 0 { (indent, label) } else { (hang, "") };
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(&paint(label, label_ink, self.colour));
            self.out.push_str(&paint(line, ink, self.colour));
            self.end_line(hang + columns(line));
        }
    }

    /// A title on the left and a fainter remark on the right, or below it on a narrow page.
    pub(crate) fn titled(&mut self, mark: &str, ink: Ink, title: &str, remark: &str) {
        /// Where the remark starts, if the title leaves room.
        const REMARK: usize = 42;
        let (title, remark) = (inert(title), inert(remark));
        self.out.push_str(&paint(mark, ink, self.colour));
        self.out.push(' ');
        let used = columns(mark) + 1 + columns(&title);
        // A long remark moves left up to the title.
        let start = REMARK.min(self.width.saturating_sub(columns(&remark))).max(used + 2);
        if start + columns(&remark) <= self.width && !remark.contains('\n') {
            self.out.push_str(&paint(&title, Ink::Strong, self.colour));
            self.out.push_str(&" ".repeat(start - used));
            self.out.push_str(&paint(&remark, Ink::Faint, self.colour));
            self.end_line(0);
            return;
        }
        let lines = wrap(&title, self.width.saturating_sub(columns(mark) + 1));
        for (index, line) in lines.iter().enumerate() {
            self.out.push_str(if index == 0 { "" } else { "  " });
            self.out.push_str(&paint(line, Ink::Strong, self.colour));
            self.end_line(0);
        }
        self.text(2, Ink::Faint, &remark);
    }

    /// A line as it is, inert and neither wrapped nor trimmed.
    pub(crate) fn verbatim(&mut self, indent: usize, ink: Ink, line: &str) {
        self.out.push_str(&" ".repeat(indent));
        let line = inert(line);
        self.out.push_str(&paint(&line, ink, self.colour));
        self.end_line(indent + columns(&line));
    }

    /// The same with a label.
    pub(crate) fn verbatim_labelled(&mut self, label: &str, ink: Ink, line: &str) {
        let line = inert(line);
        self.out.push_str(&paint(label, ink, self.colour));
        self.out.push_str(&line);
        self.end_line(columns(label) + columns(&line));
    }

    /// Whole lines that are laid out already.
    pub(crate) fn block(&mut self, lines: &str) {
        self.out.push_str(lines);
        self.rows += lines.lines().count();
    }

    /// `used` columns are taken: a terminal wraps what is wider.
    fn end_line(&mut self, used: usize) {
        self.rows += used.div_ceil(self.width).max(1);
        let end = self.out.trim_end_matches(' ').len();
        self.out.truncate(end);
        self.out.push('\n');
    }
}
