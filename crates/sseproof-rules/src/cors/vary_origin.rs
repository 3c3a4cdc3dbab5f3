//! An answer that depends on the origin says so to caches.

use super::{STRANGER, admitted, echoed, no_origin, to_page, to_pages};
use crate::outcome::each_once;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "cors/vary-origin",
    judge,
    mutants: &[Mutant::new(
        "no-vary-origin",
        "sends back the origin of the page, lets caches keep that, and does not say Vary",
        |visit| {
            to_page(visit, |plan, request| {
                echoed(plan, request).with_header("Cache-Control", "no-cache, no-transform")
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut asked = 0;
    let mut echoed = Vec::new();
    for (view, origin) in to_pages(record) {
        asked += 1;
        // An unknown origin that is echoed shows that every origin is; a known one may be fixed.
        if origin == STRANGER && admitted(&view) == [STRANGER] {
            echoed.push(view);
        }
    }
    match (asked, echoed.is_empty()) {
        (0, _) => return no_origin(record),
        (_, true) => return Verdict::Skip("no answer depends on the origin".to_owned()),
        _ => {}
    }
    let faults = echoed
        .iter()
        .filter(|view| !varies(view))
        .map(|view| {
            let message = format!("`{STRANGER}` is sent back, and `Vary` does not name Origin");
            Fault::header(view, "vary", message)
        })
        .collect();
    Verdict::from_faults(each_once(faults), "the answer varies by origin, or is not stored")
}

fn varies(view: &View<'_>) -> bool {
    view.head.as_ref().is_some_and(|head| {
        head.headers.list("vary").iter().any(|name| name == "origin" || name == "*")
            || head.headers.list("cache-control").iter().any(|option| option == "no-store")
    })
}
