//! Long lines and many lines are read in a time that grows with their length, not with its square.

use std::sync::LazyLock;
use std::time::Duration;

use sseproof_http::Bytes;

use crate::protocol::Call;
use crate::{
    Case, Connect, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, status,
    stream,
};

/// The length of the data, and of the data that it is compared with.
const LARGE: usize = 5 << 20;
const SMALL: usize = LARGE / 10;
/// One character of a short line in so many.
const LINE: usize = 64;
/// No client is blamed for less.
const QUICK: Duration = Duration::from_secs(3);

/// The data by path.
type Data = LazyLock<[(&'static str, String); 4]>;

static DATA: Data = LazyLock::new(|| {
    let lines = |length: usize| vec!["x".repeat(LINE - 1); length / LINE].join("\n");
    [
        ("/line-small", "x".repeat(SMALL)),
        ("/line", "x".repeat(LARGE)),
        ("/lines-small", lines(SMALL)),
        ("/lines", lines(LARGE)),
    ]
});

static STREAMS: LazyLock<[Bytes; 4]> = LazyLock::new(|| {
    DATA.each_ref().map(|(_, data)| format!("data: {}\n\n", data.replace('\n', "\ndata: ")).into())
});

pub(super) const CASE: Case = Case::new(
    "parse-long-lines",
    "the server sends events of 512 KiB and of 5 MiB, each in one line and in short lines",
    |visit| {
        let index = DATA.iter().position(|(path, _)| *path == visit.request.path());
        match index {
            Some(index) if visit.here == 0 => stream().write(STREAMS[index].clone()).end(),
            _ => status(204),
        }
    },
)
.connects(|origins| {
    DATA.iter().map(|(path, _)| Connect::to(format!("{}{path}", origins.own))).collect()
})
.lanes(1)
.alone()
.patient(Duration::from_secs(20))
.until(When::Events(4), Quiet::Short);

pub(super) const RULE: Rule = Rule {
    id: "client/parse-long-lines",
    cases: &["parse-long-lines"],
    judge,
    mutants: &[Mutant::new(
        "bounded-lines",
        "loses events of more than 1 MiB",
        Hooks {
            call: |_, call| match &call {
                Call::Event(event) if event.data.len() > 1 << 20 => Vec::new(),
                _ => vec![call],
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let mut times = Vec::new();
    for ((_, one), (path, data)) in view.connections().iter().zip(DATA.iter()) {
        let length = sseproof_units::bytes(data.len() as u64);
        let Some(request) = one.request(1) else {
            return Judgement::Unclear(format!("the client sent no request for {path}"));
        };
        let Some(event) = one.events().into_iter().next() else {
            return Fault::at(request.entry, format!("an event of {length} is not delivered"))
                .into();
        };
        if event.what.data != *data {
            let message = format!("an event of {length} is delivered with other data");
            return Fault::at(event.entry, message).into();
        }
        times.push((event.entry, event.at.saturating_sub(request.at)));
    }
    let pairs = times.chunks_exact(2);
    let slow = pairs.clone().find(|pair| is_slow(pair[0].1, pair[1].1));
    let shown = |(_, time): &(usize, Duration)| sseproof_units::duration(*time);
    match slow {
        Some(pair) => {
            let (small, large) = (shown(&pair[0]), shown(&pair[1]));
            let message = format!(
                "512 KiB take {small}, and 5 MiB {large}: the time does not grow in proportion"
            );
            Fault::at(pair[1].0, message).into()
        }
        None => {
            let all: Vec<_> = pairs.map(|pair| shown(&pair[1])).collect();
            Judgement::held(format!("5 MiB in {}", all.join(" and ")))
        }
    }
}

/// Ten times the length should take ten times the time; a busy machine gets more than twice that.
fn is_slow(small: Duration, large: Duration) -> bool {
    large > QUICK && large > small * 25
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_slow_and_a_line_is_not() {
        let ms = Duration::from_millis;
        assert!(is_slow(ms(100), ms(10_000)));
        assert!(!is_slow(ms(1000), ms(12_000)));
        assert!(!is_slow(ms(1), ms(2000)));
    }
}
