//! A client that is closed while it connects, or waits to reconnect, sends no further request.

use super::connection::gone;
use crate::client::Closing;
use crate::protocol::Ready;
use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const CONNECTING: Rule = Rule {
    id: "client/close-connecting",
    cases: &["close-connecting"],
    judge: connecting,
    mutants: &[
        Mutant::new(
            "returns-after-close-while-connecting",
            "reconnects if it was closed before the response headers came",
            Hooks {
                close: |state| match (state.ready, state.opened) {
                    (Ready::Connecting, 0) => Closing::Reconnects,
                    _ => Closing::AtOnce,
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "connects-although-closed",
            "waits for the response headers before it heeds close",
            Hooks {
                close: |state| match (state.ready, state.opened) {
                    (Ready::Connecting, 0) => Closing::KeepsConnection,
                    _ => Closing::AtOnce,
                },
                ..REFERENCE
            },
        ),
    ],
};

pub(super) const WAITING: Rule = Rule {
    id: "client/close-waiting",
    cases: &["close-waiting"],
    judge: waiting,
    mutants: &[Mutant::new(
        "returns-after-close-while-waiting",
        "reconnects if it was closed while it waited to reconnect",
        Hooks {
            close: |state| match (state.ready, state.opened, state.connect.close_on) {
                (Ready::Connecting, 1.., None) => Closing::Reconnects,
                _ => Closing::AtOnce,
            },
            ..REFERENCE
        },
    )],
};

fn connecting(view: &View<'_>) -> Judgement {
    let Some(close) = view.close_command() else {
        return Judgement::Unclear("the client was not closed".to_owned());
    };
    let requests = view.requests();
    if let Some(request) = requests.iter().find(|request| request.entry > close.entry) {
        let message = "the client sends another request after close()";
        return Fault::at(request.entry, message).into();
    }
    let calls = view.calls(|call| matches!(call, Call::Open(_) | Call::Event(_)).then_some(()));
    if let Some(call) = calls.iter().find(|call| call.entry > close.entry) {
        return Fault::at(call.entry, "the client opens the stream after close()").into();
    }
    gone(view, close.at)
}

fn waiting(view: &View<'_>) -> Judgement {
    let Some(close) = view.close_command() else {
        return Judgement::Unclear("the client was not closed".to_owned());
    };
    match view.request(2) {
        None => Judgement::held("no request after close()"),
        Some(second) if second.entry < close.entry => {
            let why = "the client had reconnected before it was asked to close";
            Judgement::Unclear(why.to_owned())
        }
        Some(second) => Fault::at(second.entry, "the client reconnects after close()").into(),
    }
}
