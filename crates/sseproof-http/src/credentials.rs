//! Which fields and query parameters give access to something.

/// The words in the name of a field whose value gives access, as in `X-Api-Key`.
const WORDS: [&str; 10] = [
    "authorization",
    "cookie",
    "key",
    "apikey",
    "token",
    "auth",
    "secret",
    "password",
    "signature",
    "jwt",
];

/// The query parameters that stand for a field, since an `EventSource` can send none.
pub const CREDENTIAL_PARAMETERS: [&str; 10] = [
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "jwt",
    "password",
    "secret",
    "signature",
    "token",
];

/// Whether the field of a request of that name carries credentials.
pub fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != "set-cookie" && name.split(['-', '_']).any(|word| WORDS.contains(&word))
}
