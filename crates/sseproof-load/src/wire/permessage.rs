//! Negotiates the compression of WebSockets: permessage-deflate (RFC 7692).

/// The offer of a client. As browsers do, it permits a small window for what the client sends, which
/// is never compressed.
pub(crate) const OFFER: &str = "permessage-deflate; client_max_window_bits";

const NAME: &str = "permessage-deflate";

/// Both sides agreed on compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Whether a message of the server may refer to those before it.
    pub(crate) keeps_context: bool,
}

/// The agreement that the answer of a server makes; `None` without compression.
///
/// # Errors
/// The part that was not offered, or makes no sense.
pub(crate) fn agreed(extensions: &str) -> Result<Option<Agreed>, String> {
    let mut agreed = None;
    for extension in each(extensions) {
        let (name, parameters) = extension;
        if name != NAME || agreed.is_some() {
            return Err(format!("the extension `{name}`, which was not offered"));
        }
        let mut seen = Vec::new();
        for (parameter, value) in parameters {
            let is_valid = match parameter {
                "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
                "server_max_window_bits" | "client_max_window_bits" => value.is_some_and(is_window),
                _ => false,
            };
            if !is_valid || seen.contains(&parameter) {
                return Err(format!("the parameter `{parameter}` of {NAME} is not valid"));
            }
            seen.push(parameter);
        }
        agreed = Some(Agreed { keeps_context: !seen.contains(&"server_no_context_takeover") });
    }
    Ok(agreed)
}

/// The first offer of a client that the embedded server accepts, and its answer.
pub(crate) fn accepted(offers: &str) -> Option<(Agreed, &'static str)> {
    each(offers).filter(|(name, _)| *name == NAME).find_map(|(_, parameters)| {
        let (mut keeps_context, mut seen) = (true, Vec::new());
        for (parameter, value) in parameters {
            match (parameter, value) {
                _ if seen.contains(&parameter) => return None,
                ("server_no_context_takeover", None) => keeps_context = false,
                ("client_no_context_takeover" | "client_max_window_bits", None) => {}
                ("client_max_window_bits", Some(bits)) if is_window(bits) => {}
                // Its compressor has no smaller window than the largest.
                ("server_max_window_bits", Some("15")) => {}
                _ => return None,
            }
            seen.push(parameter);
        }
        let answer = match (keeps_context, seen.contains(&"server_max_window_bits")) {
            (true, false) => NAME,
            (true, true) => "permessage-deflate; server_max_window_bits=15",
            (false, false) => "permessage-deflate; server_no_context_takeover",
            (false, true) => {
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=15"
            }
        };
        Some((Agreed { keeps_context }, answer))
    })
}

type Parameter<'a> = (&'a str, Option<&'a str>);

/// Each extension with its parameters; a quoted value loses its quotes.
fn each(field: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = Parameter<'_>>)> {
    let all = field.split(',').map(str::trim).filter(|extension| !extension.is_empty());
    all.map(|extension| {
        let mut parts = extension.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let parameters = parts.map(|part| match part.split_once('=') {
            None => (part, None),
            Some((name, value)) => {
                let value = value.trim();
                let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                (name.trim(), Some(bare.unwrap_or(value)))
            }
        });
        (name, parameters)
    })
}

/// A base-2 logarithm of a window, in decimal digits without leading zeros.
fn is_window(bits: &str) -> bool {
    matches!(bits, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Agreed = Agreed { keeps_context: true };
    const FRESH: Agreed = Agreed { keeps_context: false };

    #[test]
    fn only_what_was_offered_is_agreed_on() {
        assert_eq!(agreed(""), Ok(None));
        for (answer, expected) in [
            ("permessage-deflate", KEPT),
            ("permessage-deflate; client_max_window_bits=15", KEPT),
            ("permessage-deflate; server_max_window_bits=\"9\";client_no_context_takeover", KEPT),
            ("permessage-deflate ; server_no_context_takeover", FRESH),
        ] {
            assert_eq!(agreed(answer), Ok(Some(expected)), "{answer}");
        }
        for wrong in [
            "permessage-bzip2",
            "permessage-deflate, permessage-deflate",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; level=9",
            "x-webkit-deflate-frame",
        ] {
            assert!(agreed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_offer_that_can_be_kept_is_accepted() {
        for (offers, expected) in [
            (OFFER, Some((KEPT, NAME))),
            ("a, permessage-deflate; client_max_window_bits=10", Some((KEPT, NAME))),
            ("permessage-deflate; server_max_window_bits=10", None),
            (
                "permessage-deflate; server_max_window_bits=10, permessage-deflate; server_no_context_takeover",
                Some((FRESH, "permessage-deflate; server_no_context_takeover")),
            ),
            (
                "permessage-deflate; server_max_window_bits=15",
                Some((KEPT, "permessage-deflate; server_max_window_bits=15")),
            ),
            ("permessage-deflate; x", None),
            ("", None),
        ] {
            assert_eq!(accepted(offers), expected, "{offers}");
            if let Some((agreement, answer)) = expected {
                assert_eq!(agreed(answer), Ok(Some(agreement)), "{answer}");
            }
        }
    }
}
