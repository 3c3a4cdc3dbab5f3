//! A client that reconnects does not depend on the same instance.

use crate::outcome::{NO_STREAM, count, each_once, stream_answers};
use crate::response::cookies::set_by;
use crate::response::on_stream;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "reconnect/affinity",
    judge,
    mutants: &[Mutant::new(
        "sticky-session",
        "sets the cookie of a load balancer that keeps clients with one instance",
        |visit| on_stream(visit, |plan| plan.with_header("Set-Cookie", "AWSALB=abc; Path=/")),
    )],
};

/// How the cookies of load balancers begin that keep clients with one instance.
const STICKY: [&str; 14] = [
    "AWSALB",
    "AWSELB",
    "ARRAffinity",
    "ApplicationGatewayAffinity",
    "GCLB",
    "BIGipServer",
    "SERVERID",
    "INGRESSCOOKIE",
    "_sticky",
    "sticky",
    "DO-LB",
    "lb_affinity",
    "KEMPID",
    "X-Oracle-BMC-LBS-Route",
];

fn judge(record: &Record<'_>) -> Verdict {
    let streams: Vec<_> = stream_answers(record).collect();
    if streams.is_empty() {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let faults = streams.iter().flat_map(|view| {
        let is_sticky = |(name, _): &(String, String)| {
            STICKY.iter().any(|start| {
                name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
            })
        };
        set_by(view).into_iter().filter(is_sticky).map(|(name, _)| {
            let message = format!("the stream sets `{name}`, by which a load balancer keeps its client with one instance");
            Fault::header(view, "set-cookie", message).so(
                "sseproof reconnects without it, as many clients do: the resume/* rules hold for the instance that answered",
            )
        })
    });
    Verdict::from_faults(each_once(faults.collect()), count(streams.len(), "stream"))
}
