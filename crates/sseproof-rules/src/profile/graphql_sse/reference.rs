//! The reference: a schema with a clock, whose subscription ticks a few times.
//!
//! The number of a reservation is that of its request, and each has its own topic in the log of the
//! server, so that nothing needs to be stored here.

use serde_json::{Value, json};
use sseproof_http::{Action, Bytes, Framing, Headers, Plan, Request, Visit};

use super::traffic::{asked, operation_id, parameter, token};
use crate::profile::written::{Written, stream};
use crate::reference::head;

const RESERVATION: &str = "reservation-";
const TICKS: u64 = 3;

pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    let request = visit.request;
    match (request.method.as_str(), token(request)) {
        ("PUT", _) => {
            let token = format!("{RESERVATION}{}", visit.earlier);
            Plan::answer(201, "text/plain; charset=utf-8", token)
        }
        ("GET" | "POST" | "DELETE", Some(token)) => reserved(visit, &token),
        ("GET" | "POST", None) => distinct(visit),
        _ => error(405, "use GET or POST").with_header("Allow", "GET, POST, PUT, DELETE"),
    }
}

/// The operation of the request, or the response that rejects it.
fn operation(request: &Request) -> Result<Operation, Plan> {
    let query = match request.method.as_str() {
        "GET" => parameter(request, "query").map(unescaped),
        _ => asked(request)["query"].as_str().map(str::to_owned),
    };
    let query = query.ok_or_else(|| error(400, "there is no query"))?;
    let is_mutation = query.trim_start().starts_with("mutation");
    if is_mutation && request.method == "GET" {
        return Err(error(405, "no mutations by GET").with_header("Allow", "POST"));
    }
    let is_known = ["__typename", "ticks"].iter().any(|field| query.contains(field));
    if !is_known {
        let message = "Cannot query that field on type \"Query\".";
        return Ok(Operation::Invalid(json!({ "errors": [{ "message": message }] })));
    }
    Ok(Operation::Valid(if query.contains("ticks") {
        (1..=TICKS).map(|n| json!({ "data": { "ticks": n, "at": "café ☕" } })).collect()
    } else {
        let name = if is_mutation { "Mutation" } else { "Query" };
        vec![json!({ "data": { "__typename": name } })]
    }))
}

enum Operation {
    Valid(Vec<Value>),
    Invalid(Value),
}

fn unescaped(value: &str) -> String {
    value.replace("%7B", "{").replace("%7D", "}").replace("%20", " ").replace('+', " ")
}

fn distinct(visit: &Visit<'_>) -> Plan {
    let results = match operation(visit.request) {
        Ok(Operation::Valid(results)) => results,
        Ok(Operation::Invalid(result)) => vec![result],
        Err(refusal) => return refusal,
    };
    let events = results.iter().map(|result| Written::named("next", result));
    stream(visit, events.chain([Written::named("complete", "")]))
}

fn reserved(visit: &Visit<'_>, token: &str) -> Plan {
    let request = visit.request;
    let number = token.strip_prefix(RESERVATION).and_then(|rest| rest.parse::<u64>().ok());
    if number.is_none_or(|number| number >= visit.earlier) {
        return error(404, "there is no such reservation");
    }
    match request.method.as_str() {
        // The only long response here is the stream of the reservation.
        "GET" if visit.open > 0 => error(409, "this stream is open already"),
        "GET" => {
            let follow = Action::Follow { topic: token.to_owned(), after: 0 };
            Plan { actions: vec![head(visit), Action::Write(Bytes::from(":\n\n")), follow] }
        }
        "DELETE" if parameter(request, "operationId").is_some() => empty(200, Vec::new()),
        "DELETE" => error(400, "there is no operationId"),
        _ => single(request, token),
    }
}

/// The response to an operation whose results go to the stream of the reservation.
fn single(request: &Request, token: &str) -> Plan {
    let Some(id) = operation_id(request) else { return error(400, "there is no operationId") };
    let results = match operation(request) {
        Ok(Operation::Valid(results)) => results,
        Ok(Operation::Invalid(result)) => {
            return Plan::answer(400, "application/json", result.to_string());
        }
        Err(refusal) => return refusal,
    };
    let next = |result: &Value| Written::named("next", json!({ "id": id, "payload": result }));
    let complete = Written::named("complete", json!({ "id": id }));
    let events = results.iter().map(next).chain([complete]);
    let publish =
        |event: Written| Action::Publish { topic: token.to_owned(), bytes: event.bytes() };
    empty(202, events.map(publish).collect())
}

/// A response without a body, after these actions.
fn empty(status: u16, mut actions: Vec<Action>) -> Plan {
    let framing = Framing::Length(0);
    actions.extend([
        Action::Head { status, headers: Headers::default(), framing },
        Action::Write(Bytes::default()),
        Action::Finish,
    ]);
    Plan { actions }
}

fn error(status: u16, message: &str) -> Plan {
    let body = json!({ "errors": [{ "message": message }] });
    Plan::answer(status, "application/json", body.to_string())
}
