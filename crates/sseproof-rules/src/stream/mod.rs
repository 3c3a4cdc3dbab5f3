//! Rules on the bytes of the stream itself.

mod base64;
mod bom;
mod comment_inside_line;
mod doubled_prefix;
mod escaped_newlines;
mod event_size;
pub(crate) mod event_type_clash;
mod event_without_data;
mod field_spelling;
mod id_ascii;
mod id_header_safe;
mod id_length;
mod id_nul;
pub(crate) mod id_preflight;
mod id_trimmed;
pub(crate) mod id_unique;
mod json_twice;
mod leading_bom;
mod line_ends;
mod line_length;
mod lines;
mod one_event_per_block;
mod payload_lines;
mod retry_ceiling;
mod retry_digits;
pub(crate) mod tally;
pub(crate) mod terminated;
mod unknown;
mod unknown_fields;
mod utf8;
#[cfg(test)]
mod wild;

use sseproof_http::{Action, Bytes, Framing, Plan, Visit};

use crate::{Family, LooksAt, Rule, reference};

/// The family: first what makes a stream unreadable, then what loses events, ids and times, last
/// what only known clients trip over.
pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Stream,
    rules: &[
        &utf8::RULE,
        &bom::RULE,
        &line_ends::RULE,
        &terminated::RULE,
        &one_event_per_block::RULE,
        &comment_inside_line::RULE,
        &payload_lines::RULE,
        &field_spelling::RULE,
        &unknown_fields::RULE,
        &event_without_data::RULE,
        &id_nul::RULE,
        &id_unique::RULE,
        &id_header_safe::RULE,
        &id_trimmed::RULE,
        &id_ascii::RULE,
        &id_length::RULE,
        &id_preflight::RULE,
        &retry_digits::RULE,
        &retry_ceiling::RULE,
        &doubled_prefix::RULE,
        &json_twice::RULE,
        &escaped_newlines::RULE,
        &event_type_clash::RULE,
        &line_length::RULE,
        &event_size::RULE,
        &leading_bom::RULE,
        &base64::RULE,
    ],
};

pub(crate) const ON_IDS: &[&Rule] = &[
    &id_nul::RULE,
    &id_unique::RULE,
    &id_header_safe::RULE,
    &id_trimmed::RULE,
    &id_ascii::RULE,
    &id_length::RULE,
    &id_preflight::RULE,
];

/// Changes the reference's answer only if it is a stream with a body, so that only the stream is
/// wrong.
fn spoil(visit: &Visit<'_>, edit: impl FnOnce(Plan) -> Plan) -> Plan {
    let plan = reference::answer(visit);
    let streams = plan.actions.iter().any(|action| {
        matches!(action, Action::Head { status: 200, framing, .. } if *framing != Framing::None)
    });
    if streams { edit(plan) } else { plan }
}

/// The reference's stream with these bytes after its first block, before every event with an id, so
/// that resuming works as before.
fn slip_in(visit: &Visit<'_>, bytes: &[u8]) -> Plan {
    spoil(visit, |plan| plan.insert(1, bytes))
}

/// The same, unless the client resumes after an id: the bytes have an id of their own, and sent
/// again they would be a duplicate, which is another fault.
fn slip_in_first(visit: &Visit<'_>, bytes: &[u8]) -> Plan {
    match visit.request.last_event_id() {
        Some(_) => reference::answer(visit),
        None => slip_in(visit, bytes),
    }
}

/// Bytes as they stand in a message: in backticks, escaped where they cannot be shown, and not too
/// many of them. A backslash stays one, since payloads are full of them.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 48;
    let escaped = Bytes::from(bytes).escaped().replace("\\\\", "\\");
    let mut chars = escaped.chars();
    let shown: String = chars.by_ref().take(SHOWN).collect();
    let more = if chars.next().is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_spoil_only_streams() {
        for (method, path) in [("OPTIONS", "/events"), ("PUT", "/events"), ("HEAD", "/events")] {
            let mut request = sseproof_http::Request::subscribe(path);
            request.method = method.to_owned();
            let visit = Visit {
                request: &request,
                secure: false,
                now: std::time::Duration::from_secs(1),
                earlier: 0,
                open: 0,
                beside: 0,
                blocked: 0,
                cancelled: 0,
            };
            for mutant in FAMILY.rules.iter().flat_map(|rule| rule.mutants) {
                assert_eq!((mutant.serve)(&visit), reference::answer(&visit), "{}", mutant.id);
            }
        }
    }

    #[test]
    fn what_is_quoted_is_short_and_shows_every_byte() {
        assert_eq!(quoted(b"a\x00\xE9\\n\n"), r"`a\x00\xE9\n\n`");
        assert_eq!(quoted(&[b'x'; 49]), format!("`{}…`", "x".repeat(48)));
    }
}
