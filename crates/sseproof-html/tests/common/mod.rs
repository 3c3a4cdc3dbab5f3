//! A look at the markup of a page, as a browser takes it apart.

use std::collections::BTreeSet;

/// Text of others that would do something.
pub(crate) const EVIL: [&str; 8] = [
    "EVIL<script>alert(1)</script>",
    "EVIL\" onclick=\"alert(1)",
    "EVIL' onmouseover='alert(1)",
    "EVIL--><svg onload=alert(1)>",
    "EVIL</title></style></script></pre><img src=x onerror=alert(1)>",
    "EVIL\u{202e}\u{2066}\u{0}\u{1b}[2J\u{7f}\u{feff}",
    "EVIL\n##[error]x\n::error::x",
    "EVIL`code` &lt;b&gt; &#x3c;b>",
];

const TAGS: &[&str] = &[
    "!DOCTYPE", "html", "head", "meta", "link", "title", "style", "body", "a", "header", "nav",
    "ul", "li", "main", "h1", "h2", "h3", "h4", "p", "span", "dl", "dt", "dd", "div", "section",
    "details", "summary", "pre", "mark", "code", "strong", "table", "caption", "thead", "tbody",
    "tr", "th", "td", "svg", "path", "text", "g", "footer", "script", "figure", "rect", "circle",
];

/// Fails unless all of the page is what this crate writes: known tags, one script, no text of others
/// in a tag, and no character that a reader cannot see.
pub(crate) fn assert_harmless(page: &str) {
    let (mut rest, mut scripts) = (page, 0);
    let mut seen = BTreeSet::new();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let tag = &rest[..end(rest)];
        let name = tag.trim_start_matches('/');
        let name = &name[..name.find([' ', '>']).unwrap_or(name.len())];
        assert!(TAGS.contains(&name), "unknown tag <{tag}>");
        assert!(!tag.contains("EVIL"), "text of others in <{tag}>");
        let attributes = tag.split(' ').skip(1).filter_map(|part| part.split_once('='));
        for (key, _) in attributes {
            assert!(!key.starts_with("on") && key != "style" && key != "src", "<{tag}>");
        }
        seen.insert(name.to_owned());
        rest = &rest[tag.len()..];
        // Their content has no tags.
        if matches!(tag, "script" | "style") {
            scripts += usize::from(tag == "script");
            let close = rest.find(&format!("</{tag}>")).expect("its end");
            assert!(!rest[..close].contains("EVIL"), "text of others in <{tag}>");
            rest = &rest[close..];
        }
    }
    assert_eq!(scripts, 1);
    let hidden = |char: &char| {
        char.is_control() && *char != '\n'
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert_eq!(page.chars().find(hidden), None);
    assert!(!page.contains("##[error]") && !page.contains("\n::error::"));
}

/// Where the tag ends, whose attributes are in double quotes.
fn end(tag: &str) -> usize {
    let mut is_quoted = false;
    let ends = tag.char_indices().find(|(_, char)| {
        is_quoted ^= *char == '"';
        *char == '>' && !is_quoted
    });
    ends.map(|(at, _)| at).expect("the end of a tag")
}

/// Puts text of others into each string of a value, except those of these keys.
pub(crate) fn poison(value: &mut serde_json::Value, except: &[&str], evil: &str) {
    match value {
        serde_json::Value::String(text) => text.push_str(evil),
        serde_json::Value::Array(all) => all.iter_mut().for_each(|one| poison(one, except, evil)),
        serde_json::Value::Object(members) => {
            let members = members.iter_mut().filter(|(key, _)| !except.contains(&key.as_str()));
            members.for_each(|(_, value)| poison(value, except, evil));
        }
        _ => {}
    }
}
