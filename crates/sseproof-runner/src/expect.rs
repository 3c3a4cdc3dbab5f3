//! The step `expect`.

use std::time::Duration;

use sseproof_files::model::{EndKind, Expect};
use sseproof_net::Waited;
use sseproof_record::Ending;

use super::expectation::{EventExpectation, Expectation};
use super::play::Stop;
use super::scenario_run::{Connection, ScenarioRun};
use super::search::{ExpectedItem, Search};
use super::steps::WITHIN;

/// Common spellings of the media type of a stream.
const STREAMS: [&str; 5] = [
    "text/event-stream",
    "text/event-stream; charset=utf-8",
    "text/event-stream;charset=utf-8",
    "text/event-stream; charset=UTF-8",
    "text/event-stream;charset=UTF-8",
];

impl ScenarioRun<'_> {
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
            ExpectedItem::Event(Box::new(self.filled(EventExpectation::new(event, &self.scope))?))
        } else if let Some(comment) = &step.comment {
            ExpectedItem::Comment(self.filled(Expectation::new(comment, &self.scope))?)
        } else if let Some(retry) = &step.retry {
            ExpectedItem::Retry(retry.0.clone())
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
        self.slot(connection).wait(within, |snapshot| snapshot.exchange.head.is_some()).await;
        let head = self.look(connection.slot, |snapshot| snapshot.exchange.head.clone());
        let Some(head) = head else {
            let message = format!("no response within {within:?}");
            return Err(self.unmet(connection, message));
        };
        if let Some(statuses) = &step.status
            && !statuses.0.contains(&head.status)
        {
            let wanted = statuses.describe();
            let message = format!("expected status {wanted}, got {}", head.status);
            return Err(self.unmet(connection, message));
        }
        for (name, value) in &step.headers {
            let values: Vec<String> =
                head.headers.all(name).map(|header| header.value.to_text()).collect();
            let message = match value {
                None if values.is_empty() => continue,
                None => format!("expected no header field `{name}`, got {}", values.join(", ")),
                Some(value) => {
                    let wanted = self.filled(Expectation::new(value, &self.scope))?;
                    if values.iter().any(|value| wanted.fits_field(name, value)) {
                        continue;
                    }
                    let was = if values.is_empty() {
                        "there is none".to_owned()
                    } else {
                        format!("it is {}", values.join(", "))
                    };
                    format!(
                        "expected {}, but {was}",
                        wanted.describe(&format!("a header field `{name}`"))
                    )
                }
            };
            return Err(self.unmet(connection, message));
        }
        Ok(())
    }

    /// Whether the step expects a response that is not a stream: then rules must not judge it as one.
    fn expects_no_stream(&self, step: &Expect) -> Result<bool, Stop> {
        if step.status.as_ref().is_some_and(|statuses| !statuses.0.contains(&200)) {
            return Ok(true);
        }
        for (name, value) in &step.headers {
            let fits = match value {
                _ if !name.eq_ignore_ascii_case("content-type") => true,
                Some(value) => {
                    let wanted = self.filled(Expectation::new(value, &self.scope))?;
                    STREAMS.iter().any(|stream| wanted.fits_field(name, stream))
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
        sought: &ExpectedItem,
        step: &Expect,
        (left, within): (Duration, Duration),
    ) -> Result<(), Stop> {
        let count = step.count.map_or(1, |count| count.0);
        let mut passed = connection.passed;
        let before = *sought.passed(&mut passed);
        let mut search = Search::default();
        let waited = self
            .slot(connection)
            .wait(left, |snapshot| search.go_on(sought, snapshot.items, before, (count, step.next)))
            .await;
        if search.found == count {
            *sought.passed(&mut passed) = search.of_kind;
            self.passed(connection, passed);
            return Ok(());
        }
        let what = sought.describe();
        let time = match waited {
            Waited::Ended => "before the end".to_owned(),
            _ => format!("within {within:?}"),
        };
        let message = match (search.another, count) {
            (true, _) => format!("expected {what} next, but another came first"),
            (false, 1) => format!("expected {what}, but none came {time}"),
            (false, _) => {
                format!("expected {what} {count} times, but got {} {time}", search.found)
            }
        };
        Err(self.unmet_about(connection, message, sought.about()))
    }

    async fn expect_none(
        &mut self,
        connection: &Connection,
        sought: &ExpectedItem,
        time: Duration,
    ) -> Result<(), Stop> {
        let mut passed = connection.passed;
        let before = *sought.passed(&mut passed);
        let mut search = Search::default();
        self.slot(connection)
            .wait(time, |snapshot| search.go_on(sought, snapshot.items, before, (1, false)))
            .await;
        if search.found > 0 {
            let message = format!("expected none, but got {}", sought.describe());
            return Err(self.unmet_about(connection, message, sought.about()));
        }
        *sought.passed(&mut passed) = search.of_kind;
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
        self.slot(connection).wait(left, |snapshot| snapshot.ended).await;
        match self.look(connection.slot, |snapshot| {
            snapshot.ended.then(|| snapshot.exchange.end.how.clone())
        }) {
            Some(how) if fits(kind, &how) => Ok(()),
            Some(_) => {
                let message =
                    format!("expected an end {}, but the stream ended otherwise", words(kind));
                Err(self.unmet(connection, message))
            }
            None => {
                let message =
                    format!("expected the stream to end within {within:?}, but it is still open");
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
        self.slot(connection).wait(time, |snapshot| snapshot.ended).await;
        let ended = self.look(connection.slot, |snapshot| {
            snapshot.ended.then(|| snapshot.exchange.end.how.clone())
        });
        match ended {
            Some(how) if fits(kind, &how) => {
                let message = format!("expected the stream not to end within {time:?}, but it did");
                Err(self.unmet(connection, message))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the server ended the stream in this way; an end by the client never fits.
fn fits(kind: EndKind, how: &Ending) -> bool {
    match kind {
        EndKind::Any => how.is_servers(),
        EndKind::Complete => *how == Ending::Complete,
        EndKind::Truncated => matches!(how, Ending::Truncated | Ending::GoneAway(_)),
        EndKind::Reset => matches!(how, Ending::Reset | Ending::StreamReset(_)),
    }
}

fn words(kind: EndKind) -> &'static str {
    match kind {
        EndKind::Any => "by the server",
        EndKind::Complete => "with a complete response",
        EndKind::Truncated => "in the middle of the response",
        EndKind::Reset => "by a reset",
    }
}
