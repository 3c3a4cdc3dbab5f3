//! A browser sends cookies to other origins only if its user asks for it.

use crate::{
    Can, Case, Connect, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, stream,
};

/// The connection with credentials, and the one without.
const PATHS: [&str; 2] = ["with", "without"];
const COOKIE: &str = "sseproof=1";

pub(super) const RULE: Rule = Rule {
    id: "client/request-cookies",
    cases: &["cookies"],
    judge,
    mutants: &[
        Mutant::new(
            "sends-cookies-unasked",
            "sends cookies to another origin without credentials",
            Hooks {
                request: |state| {
                    let request = crate::client::request(state);
                    match state.cookies.as_str() {
                        "" => request,
                        cookies => request.with("Cookie", cookies),
                    }
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "sends-no-cookies",
            "sends no cookies to another origin with credentials",
            Hooks {
                request: |state| {
                    let mut request = crate::client::request(state);
                    request.headers.remove("Cookie");
                    request
                },
                ..REFERENCE
            },
        ),
    ],
};

/// One after the other, so that the cookies are there when the second connection begins.
pub(super) const CASE: Case = Case::new(
    "cookies",
    "the server, of another origin, sets a cookie for all of its paths and ends the stream; one connection is with credentials",
    |visit| match visit.here {
        0 => {
            let first = stream().write("retry: 50\ndata: one\n\n").end();
            first.with_header("Set-Cookie", format!("{COOKIE}; Path=/"))
        }
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.needs(&[Can::Credentials])
.connects(|origins| {
    let to = |path: &str| Connect {
        credentials: path == "with",
        ..Connect::to(format!("{}/{path}", origins.own))
    };
    PATHS.map(to).to_vec()
})
.lanes(1)
.until(When::Requests(4), Quiet::Short);

fn judge(view: &View<'_>) -> Judgement {
    let judged = view.connections().into_iter().map(|(connect, one)| {
        let Some(again) = one.request(2) else { return Judgement::not_reconnected() };
        let sent = one.requests().into_iter().find(|asked| {
            let cookies = asked.what.request.headers.first("cookie").unwrap_or_default();
            cookies.split("; ").any(|cookie| cookie == COOKIE)
        });
        match (connect.credentials, sent) {
            (true, None) => {
                let message = "the client sends no cookie, and was asked for credentials";
                Fault::at(again.entry, message).into()
            }
            (false, Some(sent)) => {
                let message = "the client sends a cookie to another origin without credentials";
                Fault::at(sent.entry, message).header("cookie").into()
            }
            _ => Judgement::held(""),
        }
    });
    Judgement::all(judged, "cookies with credentials, and none without")
}
