//! Numbers of things, lists, and the word that was meant.

/// A number of things: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 stream`, `15,000 streams`, `2 addresses`, `3 queries`, `2 pieces of text`.
pub fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    match number.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {noun}"),
        number => format!("{} {}", count(number), plural(noun)),
    }
}

/// Of `piece of text` the first word is counted.
fn plural(noun: &str) -> String {
    let ends = [" of ", " by ", " that "].iter().filter_map(|word| noun.find(word));
    let (noun, rest) = noun.split_at(ends.min().unwrap_or(noun.len()));
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies{rest}"),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => format!("{noun}es{rest}"),
        _ => format!("{noun}s{rest}"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(parts: &[String]) -> String {
    joined(parts, "and")
}

/// The same of names: `` `a`, `b` and `c` ``.
pub fn names<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(&quoted(words), "and")
}

/// A choice of names: `` `a`, `b` or `c` ``.
pub fn either<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(&quoted(words), "or")
}

fn quoted<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<String> {
    words.into_iter().map(|word| format!("`{word}`")).collect()
}

fn joined(parts: &[String], with: &str) -> String {
    match parts {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} {with} {last}", start.join(", ")),
    }
}

/// The word that is most like the written one, if one is like it at all.
pub fn nearest<W: AsRef<str>>(written: &str, words: impl IntoIterator<Item = W>) -> Option<W> {
    let letters = written.chars().count();
    let written = written.to_lowercase();
    words
        .into_iter()
        .map(|word| (strsim::osa_distance(&written, &word.as_ref().to_lowercase()), word))
        .filter(|(distance, word)| {
            *distance <= letters.max(word.as_ref().chars().count()).div_ceil(3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_have_plurals() {
        assert_eq!([count(999), count(1000), count(1_234_567)], ["999", "1,000", "1,234,567"]);
        for (number, noun, shown) in [
            (0, "rule", "0 rules"),
            (1, "rule", "1 rule"),
            (15_000, "stream", "15,000 streams"),
            (2, "address", "2 addresses"),
            (2, "query", "2 queries"),
            (2, "way", "2 ways"),
            (2, "piece of text", "2 pieces of text"),
        ] {
            assert_eq!(counted(number, noun), shown);
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        let parts = ["a", "b", "c"].map(str::to_owned);
        assert_eq!([list(&[]), list(&parts[..1]), list(&parts)], ["nothing", "a", "a, b and c"]);
        assert_eq!([names(["a"]), either(["a", "b", "c"])], ["`a`", "`a`, `b` or `c`"]);
    }

    #[test]
    fn the_word_that_was_meant_is_found() {
        let steps = ["connect", "expect", "read", "reconnect", "wait"];
        for (written, meant) in [
            ("conect", Some("connect")),
            ("exepct", Some("expect")),
            ("Reconect", Some("reconnect")),
            ("raed", Some("read")),
            ("sleep", None),
        ] {
            assert_eq!(nearest(written, steps), meant, "{written}");
        }
    }
}
