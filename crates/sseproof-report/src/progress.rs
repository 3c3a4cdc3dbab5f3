//! One line with the progress of a run.

use std::time::Duration;

use crate::text::truncate;
use sseproof_units::counted;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub playing: String,
    pub done: usize,
    /// 0 if it is unknown.
    pub total: usize,
    pub exchanges: u64,
    pub events: u64,
    pub elapsed: Duration,
    /// How long such a run usually takes.
    pub usual: Option<Duration>,
}

/// The line, without a line end, in at most `width` columns.
///
/// It may be shorter than the one before: clear the line first (`\r\x1b[K`).
pub fn progress(state: &Progress, width: usize) -> String {
    let mut parts = vec![match state.total {
        0 => format!("[{}]", state.done),
        total => format!("[{}/{total}]", state.done),
    }];
    if !state.playing.is_empty() {
        parts[0].push_str(&format!(" {}", state.playing));
    }
    if state.exchanges > 0 {
        parts.push(counted(state.exchanges, "exchange"));
    }
    if state.events > 0 {
        parts.push(counted(state.events, "event"));
    }
    let usual = state.usual.filter(|usual| state.elapsed < *usual);
    let of = usual.map_or_else(String::new, |usual| format!(" of about {}", seconds(usual)));
    parts.push(seconds(state.elapsed) + &of);
    truncate(&parts.join(" · "), width)
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is_and_fits() {
        let state = Progress {
            playing: "idle".to_owned(),
            done: 3,
            total: 24,
            exchanges: 1,
            events: 340,
            elapsed: Duration::from_millis(72_900),
            usual: Some(Duration::from_secs(72)),
        };
        assert_eq!(progress(&state, 80), "[3/24] idle · 1 exchange · 340 events · 1 min 12 s");
        assert_eq!(progress(&state, 20), "[3/24] idle · 1 exc…");
        let start = progress(&Progress::default(), 80);
        assert_eq!(start, "[0] · 0 s");
        let state = Progress { usual: Some(Duration::from_secs(15)), ..Progress::default() };
        assert_eq!(progress(&state, 80), "[0] · 0 s of about 15 s");
    }
}
