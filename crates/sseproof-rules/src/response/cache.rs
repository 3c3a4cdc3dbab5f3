//! No cache keeps the stream.

use crate::outcome::{NO_STREAM, count, each_once, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/cache-control",
    judge,
    mutants: &[
        Mutant::new("no-cache-control", "says nothing to caches but no-transform", |visit| {
            reference::answer(visit).with_header("Cache-Control", "no-transform")
        }),
        Mutant::new("public-stream", "lets every cache keep the stream for an hour", |visit| {
            let value = "public, max-age=3600, no-transform";
            reference::answer(visit).with_header("Cache-Control", value)
        }),
    ],
};

/// The permission that caches have.
enum Storage {
    /// No cache keeps it, or uses it without asking the server.
    No,
    /// No shared cache keeps it (`private`), or it is stale at once (`max-age=0`).
    Enough,
    /// It may be kept, with the words that say so.
    Keep(String),
    Nothing,
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut streams, mut enough) = (0, 0);
    for view in stream_answers(record) {
        match said(&view) {
            Storage::No => {}
            Storage::Enough => enough += 1,
            Storage::Keep(words) => {
                let message = format!("Cache-Control lets caches keep the stream: {words}");
                faults.push(Fault::header(&view, "cache-control", message));
            }
            // No cache keeps an answer to another method unless a header says so.
            Storage::Nothing if view.request.method != "GET" => {}
            Storage::Nothing => faults.push(nothing(&view)),
        }
        streams += 1;
    }
    if streams == 0 {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let note = match enough {
        0 => count(streams, "stream"),
        _ => format!("{}; no-store would be clearer", count(streams, "stream")),
    };
    Verdict::from_faults(each_once(faults), note)
}

fn said(view: &View<'_>) -> Storage {
    let Some(head) = &view.head else { return Storage::Nothing };
    let directives = head.headers.list("cache-control");
    let has = |wanted: &str| directives.iter().any(|directive| name(directive) == wanted);
    if has("no-store") || has("no-cache") {
        return Storage::No;
    }
    let ages = || directives.iter().filter(|one| matches!(name(one), "max-age" | "s-maxage"));
    let lasting: Vec<_> = ages().filter(|one| age(one) != Some(0)).map(String::as_str).collect();
    if has("private") {
        // An EventSource bypasses the cache of the browser: its cache mode is no-store.
        return Storage::Enough;
    }
    let stale_at_once = lasting.is_empty() && ages().next().is_some();
    if stale_at_once {
        return Storage::Enough;
    }
    if !lasting.is_empty() || has("public") {
        let public = has("public").then_some("public");
        return Storage::Keep(public.into_iter().chain(lasting).collect::<Vec<_>>().join(", "));
    }
    Storage::Nothing
}

fn nothing(view: &View<'_>) -> Fault {
    let fault =
        Fault::header(view, "cache-control", "no Cache-Control forbids caches to keep the stream");
    let has = |name: &str| view.head.as_ref().is_some_and(|head| head.headers.has(name));
    match ["pragma", "expires"].into_iter().find(|name| has(name)) {
        Some(name) => fault.so(format!(
            "`{name}` is from HTTP/1.0, and many caches ignore it"
        )),
        None => fault.so(
            "the defaults of each cache or CDN on the way decide whether it keeps the answer, and how long",
        ),
    }
}

fn name(directive: &str) -> &str {
    directive.split('=').next().unwrap_or_default().trim()
}

fn age(directive: &str) -> Option<u64> {
    directive.split_once('=')?.1.trim().trim_matches('"').parse().ok()
}
