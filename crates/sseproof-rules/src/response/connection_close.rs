//! `Connection: close` is answered in kind.

use sseproof_record::Version;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Ending, Request};
    use std::time::Duration;

    fn closing(serve: Answer) -> Run {
        let request = Request::subscribe(URL).with("Connection", "close");
        Run::against(serve).visit(request, Duration::from_secs(1))
    }

    #[test]
    fn the_reference_passes_and_other_requests_skip() {
        closing(reference::answer).passes(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }

    #[test]
    fn the_mutant_fails() {
        let faults = closing(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "`Connection: close` is answered with `Connection: keep-alive`"
        );
    }

    #[test]
    fn silence_is_a_no_in_http11_and_a_yes_in_http10() {
        let silent = || {
            closing(reference::answer)
                .edit(|last| last.head.as_mut().unwrap().headers.remove("Connection"))
        };
        silent().faults(&RULE);
        silent().edit(|last| last.head.as_mut().unwrap().version = Version::Http10).passes(&RULE);
    }

    #[test]
    fn no_answer_is_no_verdict() {
        closing(reference::answer)
            .edit(|last| {
                last.head = None;
                last.end.how = Ending::Reset;
            })
            .is_inconclusive(&RULE);
    }
}
