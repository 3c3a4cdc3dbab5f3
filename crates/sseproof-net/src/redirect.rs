//! The request that follows a redirect.

use sseproof_http::{Bytes, Request, Version};
use sseproof_record::Exchange;
use url::Url;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// This request, as a client sends it next.
    To(Box<Request>),
    /// It names no place, or one that is not a valid URL; with the text.
    Nowhere(String),
}

/// The request that follows the exchange, if its answer is a redirect that clients follow.
///
/// As in Fetch: 303 turns every method but GET and HEAD into GET, 301 and 302 turn POST into
/// GET; credentials are not carried to another origin.
pub fn redirect(exchange: &Exchange) -> Option<Redirect> {
    let head = exchange.head.as_ref()?;
    if !matches!(head.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let named = head.headers.first("location").unwrap_or_default();
    let base = Url::parse(&exchange.request.url).ok();
    let place = base.as_ref().and_then(|base| {
        let place = base.join(&named).ok()?;
        (!named.is_empty() && matches!(place.scheme(), "http" | "https")).then_some(place)
    });
    let Some(place) = place else { return Some(Redirect::Nowhere(named)) };
    let mut request = exchange.request.clone();
    let method = request.method.as_str();
    let becomes_get = match head.status {
        303 => !matches!(method, "GET" | "HEAD"),
        301 | 302 => method == "POST",
        _ => false,
    };
    if becomes_get {
        request.method = "GET".to_owned();
        request.body = Bytes::default();
        for name in ["content-type", "content-length"] {
            request.headers.remove(name);
        }
    }
    if base.is_none_or(|base| base.origin() != place.origin()) {
        for name in ["authorization", "cookie", "host"] {
            request.headers.remove(name);
        }
    }
    // The next server may support another version.
    if request.version == Version::Http2 {
        request.version = Version::Http11;
    }
    request.url = place.into();
    Some(Redirect::To(Box::new(request)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_http::Headers;
    use sseproof_record::Head;
    use std::time::Duration;

    fn answered(status: u16, location: Option<&str>, request: Request) -> Exchange {
        let mut headers = Headers::default();
        if let Some(location) = location {
            headers.set("location", location);
        }
        let head = Head { at: Duration::ZERO, version: Version::Http11, status, headers };
        Exchange { head: Some(head), ..Exchange::begun(1, request, Duration::ZERO) }
    }

    fn to(exchange: &Exchange) -> Request {
        match redirect(exchange) {
            Some(Redirect::To(request)) => *request,
            other => panic!("no redirect: {other:?}"),
        }
    }

    #[test]
    fn a_relative_place_is_resolved() {
        let request = Request::subscribe("http://h:1/a/b").with("Authorization", "x");
        let next = to(&answered(302, Some("../c?d"), request));
        assert_eq!(next.url, "http://h:1/c?d");
        assert!(next.headers.has("authorization"));
    }

    #[test]
    fn credentials_stay_at_home() {
        let request = Request::subscribe("http://h:1/").with("Authorization", "x");
        assert!(!to(&answered(307, Some("http://h:2/"), request)).headers.has("authorization"));
    }

    #[test]
    fn methods_change_as_fetch_has_it() {
        for (status, method, then) in [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
        ] {
            let mut request = Request::subscribe("http://h/");
            request.method = method.to_owned();
            request.body = Bytes::from("x");
            let next = to(&answered(status, Some("/n"), request));
            assert_eq!(next.method, then, "{status} {method}");
            assert_eq!(next.body.is_empty(), then == "GET", "{status} {method}");
        }
    }

    #[test]
    fn other_answers_are_no_redirects() {
        assert_eq!(redirect(&answered(304, Some("/n"), Request::subscribe("http://h/"))), None);
        for place in [None, Some(""), Some("mailto:a@b.c"), Some("http://")] {
            let redirect = redirect(&answered(301, place, Request::subscribe("http://h/")));
            assert!(matches!(redirect, Some(Redirect::Nowhere(_))), "{place:?}");
        }
    }
}
