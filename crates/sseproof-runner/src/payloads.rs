//! Publishes every dangerous payload, and notes each at the stream.
//!
//! Each payload is published between two sentinels, harmless events that no server changes: the
//! items between them are the payload's result, also if there are none.
//! If each publication is answered with a stream of its own, that has the result, and a sentinel
//! before them shows what such an answer looks like.
//! Random payloads follow; the first that arrives changed is shrunk to the smallest that still does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use sseproof_codec::{Event, Item};
use sseproof_files::PublishHook;
use sseproof_files::model::{Connect, Payloads};
use sseproof_net::{Leave, Waited};
use sseproof_record::{Chunk, Exchange, PLAIN, Part, PublishOutcome, Published, RunEventKind};
use tokio::time::sleep;

use super::dangerous::{long, payloads};
use super::generated;
use super::play::Stop;
use super::scenario_run::ScenarioRun;
use super::tracked::Snapshot;

/// The default time to wait for a sentinel.
const SENTINEL: Duration = Duration::from_secs(2);
/// How long to wait for a payload before the sentinel after it is sent: a server with several
/// workers may otherwise send them in the other order.
const SETTLE: Duration = Duration::from_millis(500);
/// How often a sentinel is published: a new subscriber may miss events that come soon after its
/// response headers.
const ATTEMPTS: usize = 2;
/// After this many missed sentinels the probe gives up, so that its time is bounded.
const MISSED: usize = 4;
/// After the server has ended the stream this often over a payload, the probe gives up.
const ENDED: usize = 30;
/// After this time no further payload is begun. It suffices for 100 ms per payload; the most
/// dangerous come first.
const TIME: Duration = Duration::from_secs(30);
/// The number of generated payloads, and the time limit for them.
const GENERATED: usize = 40;
const GENERATED_TIME: Duration = Duration::from_secs(6);
/// The number of smaller payloads tried if one breaks a rule, and the time limit for them.
const STEPS: usize = 60;
const SHRINKING_TIME: Duration = Duration::from_secs(10);

struct PayloadState<'r> {
    hook: &'r PublishHook,
    within: Duration,
    /// Distinguishes the sentinels of this run from those of others.
    mark: u32,
    /// The number of sentinels and carriers published.
    count: usize,
    subscriber: usize,
    /// The number of items of the subscriber before the last payload.
    before: usize,
    /// Whether the answers to publications, which are the streams, do not end.
    is_endless: bool,
    /// The last sentinel that arrived, unless an event was lost since.
    opening: Option<Opening>,
    /// The number of sentinels that did not arrive, though the stream was open.
    missed: usize,
    /// The number of payloads after which the server ended the stream.
    ended: usize,
}

#[derive(Clone, Copy)]
struct Opening {
    /// Its index among the events published to the stream; if the answers are the streams, that of
    /// its exchange.
    index: usize,
    /// The offset of its event in the body.
    offset: u64,
}

enum PayloadOutcome {
    /// The rule that it breaks, if any.
    Judged(Option<&'static str>),
    /// The sentinel after it did not arrive.
    Lost,
    /// It was not published, because sentinels do not arrive.
    NotTried,
}

impl ScenarioRun<'_> {
    pub(super) async fn payloads(&mut self, step: &Payloads) -> Result<(), Stop> {
        let hook = self.publish_hook()?;
        let mut state = PayloadState {
            hook,
            within: step.within.map_or(SENTINEL, |within| within.0),
            mark: mark(),
            count: 0,
            subscriber: if hook.answers { 0 } else { self.subscriber().await? },
            before: 0,
            is_endless: false,
            opening: None,
            missed: 0,
            ended: 0,
        };
        if step.long {
            for payload in long() {
                let payload = named(&payload.name, Published::of(payload.text()));
                if matches!(self.try_payload(&mut state, payload).await?, PayloadOutcome::NotTried)
                {
                    break;
                }
            }
        } else {
            let known = self.dangerous(&mut state).await?;
            self.generated(&mut state, known.as_ref()).await?;
        }
        if !hook.answers {
            self.leave(state.subscriber, Leave::Fin).await;
        }
        Ok(())
    }

    /// Publishes the known dangerous payloads. Returns the characters whose effect is then known, or
    /// `None` if more payloads are of no use.
    async fn dangerous(
        &mut self,
        state: &mut PayloadState<'_>,
    ) -> Result<Option<BTreeSet<char>>, Stop> {
        let end = self.client.now() + TIME;
        let mut all: Vec<_> = Part::ALL
            .into_iter()
            .filter(|part| state.hook.offers(*part))
            .flat_map(|part| payloads(part).iter().map(move |payload| (part, payload)))
            .collect();
        let is_plain = |part: Part, text: &str| part != Part::Data && text == PLAIN;
        all.sort_by_key(|(part, payload)| (!is_plain(*part, &payload.text()), !payload.forges()));
        let mut known = BTreeSet::new();
        let mut lost_parts = BTreeSet::new();
        for (place, (part, payload)) in all.iter().copied().enumerate() {
            if lost_parts.contains(&part) {
                continue;
            }
            let text = payload.text();
            let odd: BTreeSet<char> =
                text.chars().filter(|char| !char.is_ascii_alphanumeric()).collect();
            let meant = self.meant(state, part, text.clone());
            let came = self.try_payload(state, named(&payload.name, meant)).await?;
            if is_plain(part, &text) && !self.plain_came(state, part) {
                lost_parts.insert(part);
            }
            let is_whole = matches!(came, PayloadOutcome::Judged(None)) && self.was_accepted(state);
            if part == Part::Data && !is_whole && odd.len() == 1 {
                known.extend(odd);
            }
            let (tried, why) = match came {
                PayloadOutcome::NotTried => {
                    (place, "published events no longer arrive in the stream".to_owned())
                }
                _ if self.client.now() < end => continue,
                _ => (place + 1, format!("the time limit of {} s was reached", TIME.as_secs())),
            };
            if tried < all.len() {
                let parts: Vec<Part> = all.iter().map(|(part, _)| *part).collect();
                self.left_out(&parts, tried, &why);
            }
            return Ok(None);
        }
        Ok(Some(known))
    }

    /// Records how many payloads of each part were not tried.
    fn left_out(&mut self, all: &[Part], tried: usize, why: &str) {
        let at = self.client.now();
        for part in Part::ALL {
            let count = |parts: &[Part]| parts.iter().filter(|one| **one == part).count();
            let (tried, of_all) = (count(&all[..tried]), count(all));
            if tried < of_all {
                self.record_event(
                    at,
                    "",
                    RunEventKind::LeftOut { part, tried, of_all, why: why.to_owned() },
                );
            }
        }
    }

    /// Publishes generated payloads until one breaks a rule, and then smaller ones.
    async fn generated(
        &mut self,
        state: &mut PayloadState<'_>,
        known: Option<&BTreeSet<char>>,
    ) -> Result<(), Stop> {
        let Some(known) = known else { return Ok(()) };
        let end = self.client.now() + GENERATED_TIME;
        for tree in generated::payloads(self.target.seed, known, GENERATED) {
            if self.client.now() >= end {
                break;
            }
            let payload = self.random(tree.current());
            match self.try_payload(state, payload).await? {
                PayloadOutcome::Judged(None) => {}
                PayloadOutcome::Judged(Some(rule)) => return self.shrink(state, tree, rule).await,
                PayloadOutcome::Lost | PayloadOutcome::NotTried => break,
            }
        }
        Ok(())
    }

    async fn shrink(
        &mut self,
        state: &mut PayloadState<'_>,
        mut tree: generated::Shrinking,
        rule: &'static str,
    ) -> Result<(), Stop> {
        let end = self.client.now() + SHRINKING_TIME;
        let mut tried = BTreeMap::from([(tree.current(), true)]);
        let mut goes_on = tree.simplify();
        while goes_on && tried.len() <= STEPS && self.client.now() < end {
            let text = tree.current();
            let breaks = match tried.get(&text) {
                Some(breaks) => *breaks,
                None => {
                    let payload = self.random(text.clone());
                    let breaks = match self.try_payload(state, payload).await? {
                        PayloadOutcome::Judged(broken) => broken == Some(rule),
                        PayloadOutcome::Lost | PayloadOutcome::NotTried => break,
                    };
                    tried.insert(text, breaks);
                    breaks
                }
            };
            goes_on = if breaks { tree.simplify() } else { tree.complicate() };
        }
        Ok(())
    }

    fn random(&self, text: String) -> Published {
        Published { seed: Some(self.target.seed), ..named("a random payload", Published::of(text)) }
    }

    /// An event with this text as that part. If the part is not the data, the data identifies the
    /// event (a carrier).
    fn meant(&self, state: &mut PayloadState<'_>, part: Part, text: String) -> Published {
        if part == Part::Data {
            return Published::of(text);
        }
        state.count += 1;
        let data = format!("sseproof-carrier-{:08x}-{}.", state.mark, state.count);
        let carrier = Published::of(data);
        match part {
            Part::Data => carrier,
            Part::Event => Published { event: Some(text), ..carrier },
            Part::Id => Published { id: Some(text), ..carrier },
            Part::Comment => Published { comment: Some(text), ..carrier },
        }
    }

    async fn try_payload(
        &mut self,
        state: &mut PayloadState<'_>,
        payload: Published,
    ) -> Result<PayloadOutcome, Stop> {
        if state.hook.answers {
            return self.try_answer(state, payload).await;
        }
        if state.opening.is_none() {
            if self.look(state.subscriber, |snapshot| snapshot.ended) {
                state.subscriber = self.subscriber().await?;
            }
            self.sentinel(state).await?;
        }
        let Some(opening) = state.opening.filter(|_| state.missed < MISSED && state.ended < ENDED)
        else {
            return Ok(PayloadOutcome::NotTried);
        };
        state.before = self.look(state.subscriber, |snapshot| snapshot.items.len());
        let is_comment = payload.part() == Part::Comment;
        let before = self.look(state.subscriber, |snapshot| items(snapshot, is_comment));
        let mut outcome = self.emit(state.hook, &payload).await?;
        if !self.is_settled(state, &outcome, is_comment, before).await {
            outcome = self.emit(state.hook, &payload).await?;
            self.is_settled(state, &outcome, is_comment, before).await;
        }
        self.slot_at(state.subscriber).published(Published { outcome, ..payload });
        self.sentinel(state).await?;
        if state.opening.is_none() {
            let over = self.look(state.subscriber, |snapshot| snapshot.ended);
            *(if over { &mut state.ended } else { &mut state.missed }) += 1;
            return Ok(PayloadOutcome::Lost);
        }
        let exchange = self.since(state.subscriber, opening);
        Ok(PayloadOutcome::Judged(sseproof_rules::broken_by(vec![exchange])))
    }

    /// The same, where the answer to the publication is the stream. A sentinel comes before the
    /// first payload, and after each that has no answer: it shows what an answer looks like.
    async fn try_answer(
        &mut self,
        state: &mut PayloadState<'_>,
        payload: Published,
    ) -> Result<PayloadOutcome, Stop> {
        for _ in 0..ATTEMPTS {
            if state.opening.is_some() {
                break;
            }
            let sentinel = sentinel(state);
            let text = sentinel.data.clone();
            let outcome = self.answer(state, &sentinel).await?;
            self.note(state, sentinel, &outcome);
            let (came, ended) = self.look(state.subscriber, |snapshot| {
                (snapshot.events().any(|event| event.data.contains(&text)), snapshot.ended)
            });
            state.is_endless = came && !ended;
            state.opening = came.then_some(Opening { index: state.subscriber, offset: 0 });
            self.leave(state.subscriber, Leave::Fin).await;
        }
        let Some(opening) = state.opening.filter(|_| state.missed < MISSED) else {
            return Ok(PayloadOutcome::NotTried);
        };
        let mut outcome = self.answer(state, &payload).await?;
        if !self.is_answer_settled(state, &outcome, opening, &payload).await {
            self.leave(state.subscriber, Leave::Fin).await;
            outcome = self.answer(state, &payload).await?;
        }
        self.note(state, payload, &outcome);
        if matches!(outcome, PublishOutcome::Unsendable(_)) {
            return Ok(PayloadOutcome::Judged(None));
        }
        self.leave(state.subscriber, Leave::Fin).await;
        if matches!(outcome, PublishOutcome::Unanswered(_)) {
            state.opening = None;
            state.missed += 1;
        }
        let exchanges = [opening.index, state.subscriber]
            .map(|index| self.look(index, |snapshot| snapshot.exchange.clone()));
        Ok(PayloadOutcome::Judged(sseproof_rules::broken_by(exchanges.to_vec())))
    }

    /// Publishes, and reads the answer, which is the subscriber from then on.
    async fn answer(
        &mut self,
        state: &mut PayloadState<'_>,
        meant: &Published,
    ) -> Result<PublishOutcome, Stop> {
        let (index, outcome) = self.ask(state.hook, meant, state.within, state.is_endless).await?;
        state.before = 0;
        match (index, &outcome, state.opening) {
            (Some(index), ..) => state.subscriber = index,
            (None, _, Some(_)) => {}
            (None, outcome, None) => {
                return Err(self.impossible(format!(
                    "nothing can be published: {}",
                    outcome.said().unwrap_or("only a request has an answer")
                )));
            }
        }
        Ok(outcome)
    }

    /// Notes a publication at its answer; one that cannot be sent is noted at the answer before it.
    fn note(&mut self, state: &PayloadState<'_>, meant: Published, outcome: &PublishOutcome) {
        let published = Published { outcome: outcome.clone(), ..meant };
        self.slot_at(state.subscriber).published(published);
    }

    /// The same as [`Self::is_settled`], of an answer, which has at least the items of the answer to a
    /// sentinel.
    async fn is_answer_settled(
        &mut self,
        state: &PayloadState<'_>,
        outcome: &PublishOutcome,
        opening: Opening,
        payload: &Published,
    ) -> bool {
        let is_comment = payload.part() == Part::Comment;
        let count = |index| self.look(index, |snapshot| items(snapshot, is_comment));
        match outcome {
            PublishOutcome::Accepted => count(state.subscriber) >= count(opening.index).max(1),
            PublishOutcome::Failed(_) | PublishOutcome::Unanswered(_) => {
                sleep(SETTLE).await;
                false
            }
            _ => true,
        }
    }

    /// Whether it is known what the server makes of the payload. It may fail or lose it by chance, as
    /// a busy server does with any text: then the payload is published once more, when nothing else
    /// is under way.
    async fn is_settled(
        &mut self,
        state: &PayloadState<'_>,
        outcome: &PublishOutcome,
        is_comment: bool,
        before: usize,
    ) -> bool {
        match outcome {
            PublishOutcome::Accepted => {
                let slot = self.slot_at(state.subscriber);
                let came = |snapshot: &Snapshot<'_>| items(snapshot, is_comment) > before;
                slot.wait(SETTLE, came).await != Waited::TimedOut
            }
            PublishOutcome::Failed(_) | PublishOutcome::Unanswered(_) => {
                sleep(SETTLE).await;
                false
            }
            _ => true,
        }
    }

    fn since(&mut self, subscriber: usize, opening: Opening) -> Exchange {
        let published = self.slot_at(subscriber).all_published()[opening.index..].to_vec();
        self.look(subscriber, |snapshot| {
            let offset = usize::try_from(opening.offset).unwrap_or(usize::MAX);
            let bytes: Vec<u8> = snapshot.exchange.body_bytes().into_iter().skip(offset).collect();
            let chunk = Chunk { at: snapshot.exchange.started, bytes: bytes.into() };
            let request = snapshot.exchange.request.clone();
            Exchange {
                body: vec![chunk],
                published,
                ..Exchange::begun(1, request, snapshot.exchange.started)
            }
        })
    }

    /// Opens the stream that carries the published events. Other rules do not judge it, since its
    /// content is the probe's.
    async fn subscriber(&mut self) -> Result<usize, Stop> {
        let connect = Connect { published: true, ..Connect::default() };
        self.connect(&connect).await?;
        Ok(self.named(None).map_or(0, |connection| connection.slot))
    }

    /// Whether the plain text arrived as this part, perhaps inside a longer text.
    fn plain_came(&self, state: &PayloadState<'_>, part: Part) -> bool {
        self.look(state.subscriber, |snapshot| {
            snapshot.items.iter().skip(state.before).any(|(_, item)| match (item, part) {
                (Item::Event(event), Part::Event) => event.event_type.contains(PLAIN),
                (Item::Event(event), Part::Id) => event.last_event_id.contains(PLAIN),
                (Item::Comment(comment), Part::Comment) => comment.text.contains(PLAIN),
                _ => false,
            })
        })
    }

    fn was_accepted(&mut self, state: &PayloadState<'_>) -> bool {
        let published = self.slot_at(state.subscriber).all_published();
        let last = published.iter().rev().find(|one| one.payload.is_some());
        last.is_some_and(|one| one.outcome == PublishOutcome::Accepted)
    }

    /// Publishes a sentinel and waits for it. If it arrives, it is the opening of the next payload.
    async fn sentinel(&mut self, state: &mut PayloadState<'_>) -> Result<(), Stop> {
        state.opening = None;
        for _ in 0..ATTEMPTS {
            let sentinel = sentinel(state);
            let text = sentinel.data.clone();
            let before = self.look(state.subscriber, |snapshot| snapshot.event_count);
            if !self.put(state, sentinel).await? {
                return Ok(());
            }
            let came = |event: &&Event<'_>| event.data.contains(&text);
            let slot = self.slot_at(state.subscriber);
            slot.wait(state.within, |snapshot| {
                snapshot.events().skip(before).any(|one| came(&one))
            })
            .await;
            let index = slot.all_published().len() - 1;
            state.opening = self.look(state.subscriber, |snapshot| {
                let event = snapshot.events().skip(before).find(came)?;
                Some(Opening { index, offset: event.span.start })
            });
            if state.opening.is_some() || self.look(state.subscriber, |snapshot| snapshot.ended) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn put(&mut self, state: &PayloadState<'_>, meant: Published) -> Result<bool, Stop> {
        let outcome = self.emit(state.hook, &meant).await?;
        let accepted = outcome == PublishOutcome::Accepted;
        self.slot_at(state.subscriber).published(Published { outcome, ..meant });
        Ok(accepted)
    }
}

/// The next sentinel.
fn sentinel(state: &mut PayloadState<'_>) -> Published {
    state.count += 1;
    Published::of(format!("sseproof-sentinel-{:08x}-{}.", state.mark, state.count))
}

fn items(snapshot: &Snapshot<'_>, comments: bool) -> usize {
    let counts = |item: &Item<'_>| match item {
        Item::Event(_) => !comments,
        Item::Comment(_) => comments,
        _ => false,
    };
    snapshot.items.iter().filter(|(_, item)| counts(item)).count()
}

fn named(name: &str, payload: Published) -> Published {
    Published { payload: Some(name.to_owned()), ..payload }
}

/// A number that distinguishes the texts of this run from those of another.
pub(super) fn mark() -> u32 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos())
}
