//! The steps that open, read and close connections.

use std::time::Duration;

use sseproof_files::model::{
    At, Capture, Connect, Disconnect, Field, Http, Name, Observe, Publish, Read, Statuses,
};
use sseproof_files::{HookCall, excerpt, request};
use sseproof_http::{Request, Version};
use sseproof_net::{Leave, ReceiveBuffer, Redirect, Waited, redirect};
use sseproof_record::{Exchange, Follows, PublishOutcome, Published, Reason, Role, RunEventKind};
use sseproof_units::counted;

use super::evidence::About;
use super::expectation;
use super::expectation::EventExpectation;
use super::play::{COMMAND, Stop};
use super::scenario_run::{Connection, ConnectionOptions, Consumed, ScenarioRun};
use super::search::{ExpectedItem, Search};
use super::tracked::Snapshot;

/// The default time to wait.
pub(super) const WITHIN: Duration = Duration::from_secs(5);
/// After this silence a stream counts as one that stays open: longer than a rule requires.
const SILENT: Duration = Duration::from_secs(3);
/// The number of redirects that are followed: Fetch stops after twenty, most tools earlier.
const REDIRECTS: usize = 10;

impl ScenarioRun<'_> {
    pub(super) async fn connect(&mut self, step: &Connect) -> Result<(), Stop> {
        let request = self.filled(request::connect(step, self.target, &self.scope))?;
        let role = step.role.map(|role| role.0);
        let name = named(step.name.as_ref(), role).unwrap_or_else(|| "stream".to_owned());
        let asked =
            request.and_then(|request| request::as_identity(step.identity, request, self.target));
        let Some(mut request) = asked else {
            self.absent(&name);
            return Ok(());
        };
        if let Some(of) = &step.cookies_of {
            let earlier = self.named(Some(of));
            let cookies = earlier.and_then(|earlier| {
                self.look(earlier.slot, |snapshot| cookies(snapshot.exchange, &request))
            });
            let Some(cookies) = cookies else {
                self.absent(&name);
                return Ok(());
            };
            request.headers.set("Cookie", cookies);
        }
        // Probes about HTTP/1 are left out if the user allows only HTTP/2.
        let is_http1 = request.version == Version::Http10 || request.headers.has("connection");
        if self.scenario.is_probe() && is_http1 && self.client.insists_on_http2() {
            self.absent(&name);
            return Ok(());
        }
        // Only after an answer does a connection have another one.
        if self.scenario.is_probe()
            && step.keep
            && request.method == "HEAD"
            && self.is_mute_to_head()
        {
            self.absent(&name);
            return Ok(());
        }
        let last_event_id = request.last_event_id().map(|id| id.to_text()).unwrap_or_default();
        let Some(options) = self.options(step).await? else {
            self.absent(&name);
            return Ok(());
        };
        let connection = Connection {
            name,
            role,
            slot: 0,
            request,
            last_event_id,
            reconnection_time: None,
            passed: Consumed::default(),
            via: step.via,
            published: step.published,
            options,
            judged: !step.via && !step.published && step.identity.is_none(),
        };
        let within = step.within.map(|within| within.0);
        self.dial(connection, None, step.redirects.unwrap_or(true), within).await
    }

    /// The connection's options; `None` if it should share a connection that does not exist or
    /// carries only one stream at a time.
    async fn options(&mut self, step: &Connect) -> Result<Option<ConnectionOptions>, Stop> {
        let receive_buffer = if step.narrow { ReceiveBuffer::Small } else { ReceiveBuffer::Usual };
        let options = ConnectionOptions {
            exactly: step.http.is_some(),
            on: None,
            keep: step.keep,
            window: step.window,
            receive_buffer,
        };
        let Some(on) = &step.on else { return Ok(Some(options)) };
        let Some(shared) = self.named(Some(on)) else { return Ok(None) };
        let (version, ended) =
            self.look(shared.slot, |snapshot| (snapshot.exchange.request.version, snapshot.ended));
        if version.is_http1() && self.slot_at(shared.slot).keeps().await {
            return Ok(Some(ConnectionOptions { on: Some(shared.slot), ..options }));
        }
        let message = match version {
            Version::Http2 if !ended => {
                return Ok(Some(ConnectionOptions { on: Some(shared.slot), ..options }));
            }
            Version::Http2 => format!("the connection of `{}` has ended", shared.name),
            _ if ended => format!(
                "the connection of `{}` is not kept open: write `keep: true` in its step, and \
                 read its response to the end",
                shared.name
            ),
            _ => format!(
                "only HTTP/2 carries several streams on a connection, and `{}` does not use it: \
                 give --http 2, or check an https:// URL",
                shared.name
            ),
        };
        if self.scenario.is_probe() { Ok(None) } else { Err(self.unmet(&shared, message)) }
    }

    /// Sends the request of the connection, waits for the response headers, and follows redirects.
    pub(super) async fn dial(
        &mut self,
        mut connection: Connection,
        mut follows: Option<Follows>,
        redirects: bool,
        within: Option<Duration>,
    ) -> Result<(), Stop> {
        let limits = self.client.limits();
        // The client gives up earlier by itself, which ends the exchange.
        let patience = within.unwrap_or(limits.connect + limits.head + Duration::from_secs(1));
        let mut request = connection.request.clone();
        for followed in 0..=REDIRECTS {
            let index = self.open(
                &connection.name,
                request,
                follows,
                connection.judged,
                connection.options,
            )?;
            connection.slot = index;
            self.slot_at(index).plays(connection.role, connection.via);
            self.name(connection.clone(), true);
            self.wait_for_head(index, connection.published, patience).await?;
            self.reached(index)?;
            let next = self.look(index, |snapshot| redirect(snapshot.exchange));
            match next {
                Some(Redirect::To(next)) if redirects && followed < REDIRECTS => request = *next,
                Some(Redirect::To(_)) if redirects && !self.scenario.is_probe() => {
                    let message =
                        format!("redirect {}: at most {REDIRECTS} are followed", REDIRECTS + 1);
                    return Err(self.unmet(&connection, message));
                }
                _ => break,
            }
            self.leave(index, Leave::Fin).await;
            let exchange = self.slot_at(index).number();
            follows = Some(Follows { exchange, reason: Reason::Redirect });
        }
        let answered = self.look(connection.slot, |snapshot| snapshot.exchange.head.is_some());
        if answered || self.scenario.is_probe() {
            return Ok(());
        }
        Err(self.unmet(&connection, "no response"))
    }

    pub(super) async fn read(&mut self, step: &Read) -> Result<(), Stop> {
        let Some(connection) = self.named(step.from.as_ref()) else { return Ok(()) };
        let before = connection.passed.events;
        let within = step.within.map_or(WITHIN, |within| within.0);
        let waited = match (step.events, step.time) {
            (Some(count), _) => {
                let all = before + count.0;
                let slot = self.slot(&connection);
                slot.wait(within, |snapshot| snapshot.event_count >= all).await
            }
            (None, time) => {
                let time = time.map_or(within, |time| time.0);
                self.slot(&connection).wait(time, |_| false).await
            }
        };
        let came = self.look(connection.slot, |snapshot| snapshot.event_count);
        match (step.events, waited) {
            (Some(count), Waited::Reached) => {
                let events = before + count.0;
                self.passed(&connection, Consumed { events, ..connection.passed });
                Ok(())
            }
            (Some(count), waited) => {
                let why = match waited {
                    Waited::Ended => "before the end".to_owned(),
                    _ => format!("within {within:?}"),
                };
                let new = came.saturating_sub(before);
                let message =
                    format!("expected {}, but got {new} {why}", counted(count.0, "more event"));
                Err(self.unmet_about(&connection, message, About::Events))
            }
            (None, Waited::Ended) => {
                let time = step.time.map_or(within, |time| time.0);
                let message =
                    format!("expected the stream to stay open for {time:?}, but it ended");
                Err(self.unmet(&connection, message))
            }
            (None, _) => {
                self.passed(&connection, Consumed { events: came, ..connection.passed });
                Ok(())
            }
        }
    }

    pub(super) async fn observe(&mut self, step: &Observe) -> Result<(), Stop> {
        let Some(connection) = self.named(step.from.as_ref()) else { return Ok(()) };
        let within = step.within.map_or(WITHIN, |within| within.0);
        let wanted = step.events.map(|count| count.0);
        let event = match &step.event {
            Some(event) => Some(self.filled(EventExpectation::new(event, &self.scope))?),
            None => None,
        };
        let sought = event.map(|event| ExpectedItem::Event(Box::new(event)));
        let mut search = Search::default();
        let only_end = step.end || (wanted.is_none() && sought.is_none() && !step.head);
        let seen = |snapshot: &Snapshot<'_>| {
            !only_end
                && (!step.head || snapshot.exchange.head.is_some())
                && wanted.is_none_or(|wanted| snapshot.event_count >= wanted)
                && sought
                    .as_ref()
                    .is_none_or(|sought| search.go_on(sought, snapshot.items, 0, (1, false)))
        };
        if wanted.is_some() {
            return self.wait_fed(connection.slot, within, seen).await;
        }
        if only_end && self.scenario.is_probe() && !self.scenario.idle {
            self.wait_for_end(connection.slot, within).await;
        } else {
            self.slot(&connection).wait(within, seen).await;
        }
        Ok(())
    }

    /// Waits until the exchange ends. After a stream of this scenario that stayed open in silence, a
    /// short silence of another one shows as much.
    async fn wait_for_end(&mut self, index: usize, within: Duration) {
        let until = self.client.now() + within;
        loop {
            let last = self.look(index, last_byte);
            let rest = until.saturating_sub(self.client.now());
            let patience = if self.stays_open { SILENT.min(rest) } else { rest };
            let goes_on = |snapshot: &Snapshot<'_>| last_byte(snapshot) != last;
            match self.slot_at(index).wait(patience, goes_on).await {
                Waited::Ended => return,
                Waited::Reached => {}
                Waited::TimedOut => {
                    let silence = last.map(|last| self.client.now().saturating_sub(last));
                    self.stays_open |= silence >= Some(SILENT);
                    return;
                }
            }
        }
    }

    pub(super) async fn disconnect(&mut self, step: &Disconnect) -> Result<(), Stop> {
        let Some(connection) = self.named(step.from.as_ref()) else { return Ok(()) };
        let how = if step.reset { Leave::Reset } else { Leave::Fin };
        if step.reset {
            let (at, exchange) = (self.client.now(), self.slot(&connection).number());
            self.record_event(at, &connection.name, RunEventKind::LeftByReset { exchange });
        }
        self.unread(&connection);
        self.leave(connection.slot, how).await;
        Ok(())
    }

    pub(super) async fn http(&mut self, step: &Http) -> Result<(), Stop> {
        let request = self.filled(request::http(step, self.target, &self.scope))?;
        let within = step.within.map_or(WITHIN, |within| within.0);
        let name = step.name.as_ref().map_or("", |name| &name.0);
        self.ordinary(request, name, step.status.as_ref(), within).await
    }

    pub(super) async fn publish(&mut self, step: &Publish) -> Result<(), Stop> {
        let target = self.target;
        let hook = target.publish.as_ref().filter(|_| step.path.is_none());
        let data = self.filled(step.data.fill(&self.scope))?;
        let at = self.client.now();
        let act = match hook {
            Some(hook) => match self.filled(hook.call(target, &data))? {
                HookCall::Send(mut request) => {
                    self.filled(request::headers(&mut request, &step.headers, &self.scope))?;
                    HookCall::Send(request)
                }
                HookCall::Unsendable(why) => return Err(self.impossible(why)),
                run @ HookCall::Run(_) => run,
            },
            None => HookCall::Send(self.filled(request::publish(step, target, &self.scope))?),
        };
        let (of, done) = match act {
            HookCall::Send(request) => {
                let of = format!("{}: ", request.label());
                (of, self.ordinary(request, "", None, WITHIN).await)
            }
            HookCall::Run(command) => (String::new(), self.run(&command, COMMAND, 0).await),
            HookCall::Unsendable(why) => return Err(self.impossible(why)),
        };
        let outcome = match &done {
            Ok(()) => PublishOutcome::Accepted,
            Err(Stop::Step(failure)) => PublishOutcome::Failed(format!("{of}{}", failure.message)),
            Err(Stop::Run(_)) => return done,
        };
        let answered_us = u64::try_from(self.client.now().as_micros()).ok();
        let what = Published { outcome, ..Published::of(data) };
        self.record_event(at, "", RunEventKind::Published { what, answered_us });
        done
    }

    async fn ordinary(
        &mut self,
        request: Request,
        name: &str,
        statuses: Option<&Statuses>,
        within: Duration,
    ) -> Result<(), Stop> {
        let slot = self.open(name, request.clone(), None, false, ConnectionOptions::default())?;
        let connection = Connection {
            name: name.to_owned(),
            role: None,
            slot,
            request,
            last_event_id: String::new(),
            reconnection_time: None,
            passed: Consumed::default(),
            via: false,
            published: false,
            options: ConnectionOptions::default(),
            judged: false,
        };
        if !name.is_empty() {
            self.name(connection.clone(), false);
        }
        let waited = self.slot_at(slot).wait(within, |_| false).await;
        self.reached(slot)?;
        let (status, whole) = self.look(slot, |snapshot| {
            (
                snapshot.exchange.status(),
                snapshot.exchange.end.how == sseproof_record::Ending::Complete,
            )
        });
        let Some(status) = status else {
            return Err(self.unmet(&connection, "no response"));
        };
        let fits = match statuses {
            Some(statuses) => statuses.0.contains(&status),
            None => (200..300).contains(&status),
        };
        if !fits {
            let wanted = statuses.map_or_else(|| "200 to 299".to_owned(), Statuses::describe);
            let message = format!("expected status {wanted}, got {status}");
            return Err(self.unmet(&connection, message));
        }
        if waited != Waited::TimedOut && !whole {
            return Err(self.unmet(&connection, "the response is cut off"));
        }
        if !whole {
            let message = format!("the response is not complete within {within:?}");
            return Err(self.unmet(&connection, message));
        }
        self.leave(slot, Leave::Fin).await;
        Ok(())
    }

    pub(super) fn capture(&mut self, step: &Capture) -> Result<(), Stop> {
        let Some(connection) = self.named(step.from.as_ref()) else { return Ok(()) };
        let text = self.look(connection.slot, |snapshot| {
            if let Some(name) = &step.header {
                let head = snapshot.exchange.head.as_ref();
                return head.and_then(|head| head.headers.first(name)).ok_or_else(|| {
                    format!("the response has no header field `{name}` to capture")
                });
            }
            if !snapshot.exchange.is_stream() {
                return Ok(String::from_utf8_lossy(&snapshot.exchange.body_bytes()).into_owned());
            }
            let last = connection.passed.events.checked_sub(1);
            let event = last
                .and_then(|last| snapshot.events().nth(last))
                .ok_or_else(|| "no event to capture from: read or expect one before".to_owned())?;
            Ok(match step.field.unwrap_or(Field::Data) {
                Field::Data => event.data.to_string(),
                Field::Id => event.last_event_id.to_string(),
                Field::Type => event.event_type.to_string(),
            })
        });
        let mut text = text.map_err(|message| self.unmet(&connection, message))?;
        if let Some(query) = &step.path {
            let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            let found = json
                .as_ref()
                .and_then(|json| query.path.query(json).first().map(expectation::spelled));
            let message = || format!("`{}` selects nothing in {}", query.text, excerpt(&text));
            text = found.ok_or_else(|| self.unmet(&connection, message()))?;
        }
        if let Some(regex) = &step.regex {
            let regex = self.filled(regex.fill(&self.scope))?;
            let found = regex.captures(&text).and_then(|groups| groups.get(1).or(groups.get(0)));
            let found = found.map(|group| group.as_str().to_owned());
            let message = || format!("/{regex}/ matches nothing in {}", excerpt(&text));
            text = found.ok_or_else(|| self.unmet(&connection, message()))?;
        }
        self.scope.values.insert(step.into.0.clone(), text);
        Ok(())
    }
}

/// The name of a connection: its own, or that of its role.
pub(super) fn named(name: Option<&At<Name>>, role: Option<Role>) -> Option<String> {
    name.map(|name| name.0.clone()).or_else(|| role.map(|role| role.to_string()))
}

/// When the last bytes of a stream came.
fn last_byte(snapshot: &Snapshot<'_>) -> Option<Duration> {
    let body = Some(&snapshot.exchange.body).filter(|_| snapshot.exchange.is_stream());
    body?.last().map(|chunk| chunk.at)
}

/// The `Cookie` field of a request that a browser sends after this exchange: its own cookies, and
/// those that the response set for this path; `None` if the response set none.
fn cookies(earlier: &Exchange, request: &Request) -> Option<String> {
    let head = earlier.head.as_ref()?;
    let mut kept: Vec<String> = Vec::new();
    for line in head.headers.all("set-cookie") {
        let line = line.value.to_text();
        let mut parts = line.split(';').map(str::trim);
        let pair = parts.next().filter(|pair| pair.contains('='))?;
        let attributes: Vec<_> =
            parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
        let value = |name: &str| {
            attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| *v)
        };
        let is_for_path = value("path").is_none_or(|path| {
            let path = path.trim_end_matches('/');
            request
                .path()
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let is_sent = value("secure").is_none() || request.url.starts_with("https:");
        let is_over = value("max-age").is_some_and(|age| age.starts_with(['0', '-']));
        if is_for_path && is_sent && !is_over {
            kept.push(pair.to_owned());
        }
    }
    if kept.is_empty() {
        return None;
    }
    let own = request.headers.first("cookie").map(|own| own.to_string());
    Some(own.into_iter().chain(kept).collect::<Vec<_>>().join("; "))
}
