//! How a server answers a `Last-Event-ID` that it never sent.
//!
//! The measure is what the same server does with a plain subscription: only what works there can
//! be broken by an id.

use std::time::Duration;

use sseproof_record::{Reason, Version};

use crate::delivery::figures::{shown, time_to_head, waited_in_vain};
use crate::outcome::closes_on_anybody;
use crate::timing::{AT_ONCE, MUCH_LONGER, NO_ANSWER};
use crate::{Fault, Place, Record, Single, Verdict, View};

/// From here on an id is a long one, in bytes.
const LONG: usize = 200;

/// The oddity of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// Nothing but that the server does not know it.
    Unknown,
    Empty,
    /// It is some hundred bytes long.
    Long,
    /// It has letters beyond ASCII.
    NonAscii,
}

impl Odd {
    pub(super) fn of(id: &[u8]) -> Self {
        match id {
            [] => Self::Empty,
            id if !id.is_ascii() => Self::NonAscii,
            id if id.len() >= LONG => Self::Long,
            _ => Self::Unknown,
        }
    }

    /// `an unknown id`.
    fn label(self) -> &'static str {
        match self {
            Self::Unknown => "an unknown Last-Event-ID",
            Self::Empty => "an empty Last-Event-ID",
            Self::Long => "a long Last-Event-ID",
            Self::NonAscii => "a Last-Event-ID with letters beyond ASCII",
        }
    }
}

/// The responses to plain subscriptions.
struct Plain {
    /// How long the slowest response headers took.
    head: Duration,
    /// How long the slowest first event took after its headers, if there were events.
    event: Option<Duration>,
    /// Whether one of them was over at once, too.
    is_brief: bool,
}

/// The verdict on the ids of that kind.
pub(super) fn judge_odd(record: &Record<'_>, odd: Odd) -> Verdict {
    let asked: Vec<_> = record.judged().filter(|view| brings(record, view, odd)).collect();
    if asked.is_empty() {
        return Verdict::Skip(format!("no client sent {}", odd.label()));
    }
    let Some(plain) = plain(record) else {
        return Verdict::Skip("no plain subscription was answered by a stream".to_owned());
    };
    if let Some(status) = refused_alike(record, odd, &asked) {
        return Verdict::Skip(format!(
            "every id that the server does not know is answered {status}: see resume/unknown-id"
        ));
    }
    let singles = asked.iter().filter_map(|view| single(record, view, odd, &plain));
    let holds = |_| format!("{} opens a stream", odd.label());
    Single::sum(singles, holds, "the response is that of a redirect")
}

/// The status with which all these ids are refused, where an id with nothing odd about it is
/// refused in the same way: then its length or its letters are not the cause.
fn refused_alike(record: &Record<'_>, odd: Odd, asked: &[View<'_>]) -> Option<u16> {
    let unknown = record.judged().find(|view| brings(record, view, Odd::Unknown))?;
    let status = unknown.status().filter(|status| *status >= 400)?;
    let alike = asked.iter().all(|view| view.status() == Some(status));
    (odd != Odd::Unknown && alike).then_some(status)
}

/// Whether the exchange asks as an `EventSource` does, with an odd id of that kind.
fn brings(record: &Record<'_>, view: &View<'_>, odd: Odd) -> bool {
    let request = &view.request;
    request.method == record.target().method
        && request.version != Version::Http10
        && request.headers.list("accept").iter().any(|media| media == "text/event-stream")
        && request
            .last_event_id()
            .is_some_and(|id| Odd::of(id) == odd && !record.gave_out(&id.to_text(), view.number))
}

fn plain(record: &Record<'_>) -> Option<Plain> {
    let plain: Vec<_> = record
        .subscriptions()
        .filter(|view| view.request.last_event_id().is_none() && view.is_stream())
        .collect();
    let first_event =
        |view: &View<'_>| Some(view.first_event()?.saturating_sub(view.head.as_ref()?.at));
    Some(Plain {
        head: plain.iter().filter_map(time_to_head).max()?,
        event: plain.iter().filter_map(first_event).max(),
        is_brief: plain.iter().any(is_brief),
    })
}

/// Whether the server ended the stream at once, without an event.
fn is_brief(view: &View<'_>) -> bool {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    view.ended_by_server()
        && view.first_event().is_none()
        && view.end.at.saturating_sub(head) <= AT_ONCE
}

/// The verdict on one exchange; `None` if another one shows it.
fn single(record: &Record<'_>, view: &View<'_>, odd: Odd, plain: &Plain) -> Option<Single> {
    const FOR_GOOD: &str = "a client that sends it stops for good, until the page is reloaded";
    let label = odd.label();
    let fault = |place, message: String| Some(Single::Broken(Fault::new(view, place, message)));
    let doubt = |why: String| Some(Single::Unclear(why));
    let Some(status) = view.status() else { return no_head(record, view, odd, plain) };
    let redirects = |next: View<'_>| {
        record.followed(&next, Reason::Redirect).is_some_and(|from| from.number == view.number)
    };
    match status {
        300..400 if record.all().any(redirects) => None,
        200 if !view.is_stream() => fault(
            Place::Header("content-type".to_owned()),
            format!("{label} is answered without an event stream"),
        ),
        200 if is_brief(view) && !plain.is_brief => {
            let message = format!("{label} gets a stream that ends at once");
            let fault = Fault::whole(view, message).so(
                "a client reconnects with the same id again and again, and never gets an event",
            );
            Some(Single::Broken(fault))
        }
        200 => {
            let quiet = view.head.as_ref().map(|head| view.end.at.saturating_sub(head.at));
            match (view.first_event(), plain.event, quiet) {
                (None, Some(usual), Some(quiet)) if !view.is_encoded() => doubt(format!(
                    "{label} got no event within {}; a plain subscription has one after {}",
                    shown(quiet),
                    shown(usual)
                )),
                _ => Some(Single::Holds),
            }
        }
        status if record.subscriptions().any(|other| other.status() == Some(status)) => {
            doubt(format!("{label} is answered {status}, and so is a plain subscription"))
        }
        429 => doubt(format!("{label} is answered 429: there were too many requests")),
        status => {
            let fault =
                Fault::new(view, Place::StatusLine, format!("{label} is answered {status}"));
            Some(Single::Broken(fault.so(FOR_GOOD)))
        }
    }
}

fn no_head(record: &Record<'_>, view: &View<'_>, odd: Odd, plain: &Plain) -> Option<Single> {
    let label = odd.label();
    let doubt = |why: String| Some(Single::Unclear(why));
    let usual = shown(plain.head);
    match (waited_in_vain(view), &view.end.how) {
        (Some(waited), _) if waited >= NO_ANSWER && waited >= plain.head * MUCH_LONGER => {
            let message = format!(
                "{label} has no answer within {}; a plain subscription has one after {usual}",
                shown(waited)
            );
            Some(Single::Broken(Fault::whole(view, message)))
        }
        (Some(waited), _) => doubt(format!(
            "{label} had no answer within {}; a plain subscription waits for {usual}",
            shown(waited)
        )),
        (None, how) if how.is_cut() && closes_on_anybody(record) => {
            doubt(format!("the connection is closed on {label}, and on a plain subscription too"))
        }
        (None, how) if how.is_cut() => {
            let message = format!("the connection is closed on {label}, without an answer");
            Some(Single::Broken(Fault::whole(view, message)))
        }
        (None, how) => doubt(format!("{label} has no answer to judge: {how:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::{Run, URL};
    use sseproof_record::{Action, Answer, Ending, Exchange, Follows, Plan, Request};

    const STAY: Duration = Duration::from_secs(2);

    fn with(serve: Answer, id: &str) -> Run {
        let request = Request::subscribe(URL).with("Last-Event-ID", id);
        Run::against(serve).subscribe().visit(request, STAY)
    }

    fn verdict(run: &Run) -> Verdict {
        judge_odd(&Record::new(run.transcript()), Odd::Unknown)
    }

    fn fault(run: &Run) -> String {
        match verdict(run) {
            Verdict::Fail(mut faults) => faults.remove(0).message,
            other => panic!("it does not fail: {other:?}"),
        }
    }

    fn edited(edit: impl FnOnce(&mut Exchange)) -> Run {
        with(reference::answer, "never").edit(edit)
    }

    fn status(new: u16) -> Run {
        edited(|last| last.head.as_mut().expect("response headers").status = new)
    }

    /// A run in which the odd exchange has no response and ended like this, after that long.
    fn headless(how: Ending, after: Duration) -> Run {
        edited(|last| {
            last.head = None;
            last.wire.clear();
            last.body.clear();
            last.end.how = how;
            last.end.at = last.started + after;
        })
    }

    #[test]
    fn an_id_has_one_oddity() {
        for (id, odd) in [
            ("", Odd::Empty),
            ("7", Odd::Unknown),
            ("naïve", Odd::NonAscii),
            (&"x".repeat(200), Odd::Long),
            (&"x".repeat(199), Odd::Unknown),
        ] {
            assert_eq!(Odd::of(id.as_bytes()), odd, "{id}");
        }
    }

    #[test]
    fn a_stream_is_a_stream() {
        let note = "an unknown Last-Event-ID opens a stream".to_owned();
        assert_eq!(verdict(&with(reference::answer, "never")), Verdict::Pass(note));
    }

    #[test]
    fn only_ids_that_were_never_given_out_are_odd() {
        assert!(matches!(verdict(&with(reference::answer, "22")), Verdict::Skip(_)));
        assert!(matches!(verdict(&with(reference::answer, "")), Verdict::Skip(_)));
        let asks_for_json = edited(|last| last.request.headers.set("Accept", "application/json"));
        assert!(matches!(verdict(&asks_for_json), Verdict::Skip(_)));
    }

    #[test]
    fn an_error_is_a_fault_and_a_limit_is_not() {
        for code in [400, 404, 500, 204] {
            assert_eq!(
                fault(&status(code)),
                format!("an unknown Last-Event-ID is answered {code}")
            );
        }
        assert!(matches!(verdict(&status(429)), Verdict::Inconclusive(_)));
    }

    #[test]
    fn what_plain_subscriptions_meet_too_is_not_the_ids_fault() {
        let gone = status(410).subscribe().edit(|last| last.head.as_mut().unwrap().status = 410);
        assert!(matches!(verdict(&gone), Verdict::Inconclusive(_)));
        let closed = headless(Ending::Reset, STAY).subscribe().edit(|last| {
            last.head = None;
            last.end.how = Ending::Reset;
        });
        assert!(matches!(verdict(&closed), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_redirect_is_judged_by_what_it_leads_to() {
        let run = status(307).visit(Request::subscribe(URL).with("Last-Event-ID", "never"), STAY);
        let run =
            run.edit(|last| last.follows = Some(Follows { exchange: 2, reason: Reason::Redirect }));
        assert!(matches!(verdict(&run), Verdict::Pass(_)));
    }

    #[test]
    fn something_else_than_a_stream_is_a_fault() {
        let run = edited(|last| {
            last.head.as_mut().expect("response headers").headers.set("Content-Type", "text/html")
        });
        assert_eq!(fault(&run), "an unknown Last-Event-ID is answered without an event stream");
    }

    #[test]
    fn a_hang_is_a_fault_where_a_plain_subscription_is_quick() {
        let message = "an unknown Last-Event-ID has no answer within 2 s; a plain subscription has one after 0 ms";
        assert_eq!(fault(&headless(Ending::Left, STAY)), message);
        let short = headless(Ending::Left, STAY / 4);
        assert!(matches!(verdict(&short), Verdict::Inconclusive(_)));
        let slow: Answer = |visit| reference::answer(visit).after([Action::Wait(STAY / 3)]);
        let run = with(slow, "never").edit(|last| {
            last.head = None;
            last.wire.clear();
        });
        assert!(matches!(verdict(&run), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_connection_that_is_closed_is_a_fault_and_one_that_never_stood_is_not() {
        let message = "the connection is closed on an unknown Last-Event-ID, without an answer";
        assert_eq!(fault(&headless(Ending::Truncated, STAY)), message);
        let refused = headless(Ending::Unconnected("refused".to_owned()), STAY);
        assert!(matches!(verdict(&refused), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_stream_that_is_over_at_once_is_a_fault_unless_all_are() {
        let over = |last: &mut Exchange| {
            last.body.clear();
            last.end.at = last.started;
            last.end.how = Ending::Complete;
        };
        assert_eq!(
            fault(&edited(over)),
            "an unknown Last-Event-ID gets a stream that ends at once"
        );
        assert!(matches!(verdict(&edited(over).edit_at(1, over)), Verdict::Pass(_)));
    }

    #[test]
    fn a_quiet_stream_is_thin() {
        assert!(matches!(verdict(&edited(|last| last.body.clear())), Verdict::Inconclusive(_)));
        let quiet = edited(|last| last.body.clear()).edit_at(1, |first| first.body.clear());
        assert!(matches!(verdict(&quiet), Verdict::Pass(_)));
    }

    #[test]
    fn a_server_that_has_no_stream_for_anybody_is_not_blamed() {
        let broken: Answer = |_| Plan::answer(500, "text/plain", "");
        assert!(matches!(verdict(&with(broken, "never")), Verdict::Skip(_)));
    }
}
