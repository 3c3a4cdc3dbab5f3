//! There is no GET any more.

use sseproof_record::Plan;

use super::reference;
use super::traffic::each_status;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mcp/get-gone",
    judge: |record| {
        let gets = |view: &crate::View<'_>| view.request.method == "GET";
        each_status(record, "a GET", "no GET was answered", gets, |status| status == 405)
    },
    mutants: &[Mutant::new("mcp-get-not-found", "answers a GET with 404", |visit| {
        if visit.request.method == "GET" {
            return Plan::answer(404, "text/plain", "not found\n");
        }
        reference::answer(visit)
    })],
};
