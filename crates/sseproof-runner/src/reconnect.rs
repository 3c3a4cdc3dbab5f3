//! The step `reconnect`.

use std::time::Duration;

use sseproof_files::model::{OnlyIf, Reconnect};
use sseproof_files::request;
use sseproof_http::Request;
use sseproof_record::{Follows, Reason};

use super::play::Stop;
use super::scenario_run::{Connection, ConnectionOptions, Consumed, ScenarioRun};
use super::steps::named;

/// The reconnection time if the server announced none. The standard leaves it to the client ("a few
/// seconds"); Chromium, and with it most clients of the web, waits 3 s.
const RECONNECTION_TIME: Duration = Duration::from_secs(3);
/// The longest announced time that a client waits here: a server may announce years.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The same for a probe: the response does not depend on the length of the pause.
const LONGEST_WAIT_OF_A_PROBE: Duration = Duration::from_secs(5);

impl ScenarioRun<'_> {
    pub(super) async fn reconnect(&mut self, step: &Reconnect) -> Result<(), Stop> {
        let old = self.named(step.from.as_ref());
        let role = step.role.map(|role| role.0);
        let name = named(step.name.as_ref(), role)
            .or_else(|| step.from.as_ref().map(|name| name.0.clone()))
            .unwrap_or_else(|| self.latest().to_owned());
        let Some(old) = old else {
            self.absent(&name);
            return Ok(());
        };
        let (ended, by_server, refused) = self.look(old.slot, |snapshot| {
            let exchange = snapshot.exchange;
            let refused = exchange.head.is_some() && !exchange.is_stream();
            (snapshot.ended, snapshot.stream_ended_by_server(), refused)
        });
        let id = self.id_to_send(step, &old)?;
        let left_out = match step.only_if {
            Some(OnlyIf::Ended) => !by_server,
            Some(OnlyIf::Refused) => !refused && !by_server,
            Some(OnlyIf::HasIds) => id.as_ref().is_none_or(String::is_empty),
            None => false,
        };
        if left_out {
            self.absent(&name);
            return Ok(());
        }
        if !ended {
            let message = format!(
                "`{}` is still open, and a client reconnects only after its connection has ended: \
                 drop it, or expect its end",
                old.name
            );
            return Err(self.unmet(&old, message));
        }
        let Some(id) = id else {
            let wanted = step.after_event.map_or(0, |count| count.0);
            let message =
                format!("the id of event {wanted} should be sent, but there is no such event");
            return Err(self.unmet(&old, message));
        };
        let (ended_at, announced) = self.look(old.slot, |snapshot| {
            (snapshot.exchange.end.at, snapshot.reconnection_time.or(old.reconnection_time))
        });
        let longest = if self.scenario.is_probe() { LONGEST_WAIT_OF_A_PROBE } else { LONGEST_WAIT };
        let pause = step.wait.map_or_else(
            || announced.map_or(RECONNECTION_TIME, Duration::from_millis).min(longest),
            |wait| wait.0,
        );
        if step.last_event_id.is_none() && id.chars().any(char::is_control) {
            let message = format!(
                "the client has to send the id {id:?}, but a header cannot contain a control \
                 character: the server must not send such an id (see the rule stream/id-header-safe)"
            );
            return Err(self.unmet(&old, message));
        }
        tokio::time::sleep((ended_at + pause).saturating_sub(self.client.now())).await;

        let request = self.request_to_send(step, &old, &id)?;
        let Some(request) = request::as_identity(step.identity, request, self.target) else {
            self.absent(&name);
            return Ok(());
        };
        let exchange = self.slot(&old).number();
        let follows = Some(Follows { exchange, reason: Reason::Reconnect });
        let connection = Connection {
            name,
            role,
            slot: 0,
            request,
            last_event_id: id,
            reconnection_time: announced,
            passed: Consumed::default(),
            via: old.via,
            published: old.published,
            options: ConnectionOptions { on: None, ..old.options },
            judged: old.judged && step.identity.is_none(),
        };
        self.dial(connection, follows, true, None).await
    }

    /// The id that the client sends; `None` if its event did not arrive.
    fn id_to_send(&self, step: &Reconnect, old: &Connection) -> Result<Option<String>, Stop> {
        if let Some(id) = &step.last_event_id {
            return self.filled(id.fill(&self.scope)).map(Some);
        }
        Ok(self.look(old.slot, |snapshot| match step.after_event {
            Some(count) => {
                snapshot.events().nth(count.0 - 1).map(|event| event.last_event_id.to_string())
            }
            None if snapshot.sets_id() => Some(snapshot.last_event_id.to_owned()),
            None => Some(old.last_event_id.clone()),
        }))
    }

    /// The request of the old connection, with the id. Like an `EventSource`, the client sends no
    /// empty id, unless the step sets it.
    fn request_to_send(
        &self,
        step: &Reconnect,
        old: &Connection,
        id: &str,
    ) -> Result<Request, Stop> {
        let mut request = old.request.clone();
        if id.is_empty() && step.last_event_id.is_none() {
            request.headers.remove("Last-Event-ID");
        } else {
            request.headers.set("Last-Event-ID", id);
        }
        self.filled(request::headers(&mut request, &step.headers, &self.scope))?;
        Ok(request)
    }
}
