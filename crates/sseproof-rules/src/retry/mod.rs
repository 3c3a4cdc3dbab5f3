//! Rules on the reconnection time that a server announces.

mod announced;
pub(crate) mod done;
mod reasonable;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family =
    Family { looks_at: LooksAt::Run, rules: &[&announced::RULE, &reasonable::RULE] };
