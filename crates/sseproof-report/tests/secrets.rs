//! No recording and no log holds a secret, also where only a decoder would find it.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use httlib_hpack::{Decoder, Encoder};
use proptest::prelude::*;
use sseproof_http::http2::{PREFACE, flag, kind, write_frame};
use sseproof_http::{Bytes, Headers, Request, Version};
use sseproof_record::{
    Chunk, Connection, End, Ending, Exchange, OnConnection, Redacted, Secrets, SharedConnection,
    Transcript, Transport, read_recording, write_recording,
};
use sseproof_report::{Judged, wire_log};
use sseproof_rules::{Record, Status, judge};

/// Of the requests, and of the answers.
const SECRETS: [&str; 3] = ["top-secret-token", "cookie-of-client", "cookie-of-server"];
/// Huffman codes for name and value, and a place in the table, or the place where it stands.
const PACKED: u8 = 0x1 | 0x2 | 0x4 | 0x10;
const URL: &str = "http://h/s";

fn chunks(bytes: &[u8], size: usize) -> Vec<Chunk> {
    let times = (10..).map(Duration::from_millis);
    let chunks = bytes.chunks(size).zip(times);
    chunks.map(|(bytes, at)| Chunk { at, bytes: bytes.into() }).collect()
}

fn left() -> End {
    End { at: Duration::from_secs(9), how: Ending::Disconnected }
}

fn asked() -> Request {
    Request::subscribe(URL)
        .with("authorization", format!("Bearer {}", SECRETS[0]))
        .with("cookie", format!("sid={}", SECRETS[1]))
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// HEADERS of a few bytes, and CONTINUATION for the rest.
fn fields(
    out: &mut Vec<u8>,
    encoder: &mut Encoder<'_>,
    stream: u32,
    ends: u8,
    all: &[(&str, String)],
) {
    let mut block = Vec::new();
    for (name, value) in all {
        let field = (name.as_bytes().to_vec(), value.as_bytes().to_vec(), PACKED);
        encoder.encode(field, &mut block).unwrap();
    }
    let (first, rest) = block.split_at(3);
    write_frame(out, kind::HEADERS, ends, stream, first);
    write_frame(out, kind::CONTINUATION, flag::END_HEADERS, stream, rest);
}

/// Two streams of one connection; the second has its secrets out of the tables.
fn over_http2(size: usize) -> Transcript {
    let [token, client, server] = SECRETS;
    let (mut sent, mut received) = (PREFACE.to_vec(), Vec::new());
    write_frame(&mut received, kind::SETTINGS, 0, 0, &[]);
    let (mut asks, mut answers) = (Encoder::default(), Encoder::default());
    let zipped = gzipped(format!("data: {token} again\n\n").as_bytes());
    for (stream, body) in [(1, None), (3, Some(&zipped))] {
        let request = [
            (":method", "GET".to_owned()),
            (":path", "/s".to_owned()),
            ("authorization", format!("Bearer {token}")),
            ("cookie", format!("sid={client}")),
        ];
        fields(&mut sent, &mut asks, stream, flag::END_STREAM, &request);
        let mut response = vec![
            (":status", "200".to_owned()),
            ("content-type", "text/event-stream".to_owned()),
            ("set-cookie", format!("sid={server}; Path=/")),
        ];
        if let Some(body) = body {
            response.push(("content-encoding", "gzip".to_owned()));
            response.push(("content-length", body.len().to_string()));
        }
        fields(&mut received, &mut answers, stream, 0, &response);
        match body {
            Some(body) => write_frame(&mut received, kind::DATA, flag::END_STREAM, stream, body),
            None => {
                let body = format!("data: caf\u{fffd} {token}, {server}\n\n");
                let body = body.replace('\u{fffd}', "\u{1}").into_bytes();
                let body: Vec<u8> =
                    body.iter().map(|&byte| if byte == 1 { 0xE9 } else { byte }).collect();
                for piece in body.chunks(7) {
                    write_frame(&mut received, kind::DATA, 0, stream, piece);
                }
            }
        }
    }
    let connection =
        Connection { sent: chunks(&sent, size), received: chunks(&received, size), closed: None };
    let (all_sent, all_received) = (connection.sent.len(), connection.received.len());
    let connection = SharedConnection::new(connection);
    let exchange = |number: usize, stream, stated| {
        let on = OnConnection {
            connection: connection.clone(),
            sent: 0..all_sent,
            received: all_received,
        };
        let request = Request { version: Version::Http2, ..asked() };
        let transport = Transport { stream: Some(stream), ..Transport::default() };
        let begun = Exchange::begun(number, request, Duration::ZERO);
        let mut exchange = Exchange { on: Some(on), transport, ..begun };
        exchange.derive(stated);
        exchange
    };
    let exchanges = vec![exchange(1, 1, Some(left())), exchange(2, 3, None)];
    Transcript { exchanges, ..Transcript::default() }
}

fn redacted(transcript: &Transcript) -> Redacted {
    Secrets::of(transcript, &[], &[]).redact(transcript)
}

/// All that a reader of frames gets out of one direction.
fn decoded(wire: &[u8]) -> String {
    let mut out = String::new();
    let mut decoder = Decoder::default();
    let mut block = Vec::new();
    let mut bodies: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut rest = wire.strip_prefix(PREFACE).unwrap_or(wire);
    while rest.len() >= 9 {
        let length = usize::from(rest[1]) << 8 | usize::from(rest[2]);
        let (kind, flags, stream) = (rest[3], rest[4], u32::from(rest[8]));
        let payload = &rest[9..9 + length];
        match kind {
            0 => bodies.entry(stream).or_default().extend(payload),
            1 | 9 => {
                block.extend(payload);
                if flags & 4 != 0 {
                    let mut fields = Vec::new();
                    decoder.decode(&mut std::mem::take(&mut block), &mut fields).unwrap();
                    for (name, value, _) in fields {
                        let [name, value] =
                            [&name, &value].map(|text| String::from_utf8_lossy(text));
                        out.push_str(&format!("{name}: {value}\n"));
                    }
                }
            }
            _ => {}
        }
        rest = &rest[9 + length..];
    }
    assert!(rest.is_empty() && block.is_empty(), "whole frames");
    for body in bodies.into_values() {
        out.push_str(&text_of(&body));
    }
    out
}

/// The body as text, decompressed if it is compressed.
fn text_of(body: &[u8]) -> String {
    let mut text = Vec::new();
    let is_gzip = body.starts_with(b"\x1f\x8b");
    if is_gzip {
        flate2::read::MultiGzDecoder::new(body).read_to_end(&mut text).unwrap();
    }
    String::from_utf8_lossy(if is_gzip { &text } else { body }).into_owned()
}

fn bytes(chunks: &[Chunk]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect()
}

/// The text that can be read from the connections of a recording.
fn out_of_recording(text: &str) -> String {
    let read = read_recording(text).unwrap();
    let on = read.exchanges.iter().map(|exchange| exchange.on.clone().unwrap());
    let all = on.map(|on| {
        let connection = on.connection.lock();
        decoded(&bytes(&connection.sent)) + &decoded(&bytes(&connection.received))
    });
    all.collect()
}

fn verdicts(transcript: &Transcript) -> Vec<(String, Status)> {
    let findings = judge(&Record::new(transcript), |_| true);
    findings.into_iter().map(|finding| (finding.rule, finding.status)).collect()
}

fn logs(transcript: &Transcript) -> String {
    let findings = judge(&Record::new(transcript), |_| true);
    let failing = findings.into_iter().filter(|finding| finding.status == Status::Fail);
    failing.map(|finding| wire_log::whole(&Judged::from(finding), transcript)).collect()
}

/// The frames that a log shows of a client: lines of `>`, in the escapes of a recording.
fn sent_in(log: &str) -> Vec<u8> {
    let log = log.split("\n=== ").nth(1).unwrap();
    let lines = log.lines().filter_map(|line| line.get(10..)?.strip_prefix('>'));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or_default());
    let bytes = |line: &str| -> Bytes {
        serde_json::from_str(&serde_json::to_string(line).unwrap()).unwrap()
    };
    let all = lines.map(|line| bytes(line).to_vec()).collect::<Vec<_>>().join(&b'\n');
    // A log has no CR before a line feed.
    all.strip_prefix(b"PRI * HTTP/2.0\n\nSM\n\n").unwrap().to_vec()
}

#[test]
fn nothing_of_http2_tells_a_secret() {
    for size in [11, 100_000] {
        let transcript = over_http2(size);
        let before = out_of_recording(&write_recording(&transcript));
        let Redacted { transcript: without, dropped } = redacted(&transcript);
        assert_eq!(dropped, Vec::<usize>::new());
        let text = write_recording(&without);
        let after = out_of_recording(&text);
        for secret in SECRETS {
            assert!(before.contains(secret), "{secret} is there to be found");
            for (place, text) in [("recording", &text), ("its bytes", &after)] {
                assert!(!text.contains(secret), "{secret} is in the {place}: {text}");
            }
        }
        for word in ["authorization: Bearer redacted-", "set-cookie: sid=redacted-", "; Path=/"] {
            assert!(after.contains(word), "{word} is not in {after}");
        }
        assert_eq!(verdicts(&without), verdicts(&transcript));
        assert_eq!(verdicts(&read_recording(&text).unwrap()), verdicts(&transcript));
    }
}

#[test]
fn no_log_of_http2_tells_a_secret() {
    let transcript = over_http2(100_000);
    let (before, after) = (logs(&transcript), logs(&redacted(&transcript).transcript));
    assert!(after.contains("stream/utf8"), "{after}");
    let (sent_before, sent) = (decoded(&sent_in(&before)), decoded(&sent_in(&after)));
    for secret in SECRETS {
        assert!(before.contains(secret) || sent_before.contains(secret), "it is there to be found");
        assert!(!after.contains(secret) && !sent.contains(secret), "{secret}: {after}");
    }
    assert!(sent.contains("cookie: sid=redacted-"), "{sent}");
}

#[test]
fn a_block_that_cannot_be_decoded_is_dropped() {
    let mut transcript = over_http2(11);
    let on = transcript.exchanges[0].on.clone().unwrap();
    // The table of the sender is not that of any reader.
    let mut broken = Vec::new();
    write_frame(&mut broken, kind::HEADERS, flag::END_HEADERS, 5, &[0xFF, 0xFF, 0x01]);
    let at = Duration::from_secs(1);
    on.connection.lock().received.push(Chunk { at, bytes: broken.into() });
    for exchange in &mut transcript.exchanges {
        exchange.on.iter_mut().for_each(|on| on.received += 1);
        let stated = Some(exchange.end.clone()).filter(|end| end.how == Ending::Disconnected);
        exchange.derive(stated);
    }
    let Redacted { transcript: without, dropped } = redacted(&transcript);
    assert_eq!(dropped, [1, 2]);
    let text = write_recording(&without);
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
    assert!(without.exchanges[0].is_stream() && without.exchanges[0].wire.is_empty());
}

/// A response over HTTP/1 whose body is torn into chunks and pieces, and a request with a body.
fn over_http1(coding: &str, zip: fn(&[u8]) -> Vec<u8>, is_chunked: bool) -> Transcript {
    let [token, client, server] = SECRETS;
    let body = zip(format!("data: {token}\n\ndata: {client} {server}\n\n").as_bytes());
    let coded =
        if coding.is_empty() { String::new() } else { format!("Content-Encoding: {coding}\r\n") };
    let framing = if is_chunked {
        "Transfer-Encoding: chunked\r\n".to_owned()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let mut response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{coded}{framing}Set-Cookie: sid={server}\r\n\r\n"
    )
    .into_bytes();
    if is_chunked {
        for chunk in body.chunks(9) {
            response.extend(format!("{:x}\r\n", chunk.len()).bytes());
            response.extend(chunk);
            response.extend(b"\r\n");
        }
        response.extend(b"0\r\n\r\n");
    } else {
        response.extend(&body);
    }
    let asked = zip(format!("{{\"token\":\"{token}\"}}").as_bytes());
    let mut request = format!(
        "POST /s HTTP/1.1\r\nAuthorization: Bearer {token}\r\nCookie: sid={client}\r\n{coded}Content-Length: {}\r\n\r\n",
        asked.len()
    )
    .into_bytes();
    request.extend(&asked);
    let connection =
        Connection { sent: chunks(&request, 13), received: chunks(&response, 13), closed: None };
    let mut sent = Request { method: "POST".to_owned(), body: asked.into(), ..self::asked() };
    if !coding.is_empty() {
        sent.headers.set("Content-Encoding", coding);
    }
    let on = Some(OnConnection::alone(connection));
    let mut exchange = Exchange { on, ..Exchange::begun(1, sent, Duration::ZERO) };
    exchange.derive(None);
    Transcript { exchanges: vec![exchange], ..Transcript::default() }
}

/// The text that can be read from a single message on its wire.
fn message(wire: &[u8]) -> String {
    let end = wire.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&wire[..end]).into_owned();
    let mut rest = &wire[end..];
    let mut body = Vec::new();
    if head.contains("chunked") {
        loop {
            let line = rest.iter().position(|&byte| byte == b'\n').unwrap();
            let size = std::str::from_utf8(&rest[..line]).unwrap().trim();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                break;
            }
            body.extend(&rest[line + 1..line + 1 + size]);
            rest = &rest[line + 1 + size + 2..];
        }
    } else {
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(length.unwrap().parse(), Ok(rest.len()), "the length that is stated");
        body.extend(rest);
    }
    head + &text_of(&body)
}

fn as_it_is(text: &[u8]) -> Vec<u8> {
    text.to_vec()
}

#[test]
fn no_body_tells_a_secret_that_is_compressed_or_torn() {
    for (coding, zip) in [("", as_it_is as fn(&[u8]) -> Vec<u8>), ("gzip", gzipped)] {
        for is_chunked in [true, false] {
            let transcript = over_http1(coding, zip, is_chunked);
            let on = transcript.exchanges[0].on.clone().unwrap();
            let plain = message(&bytes(&on.connection.lock().received));
            assert!(plain.contains(SECRETS[0]), "it is there to be found");
            let Redacted { transcript: without, dropped } = redacted(&transcript);
            assert_eq!(dropped, Vec::<usize>::new(), "{coding} {is_chunked}");
            let text = write_recording(&without);
            let read = read_recording(&text).unwrap();
            let exchange = &read.exchanges[0];
            let found = [
                text.clone(),
                message(&bytes(&exchange.sent)),
                message(&bytes(&exchange.wire)),
                text_of(&exchange.request.body),
                String::from_utf8_lossy(&exchange.body_bytes()).into_owned(),
            ];
            for secret in SECRETS {
                let tells = found.iter().position(|text| text.contains(secret));
                assert_eq!(tells, None, "{secret} {coding} {is_chunked}: {found:?}");
            }
            assert!(found[1].contains("{\"token\":\"redacted-"), "{found:?}");
            let times = |exchange: &Exchange| -> Vec<_> {
                exchange.body.iter().map(|chunk| (chunk.at, chunk.bytes.len())).collect()
            };
            assert_eq!(times(exchange), times(&transcript.exchanges[0]));
            assert_eq!(verdicts(&read), verdicts(&transcript), "{coding} {is_chunked}");
        }
    }
}

#[test]
fn a_body_that_cannot_be_decoded_is_no_longer_there() {
    let transcript = over_http1("compress", as_it_is, true);
    let Redacted { transcript: without, dropped } = redacted(&transcript);
    assert_eq!(dropped, Vec::<usize>::new());
    let exchange = &without.exchanges[0];
    assert!(exchange.body_bytes().iter().all(|&byte| byte == 0));
    assert_eq!(exchange.body_len(), transcript.exchanges[0].body_len());
    let names: Headers = exchange.head.clone().unwrap().headers;
    assert!(names.has("content-encoding"));
}

/// Where a client or a server has a secret.
const CARRIERS: [&str; 16] = [
    "Authorization: Bearer *",
    "Proxy-Authorization: Basic *",
    "Cookie: theme=a; sid=*",
    "X-Session-Id: *",
    "X-CSRFToken: *",
    "X-Credential: *",
    "X-Api-Key: *",
    "< Set-Cookie: sid=*; Path=/",
    "< X-Session-Token: *",
    "?topic=a&client_secret=*",
    "?X-Amz-Signature=*&topic=a",
    "?unknown=*",
    "@user:*",
    "Referer: http://user:*@h/s",
    "{\"user\":\"u\",\"api_key\":\"*\"}",
    "user=u&password=*",
];

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The text in HTML, with one of the escapes for a quotation mark and for an apostrophe.
fn html(text: &str, quote: &str, apostrophe: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', quote).replace('\'', apostrophe)
}

/// The secret as a server may repeat it.
fn repeated(secret: &str) -> String {
    let quoted = serde_json::to_string(secret).unwrap();
    let mut out = format!("data: {secret} {quoted} {}\n\n", percent(secret));
    out += &format!("data: {} {}\n\n", hex(secret), hex(secret).to_uppercase());
    for (quote, apostrophe) in [
        ("&quot;", "'"),
        ("&quot;", "&#x27;"),
        ("&quot;", "&#039;"),
        ("&quot;", "&apos;"),
        ("&#34;", "&#39;"),
    ] {
        out += &format!("data: {}\n\n", html(secret, quote, apostrophe));
    }
    for prefix in ["", "u", "u:"] {
        let all = format!("{prefix}{secret}:x");
        let [standard, in_urls] =
            [BASE64_STANDARD.encode(&all), BASE64_URL_SAFE_NO_PAD.encode(&all)];
        out += &format!("data: {standard}\ndata: {in_urls}\n\n");
    }
    out
}

/// The text with everything decoded that can be.
fn readable(text: &str) -> String {
    let mut out = text.replace("\\\\", "\\");
    for word in text.split(|char: char| char.is_whitespace() || "\"\\".contains(char)) {
        let decoded = BASE64_STANDARD.decode(word).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(word));
        out += &String::from_utf8_lossy(&decoded.unwrap_or_default());
        let bytes =
            word.split('%').skip(1).filter_map(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        out += &String::from_utf8_lossy(&bytes.collect::<Vec<_>>());
        let digits = word.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).ok());
        let bytes =
            digits.map(|two| u8::from_str_radix(two.filter(|two| two.len() == 2)?, 16).ok());
        out += &String::from_utf8_lossy(&bytes.collect::<Option<Vec<_>>>().unwrap_or_default());
        out.push(' ');
    }
    for (escape, char) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#039;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        out = out.replace(escape, char);
    }
    out
}

/// One exchange whose carrier has the secret, and whose stream repeats it.
fn carried(carrier: &str, secret: &str, is_http2: bool, is_gzip: bool, size: usize) -> Transcript {
    let given = match carrier.as_bytes()[0] {
        b'?' | b'u' | b'@' | b'R' => carrier.replace('*', &percent(secret)),
        b'{' => carrier.replace('*', serde_json::to_string(secret).unwrap().trim_matches('"')),
        _ => carrier.replace('*', secret),
    };
    let query = if given.starts_with('?') { &*given } else { "" };
    let url = match given.strip_prefix('@') {
        Some(user) => URL.replace("://", &format!("://{user}@")),
        None => format!("{URL}{query}"),
    };
    let body = if given.starts_with(['{', 'u']) { &*given } else { "" };
    let field =
        |text: &str| text.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let sent =
        Some(&*given).filter(|given| !given.starts_with(['<', '?', '@', '{', 'u'])).and_then(field);
    let received = given.strip_prefix("< ").and_then(field);
    let stream = repeated(secret).into_bytes();
    let stream = if is_gzip { gzipped(&stream) } else { stream };
    let coded = is_gzip.then(|| ("Content-Encoding".to_owned(), "gzip".to_owned()));
    let mut request = Request { body: body.into(), ..Request::subscribe(url.as_str()) };
    request.method = "POST".to_owned();
    if let Some((name, value)) = &sent {
        request.headers.set(name, value.as_str());
    }
    let (mut out, mut answer) = (Vec::new(), Vec::new());
    let mut transport = Transport::default();
    if is_http2 {
        request.version = Version::Http2;
        transport.stream = Some(1);
        out.extend(PREFACE);
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
        let all = |first: Vec<(&str, String)>, more: Vec<(String, String)>, out: &mut Vec<u8>| {
            let more: Vec<_> = more.iter().map(lower).collect();
            let more = more.iter().map(|(name, value)| (name.as_str(), value.clone()));
            let all: Vec<_> = first.into_iter().chain(more).collect();
            fields(out, &mut Encoder::default(), 1, 0, &all);
        };
        let path = format!("/s{query}");
        all(
            vec![(":method", "POST".into()), (":path", path)],
            sent.into_iter().collect(),
            &mut out,
        );
        write_frame(&mut out, kind::DATA, flag::END_STREAM, 1, body.as_bytes());
        let first = vec![(":status", "200".into()), ("content-type", "text/event-stream".into())];
        all(first, received.into_iter().chain(coded).collect(), &mut answer);
        write_frame(&mut answer, kind::DATA, flag::END_STREAM, 1, &stream);
    } else {
        let lines = |all: Vec<(String, String)>| -> String {
            all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
        };
        let length = |body: &[u8]| format!("Content-Length: {}\r\n\r\n", body.len());
        let sent = lines(sent.into_iter().collect());
        out = format!("POST /s{query} HTTP/1.1\r\n{sent}{}{body}", length(body.as_bytes())).into();
        let more = lines(received.into_iter().chain(coded).collect());
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
        answer = format!("{head}{more}{}", length(&stream)).into();
        answer.extend(&stream);
    }
    let connection =
        Connection { sent: chunks(&out, size), received: chunks(&answer, size), closed: None };
    let on = Some(OnConnection::alone(connection));
    let begun = Exchange::begun(1, request, Duration::ZERO);
    let mut exchange = Exchange { on, transport, ..begun };
    exchange.derive(None);
    let mut transcript = Transcript { exchanges: vec![exchange], ..Transcript::default() };
    transcript.target.url = url;
    transcript
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_secret_is_in_no_output_whatever_carries_and_repeats_it(
        // A value of a cookie has neither quotes nor semicolons, and one in a query is encoded.
        secret in "[a-z][0-9][A-Za-z0-9+/=_.~!*<>&'-]{10,30}[a-z]",
        carrier in prop::sample::select(&CARRIERS[..]),
        is_http2 in any::<bool>(),
        is_gzip in any::<bool>(),
        size in prop::sample::select(&[5_usize, 40, 100_000][..]),
    ) {
        let transcript = carried(carrier, &secret, is_http2, is_gzip, size);
        let Redacted { transcript: without, dropped } = redacted(&transcript);
        prop_assert_eq!(dropped, Vec::<usize>::new());
        let text = write_recording(&without);
        let read = read_recording(&text).unwrap();
        let exchange = &read.exchanges[0];
        let wires = [bytes(&exchange.sent), bytes(&exchange.wire)];
        let wires = wires.map(|wire| if is_http2 { decoded(&wire) } else { message(&wire) });
        let body = String::from_utf8_lossy(&exchange.body_bytes()).into_owned();
        let asked = exchange.request.body.to_text();
        for (place, text) in [&text, &wires[0], &wires[1], &body, &asked, &logs(&without)].into_iter().enumerate() {
            let readable = readable(text);
            prop_assert!(!readable.contains(&secret), "{place}: {readable}");
        }
        prop_assert_eq!(verdicts(&read), verdicts(&transcript));
    }
}
