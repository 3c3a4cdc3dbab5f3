//! Publishes every dangerous payload, and keeps beside the stream what was meant.
//!
//! Each payload stands between two sentinels, events of its own that no server has a reason to
//! change: what comes between them is what became of the payload, also where nothing came.
//! Behind those that are known to be dangerous come generated ones; the first that comes back as
//! something else is shrunk, publication by publication, to the smallest that still does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use sseproof_codec::{Event, Item};
use sseproof_files::PublishHook;
use sseproof_files::model::{Connect, Payloads};
use sseproof_net::Leave;
use sseproof_record::{Chunk, Exchange, PLAIN, Part, PublishOutcome, Published, RunEventKind};

use super::dangerous::{LONG, payloads};
use super::generated;
use super::play::Stop;
use super::scenario_run::ScenarioRun;
use super::tracked::Snapshot;

/// How long to wait for a sentinel if nothing is said.
const SENTINEL: Duration = Duration::from_secs(2);
/// How long to wait for a payload before the sentinel behind it is sent: a server with several
/// workers may otherwise send them in the other order.
const SETTLE: Duration = Duration::from_millis(500);
/// How often a sentinel is published: a subscriber may hear only what comes some time after its
/// head.
const ATTEMPTS: usize = 2;
/// How many sentinels may be missed before the probe gives up, so that it ends in a bounded time.
const MISSED: usize = 4;
/// How often the server may end the stream over a payload before the probe gives up.
const ENDED: usize = 30;
/// Behind this time no further payload is begun. A server that takes 100 ms for each is done long
/// before; the most dangerous come first.
const TIME: Duration = Duration::from_secs(30);
/// How many payloads are generated, and for how long.
const GENERATED: usize = 40;
const GENERATED_TIME: Duration = Duration::from_secs(6);
/// How many smaller ones are tried where one breaks, and for how long.
const STEPS: usize = 60;
const SHRINKING_TIME: Duration = Duration::from_secs(10);

/// What a step has come to.
struct Course<'r> {
    hook: &'r PublishHook,
    within: Duration,
    /// What sentinels of this run have and others have not.
    mark: u32,
    /// How many sentinels and carriers there were.
    count: usize,
    subscriber: usize,
    /// The last sentinel that came, where nothing was lost since.
    opening: Option<Opening>,
    /// How many sentinels did not come, though the stream was open.
    missed: usize,
    /// How many payloads the server ended the stream over.
    ended: usize,
}

/// A sentinel that came.
#[derive(Clone, Copy)]
struct Opening {
    /// Its place among what was published to the stream.
    index: usize,
    /// Where its event begins in the body.
    offset: u64,
}

/// What came of one payload.
enum Came {
    /// The rule that it breaks, where it does.
    Judged(Option<&'static str>),
    /// The sentinel behind it did not come.
    Lost,
    /// It was not published: sentinels do not come.
    Never,
}

impl ScenarioRun<'_> {
    pub(super) async fn payloads(&mut self, step: &Payloads) -> Result<(), Stop> {
        let target = self.target;
        let Some(hook) = &target.publish else {
            return Err(self.impossible(
                "the target does not say how to publish: add `publish:` to the target file, or \
                 give --publish 'POST /publish'",
            ));
        };
        let mut course = Course {
            hook,
            within: step.within.map_or(SENTINEL, |within| within.0),
            mark: mark(),
            count: 0,
            subscriber: self.subscriber().await?,
            opening: None,
            missed: 0,
            ended: 0,
        };
        if step.long {
            for payload in LONG {
                let payload = named(payload.name, Published::of(payload.text()));
                if matches!(self.try_payload(&mut course, payload).await?, Came::Never) {
                    break;
                }
            }
        } else {
            let known = self.dangerous(&mut course).await?;
            self.generated(&mut course, known.as_ref()).await?;
        }
        self.leave(course.subscriber, Leave::Fin).await;
        Ok(())
    }

    /// Publishes those that are known to be dangerous. Gives the characters whose fate is known by
    /// then, or nothing where there is no use in going on.
    async fn dangerous(&mut self, course: &mut Course<'_>) -> Result<Option<BTreeSet<char>>, Stop> {
        let end = self.client.now() + TIME;
        let mut all: Vec<_> = Part::ALL
            .into_iter()
            .filter(|part| course.hook.offers(*part))
            .flat_map(|part| payloads(part).iter().map(move |payload| (part, payload)))
            .collect();
        let is_plain = |part: Part, text: &str| part != Part::Data && text == PLAIN;
        all.sort_by_key(|(part, payload)| (!is_plain(*part, &payload.text()), !payload.forges()));
        let mut known = BTreeSet::new();
        let mut unheard = BTreeSet::new();
        for (place, (part, payload)) in all.iter().copied().enumerate() {
            if unheard.contains(&part) {
                continue;
            }
            let text = payload.text();
            let odd: BTreeSet<char> =
                text.chars().filter(|char| !char.is_ascii_alphanumeric()).collect();
            let meant = self.meant(course, part, text.clone());
            let before = self.items(course);
            let came = self.try_payload(course, named(payload.name, meant)).await?;
            if is_plain(part, &text) && !self.plain_came(course, part, before) {
                unheard.insert(part);
            }
            let is_whole = matches!(came, Came::Judged(None)) && self.was_taken(course);
            if part == Part::Data && !is_whole && odd.len() == 1 {
                known.extend(odd);
            }
            let (tried, why) = match came {
                Came::Never => (place, "what is published comes to the stream no more".to_owned()),
                _ if self.client.now() < end => continue,
                _ => (place + 1, format!("the time for it, {} s, was up", TIME.as_secs())),
            };
            if tried < all.len() {
                let parts: Vec<Part> = all.iter().map(|(part, _)| *part).collect();
                self.left_out(&parts, tried, &why);
            }
            return Ok(None);
        }
        Ok(Some(known))
    }

    /// Keeps how many payloads in each part were not tried, of those in their order.
    fn left_out(&mut self, all: &[Part], tried: usize, why: &str) {
        let at = self.client.now();
        for part in Part::ALL {
            let count = |parts: &[Part]| parts.iter().filter(|one| **one == part).count();
            let (tried, of_all) = (count(&all[..tried]), count(all));
            if tried < of_all {
                self.happened(
                    at,
                    "",
                    RunEventKind::LeftOut { part, tried, of_all, why: why.to_owned() },
                );
            }
        }
    }

    /// Publishes generated ones until one breaks a rule, and then smaller ones.
    async fn generated(
        &mut self,
        course: &mut Course<'_>,
        known: Option<&BTreeSet<char>>,
    ) -> Result<(), Stop> {
        let Some(known) = known else { return Ok(()) };
        let end = self.client.now() + GENERATED_TIME;
        for tree in generated::payloads(self.target.seed, known, GENERATED) {
            if self.client.now() >= end {
                break;
            }
            let payload = self.by_chance(tree.current());
            match self.try_payload(course, payload).await? {
                Came::Judged(None) => {}
                Came::Judged(Some(rule)) => return self.shrink(course, tree, rule).await,
                Came::Lost | Came::Never => break,
            }
        }
        Ok(())
    }

    async fn shrink(
        &mut self,
        course: &mut Course<'_>,
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
                    let payload = self.by_chance(text.clone());
                    let breaks = match self.try_payload(course, payload).await? {
                        Came::Judged(broken) => broken == Some(rule),
                        Came::Lost | Came::Never => break,
                    };
                    tried.insert(text, breaks);
                    breaks
                }
            };
            goes_on = if breaks { tree.simplify() } else { tree.complicate() };
        }
        Ok(())
    }

    fn by_chance(&self, text: String) -> Published {
        Published { seed: Some(self.target.seed), ..named("what chance made", Published::of(text)) }
    }

    /// A publication with this text as that part; what is not data is carried by an event that is
    /// known by its data.
    fn meant(&self, course: &mut Course<'_>, part: Part, text: String) -> Published {
        if part == Part::Data {
            return Published::of(text);
        }
        course.count += 1;
        let data = format!("sseproof-carrier-{:08x}-{}.", course.mark, course.count);
        let carrier = Published::of(data);
        match part {
            Part::Data => carrier,
            Part::Event => Published { event: Some(text), ..carrier },
            Part::Id => Published { id: Some(text), ..carrier },
            Part::Comment => Published { comment: Some(text), ..carrier },
        }
    }

    /// Publishes one payload between two sentinels.
    async fn try_payload(
        &mut self,
        course: &mut Course<'_>,
        payload: Published,
    ) -> Result<Came, Stop> {
        if course.opening.is_none() {
            if self.look(course.subscriber, |sight| sight.ended) {
                course.subscriber = self.subscriber().await?;
            }
            self.sentinel(course).await?;
        }
        let Some(opening) =
            course.opening.filter(|_| course.missed < MISSED && course.ended < ENDED)
        else {
            return Ok(Came::Never);
        };
        let is_comment = payload.part() == Part::Comment;
        let before = self.look(course.subscriber, |sight| items(sight, is_comment));
        if self.put(course, payload).await? {
            let slot = self.slot_at(course.subscriber);
            slot.wait(SETTLE, |sight| items(sight, is_comment) > before).await;
        }
        self.sentinel(course).await?;
        if course.opening.is_none() {
            let over = self.look(course.subscriber, |sight| sight.ended);
            *(if over { &mut course.ended } else { &mut course.missed }) += 1;
            return Ok(Came::Lost);
        }
        let exchange = self.since(course.subscriber, opening);
        Ok(Came::Judged(sseproof_rules::broken_by(exchange)))
    }

    /// The exchange from this sentinel on.
    fn since(&mut self, subscriber: usize, opening: Opening) -> Exchange {
        let published = self.slot_at(subscriber).all_published()[opening.index..].to_vec();
        self.look(subscriber, |sight| {
            let offset = usize::try_from(opening.offset).unwrap_or(usize::MAX);
            let bytes: Vec<u8> = sight.exchange.body_bytes().into_iter().skip(offset).collect();
            let chunk = Chunk { at: sight.exchange.started, bytes: bytes.into() };
            let request = sight.exchange.request.clone();
            Exchange {
                body: vec![chunk],
                published,
                ..Exchange::begun(1, request, sight.exchange.started)
            }
        })
    }

    /// Opens the stream that carries what is published. The other rules do not judge it: what
    /// stands in it is what we put there.
    async fn subscriber(&mut self) -> Result<usize, Stop> {
        let connect = Connect { published: true, ..Connect::default() };
        self.connect(&connect).await?;
        Ok(self.named(None).map_or(0, |connection| connection.slot))
    }

    fn items(&self, course: &Course<'_>) -> usize {
        self.look(course.subscriber, |sight| sight.items.len())
    }

    /// Whether the plain text came as this part, in whatever the server makes of it.
    fn plain_came(&self, course: &Course<'_>, part: Part, before: usize) -> bool {
        self.look(course.subscriber, |sight| {
            sight.items.iter().skip(before).any(|(_, item)| match (item, part) {
                (Item::Event(event), Part::Event) => event.event_type.contains(PLAIN),
                (Item::Event(event), Part::Id) => event.last_event_id.contains(PLAIN),
                (Item::Comment(comment), Part::Comment) => comment.text.contains(PLAIN),
                _ => false,
            })
        })
    }

    /// Whether the server took the last payload.
    fn was_taken(&mut self, course: &Course<'_>) -> bool {
        let published = self.slot_at(course.subscriber).all_published();
        let last = published.iter().rev().find(|one| one.payload.is_some());
        last.is_some_and(|one| one.outcome == PublishOutcome::Accepted)
    }

    /// Publishes a sentinel and waits for it; the opening of the next payload, where it came.
    async fn sentinel(&mut self, course: &mut Course<'_>) -> Result<(), Stop> {
        course.opening = None;
        for _ in 0..ATTEMPTS {
            course.count += 1;
            let text = format!("sseproof-sentinel-{:08x}-{}.", course.mark, course.count);
            let before = self.look(course.subscriber, |sight| sight.events().count());
            if !self.put(course, Published::of(text.clone())).await? {
                return Ok(());
            }
            let came = |event: &&Event<'_>| event.data.contains(&text);
            let slot = self.slot_at(course.subscriber);
            slot.wait(course.within, |sight| sight.events().skip(before).any(|one| came(&one)))
                .await;
            let index = slot.all_published().len() - 1;
            course.opening = self.look(course.subscriber, |sight| {
                let event = sight.events().skip(before).find(came)?;
                Some(Opening { index, offset: event.span.start })
            });
            if course.opening.is_some() || self.look(course.subscriber, |sight| sight.ended) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Publishes what is meant and keeps what became of it; whether the server took it.
    async fn put(&mut self, course: &Course<'_>, meant: Published) -> Result<bool, Stop> {
        let outcome = self.emit(course.hook, &meant).await?;
        let accepted = outcome == PublishOutcome::Accepted;
        self.slot_at(course.subscriber).published(Published { outcome, ..meant });
        Ok(accepted)
    }
}

fn items(sight: &Snapshot<'_>, comments: bool) -> usize {
    let counts = |item: &Item<'_>| match item {
        Item::Event(_) => !comments,
        Item::Comment(_) => comments,
        _ => false,
    };
    sight.items.iter().filter(|(_, item)| counts(item)).count()
}

fn named(name: &str, payload: Published) -> Published {
    Published { payload: Some(name.to_owned()), ..payload }
}

/// What the texts of this run have and those of another have not.
pub(super) fn mark() -> u32 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos())
}
