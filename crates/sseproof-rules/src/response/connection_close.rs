//! `Connection: close` is answered in kind.

use sseproof_http::Version;

use crate::outcome::{Outcome, count, each_once, of_http1};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "response/connection-close",
    judge,
    mutants: &[Mutant::new(
        "keeps-alive",
        "answers `Connection: close` with `Connection: keep-alive`",
        |visit| {
            let answer = reference::answer(visit);
            let asked = visit.request.headers.list("connection").iter().any(|one| one == "close");
            if asked { answer.with_header("Connection", "keep-alive") } else { answer }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let mut answers = 0;
    let close = |list: &[String]| list.iter().any(|option| option == "close");
    for view in record.judged().filter(|view| close(&view.request.headers.list("connection"))) {
        let Some(head) = &view.head else {
            let outcome = Outcome::of(&view);
            if !matches!(outcome, Outcome::NotHttp | Outcome::Refused | Outcome::Unreachable) {
                doubt = Some(format!("the request got {}", outcome.describe()));
            }
            continue;
        };
        answers += 1;
        let said = head.headers.list("connection");
        // HTTP/1.0 closes unless it says otherwise.
        let closes = close(&said) || (head.version == Version::Http10 && said.is_empty());
        if !closes {
            faults.push(fault(&view, &said));
        }
    }
    match doubt {
        _ if !faults.is_empty() => Verdict::Fail(each_once(faults)),
        _ if answers > 0 => Verdict::Pass(count(answers, "answer")),
        Some(doubt) => Verdict::Inconclusive(doubt),
        None => of_http1(record, "no request with `Connection: close` was answered"),
    }
}

fn fault(view: &View<'_>, said: &[String]) -> Fault {
    let message = match said {
        [] => "`Connection: close` is answered without a Connection header".to_owned(),
        _ => format!("`Connection: close` is answered with `Connection: {}`", said.join(", ")),
    };
    Fault::header(view, "connection", message)
}
