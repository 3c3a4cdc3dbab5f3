//! Updates that a hub must refuse: with a line end in a field an update becomes another one.

use super::traffic::{Update, each, faulty, unpublished};
use crate::{Fault, Place, Record, Verdict};

/// Judges whether each update that `is_wrong` is refused. `what` says what is wrong with it.
pub(super) fn judge(record: &Record<'_>, what: &str, is_wrong: fn(&Update<'_>) -> bool) -> Verdict {
    if let Some(why) = unpublished(record) {
        return Verdict::Skip(why);
    }
    let wrong: Vec<_> = faulty(record).into_iter().filter(is_wrong).map(|one| one.view).collect();
    let none = format!("no update with {what} was given to the hub");
    each(record, "refusal", &none, &wrong, |view, tally| {
        let status = view.status().unwrap_or_default();
        // Who may not publish at all learns nothing of what is wrong.
        if matches!(status, 401 | 403) {
            return;
        }
        tally.look();
        if !(400..500).contains(&status) {
            let message = format!("an update with {what} is answered with {status}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}
