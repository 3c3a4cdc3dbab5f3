//! Markdown of the repository as part of a page.
//!
//! HTML in it stays text, so that nothing but this crate writes a tag; links lead to pages of the site,
//! and a link that leads nowhere becomes its words.

use std::fmt::Write as _;

use maud::{Escaper, Markup, PreEscaped};
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

pub(crate) struct Rendered {
    /// The first heading, as it is written.
    pub(crate) title: String,
    /// All after it.
    pub(crate) body: Markup,
}

/// `linked` has the place of a link of the repository; addresses of the web stay as they are.
pub(crate) fn render(text: &str, linked: &dyn Fn(&str) -> Option<String>) -> Rendered {
    let mut page = Writer::empty(linked);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        page.event(event);
    }
    Rendered { title: page.title.unwrap_or_default(), body: PreEscaped(page.out) }
}

struct Writer<'l> {
    linked: &'l dyn Fn(&str) -> Option<String>,
    out: String,
    title: Option<String>,
    is_in_title: bool,
    /// The words of the heading that is open, for its id.
    heading: Option<(u8, usize, String)>,
    ids: Vec<String>,
    /// Whether each open link has a place.
    links: Vec<bool>,
    alignments: Vec<Alignment>,
    cell: usize,
    is_in_head: bool,
}

impl<'l> Writer<'l> {
    fn empty(linked: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            linked,
            out: String::new(),
            title: None,
            is_in_title: false,
            heading: None,
            ids: Vec::new(),
            links: Vec::new(),
            alignments: Vec::new(),
            cell: 0,
            is_in_head: false,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.code(&code),
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<hr>"),
            Event::Html(html) | Event::InlineHtml(html) if html.starts_with("<!--") => {}
            Event::Html(html) | Event::InlineHtml(html) => self.text(&html),
            // Without their options, there are none.
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.is_in_title {
            self.title.get_or_insert_default().push_str(text);
            return;
        }
        if let Some((.., words)) = &mut self.heading {
            words.push_str(text);
        }
        // Writing into a string does not fail.
        let _ = Escaper::new(&mut self.out).write_str(text);
    }

    fn code(&mut self, code: &str) {
        if self.is_in_title {
            let _ = write!(self.title.get_or_insert_default(), "`{code}`");
            return;
        }
        self.out.push_str("<code>");
        self.text(code);
        self.out.push_str("</code>");
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level: HeadingLevel::H1, .. } if self.title.is_none() => {
                self.title = Some(String::new());
                self.is_in_title = true;
            }
            Tag::Heading { level, .. } => {
                // The title of the page is its only heading of the first level.
                let level = (level as u8).clamp(2, 4);
                self.heading = Some((level, self.out.len(), String::new()));
            }
            Tag::Paragraph => self.out.push_str("<p>"),
            Tag::BlockQuote(_) => self.out.push_str("<blockquote>"),
            Tag::CodeBlock(kind) => {
                let words = match &kind {
                    CodeBlockKind::Fenced(info) if info.starts_with("sh") => "Commands",
                    _ => "Text",
                };
                let _ =
                    write!(self.out, "<pre tabindex=\"0\" role=\"group\" aria-label=\"{words}\">");
            }
            Tag::List(Some(_)) => self.out.push_str("<ol>"),
            Tag::List(None) => self.out.push_str("<ul>"),
            Tag::Item => self.out.push_str("<li>"),
            Tag::Emphasis => self.out.push_str("<em>"),
            Tag::Strong => self.out.push_str("<strong>"),
            Tag::Link { dest_url, .. } => self.link(&dest_url),
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.out.push_str("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>");
            }
            Tag::TableHead => {
                (self.is_in_head, self.cell) = (true, 0);
                self.out.push_str("<thead><tr>");
            }
            Tag::TableRow => {
                self.cell = 0;
                self.out.push_str("<tr>");
            }
            Tag::TableCell => self.cell(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) if self.is_in_title => self.is_in_title = false,
            TagEnd::Heading(_) => self.heading(),
            TagEnd::Paragraph => self.out.push_str("</p>\n"),
            TagEnd::BlockQuote(_) => self.out.push_str("</blockquote>\n"),
            TagEnd::CodeBlock => self.out.push_str("</pre>\n"),
            TagEnd::List(true) => self.out.push_str("</ol>\n"),
            TagEnd::List(false) => self.out.push_str("</ul>\n"),
            TagEnd::Item => self.out.push_str("</li>\n"),
            TagEnd::Emphasis => self.out.push_str("</em>"),
            TagEnd::Strong => self.out.push_str("</strong>"),
            TagEnd::Link if self.links.pop() == Some(true) => self.out.push_str("</a>"),
            TagEnd::Table => self.out.push_str("</tbody></table></div>\n"),
            TagEnd::TableHead => {
                self.is_in_head = false;
                self.out.push_str("</tr></thead><tbody>");
            }
            TagEnd::TableRow => self.out.push_str("</tr>\n"),
            TagEnd::TableCell => {
                // An empty heading is none.
                let empty = self.out.rfind("<th").filter(|at| self.out[*at..].ends_with('>'));
                match empty.filter(|at| self.is_in_head && !self.out[*at + 1..].contains('<')) {
                    Some(at) => self.out.replace_range(at.., "<td></td>"),
                    None if self.is_in_head => self.out.push_str("</th>"),
                    None => self.out.push_str("</td>"),
                }
            }
            _ => {}
        }
    }

    fn cell(&mut self) {
        let alignment = self.alignments.get(self.cell).copied().unwrap_or(Alignment::None);
        let is_number = matches!(alignment, Alignment::Right | Alignment::Center);
        let tag = match (self.is_in_head, is_number) {
            (true, true) => "<th scope=\"col\" class=\"right\">",
            (true, false) => "<th scope=\"col\">",
            (false, true) => "<td class=\"number\">",
            (false, false) => "<td>",
        };
        self.out.push_str(tag);
        self.cell += 1;
    }

    /// Puts the tags around the heading, whose words are known now.
    fn heading(&mut self) {
        let Some((level, at, words)) = self.heading.take() else { return };
        let slug = slug(&words);
        let same = self.ids.iter().filter(|id| **id == slug).count();
        self.ids.push(slug.clone());
        let id = if same > 0 { format!("{slug}-{same}") } else { slug };
        self.out.insert_str(at, &format!("<h{level} id=\"{id}\">"));
        let _ = writeln!(self.out, "</h{level}>");
    }

    fn link(&mut self, url: &str) {
        if self.is_in_title {
            self.links.push(false);
            return;
        }
        let is_of_web = url.starts_with("https://") || url.starts_with("http://");
        let place = match is_of_web || url.starts_with('#') {
            true => Some(url.to_owned()),
            false => (self.linked)(url),
        };
        self.links.push(place.is_some());
        if let Some(place) = place {
            self.out.push_str("<a href=\"");
            let _ = Escaper::new(&mut self.out).write_str(&place);
            self.out.push_str(if is_of_web { "\" rel=\"noreferrer\">" } else { "\">" });
        }
    }
}

/// The id of a heading, as code hosts make it.
fn slug(words: &str) -> String {
    let plain = words.chars().filter_map(|char| match char {
        ' ' => Some('-'),
        '-' | '_' => Some(char),
        char => char.is_ascii_alphanumeric().then(|| char.to_ascii_lowercase()),
    });
    let slug: String = plain.collect();
    if slug.starts_with(|first: char| first.is_ascii_alphabetic()) {
        slug
    } else {
        format!("h-{slug}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_tags_of_this_crate_only() {
        let text = "# A `title`\n\nA <b>tag</b> & *words*, **strong**, [here](there.md), [not](gone.md), [web](https://example.org/?a=1&b).\n\n<!-- gone -->\n<script>alert(1)</script>\n\n## Why, and a `fix`\n\n```sh\na < b\n```\n\n1. one\n2. two\n\n# Again\n\n| a | | n |\n|---|---|--:|\n| x | y | 1 |\n";
        let linked = |link: &str| (link == "there.md").then(|| "../there.html".to_owned());
        let rendered = render(text, &linked);
        assert_eq!(rendered.title, "A `title`");
        insta::assert_snapshot!(rendered.body.0);
    }
}
