//! The parameters of the query, and the messages about mistakes in it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use sseproof_units::parse_duration;

use super::fault::Fault;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) every: Option<Duration>,
    pub(super) sync: bool,
    pub(super) burst: u64,
    pub(super) size: usize,
    pub(super) delay: Option<Duration>,
    pub(super) topic: Option<String>,
    pub(super) count: Option<u64>,
    pub(super) fault: Option<Fault>,
    pub(super) ending: Option<Ending>,
    /// The reconnection time that is announced, in milliseconds.
    pub(super) retry: Option<u64>,
    /// The last event of the client, for clients that cannot send a header.
    pub(super) last_event_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// As the protocol ends it, after this time.
    Clean(Duration),
    Reset(Duration),
}

/// A mistake in a query, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The largest data of an own event.
const LARGEST: u64 = 16 << 20;

/// The largest burst for a connection, in bytes.
const MOST_AT_ONCE: u64 = 64 << 20;

const STREAM: &str = "every, sync, burst, size, delay, topic, count, lose, repeat, swap, end-after, reset-after, retry, last-event-id";

impl Settings {
    pub(super) fn parse(query: &str) -> Result<Self, Mistake> {
        let mut settings = Self { burst: 1, ..Self::default() };
        let mut never = false;
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let parameter = Parameter { name: &name, value: &value };
            match &*name {
                "every" if value == "never" => never = true,
                "every" => settings.every = Some(parameter.interval()?),
                "sync" => settings.sync = parameter.flag()?,
                "burst" => settings.burst = parameter.number(1..=1_000_000)?,
                "size" => settings.size = parameter.number(0..=LARGEST)? as usize,
                "delay" => settings.delay = Some(parameter.duration()?),
                "topic" => settings.topic = Some(parameter.topic()?),
                "count" => settings.count = Some(parameter.number(1..=u64::MAX / 2)?),
                "lose" => settings.spoil(Fault::Lose(parameter.number(1..=u64::MAX)?))?,
                "repeat" => settings.spoil(Fault::Repeat(parameter.number(1..=u64::MAX)?))?,
                "swap" => settings.spoil(Fault::Swap(parameter.number(2..=u64::MAX)?))?,
                "end-after" => settings.ending = Some(Ending::Clean(parameter.duration()?)),
                "reset-after" => settings.ending = Some(Ending::Reset(parameter.duration()?)),
                "retry" => settings.retry = Some(parameter.number(0..=u64::from(u32::MAX))?),
                "last-event-id" => settings.last_event_id = Some(value.into_owned()),
                _ => return Err(parameter.unknown(STREAM)),
            }
        }
        if settings.topic.is_some() && settings.every.is_some() {
            return Err(Mistake(
                "`topic` and `every` do not go together: the ids of both would be mixed up; leave one of them out".to_owned(),
            ));
        }
        // A bare event has less than a hundred bytes.
        if settings.burst.saturating_mul(settings.size as u64 + 100) > MOST_AT_ONCE {
            return Err(Mistake(format!(
                "`burst={}` with `size={}` is more than 64 MiB at once; make one of them smaller, or `every` shorter",
                settings.burst, settings.size
            )));
        }
        if settings.topic.is_none() && !never {
            settings.every.get_or_insert(Duration::from_secs(1));
        }
        Ok(settings)
    }

    fn spoil(&mut self, fault: Fault) -> Result<(), Mistake> {
        match self.fault.replace(fault) {
            None => Ok(()),
            Some(_) => Err(Mistake(
                "`lose`, `repeat` and `swap` do not go together, since their effects look the same; leave all but one out".to_owned(),
            )),
        }
    }
}

pub(super) fn published_topic(query: &str) -> Result<String, Mistake> {
    let mut topic = None;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let parameter = Parameter { name: &name, value: &value };
        match &*name {
            "topic" => topic = Some(parameter.topic()?),
            _ => return Err(parameter.unknown("topic")),
        }
    }
    topic.ok_or_else(|| Mistake("`topic` is missing; write /publish?topic=news".to_owned()))
}

pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl Parameter<'_> {
    fn mistake(&self, what: impl Into<Cow<'static, str>>) -> Mistake {
        Mistake(format!("`{}={}` {}", self.name, self.value, what.into()))
    }

    pub(super) fn unknown(&self, known: &str) -> Mistake {
        Mistake(format!("unknown parameter `{}`; the parameters are {known}", self.name))
    }

    pub(super) fn number(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64, Mistake> {
        let read = self.value.parse().ok().filter(|number| range.contains(number));
        read.ok_or_else(|| {
            let (from, to) = range.into_inner();
            match to {
                u64::MAX => self.mistake(format!("is not a whole number from {from} on")),
                _ => self.mistake(format!("is not a whole number from {from} to {to}")),
            }
        })
    }

    fn flag(&self) -> Result<bool, Mistake> {
        match self.value {
            "1" | "true" | "" => Ok(true),
            "0" | "false" => Ok(false),
            _ => Err(self.mistake("is neither 1 nor 0")),
        }
    }

    fn topic(&self) -> Result<String, Mistake> {
        match self.value.len() {
            1..=200 => Ok(self.value.to_owned()),
            _ => Err(self.mistake("is not a name of 1 to 200 bytes; write topic=news")),
        }
    }

    fn interval(&self) -> Result<Duration, Mistake> {
        let duration = self.duration()?;
        if duration < Duration::from_micros(10) {
            return Err(self.mistake(
                "is shorter than 10us; for more events write a larger `burst`, for none every=never",
            ));
        }
        Ok(duration)
    }

    pub(super) fn duration(&self) -> Result<Duration, Mistake> {
        // A day is more than any run takes, and keeps all sums of times in range.
        const LONGEST: Duration = Duration::from_hours(24);
        match parse_duration(self.value) {
            Ok(duration) if duration <= LONGEST => Ok(duration),
            Ok(_) => Err(self.mistake("is longer than a day")),
            Err(_) => Err(self.mistake("is not a duration; write it as 500us, 10ms, 1.5s or 2m")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Settings {
        Settings::parse(query).unwrap()
    }

    fn mistake(query: &str) -> String {
        Settings::parse(query).unwrap_err().to_string()
    }

    #[test]
    fn a_url_without_a_query_gives_an_event_a_second() {
        assert_eq!(read("").every, Some(Duration::from_secs(1)));
        assert_eq!(read("every=never").every, None);
        assert_eq!(read("topic=news").every, None);
    }

    #[test]
    fn every_parameter_is_read() {
        let all = read(
            "every=1.5s&sync=1&burst=10&size=400&delay=10ms&count=5&swap=7&reset-after=2m&retry=500&last-event-id=41",
        );
        let expected = Settings {
            every: Some(Duration::from_millis(1500)),
            sync: true,
            burst: 10,
            size: 400,
            delay: Some(Duration::from_millis(10)),
            count: Some(5),
            fault: Some(Fault::Swap(7)),
            ending: Some(Ending::Reset(Duration::from_secs(120))),
            retry: Some(500),
            last_event_id: Some("41".to_owned()),
            ..Settings::default()
        };
        assert_eq!(all, expected);
        assert_eq!(read("topic=a%20b").topic.as_deref(), Some("a b"));
        assert_eq!(read("delay=0").delay, Some(Duration::ZERO));
        assert_eq!(read("end-after=0").ending, Some(Ending::Clean(Duration::ZERO)));
    }

    #[test]
    fn a_mistake_names_the_parameter_and_what_to_write() {
        assert_eq!(
            mistake("every=often"),
            "`every=often` is not a duration; write it as 500us, 10ms, 1.5s or 2m"
        );
        assert_eq!(
            mistake("evry=1s"),
            format!("unknown parameter `evry`; the parameters are {STREAM}")
        );
        assert_eq!(mistake("swap=1"), "`swap=1` is not a whole number from 2 on");
        assert!(mistake("size=-1").starts_with("`size=-1` is not a whole number from 0 to "));
        assert!(mistake("every=0").contains("every=never"));
        assert!(mistake("lose=2&swap=3").contains("do not go together"));
        assert!(mistake("topic=a&every=1s").contains("leave one of them out"));
        assert!(mistake("burst=1000000&size=100").contains("more than 64 MiB at once"));
        assert!(mistake("topic=").contains("write topic=news"));
        for duration in ["", "1", "s", "-1s", "1e3s", "1..2s", "999999999999999999999h"] {
            assert!(mistake(&format!("delay={duration}")).contains("not a duration"), "{duration}");
        }
        assert_eq!(mistake("delay=25h"), "`delay=25h` is longer than a day");
    }

    #[test]
    fn every_parameter_is_in_the_usage() {
        let usage = include_str!("usage.txt");
        for name in STREAM.split(", ") {
            assert!(usage.contains(&format!("\n    {name}=")), "{name}");
        }
    }

    #[test]
    fn publishing_needs_a_topic() {
        assert_eq!(published_topic("topic=news"), Ok("news".to_owned()));
        assert!(published_topic("").unwrap_err().to_string().contains("/publish?topic=news"));
        assert!(published_topic("topics=a").is_err());
    }
}
