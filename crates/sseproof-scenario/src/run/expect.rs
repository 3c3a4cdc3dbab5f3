//! The step that demands something.

use std::time::Duration;

use sseproof_codec::Item;
use sseproof_exchange::Ending;
use sseproof_net::Waited;

use super::evidence::About;
use super::play::Stop;
use super::session::{Connection, Passed, Session};
use super::slot::Sight;
use super::steps::WITHIN;
use super::wanted::{Wanted, WantedEvent};
use crate::model::{EndKind, Expect, RetryMatcher};

/// How servers spell the media type of a stream.
const STREAMS: [&str; 5] = [
    "text/event-stream",
    "text/event-stream; charset=utf-8",
    "text/event-stream;charset=utf-8",
    "text/event-stream; charset=UTF-8",
    "text/event-stream;charset=UTF-8",
];

/// What is sought in the stream.
enum Sought {
    Event(Box<WantedEvent>),
    Comment(Wanted),
    Retry(RetryMatcher),
}

/// How a search stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// Found: how many of the kind have passed by then.
    Found(usize),
    /// Another one of the kind came first.
    Another,
    /// Not yet, with how many that fit.
    Open(usize),
}

impl Sought {
    /// Whether the item is of the kind, and then whether it fits.
    fn fits(&self, item: &Item<'_>) -> Option<bool> {
        match (self, item) {
            (Self::Event(wanted), Item::Event(event)) => Some(wanted.fits(event)),
            (Self::Comment(wanted), Item::Comment(comment)) => {
                // As with fields, the space behind the colon is not part of the value.
                Some(wanted.fits(comment.text.strip_prefix(' ').unwrap_or(&comment.text)))
            }
            (Self::Retry(wanted), Item::Retry(retry)) => {
                Some(wanted.fits(Duration::from_millis(retry.millis)))
            }
            _ => None,
        }
    }

    fn search(&self, sight: &Sight<'_>, passed: usize, count: usize, next: bool) -> Search {
        let kind = sight.items.iter().filter_map(|(_, item)| self.fits(item));
        let mut found = 0;
        for (index, fits) in kind.enumerate().skip(passed) {
            if fits {
                found += 1;
            } else if next {
                return Search::Another;
            }
            if found == count {
                return Search::Found(index + 1);
            }
        }
        Search::Open(found)
    }

    fn of_kind(&self, sight: &Sight<'_>) -> usize {
        sight.items.iter().filter(|(_, item)| self.fits(item).is_some()).count()
    }

    fn passed<'p>(&self, passed: &'p mut Passed) -> &'p mut usize {
        match self {
            Self::Event(_) => &mut passed.events,
            Self::Comment(_) => &mut passed.comments,
            Self::Retry(_) => &mut passed.retries,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Event(wanted) => wanted.describe(),
            Self::Comment(wanted) => wanted.describe("a comment"),
            Self::Retry(RetryMatcher { at_least, at_most }) => match (at_least, at_most) {
                (Some(least), Some(most)) if least == most => format!("a retry of {:?}", least.0),
                (Some(least), Some(most)) => {
                    format!("a retry between {:?} and {:?}", least.0, most.0)
                }
                (Some(least), None) => format!("a retry of at least {:?}", least.0),
                (None, Some(most)) => format!("a retry of at most {:?}", most.0),
                (None, None) => "a retry".to_owned(),
            },
        }
    }

    fn about(&self) -> About {
        match self {
            Self::Event(_) => About::Events,
            Self::Comment(_) => About::Comments,
            Self::Retry(_) => About::Retries,
        }
    }
}

impl Session<'_> {
    pub(super) async fn expect(&mut self, step: &Expect) -> Result<(), Stop> {
        let Some(connection) = self.named(step.from.as_ref()) else { return Ok(()) };
        let within = step.within.map_or(WITHIN, |within| within.0);
        let deadline = self.client.now() + within;
        if step.status.is_some() || !step.headers.is_empty() {
            self.expect_head(step, &connection, within).await?;
        }
        let left = deadline.saturating_sub(self.client.now());
        if let Some(kind) = step.end {
            return match step.none_within {
                Some(time) => self.expect_no_end(&connection, kind, time.0).await,
                None => self.expect_end(&connection, kind, left, within).await,
            };
        }
        let sought = if let Some(event) = &step.event {
            Sought::Event(Box::new(self.filled(WantedEvent::new(event, &self.scope))?))
        } else if let Some(comment) = &step.comment {
            Sought::Comment(self.filled(Wanted::new(comment, &self.scope))?)
        } else if let Some(retry) = &step.retry {
            Sought::Retry(retry.0.clone())
        } else {
            return Ok(());
        };
        match step.none_within {
            Some(time) => self.expect_none(&connection, &sought, time.0).await,
            None => self.expect_some(&connection, &sought, step, (left, within)).await,
        }
    }

    async fn expect_head(
        &mut self,
        step: &Expect,
        connection: &Connection,
        within: Duration,
    ) -> Result<(), Stop> {
        if self.expects_no_stream(step)? {
            self.slot(connection).not_judged();
        }
        self.slot(connection).wait(within, |sight| sight.exchange.head.is_some()).await;
        let head = self.look(connection.slot, |sight| sight.exchange.head.clone());
        let Some(head) = head else {
            let message = format!("there is no answer within {within:?}");
            return Err(self.unmet(connection, message));
        };
        if let Some(statuses) = &step.status
            && !statuses.0.contains(&head.status)
        {
            let wanted = statuses.describe();
            let message = format!("the status was to be {wanted}, and is {}", head.status);
            return Err(self.unmet(connection, message));
        }
        for (name, value) in &step.headers {
            let values: Vec<String> =
                head.headers.all(name).map(|header| header.value.to_text()).collect();
            let message = match value {
                None if values.is_empty() => continue,
                None => format!(
                    "there was to be no header field `{name}`, and it is {}",
                    values.join(", ")
                ),
                Some(value) => {
                    let wanted = self.filled(Wanted::new(value, &self.scope))?;
                    if values.iter().any(|value| wanted.fits(value)) {
                        continue;
                    }
                    let was = if values.is_empty() {
                        "there is none".to_owned()
                    } else {
                        format!("it is {}", values.join(", "))
                    };
                    format!(
                        "there was to be {}, and {was}",
                        wanted.describe(&format!("a header field `{name}`"))
                    )
                }
            };
            return Err(self.unmet(connection, message));
        }
        Ok(())
    }

    /// Whether the step expects something else than a stream: then the rules must not say that the
    /// answer is none.
    fn expects_no_stream(&self, step: &Expect) -> Result<bool, Stop> {
        if step.status.as_ref().is_some_and(|statuses| !statuses.0.contains(&200)) {
            return Ok(true);
        }
        for (name, value) in &step.headers {
            let fits = match value {
                _ if !name.eq_ignore_ascii_case("content-type") => true,
                Some(value) => {
                    let wanted = self.filled(Wanted::new(value, &self.scope))?;
                    STREAMS.iter().any(|stream| wanted.fits(stream))
                }
                None => false,
            };
            if !fits {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn expect_some(
        &mut self,
        connection: &Connection,
        sought: &Sought,
        step: &Expect,
        (left, within): (Duration, Duration),
    ) -> Result<(), Stop> {
        let count = step.count.map_or(1, |count| count.0);
        let mut passed = connection.passed;
        let before = *sought.passed(&mut passed);
        let mut search = Search::Open(0);
        let waited = self
            .slot(connection)
            .wait(left, |sight| {
                search = sought.search(sight, before, count, step.next);
                !matches!(search, Search::Open(_))
            })
            .await;
        let what = sought.describe();
        let message = match search {
            Search::Found(index) => {
                *sought.passed(&mut passed) = index;
                self.passed(connection, passed);
                return Ok(());
            }
            Search::Another => format!("expected {what} next, and another came first"),
            Search::Open(found) => {
                let time = match waited {
                    Waited::Ended => "before the end".to_owned(),
                    _ => format!("within {within:?}"),
                };
                match count {
                    1 => format!("expected {what}, and none came {time}"),
                    _ => format!("expected {what} {count} times, and {found} came {time}"),
                }
            }
        };
        Err(self.unmet_about(connection, message, sought.about()))
    }

    async fn expect_none(
        &mut self,
        connection: &Connection,
        sought: &Sought,
        time: Duration,
    ) -> Result<(), Stop> {
        let mut passed = connection.passed;
        let before = *sought.passed(&mut passed);
        let mut search = Search::Open(0);
        self.slot(connection)
            .wait(time, |sight| {
                search = sought.search(sight, before, 1, false);
                matches!(search, Search::Found(_))
            })
            .await;
        if let Search::Found(_) = search {
            let message = format!("{} was not to come, and did", sought.describe());
            return Err(self.unmet_about(connection, message, sought.about()));
        }
        *sought.passed(&mut passed) = self.look(connection.slot, |sight| sought.of_kind(sight));
        self.passed(connection, passed);
        Ok(())
    }

    async fn expect_end(
        &mut self,
        connection: &Connection,
        kind: EndKind,
        left: Duration,
        within: Duration,
    ) -> Result<(), Stop> {
        self.slot(connection).wait(left, |sight| sight.ended).await;
        match self
            .look(connection.slot, |sight| sight.ended.then(|| sight.exchange.end.how.clone()))
        {
            Some(how) if fits(kind, &how) => Ok(()),
            Some(_) => {
                let message = format!("the stream was to end {}, and ended otherwise", words(kind));
                Err(self.unmet(connection, message))
            }
            None => {
                let message = format!("the stream was to end within {within:?}, and is still open");
                Err(self.unmet(connection, message))
            }
        }
    }

    async fn expect_no_end(
        &mut self,
        connection: &Connection,
        kind: EndKind,
        time: Duration,
    ) -> Result<(), Stop> {
        self.slot(connection).wait(time, |sight| sight.ended).await;
        let ended =
            self.look(connection.slot, |sight| sight.ended.then(|| sight.exchange.end.how.clone()));
        match ended {
            Some(how) if fits(kind, &how) => {
                let message = format!("the stream was not to end within {time:?}, and did");
                Err(self.unmet(connection, message))
            }
            _ => Ok(()),
        }
    }
}

/// An end of our own making is none of the server's.
fn fits(kind: EndKind, how: &Ending) -> bool {
    match kind {
        EndKind::Any => matches!(how, Ending::Complete | Ending::Truncated | Ending::Reset),
        EndKind::Complete => *how == Ending::Complete,
        EndKind::Truncated => *how == Ending::Truncated,
        EndKind::Reset => *how == Ending::Reset,
    }
}

fn words(kind: EndKind) -> &'static str {
    match kind {
        EndKind::Any => "by the server",
        EndKind::Complete => "whole",
        EndKind::Truncated => "in the middle of the response",
        EndKind::Reset => "by a reset",
    }
}
