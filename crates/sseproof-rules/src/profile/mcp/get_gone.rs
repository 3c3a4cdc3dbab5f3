//! There is no GET any more.

use sseproof_record::Plan;

use super::reference;
use super::traffic::each_status;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mcp/get-gone",
    requirement: "mcp/get-gone",
    title: "a GET is answered with 405",
    why: "A client of an earlier version learns from 405 that nobody will speak to it here; from 404 it concludes that this is no MCP server at all, and a stream that stays silent it holds for ever.",
    fix: "Answer GET and DELETE with `405 Method Not Allowed`, unless the server speaks an earlier version, too.",
    recipes: &[],
    judge: |record| {
        let gets = |view: &crate::View<'_>| view.request.method == "GET";
        each_status(record, "a GET", "no GET was answered", gets, |status| status == 405)
    },
    mutants: &[Mutant {
        id: "mcp-get-not-found",
        wrong: "answers a GET with 404",
        serve: |visit| {
            if visit.request.method == "GET" {
                return Plan::answer(404, "text/plain", "not found\n");
            }
            reference::answer(visit)
        },
    }],
};
