//! For mutants: a stream as a compressor sends it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sseproof_http::{Action, Bytes, Plan};

/// The plan with what it writes in gzip, whose compressor is flushed with every so many pieces, and
/// at the end; what follows a log stays as it is, since its length is not known yet.
pub(crate) fn gzipped(plan: Plan, every: usize) -> Plan {
    if plan.actions.iter().any(|action| matches!(action, Action::Follow { .. })) {
        return plan;
    }
    let mut plan = plan.with_header("Content-Encoding", "gzip");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut count = 0;
    let last = plan.actions.iter().rposition(|action| matches!(action, Action::Write(_)));
    for (index, action) in plan.actions.iter_mut().enumerate() {
        let Action::Write(bytes) = action else { continue };
        count += 1;
        // A vector takes whatever is written to it.
        let _ = encoder.write_all(bytes);
        let _ = if Some(index) == last {
            encoder.try_finish()
        } else if count % every == 0 {
            encoder.flush()
        } else {
            Ok(())
        };
        *bytes = Bytes::from(std::mem::take(encoder.get_mut()));
    }
    plan
}
