//! Rules on `close`.

mod in_handler;

use crate::registry::Family;
use crate::{Can, Case, CloseOn, Connect, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family { rules: &[&in_handler::RULE], cases: &[&IN_HANDLER] };

const IN_HANDLER: Case = Case::new(
    "close-in-handler",
    "the server sends three events at once, and ends the stream a second later",
    |_| stream().write("retry: 50\ndata: one\n\ndata: two\n\ndata: three\n\n").wait(1000).end(),
)
.needs(&[Can::CloseOn])
.connects(|origins| {
    let close_on = Some(CloseOn::Event(1));
    vec![Connect { close_on, ..Connect::to(format!("{}/", origins.own)) }]
})
.until(When::Ends(1), Quiet::Reconnect);
