//! Decides on secrets: by names of fields, parameters and members, values by their form, and places in a
//! URL. Every output goes by these.
//!
//! Two questions are separate: [`is_credential`] says what gives access (a request without it is a
//! request of another client), and [`is_secret`] what must stand in no output.

use std::ops::Range;
use std::sync::LazyLock;

/// A section of the list of words; its comments say what it is.
fn section(name: &str) -> Vec<&'static str> {
    let lines = include_str!("credentials/words.txt").lines();
    let own =
        lines.skip_while(|line| *line != name).skip(1).take_while(|line| !line.starts_with('['));
    own.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

type Words = LazyLock<Vec<&'static str>>;

static WORDS: Words = LazyLock::new(|| section("[credential]"));
static SECRET_WORDS: Words = LazyLock::new(|| section("[secret]"));
static PUBLIC: Words = LazyLock::new(|| section("[public]"));
static PLAIN_IN_BODIES: Words = LazyLock::new(|| section("[plain-in-bodies]"));
static HARMLESS: Words = LazyLock::new(|| section("[harmless]"));
/// The query parameters that stand for a field, since an `EventSource` can send none.
pub static CREDENTIAL_PARAMETERS: Words = LazyLock::new(|| section("[credential-parameters]"));
/// How keys of well-known services begin, and how many characters follow at least.
static PREFIXES: LazyLock<Vec<(&'static str, usize)>> = LazyLock::new(|| {
    let prefix = |line: &'static str| {
        let (prefix, least) = line.split_once(' ')?;
        Some((prefix, least.parse().ok()?))
    };
    section("[prefixes]").into_iter().filter_map(prefix).collect()
});

/// Whether the field of a request of that name carries credentials.
pub fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != "set-cookie" && name.split(['-', '_']).any(|word| WORDS.contains(&word))
}

/// Whether the value of a field, a parameter or a variable of that name is a secret.
pub fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("access-control-") || lower.starts_with("sec-websocket-") {
        return false;
    }
    let known = |word: &str| WORDS.contains(&word) || SECRET_WORDS.contains(&word);
    !PUBLIC.contains(&&*joined(&lower))
        && (known(&joined(&lower)) || words(name).any(|word| known(&word)))
}

/// The same for a member of JSON, or a field of a form.
pub fn is_secret_member(name: &str) -> bool {
    is_secret(name) && !PLAIN_IN_BODIES.contains(&&*name.to_ascii_lowercase())
}

/// The same for a field of a response: many of them are public, as `Surrogate-Key`.
pub fn is_secret_of_response(name: &str) -> bool {
    let is_plain = |word: &str| PLAIN_IN_BODIES.contains(&word) && word != "session";
    is_secret(name)
        && words(name).any(|word| is_secret(&word) && !is_plain(&word) && word != "signature")
}

/// Whether any output may show the value of the query parameter.
pub fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&&*joined(&name.to_ascii_lowercase()))
}

/// The name without what separates its words.
fn joined(name: &str) -> String {
    name.chars().filter(|char| char.is_ascii_alphanumeric()).collect()
}

/// The words of `X-Api-Key`, `api_key`, `apiKey`, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut all = vec![String::new()];
    let mut was_lower = false;
    for char in name.chars() {
        let is_new = !char.is_ascii_alphanumeric() || (was_lower && char.is_ascii_uppercase());
        was_lower = char.is_ascii_lowercase() || char.is_ascii_digit();
        if is_new {
            all.push(String::new());
        }
        if let Some(word) = all.last_mut().filter(|_| char.is_ascii_alphanumeric()) {
            word.push(char.to_ascii_lowercase());
        }
    }
    all.into_iter()
}

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub range: Range<usize>,
    /// The name of its parameter.
    pub name: Option<Range<usize>>,
    /// Whether it certainly is one, and not only a parameter with an unknown name.
    pub is_sure: bool,
}

/// The secrets in a text by their place or their form: credentials and parameters of URLs, the text
/// after `Bearer` or `Basic`, tokens, and keys of well-known services; in order, and apart.
pub fn secrets_in(text: &[u8]) -> Vec<Found> {
    let mut all = in_urls(text);
    all.extend(by_form(text));
    // A replacement is not a secret: a text without secrets stays as it is.
    all.retain(|found| !text[found.range.clone()].starts_with(b"redacted"));
    apart(all)
}

/// Those that are in no other one, in order.
fn apart(mut all: Vec<Found>) -> Vec<Found> {
    all.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
    let mut end = 0;
    all.retain(|found| {
        let is_apart = found.range.start >= end;
        end = end.max(found.range.end);
        is_apart
    });
    all
}

/// The text with every secret that can be seen in it replaced by `redacted`.
pub fn without_secrets(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    for Found { range, .. } in secrets_in(text.as_bytes()).into_iter().rev() {
        out.splice(range, *b"redacted");
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn ends_value(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'`<>()&#,;|\\{}".contains(&byte)
}

/// The end of a run of bytes, which all searches that begin within it share: otherwise a text of
/// beginnings would be searched once for each of them.
#[derive(Default)]
struct End<T> {
    /// The end of the run, and the result for it.
    known: Option<(usize, T)>,
}

impl<T: Copy> End<T> {
    /// The result for the run that this place is in; places come in order.
    fn after(&mut self, from: usize, search: impl FnOnce(usize) -> (usize, T)) -> T {
        match self.known {
            Some((end, result)) if from < end => result,
            _ => self.known.insert(search(from)).1,
        }
    }
}

fn until(text: &[u8], from: usize, ends: impl Fn(u8) -> bool) -> usize {
    text[from..].iter().position(|byte| ends(*byte)).map_or(text.len(), |length| from + length)
}

/// `user:password@` and the values of a query.
fn in_urls(text: &[u8]) -> Vec<Found> {
    let mut all = Vec::new();
    for at in memchr::memmem::find_iter(text, "://") {
        let begin = at + 3;
        let end = until(text, begin, |byte| byte == b'/' || byte == b'?' || ends_url(byte));
        if let Some(length) = text[begin..end].iter().rposition(|byte| *byte == b'@')
            && length > 0
        {
            all.push(Found { range: begin..begin + length, name: None, is_sure: true });
        }
    }
    let mut ends = End::default();
    for (at, mark) in text.iter().enumerate() {
        if !matches!(mark, b'?' | b'&') {
            continue;
        }
        let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~%[]:".contains(byte);
        let begin = at + 1;
        let equals = until(text, begin, |byte| !named(&byte));
        if equals == begin || text.get(equals) != Some(&b'=') {
            continue;
        }
        let name =
            String::from_utf8_lossy(&text[begin..equals]).replace("%5F", "_").replace("%5f", "_");
        // Without the punctuation of a message.
        let end = ends.after(equals + 1, |from| {
            let end = until(text, from, ends_value);
            let rest = text[from..end].iter().rev();
            (end, end - rest.take_while(|byte| b":.".contains(byte)).count())
        });
        let (range, is_sure) = (equals + 1..end, is_secret(&name));
        let is_shown = is_harmless(&name) || !is_sure && is_short_number(&text[range.clone()]);
        if !range.is_empty() && !is_shown {
            all.push(Found { range, name: Some(begin..equals), is_sure });
        }
    }
    all
}

/// The longest number that is a setting, as in `?lose=3`.
const LONGEST_SETTING: usize = 4;

fn is_short_number(value: &[u8]) -> bool {
    value.len() <= LONGEST_SETTING && value.iter().all(u8::is_ascii_digit)
}

fn ends_url(byte: u8) -> bool {
    byte == b'#' || byte.is_ascii_whitespace() || b"\"'`<>".contains(&byte)
}

/// The tokens in a text that their form alone shows.
pub fn secrets_by_form(text: &[u8]) -> Vec<Range<usize>> {
    apart(by_form(text)).into_iter().map(|found| found.range).collect()
}

/// Bodies may be long: so only what a search finds is looked at.
fn by_form(text: &[u8]) -> Vec<Found> {
    let found = |range| Found { range, name: None, is_sure: true };
    let is_start = |at: usize| at == 0 || !text[at - 1].is_ascii_alphanumeric();
    let places = |word: &'static [u8]| memchr::memmem::find_iter(text, word);
    let mut all = Vec::new();
    for &(prefix, least) in PREFIXES.iter() {
        let mut ends = End::default();
        for at in places(prefix.as_bytes()).filter(|at| is_start(*at)) {
            let end = ends.after(at, |from| {
                let end = until(text, from, |byte| !is_key(byte));
                (end, end)
            });
            if end - at >= prefix.len() + least {
                all.push(found(at..end));
            }
        }
    }
    all.extend(web_tokens(text, places(b"eyJ").filter(|at| is_start(*at))).map(found));
    // In any case of the first letter.
    for scheme in ["earer ", "asic ", "oken "] {
        for at in places(scheme.as_bytes()) {
            let first = at.checked_sub(1).filter(|first| is_start(*first));
            if !first.is_some_and(|first| b"BbTt".contains(&text[first])) {
                continue;
            }
            let begin = at + scheme.len();
            let end = until(text, begin, |byte| !is_token68(byte));
            let is_word = text[begin..end].iter().all(u8::is_ascii_alphabetic) && end - begin < 20;
            if end - begin >= 8 && !is_word {
                all.push(found(begin..end));
            }
        }
    }
    all
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// The JSON Web Tokens that begin at these places: at least three parts, of which the first two are
/// not short.
fn web_tokens(
    text: &[u8],
    places: impl Iterator<Item = usize>,
) -> impl Iterator<Item = Range<usize>> {
    let mut ends = End::default();
    let mut parts = [End::default(), End::default()];
    places.filter_map(move |at| {
        let end = ends.after(at, |from| {
            let end = until(text, from, |byte| !(is_key(byte) || byte == b'.'));
            (end, end)
        });
        let mut begin = at;
        for part in &mut parts {
            let dot = part.after(begin, |from| {
                let dot = until(text, from, |byte| !is_key(byte));
                (dot, dot)
            });
            if dot == end || dot - begin < 8 {
                return None;
            }
            begin = dot + 1;
        }
        Some(at..end)
    })
}

/// The values of secret members of JSON and of secret fields of a form in a body.
pub fn secrets_in_body(body: &[u8]) -> Vec<Range<usize>> {
    match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => in_json(body),
        // A form is one line.
        Some(_) if memchr::memchr(b'\n', body).is_none() => in_form(body),
        _ => Vec::new(),
    }
}

fn in_json(body: &[u8]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut at = 0;
    let mut name: Option<Range<usize>> = None;
    while at < body.len() {
        match body[at] {
            b'"' => {
                let begin = at + 1;
                let mut end = begin;
                while end < body.len() && body[end] != b'"' {
                    end += 1 + usize::from(body[end] == b'\\');
                }
                let text = begin..end.min(body.len());
                let after =
                    until(body, (end + 1).min(body.len()), |byte| !byte.is_ascii_whitespace());
                if body.get(after) == Some(&b':') {
                    name = Some(text);
                    at = after;
                } else if let Some(name) = name.take()
                    && is_secret_member(&String::from_utf8_lossy(&body[name]))
                {
                    all.push(text);
                    at = end;
                } else {
                    at = end;
                }
            }
            b' ' | b'\n' | b'\r' | b'\t' | b':' => {}
            _ => name = None,
        }
        at += 1;
    }
    all.retain(|range| !range.is_empty());
    all
}

fn in_form(body: &[u8]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut begin = 0;
    for pair in body.split(|byte| *byte == b'&') {
        let end = begin + pair.len();
        let equals = pair.iter().position(|byte| *byte == b'=');
        if let Some(equals) = equals
            && pair[..equals]
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.%[]".contains(byte))
            && is_secret_member(&String::from_utf8_lossy(&pair[..equals]))
        {
            let value = begin + equals + 1;
            all.push(value..until(&body[..end], value, |byte| byte.is_ascii_whitespace()));
        }
        begin = end + 1;
    }
    all.retain(|range| !range.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_a_secret() {
        for name in [
            "client_secret",
            "passwd",
            "sig",
            "X-Amz-Signature",
            "code",
            "session",
            "sid",
            "key",
            "X-Session-Id",
            "X-Csrf-Token",
            "X-Credential",
            "X-Access",
            "apiKey",
            "sessionId",
            "authorization",
            "Set-Cookie",
            "X-Amz-Security-Token",
            "PHPSESSID",
            "DB_PASSWORD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "progressToken",
            "Access-Control-Allow-Origin",
            "max_tokens",
            "status_code",
            "monkey",
            "Content-Type",
            "author",
            "Sec-WebSocket-Key",
            "topic",
        ] {
            assert!(!is_secret(name), "{name}");
        }
        assert!(!is_secret_member("code") && is_secret_member("api_key"));
        assert!(is_harmless("lastEventID") && is_harmless("per_page") && !is_harmless("room"));
    }

    #[test]
    fn texts_lose_what_their_urls_and_tokens_give_away() {
        for (text, left) in [
            (
                "cannot read http://user:pa:ss@h:1/s?topic=a&token=x&n=3#y: refused",
                "cannot read http://redacted@h:1/s?topic=a&token=redacted&n=3#y: refused",
            ),
            (
                "http://h/s?lose=1000&n=10000&room=a1&pin=1234&sid=1",
                "http://h/s?lose=1000&n=redacted&room=redacted&pin=redacted&sid=redacted",
            ),
            ("http://h/s?sid=a.b: refused", "http://h/s?sid=redacted: refused"),
            ("POST /publish?key=abc answered 500", "POST /publish?key=redacted answered 500"),
            ("\"Authorization Bearer abcdef1234\"", "\"Authorization Bearer redacted\""),
            ("write it as 'Authorization: Bearer abc'", "write it as 'Authorization: Bearer abc'"),
            ("a ghp_0123456789abcdefghij b", "a redacted b"),
            ("eyJhbGciOiJ.eyJzdWIiOiIx.c2ln!", "redacted!"),
            (
                "what is the token? a & b=c, http://h/s?stream=chat",
                "what is the token? a & b=c, http://h/s?stream=chat",
            ),
        ] {
            assert_eq!(without_secrets(text), left);
            assert_eq!(without_secrets(left), left);
        }
    }

    #[test]
    fn a_text_of_beginnings_has_one_token() {
        for (text, count) in [("sk-eyJ-", 1), ("eyJ-eyJ-eyJ.", 1), ("eyJ.", 0)] {
            let text = text.repeat(100_000);
            let found = secrets_by_form(text.as_bytes());
            assert_eq!(found.len(), count);
            assert!(found.iter().all(|range| range.len() == text.len()));
        }
        let query = "?x=".repeat(100_000) + "::::";
        assert_eq!(secrets_in(query.as_bytes()).len(), 1);
    }

    #[test]
    fn bodies_have_secret_members() {
        for (body, secrets) in [
            (
                r#"{"a":"b","api_key" : "k1\"x","deep":[{"password":"p2"}],"code":"c","token":3}"#,
                vec![r#"k1\"x"#, "p2"],
            ),
            ("user=a&password=b%20c&code=d", vec!["b%20c"]),
            ("data: password=b", vec![]),
            ("", vec![]),
        ] {
            let found = secrets_in_body(body.as_bytes());
            assert_eq!(found.into_iter().map(|range| &body[range]).collect::<Vec<_>>(), secrets);
        }
    }
}
