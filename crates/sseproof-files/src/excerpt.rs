//! A text in a message: on one line, and not longer than a line.

/// The number of characters shown.
const CHARS: usize = 120;

/// On one line, and not longer than a line; in quotes if its ends would not be visible.
pub fn excerpt(text: &str) -> String {
    let mut line = String::new();
    for (index, char) in text.chars().enumerate() {
        if index == CHARS {
            return format!("{line}… ({} characters)", text.chars().count());
        }
        if char.is_control() {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
    }
    if text.is_empty() || text.trim() != text { format!("\"{line}\"") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(excerpt("a\nb"), "a\\nb");
        assert_eq!(excerpt("a\n"), "\"a\\n\"");
        assert!(excerpt(&"é".repeat(500)).ends_with("… (500 characters)"));
    }
}
