//! The requests of steps: from the step, with the target's defaults.

use sseproof_http::{Bytes, Request, Version};

use crate::Target;
use crate::model::{Connect, Headers, Http, Identity, Json, Publish, Scope, Text};

/// A request for the stream; `None` if its path on the proxy is unknown.
pub fn connect(step: &Connect, target: &Target, scope: &Scope) -> Result<Option<Request>, String> {
    let via = target.via.as_ref().filter(|_| step.via);
    let url = via.unwrap_or(&target.url);
    let stream = target.published_stream();
    let url = match stream.filter(|_| step.published) {
        None => at(url, step.path.as_ref(), scope)?,
        Some(stream) => {
            let prefix = via.map_or(Some(""), |via| prefix(via, &target.url));
            let Some(prefix) = prefix else { return Ok(None) };
            on(url, &format!("{prefix}{stream}"))
        }
    };
    let mut request = Request::subscribe(url);
    request.method.clone_from(step.method.as_ref().map_or(&target.method, |method| &method.0));
    request.version = step.http.unwrap_or_default();
    for header in &target.headers.0 {
        request.headers.set(&header.name, header.value.clone());
    }
    request.body = target.body.clone();
    body(&mut request, step.body.as_ref(), step.json.as_ref(), scope)?;
    headers(&mut request, &step.headers, scope)?;
    Ok(Some(request))
}

/// The prefix of the server's paths on the proxy: `/app` if `http://proxy/app/events` is
/// `http://server/events`.
fn prefix<'v>(via: &'v str, url: &'v str) -> Option<&'v str> {
    let path = |url| {
        let (_, rest) = str::split_once(url, "://")?;
        let path = rest.find('/').map_or("/", |start| &rest[start..]);
        path.split(['?', '#']).next()
    };
    path(via)?.strip_suffix(path(url)?)
}

/// The request of this user; `None` if the target has no such user.
pub fn as_identity(
    identity: Option<Identity>,
    mut request: Request,
    target: &Target,
) -> Option<Request> {
    match identity {
        None => {}
        Some(Identity::Page) if request.headers.has("origin") => {}
        Some(Identity::Page) => request.headers.set("Origin", PAGE),
        Some(Identity::Preflight) => return preflight(&request),
        Some(Identity::User) if request.has_credentials() => {}
        Some(Identity::Anonymous) if request.has_credentials() => request.drop_credentials(),
        Some(Identity::Other) if request.has_credentials() => {
            let other = target.other.as_ref()?;
            request.drop_credentials();
            for header in &other.0 {
                request.headers.set(&header.name, header.value.clone());
            }
        }
        Some(_) => return None,
    }
    Some(request)
}

/// The preflight of a browser for this request; `None` where it sends none.
///
/// Fetch, CORS-preflight fetch.
fn preflight(request: &Request) -> Option<Request> {
    // The browser sets the others itself, or takes them for harmless.
    const SILENT: [&str; 13] = [
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-language",
        "content-length",
        "cookie",
        "host",
        "origin",
        "referer",
        "user-agent",
    ];
    const HARMLESS: [&str; 3] =
        ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
    let is_harmless = |name: &str, value: &str| match name {
        "content-type" => {
            let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            HARMLESS.contains(&media.as_str())
        }
        _ => SILENT.contains(&name),
    };
    let named = request
        .headers
        .0
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), header.value.to_text()));
    let mut names: Vec<String> =
        named.filter(|(name, value)| !is_harmless(name, value)).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let is_simple = matches!(request.method.as_str(), "GET" | "HEAD" | "POST");
    if names.is_empty() && is_simple {
        return None;
    }
    let origin = request.headers.first("origin").unwrap_or_else(|| PAGE.to_owned());
    let mut headers: sseproof_http::Headers = [("Accept", "*/*")].into_iter().collect();
    headers.add("Origin", origin);
    headers.add("Access-Control-Request-Method", request.method.as_str());
    if !names.is_empty() {
        headers.add("Access-Control-Request-Headers", names.join(","));
    }
    let method = "OPTIONS".to_owned();
    Some(Request { method, headers, body: Bytes::default(), ..request.clone() })
}

/// The origin of a foreign page, which no allow list contains.
const PAGE: &str = "https://sseproof.example";

pub fn http(step: &Http, target: &Target, scope: &Scope) -> Result<Request, String> {
    let has_body = step.body.is_some() || step.json.is_some();
    let method = step.method.as_ref().map(|method| method.0.as_str());
    let url = match &step.url {
        Some(url) => url.fill(scope)?,
        None => at(&target.url, step.path.as_ref(), scope)?,
    };
    let mut request = ordinary(method.unwrap_or(if has_body { "POST" } else { "GET" }), url);
    // Another server must not get the credentials of the target.
    if step.url.is_none() {
        request.headers.0.extend(target.headers.0.iter().cloned());
    }
    body(&mut request, step.body.as_ref(), step.json.as_ref(), scope)?;
    headers(&mut request, &step.headers, scope)?;
    Ok(request)
}

/// A value quoted for a command, so that it stays one word.
pub fn word(value: &str) -> String {
    shlex::try_quote(value).map_or_else(|_| value.to_owned(), |quoted| quoted.into_owned())
}

/// The request that publishes data if the target has no hook.
pub fn publish(step: &Publish, target: &Target, scope: &Scope) -> Result<Request, String> {
    let url = match &step.path {
        Some(path) => at(&target.url, Some(path), scope)?,
        None => on(&target.url, "/publish"),
    };
    let mut request = ordinary("POST", url);
    request.headers.0.extend(target.headers.0.iter().cloned());
    request.headers.set("Content-Type", "text/plain; charset=utf-8");
    request.body = Bytes::from(step.data.fill(scope)?);
    headers(&mut request, &step.headers, scope)?;
    Ok(request)
}

fn ordinary(method: &str, url: String) -> Request {
    Request {
        method: method.to_owned(),
        url,
        version: Version::Http11,
        headers: [("Accept", "*/*")].into_iter().collect(),
        body: Bytes::default(),
    }
}

/// Sets the fields of the step; null removes one.
pub fn headers(request: &mut Request, fields: &Headers, scope: &Scope) -> Result<(), String> {
    for (name, value) in &fields.0 {
        match value {
            Some(value) => request.headers.set(name, value.fill(scope)?),
            None => request.headers.remove(name),
        }
    }
    Ok(())
}

fn body(
    request: &mut Request,
    text: Option<&Text>,
    json: Option<&Json>,
    scope: &Scope,
) -> Result<(), String> {
    if let Some(text) = text {
        request.body = Bytes::from(text.fill(scope)?);
    }
    if let Some(json) = json {
        request.body = Bytes::from(json.fill(scope)?.to_string());
        request.headers.set("Content-Type", "application/json");
    }
    Ok(())
}

fn at(url: &str, path: Option<&Text>, scope: &Scope) -> Result<String, String> {
    Ok(match path {
        Some(path) => on(url, &path.fill(scope)?),
        None => url.to_owned(),
    })
}

/// The URL with another path and query; if `path` begins with `?`, only with another query.
fn on(url: &str, path: &str) -> String {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let keeps_path = path.starts_with('?');
    let end = url[host..]
        .find(|char| matches!(char, '?' | '#') || (char == '/' && !keeps_path))
        .map_or(url.len(), |end| host + end);
    format!("{}{path}", &url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_takes_the_place_of_path_and_query() {
        for (url, path, together) in [
            ("http://h:1/a/b?c=d#e", "/x?y", "http://h:1/x?y"),
            ("http://h", "/x", "http://h/x"),
            ("http://h?q", "/x", "http://h/x"),
            ("http://h/a?b", "?c=d", "http://h/a?c=d"),
        ] {
            assert_eq!(on(url, path), together);
        }
    }

    #[test]
    fn published_events_have_their_path_beside_the_stream_also_on_a_proxy() {
        let hook = crate::PublishHook::json("POST", "/publish").on_stream("/published?all");
        let mut target = Target::new("http://h/events?a");
        target.publish = Some(hook);
        let step: Connect = serde_yaml::from_str("{ published: true }").unwrap();
        let url = |target: &Target| connect(&step, target, &Scope::default()).unwrap().unwrap().url;
        assert_eq!(url(&target), "http://h/published?all");
        let own = crate::PublishHook::json("POST", "/publish").on_stream("/events?a");
        let own = Target { publish: Some(own), ..target.clone() };
        assert_eq!((url(&own).as_str(), own.published_stream()), ("http://h/events?a", None));
        let step: Connect = serde_yaml::from_str("{ via: true, published: true }").unwrap();
        for (via, there) in [
            ("http://p/events?b", Some("http://p/published?all")),
            ("http://p:1/app/events", Some("http://p:1/app/published?all")),
            ("http://p/app", None),
            ("http://p", None),
        ] {
            target.via = Some(via.to_owned());
            let request = connect(&step, &target, &Scope::default()).unwrap();
            assert_eq!(request.map(|request| request.url).as_deref(), there, "{via}");
        }
    }

    #[test]
    fn a_step_wins_over_the_target_and_null_removes() {
        let mut target = Target::new("http://h/events");
        target.headers.set("authorization", "Bearer a");
        target.headers.set("Cache-Control", "no-store");
        target.body = Bytes::from("all");
        let step = |yaml| serde_yaml::from_str::<Connect>(yaml).unwrap();
        let scope = Scope::default();
        let plain = connect(&step("{}"), &target, &scope).unwrap().unwrap();
        assert_eq!(plain.headers.first("authorization").as_deref(), Some("Bearer a"));
        assert_eq!(plain.headers.first("cache-control").as_deref(), Some("no-store"));
        assert_eq!(plain.headers.first("accept").as_deref(), Some("text/event-stream"));
        assert_eq!((plain.method.as_str(), plain.body.to_text().as_str()), ("GET", "all"));

        let own = "{ method: POST, headers: { Authorization: null, Accept: a/b }, json: { a: 1 }, http: '1.0' }";
        let own = connect(&step(own), &target, &scope).unwrap().unwrap();
        assert!(!own.headers.has("authorization"));
        assert_eq!(own.headers.first("accept").as_deref(), Some("a/b"));
        assert_eq!(own.headers.first("content-type").as_deref(), Some("application/json"));
        assert_eq!((own.method.as_str(), own.version), ("POST", Version::Http10));
        assert_eq!(own.body.to_text(), "{\"a\":1}");
    }
}
