//! Streams as they are met in the wild: right ones, of which no rule may complain, and bugs that
//! were reported, each of which one rule must find.
//!
//! The streams are written after the documents and reports that are named, and not copied.

use sseproof_record::Ending;

use crate::testing::body;
use crate::{Finding, Level, Record, Status};

/// The rules that fail for a stream that ends so after these bytes, and their levels.
fn failed(bytes: &[u8], how: Ending) -> Vec<(String, Level)> {
    let run = body(bytes).edit(|exchange| exchange.end.how = how);
    let record = Record::new(run.transcript());
    super::FAMILY
        .rules
        .iter()
        .map(|rule| Finding::of(rule, &record))
        .filter(|finding| finding.status == Status::Fail)
        .map(|finding| (finding.rule, finding.level))
        .collect()
}

/// Streams of known servers and libraries, in their own style of line ends, spaces and order.
const RIGHT: &[(&str, &[u8])] = &[
    ("OpenAI chat", b"data: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"content\":\"\\n\\n\"}}]}\n\ndata: [DONE]\n\n"),
    ("Anthropic messages", b"event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n"),
    ("MCP priming", b"id: s1_0\nretry: 3000\ndata: \n\nevent: message\nid: s1_1\ndata: {\"jsonrpc\":\"2.0\"}\n\n"),
    ("Mercure", b":\n\nid: urn:uuid:6c2b0f3c\ndata: {\"a\":1}\n\nid: urn:uuid:7d\nevent: x\ndata: a\ndata: b\n\n"),
    ("GraphQL over SSE", b":\n\nevent: next\ndata: {\"data\":{\"hi\":1}}\n\nevent: complete\ndata:\n\n"),
    ("Datastar", b"event: datastar-patch-elements\ndata: selector #a\ndata: elements <div>\ndata: elements </div>\n\n"),
    ("Wikimedia", b":ok\n\nevent: message\nid: [{\"topic\":\"a.b\",\"partition\":0,\"offset\":-1}]\ndata: {\"wiki\":\"dewiki\"}\n\n"),
    ("sse-starlette", b"event: tick\r\ndata: 1\r\n\r\n: ping - 2026-01-01 00:00:00\r\n\r\nid: 2\r\ndata: 2\r\n\r\n"),
    ("Spring", b"id:1\nevent:news\nretry:5000\n:hello\ndata:{\"a\":1}\n\ndata:\n\n"),
    ("CouchDB", b"data: {\"seq\":\"1-a\"}\nid: 1-a\n\nevent: heartbeat\ndata: \n\n"),
    ("Firebase", b"event: put\ndata: {\"path\":\"/\",\"data\":null}\n\nevent: keep-alive\ndata: null\n\n"),
    ("webpack", "data: {\"action\":\"sync\"}\n\ndata: \u{1f493}\n\n".as_bytes()),
    ("a terminal", b"data: 10 %\rdata: 20 %\r\rdata: done\r\r"),
    ("YAML in data", b"data: config:\ndata:   id: 1\ndata:   data: x\n\n"),
    ("JSON tokens", b"data: \"{\"\n\ndata: \"\\\"a\\\"\"\n\ndata: \"[1]\"\n\ndata: \": 1}\"\n\n"),
    ("a checkpoint", b"data: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid: 3\n\nretry: 5000\n\n"),
    ("a long poll", b"retry: 1000\n: nothing new\n\n"),
    ("lines for programs", b"data: C:\\new\\notes\n\ndata: \\nabla\n\ndata: a\\nb\n\n"),
    ("a blank line more", b"\n\n\ndata: a\n\n\n\ndata: b\n\n\n"),
];

/// Streams of known servers that the standard allows, though they help no client.
const ADVICE: &[(&str, &str, &[u8])] = &[
    (
        "Stellar Horizon",
        "stream/event-type-clash",
        b"retry: 1000\nevent: open\ndata: \"hello\"\n\n",
    ),
    ("Hystrix", "stream/unknown-fields", b"ping: \ndata: {\"type\":\"HystrixCommand\"}\n\n"),
    ("a BOM of .NET", "stream/leading-bom", b"\xEF\xBB\xBFdata: a\n\n"),
    (
        "dart-lang/tools#1647",
        "stream/json-twice",
        b"data: \"{\\\"a\\\":1}\"\n\ndata: \"{\\\"a\\\":2}\"\n\n",
    ),
];

/// Reported bugs, and the rule that finds each.
const WRONG: &[(&str, &str, &[u8])] = &[
    ("micronaut-core#2586", "stream/payload-lines", b"data: {\n  \"a\" : 1\n}\n\n"),
    ("stacklok/toolhive#1194", "stream/payload-lines", b"event: message\n{\"foo\": \"bar\"}\n\n"),
    ("stacklok/mecatl#878", "stream/payload-lines", b"data: a\n\n{\"error\":{\"code\":500}}\n"),
    ("a page of a proxy", "stream/payload-lines", b"data: a\n\n<html>\n<h1>502</h1>\n</html>\n"),
    ("honojs CR injection", "stream/payload-lines", b"data: hi\rthere\n\ndata: b\n\n"),
    ("ReactiveX/RxNetty#484", "stream/terminated", b"data: 1\ndata: 2\ndata: 3\n"),
    ("openai-node#2725", "stream/terminated", b"data: {\"a\":1}\n\ndata: {\"usage\":1}"),
    (
        "dativo-io/talon#393",
        "stream/one-event-per-block",
        b"data: {\"cho\nevent: failure\ndata: {}\n\n",
    ),
    ("PHP, single quotes", "stream/line-ends", b"data: one\\n\\ndata: two\\n\\n"),
    ("an indented template", "stream/field-spelling", b"  event: a\n  data: b\n\n"),
    ("graphql-sse", "stream/event-without-data", b"event: next\ndata: {}\n\nevent: complete\n\n"),
    ("openclaw#96829", "stream/doubled-prefix", b"data: data: {\"id\":\"1\"}\ndata: \ndata: \n\n"),
    ("eventsource-parser#41", "stream/bom", b"data: a\n\n\xEF\xBB\xBFdata: b\n\n"),
    ("undici#5746", "stream/id-header-safe", b"id: a\x0Bb\ndata: a\n\n"),
    ("eventsource-parser#34", "stream/id-nul", b"id: a\0b\ndata: a\n\n"),
    (
        "a constant id",
        "stream/id-unique",
        b"id: 0\ndata: a\n\nid: 0\ndata: b\n\nid: 0\ndata: c\n\n",
    ),
    ("retry in Go's notation", "stream/retry-digits", b"retry: 3s\ndata: a\n\n"),
    ("windows-1252", "stream/utf8", b"data: \x93quoted\x94\n\n"),
];

#[test]
fn no_rule_complains_of_a_right_stream() {
    for (name, bytes) in RIGHT {
        assert_eq!(failed(bytes, Ending::Complete), [], "{name}");
    }
}

#[test]
fn no_rule_complains_of_a_right_stream_that_is_cut_anywhere() {
    for (name, bytes) in RIGHT {
        for cut in 0..bytes.len() {
            for how in [Ending::Disconnected, Ending::Reset, Ending::Truncated] {
                assert_eq!(failed(&bytes[..cut], how), [], "{name}, cut at {cut}");
            }
        }
    }
}

#[test]
fn what_is_only_unwise_breaks_advice_alone() {
    for (name, rule, bytes) in ADVICE {
        assert_eq!(
            failed(bytes, Ending::Complete),
            [((*rule).to_owned(), Level::Advice)],
            "{name}"
        );
    }
}

#[test]
fn each_bug_is_found_by_one_rule() {
    for (name, rule, bytes) in WRONG {
        let failed = failed(bytes, Ending::Complete);
        let rules: Vec<_> = failed.iter().map(|(rule, _)| rule.as_str()).collect();
        assert_eq!(rules, [*rule], "{name}");
        assert_ne!(failed[0].1, Level::Advice, "{name}");
    }
}
