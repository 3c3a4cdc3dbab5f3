//! Rules on what a client makes of a response.

mod no_content;

use crate::registry::Family;
use crate::{Case, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family { rules: &[&no_content::RULE], cases: &[&NO_CONTENT] };

const NO_CONTENT: Case = Case::new(
    "no-content",
    "the server ends a stream, and answers the next request with 204",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").end(),
        _ => sseproof_http::Plan {
            actions: vec![
                sseproof_http::Action::Head {
                    status: 204,
                    headers: sseproof_http::Headers::default(),
                    framing: sseproof_http::Framing::None,
                },
                sseproof_http::Action::Finish,
            ],
        },
    },
)
.reconnecting()
.until(When::Requests(2), Quiet::Reconnect);
