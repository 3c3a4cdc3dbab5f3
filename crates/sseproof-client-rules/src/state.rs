//! Rules on the states of a client and the calls at their changes.

mod fatal;
mod order;

use std::time::Duration;

use sseproof_http::Plan;

use crate::registry::Family;
use crate::{Can, Case, Quiet, When, stream};

pub(crate) const FAMILY: Family =
    Family { rules: &[&order::ORDER, &order::ONE_ERROR, &fatal::RULE], cases: &[&STATES, &FATAL] };

const STATES: Case =
    Case::new("states", "the server ends two streams, and holds the third", |visit| {
        match visit.earlier {
            0 => stream().write("retry: 50\ndata: one\n\n").end(),
            1 => stream().write("data: two\n\n").end(),
            _ => stream().write("data: three\n\n").hold(),
        }
    })
    .standard()
    .needs(&[Can::Open, Can::Error])
    .until(When::Events(3), Quiet::Short);

const FATAL: Case = Case::new(
    "fatal",
    "the server answers with 404, and the client is watched for ten seconds",
    |_| Plan::answer(404, "text/plain", "not found\n"),
)
.standard()
.needs(&[Can::Error])
.until(When::Errors(1), Quiet::Time(Duration::from_secs(10)))
.idle();
