//! What a plain file cannot tell: when its bytes came, how the stream ended, and what a second
//! request would have got.

use sseproof_record::Source;

use crate::{Record, Rule, profiles_of};

/// The families that look at what one stream says.
const OF_STREAMS: [&str; 1] = ["stream"];
/// The family that looks at the head of one answer.
const OF_HEADS: &str = "response";
/// Its rules that look at times, too.
const TIMED: [&str; 1] = ["response/head-before-event"];

/// Why the rule cannot judge the record, where that is so because of where it comes from.
pub(crate) fn untold(rule: &Rule, record: &Record<'_>) -> Option<String> {
    let (family, _) = rule.id.split_once('/').unwrap_or((rule.id, ""));
    let of_heads = family == OF_HEADS && !TIMED.contains(&rule.id);
    match record.source() {
        Source::Run => None,
        _ if OF_STREAMS.contains(&family) => None,
        // They look at what events say, too, and at the end only where it is known.
        _ if profiles_of(rule).next().is_some() => None,
        Source::HeadAndBody if of_heads => None,
        Source::BodyOnly if of_heads => {
            Some("the file has no head; write one with it: curl -isN URL > file".to_owned())
        }
        _ => Some(
            "a file holds one answer, and not when it came: check the server, or replay what --record wrote"
                .to_owned(),
        ),
    }
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
        // Nobody knows whether the server had ended it there.
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
            let told = ["stream", "response"].contains(&family.as_str());
            assert!(told || status == Status::Skip, "{rule} {status:?}");
        }
    }
}
