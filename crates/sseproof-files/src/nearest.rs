//! The word that was meant.

/// The word that is most like the one written, if one is like it at all.
pub(crate) fn nearest<'w>(
    written: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    let letters = written.chars().count();
    words
        .into_iter()
        .map(|word| (distance(&written.to_lowercase(), &word.to_lowercase()), word))
        .filter(|&(distance, word)| distance <= letters.max(word.chars().count()).div_ceil(3))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, word)| word)
}

/// How many letters must be changed, put in, left out or swapped with their neighbour (the optimal
/// string alignment distance).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

/// `a`, `b` and `c`.
pub(crate) fn list<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(words, "and")
}

/// `a`, `b` or `c`.
pub(crate) fn either<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(words, "or")
}

fn joined<'w>(words: impl IntoIterator<Item = &'w str>, with: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {with} {last}", others.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
