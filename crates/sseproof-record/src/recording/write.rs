//! A transcript as JSON lines.

use std::fmt::Write as _;

use super::{ExchangeLine, Line, OnLine, READ_VERSION, micros};
use crate::{Chunk, Closed, Connection, Exchange, SharedConnection, Transcript};
use sseproof_http::Bytes;

pub fn write_recording(transcript: &Transcript) -> String {
    let mut writer = Writer { out: String::new(), connections: Vec::new() };
    writer.line(&Line::Transcript {
        version: READ_VERSION,
        target: transcript.target.clone(),
        started: transcript.started.clone(),
        source: transcript.source,
    });
    for exchange in &transcript.exchanges {
        writer.exchange(exchange);
    }
    for happening in &transcript.run_events {
        writer.line(&Line::RunEvent {
            at_us: micros(happening.at),
            scenario: happening.scenario.clone(),
            name: happening.name.clone(),
            what: happening.what.clone(),
        });
    }
    writer.out
}

struct Writer {
    out: String,
    connections: Vec<SharedConnection>,
}

impl Writer {
    fn line(&mut self, line: &Line) {
        // Serialising these types cannot fail: no map has a key that is not a string.
        if let Ok(json) = serde_json::to_string(line) {
            let _ = writeln!(self.out, "{json}");
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let number = exchange.number;
        let on = exchange.on.as_ref().map(|on| (on, self.number(&on.connection)));
        self.line(&Line::Exchange(Box::new(ExchangeLine {
            number,
            scenario: exchange.scenario.clone(),
            name: exchange.name.clone(),
            role: exchange.role,
            follows: exchange.follows,
            judged: exchange.judged,
            via: exchange.via,
            request: exchange.request.clone(),
            transport: exchange.transport.clone(),
            started_us: micros(exchange.started),
            resolved_us: exchange.phases.resolved.map(micros),
            connected_us: exchange.phases.connected.map(micros),
            sent_us: exchange.phases.sent.map(micros),
            on: on.map(|(on, connection)| OnLine {
                connection,
                sent: [on.sent.start, on.sent.end],
                received: on.received,
            }),
        })));
        match on {
            Some((on, connection)) if connection > self.connections.len() => {
                self.connections.push(on.connection.clone());
                self.connection(connection, &on.connection.lock());
            }
            Some(_) => {}
            None => self.stated(exchange),
        }
        for published in &exchange.published {
            self.line(&Line::Published { exchange: number, what: published.clone() });
        }
        let end = Some(&exchange.end).filter(|end| on.is_none() || end.how.is_clients());
        self.line(&Line::End {
            exchange: number,
            at_us: end.map(|end| micros(end.at)),
            how: end.map(|end| end.how.clone()),
        });
    }

    fn number(&self, connection: &SharedConnection) -> usize {
        let known = self.connections.iter().position(|known| known.is(connection));
        known.unwrap_or(self.connections.len()) + 1
    }

    fn connection(&mut self, connection: usize, all: &Connection) {
        for chunk in &all.sent {
            let (at_us, bytes) = (micros(chunk.at), chunk.bytes.clone());
            self.line(&Line::Written { connection, at_us, bytes });
        }
        for chunk in &all.received {
            let (at_us, bytes) = (micros(chunk.at), chunk.bytes.clone());
            self.line(&Line::Received { connection, at_us, bytes });
        }
        if let Some(Closed { at, how }) = all.closed {
            self.line(&Line::Closed { connection, at_us: micros(at), how });
        }
    }

    fn stated(&mut self, of: &Exchange) {
        let exchange = of.number;
        let pieces = |of: &[Chunk], line: fn(usize, u64, Bytes) -> Line| -> Vec<Line> {
            of.iter().map(|chunk| line(exchange, micros(chunk.at), chunk.bytes.clone())).collect()
        };
        let sent = |exchange, at_us, bytes| Line::Sent { exchange, at_us, bytes };
        let wire = |exchange, at_us, bytes| Line::Wire { exchange, at_us, bytes };
        let body = |exchange, at_us, bytes| Line::Body { exchange, at_us, bytes };
        let coded = |exchange, at_us, bytes| Line::Coded { exchange, at_us, bytes };
        let head = of.head.as_ref().map(|head| Line::Head {
            exchange,
            at_us: micros(head.at),
            version: head.version,
            status: head.status,
            headers: head.headers.clone(),
        });
        let fault = of.coding_fault.clone().map(|what| Line::CodingFault { exchange, what });
        let lines = pieces(&of.sent, sent).into_iter().chain(head);
        let lines = lines.chain(pieces(&of.wire, wire)).chain(pieces(&of.body, body));
        let lines = lines.chain(pieces(&of.coded, coded)).chain(fault);
        lines.for_each(|line| self.line(&line));
    }
}
