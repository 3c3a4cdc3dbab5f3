//! Whether a browser can have more than six streams of the origin.

use crate::outcome::{NO_STREAM, count, stream_answers};
use crate::{Fault, Mutant, Over, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "transport/six-connections",
    judge,
    mutants: &[Mutant::new(
        "tls-without-http2",
        "speaks HTTP/1.1 alone over TLS",
        reference::answer,
    )
    .over(Over::TlsHttp1)],
};

fn judge(record: &Record<'_>) -> Verdict {
    let streams: Vec<_> = stream_answers(record).collect();
    if streams.is_empty() {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let newer = |view: &&View<'_>| view.is_http2() || offers_newer(view);
    if streams.iter().any(|view| newer(&view)) {
        return Verdict::Pass(count(streams.iter().filter(newer).count(), "stream"));
    }
    if let Some(refused) = streams.iter().find(|view| view.transport.without_http2) {
        let message = "the server was offered HTTP/2 in the TLS handshake, and took HTTP/1.1";
        return Verdict::Fail(vec![Fault::whole(refused, message).so(
            "a browser opens at most six connections to this origin, and each stream uses one of them",
        )]);
    }
    Verdict::Skip(match streams.iter().any(|view| view.request.url.starts_with("https://")) {
        true => "no request offered HTTP/2 to the server; run without --http 1.1".to_owned(),
        false => "browsers speak HTTP/2 over https alone; check the https:// URL that they use, where there is one".to_owned(),
    })
}

/// Whether the answer names HTTP/2 or HTTP/3 for the next time.
fn offers_newer(view: &View<'_>) -> bool {
    let offered = view.head.as_ref().map(|head| head.headers.list("alt-svc")).unwrap_or_default();
    offered.iter().any(|one| one.starts_with("h2=") || one.starts_with("h3"))
}
