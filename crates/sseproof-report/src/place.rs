//! The place of a fault in words.

use std::time::Duration;

use sseproof_rules::Evidence;
use sseproof_units::duration;

use crate::Judged;

impl Judged {
    /// `exchange 1 (GET /stream, baseline), byte 1042, 3.204 s after the response headers`.
    pub fn place(&self, evidence: &Evidence) -> String {
        let is_of_client = self.is_of_clients();
        let mut out = match (is_of_client, evidence.exchange) {
            (false, number) => format!("exchange {number}"),
            (true, 0) => "no request".to_owned(),
            (true, number) => format!("request {number}"),
        };
        let of = [evidence.request.as_str(), evidence.scenario.as_str()];
        let of: Vec<_> = of.into_iter().filter(|part| !part.is_empty()).collect();
        if !of.is_empty() {
            out.push_str(&format!(" ({})", of.join(", ")));
        }
        let after = duration(Duration::from_micros(evidence.after_us));
        match (evidence.place.as_str(), evidence.offset) {
            ("body", Some(offset)) => {
                out.push_str(&format!(", byte {offset}, {after} after the response headers"))
            }
            (place @ ("decoded body" | "coded body"), Some(offset)) => {
                out.push_str(&format!(
                    ", byte {offset} of the {place}, {after} after the response headers"
                ));
            }
            ("request" | "call of the client" | "case", _) => {
                out.push_str(&format!(", after {after}"))
            }
            (place, Some(offset)) if is_of_client => {
                out.push_str(&format!(", {place}, byte {offset}, after {after}"));
            }
            ("wire", Some(offset)) => {
                out.push_str(&format!(", byte {offset} on the wire, after {after}"));
            }
            ("head", _) => out.push_str(", the status line"),
            // The evidence may have no response headers to count from.
            ("exchange", _) => out.push_str(&format!(", after {after}")),
            (place, Some(offset)) => out.push_str(&format!(", {place}, byte {offset}")),
            ("", None) => {}
            (place, None) => out.push_str(&format!(", {place}")),
        }
        out
    }
}
