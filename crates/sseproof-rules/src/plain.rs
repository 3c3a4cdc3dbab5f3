//! Rules that a plain file is not enough for: it has no times, no end, and no second request.

use sseproof_record::Source;

use crate::registry::looks_at;
use crate::{LooksAt, Record, Rule, Verdict};

/// The verdict on a record that comes from a file without the part that the rule looks at.
pub(crate) fn lacks_part(rule: &Rule, record: &Record<'_>) -> Option<Verdict> {
    match (looks_at(rule), record.source()) {
        (LooksAt::Stream, _) | (LooksAt::Head, Source::Run | Source::HeadAndBody) => None,
        (LooksAt::Head, Source::BodyOnly) => {
            let why = "the file has no response headers; write them with it: curl -isN URL > file";
            Some(Verdict::Skip(why.to_owned()))
        }
        (LooksAt::Run, _) => lacks_times(record),
    }
}

/// The verdict on a record without times, for a rule that compares them.
pub(crate) fn lacks_times(record: &Record<'_>) -> Option<Verdict> {
    let why = "a file holds one answer, and not when it came: check the server, or replay what --record wrote";
    (record.source() != Source::Run).then(|| Verdict::Skip(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use sseproof_record::read_plain;

    use crate::{Record, Status, judge};

    fn judged(file: &str) -> Vec<(String, Status)> {
        let transcript = read_plain(file.as_bytes()).unwrap();
        let findings = judge(&Record::new(&transcript), |_| true);
        findings.into_iter().map(|finding| (finding.rule, finding.status)).collect()
    }

    fn failing(file: &str) -> Vec<String> {
        let failing = judged(file).into_iter().filter(|(_, status)| *status == Status::Fail);
        failing.map(|(rule, _)| rule).collect()
    }

    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\n\r\n";

    #[test]
    fn a_right_answer_has_nothing_against_it() {
        let body = "retry: 3000\n\nid: 1\ndata: x\n\n";
        assert_eq!(failing(&format!("{HEAD}{body}")), Vec::<String>::new());
        assert_eq!(failing(body), Vec::<String>::new());
        // The file does not show whether the server ended it there.
        assert_eq!(failing(&format!("{HEAD}{body}data: half")), Vec::<String>::new());
    }

    #[test]
    fn what_a_file_shows_is_judged() {
        let wrong_type = HEAD.replace("text/event-stream", "application/json");
        assert_eq!(failing(&format!("{wrong_type}{{}}")), ["response/content-type"]);
        let twice = "data: data: x\n\ndata: data: y\n\n";
        assert_eq!(failing(twice), ["stream/doubled-prefix"]);
    }

    #[test]
    fn what_a_file_cannot_tell_is_skipped_whatever_is_in_it() {
        let events: String = (0..500).map(|n| format!("id: {n}\ndata: {n}\n\n")).collect();
        for (rule, status) in judged(&format!("{HEAD}{events}")) {
            let family = rule.split('/').next().unwrap_or_default().to_owned();
            let is_judged = ["stream", "response"].contains(&family.as_str());
            assert!(is_judged || status == Status::Skip, "{rule} {status:?}");
        }
    }
}
