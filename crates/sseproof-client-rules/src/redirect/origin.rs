//! An event has the origin that its stream came from.

use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/redirect-origin",
    cases: &["redirect-origin"],
    judge,
    mutants: &[
        Mutant::new(
            "origin-before-redirects",
            "gives each event the origin of the URL before redirects",
            Hooks {
                call: |state, call| {
                    let url = crate::client::origin(&state.connect.url);
                    vec![with_origin(call, url.map(|origin| origin.ascii_serialization()))]
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "no-origin",
            "gives events no origin",
            Hooks { call: |_, call| vec![with_origin(call, None)], ..REFERENCE },
        ),
    ],
};

fn with_origin(mut call: Call, origin: Option<String>) -> Call {
    if let Call::Event(event) = &mut call {
        event.origin = origin;
    }
    call
}

fn judge(view: &View<'_>) -> Judgement {
    let judged = view.connections().into_iter().map(|(_, one)| origin(&one));
    Judgement::all(judged, "events have the origin of their stream, also after a redirect")
}

fn origin(view: &View<'_>) -> Judgement {
    let (Some(event), Some(last)) = (view.events().first().copied(), view.requests().pop()) else {
        return Judgement::Unclear("the client did not follow the redirect".to_owned());
    };
    let host = last.what.request.headers.first("host").unwrap_or_default();
    let expected = format!("http://{host}");
    let given = event.what.origin.as_deref().unwrap_or_default();
    if given == expected {
        return Judgement::held("");
    }
    let message =
        format!("the event has the origin \"{given}\", and its stream came from {expected}");
    Fault::at(event.entry, message).into()
}
