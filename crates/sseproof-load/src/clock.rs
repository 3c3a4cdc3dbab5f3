//! The two clocks of a run, which do not drift apart.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A monotonic clock, and the wall clock as it stood when the run began.
///
/// The wall clock is read once, so that setting it during the run changes no latency.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    monotonic: Instant,
    wall: u64,
}

impl Clock {
    pub fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: Instant::now(), wall: nanoseconds(wall) }
    }

    /// Nanoseconds since the Unix epoch at that instant.
    pub fn wall(&self, at: Instant) -> u64 {
        match at.checked_duration_since(self.monotonic) {
            Some(since) => self.wall + nanoseconds(since),
            None => self.wall.saturating_sub(nanoseconds(self.monotonic - at)),
        }
    }

    pub fn instant(&self, wall: u64) -> Instant {
        self.monotonic + Duration::from_nanos(wall.saturating_sub(self.wall))
    }
}

/// A duration in whole nanoseconds, at most 584 years.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
