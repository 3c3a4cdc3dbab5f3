//! Rules on ids, and on the events that a client gets when it resumes after one.

mod honoured;
mod ids_present;
mod no_duplicates;
mod no_loss;
mod odd_id;
mod odd_ids;
mod order;
mod resumption;
mod same_event;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &ids_present::RULE,
        &honoured::RULE,
        &no_loss::RULE,
        &no_duplicates::RULE,
        &order::RULE,
        &same_event::RULE,
        &odd_ids::UNKNOWN,
        &odd_ids::EMPTY,
        &odd_ids::LONG,
        &odd_ids::NON_ASCII,
    ],
};

#[cfg(test)]
mod testing {
    use crate::testing::{Run, body};

    pub(super) fn resumed(serve: sseproof_record::Answer) -> Run {
        Run::against(serve).subscribe().reconnect(1, "22")
    }

    /// A client that had 1, missed 2 to 4 and got these.
    pub(super) fn got(ids: &str) -> Run {
        let stream = |ids: &str| -> String {
            ids.split(' ').map(|id| format!("id: {id}\ndata: {id}\n\n")).collect()
        };
        body(stream("1 2 3 4").as_bytes()).reconnect(1, "1").with_body(stream(ids))
    }
}
