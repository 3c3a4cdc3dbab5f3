//! One exchange of a run, in progress or ended.

use std::time::Duration;

use sseproof_codec::{Event, Item};
use sseproof_http::Request;
use sseproof_net::{Leave, Live, Progress, Waited};
use sseproof_record::{End, Ending, Exchange, Published, Role};

pub(super) struct TrackedExchange {
    live: Option<Live>,
    kept: Kept,
}

struct Kept {
    exchange: Exchange,
    items: Vec<(Duration, Item<'static>)>,
    event_count: usize,
    last_event_id: String,
    reconnection_time: Option<u64>,
    shares: Option<usize>,
}

pub(super) struct Snapshot<'s> {
    /// Its record; number, names and other marks are not set before its end.
    pub(super) exchange: &'s Exchange,
    pub(super) items: &'s [(Duration, Item<'static>)],
    pub(super) event_count: usize,
    pub(super) ended: bool,
    pub(super) last_event_id: &'s str,
    pub(super) reconnection_time: Option<u64>,
}

impl<'s> Snapshot<'s> {
    fn of(progress: &'s Progress) -> Self {
        Self {
            exchange: &progress.exchange,
            items: &progress.items,
            event_count: progress.events(),
            ended: progress.ended,
            last_event_id: progress.last_event_id(),
            reconnection_time: progress.reconnection_time(),
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &'s Event<'static>> + use<'s> {
        self.items.iter().filter_map(|(_, item)| match item {
            Item::Event(event) => Some(event),
            _ => None,
        })
    }

    /// Whether anything in the stream set the last event ID.
    pub(super) fn sets_id(&self) -> bool {
        self.items.iter().any(|(_, item)| match item {
            Item::Event(event) => event.sets_id,
            Item::EmptyBlock(block) => block.sets_id,
            _ => false,
        })
    }

    pub(super) fn stream_ended_by_server(&self) -> bool {
        self.ended && self.exchange.is_stream() && self.exchange.end.how.is_servers()
    }
}

impl TrackedExchange {
    /// `marked` is a record with its number, names and other marks only.
    pub(super) fn new(live: Live, marked: Exchange) -> Self {
        let kept = Kept {
            exchange: marked,
            items: Vec::new(),
            event_count: 0,
            last_event_id: String::new(),
            reconnection_time: None,
            shares: None,
        };
        Self { live: Some(live), kept }
    }

    pub(super) fn live(&self) -> Option<&Live> {
        self.live.as_ref()
    }

    /// Whether its connection is kept for another exchange.
    pub(super) async fn keeps(&mut self) -> bool {
        match &mut self.live {
            Some(live) => live.keeps().await,
            None => false,
        }
    }

    /// Marks it as sharing an HTTP/2 connection, which the exchange of that number opened.
    pub(super) fn shares(&mut self, opener: usize) {
        self.kept.shares = Some(opener);
        self.kept.exchange.transport.shares = Some(opener);
    }

    pub(super) fn opener(&self) -> usize {
        self.kept.shares.unwrap_or(self.number())
    }

    pub(super) fn number(&self) -> usize {
        self.kept.exchange.number
    }

    pub(super) fn published(&mut self, published: Published) {
        self.kept.exchange.published.push(published);
    }

    pub(super) fn all_published(&self) -> &[Published] {
        &self.kept.exchange.published
    }

    pub(super) fn not_judged(&mut self) {
        self.kept.exchange.judged = false;
    }

    pub(super) fn plays(&mut self, role: Option<Role>, via: bool) {
        self.kept.exchange.role = role;
        self.kept.exchange.via = via;
    }

    pub(super) fn stall(&self) {
        if let Some(live) = &self.live {
            live.stall();
        }
    }

    /// Reads again.
    pub(super) fn read_on(&self) {
        if let Some(live) = &self.live {
            live.read_on();
        }
    }

    /// The number of bytes sent to it since it stopped reading, if it did.
    pub(super) fn unread(&self) -> Option<Result<u64, String>> {
        self.live.as_ref()?.unread()
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Snapshot<'_>) -> T) -> T {
        match &self.live {
            Some(live) => live.look(|progress| look(&Snapshot::of(progress))),
            None => look(&self.kept.snapshot()),
        }
    }

    pub(super) async fn wait(
        &mut self,
        within: Duration,
        mut reached: impl FnMut(&Snapshot<'_>) -> bool,
    ) -> Waited {
        match &mut self.live {
            Some(live) => live.wait(within, |progress| reached(&Snapshot::of(progress))).await,
            None if reached(&self.kept.snapshot()) => Waited::Reached,
            None => Waited::Ended,
        }
    }

    /// Closes it, if it has not ended. If this is cancelled, only the way it was closed is lost.
    pub(super) async fn leave(&mut self, how: Leave, now: Duration) {
        let Some(live) = self.live.take() else { return };
        live.look(|progress| self.kept.keep(progress, now));
        let last = live.leave(how).await;
        self.kept.record(last);
    }

    pub(super) fn into_exchange(self) -> Exchange {
        self.kept.exchange
    }
}

impl Kept {
    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            exchange: &self.exchange,
            items: &self.items,
            event_count: self.event_count,
            ended: true,
            last_event_id: &self.last_event_id,
            reconnection_time: self.reconnection_time,
        }
    }

    fn keep(&mut self, progress: &Progress, now: Duration) {
        self.items.clone_from(&progress.items);
        self.event_count = progress.events();
        progress.last_event_id().clone_into(&mut self.last_event_id);
        self.reconnection_time = progress.reconnection_time();
        self.record(progress.exchange.clone());
        if !progress.ended {
            self.exchange.end = End { at: now, how: Ending::Disconnected };
        }
    }

    fn record(&mut self, recorded: Exchange) {
        let marked = std::mem::replace(&mut self.exchange, recorded);
        self.exchange.number = marked.number;
        self.exchange.scenario = marked.scenario;
        self.exchange.name = marked.name;
        self.exchange.role = marked.role;
        self.exchange.follows = marked.follows;
        self.exchange.judged = marked.judged;
        self.exchange.via = marked.via;
        self.exchange.published = marked.published;
        self.exchange.transport.shares = self.shares;
    }
}

pub(super) fn marked(number: usize, scenario: &str, name: &str, request: Request) -> Exchange {
    let mut exchange = Exchange::begun(number, request, Duration::ZERO);
    scenario.clone_into(&mut exchange.scenario);
    name.clone_into(&mut exchange.name);
    exchange
}
