use std::time::Duration;

use sseproof_http::Request;

use super::*;
use crate::{Published, RunEvent, RunEventKind, read_recording, write_recording};

fn redacted(transcript: &Transcript, known: &[(String, String)]) -> Transcript {
    Secrets::of(transcript, &[], known).redact(transcript).transcript
}

fn chunk(text: &str) -> Chunk {
    Chunk { at: Duration::ZERO, bytes: Bytes::from(text) }
}

/// A variable whose name is not that of a secret.
fn tenant() -> (String, String) {
    ("TENANT".to_owned(), "of-the-environment".to_owned())
}

/// An exchange with secrets in the URL, in headers of both sides, and in the body.
fn transcript() -> Transcript {
    read_recording(include_str!("../../tests/secrets.jsonl")).unwrap()
}

#[test]
fn no_secret_is_left() {
    let mut redacted = redacted(&transcript(), &[tenant()]);
    let exchange = &mut redacted.exchanges[0];
    // Of the same length: the offset of a later fault stays.
    let stream = "data: redacted-2\n\n";
    assert_eq!(stream.len(), "data: top-secret\n\n".len());
    assert_eq!(exchange.body[0].bytes.to_text(), stream);
    let text = write_recording(&redacted);
    for secret in ["top-se", "1234567", "89abcdef", "from-the-query", "of-the-env", "dark"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for kept in ["Bearer redacted-", "sid=redacted-", "topic=a&token=redacted-", "; Path=/"] {
        assert!(text.contains(kept), "{kept} not in {text}");
    }
}

#[test]
fn the_same_secret_has_the_same_word_and_another_another() {
    let mut transcript = transcript();
    let mut second = transcript.exchanges[0].clone();
    second.request.headers.set("Authorization", "Bearer top-secret2");
    transcript.exchanges.extend([transcript.exchanges[0].clone(), second]);
    let redacted = redacted(&transcript, &[]);
    let of = |index: usize| redacted.exchanges[index].request.headers.first("authorization");
    assert_eq!(of(0), of(1));
    assert_ne!(of(0), of(2));
}

#[test]
fn to_redact_twice_changes_nothing_more() {
    let once = redacted(&transcript(), &[tenant()]);
    assert_eq!(redacted(&once, &[]), once);
}

#[test]
fn what_has_no_secret_stays_as_it_is() {
    let exchange = Exchange {
        wire: vec![chunk("HTTP/1.1 2"), chunk("00 OK\r\n\r\n"), chunk("data: x\n\n")],
        ..Exchange::begun(1, Request::subscribe("http://h/s"), Duration::ZERO)
    };
    let transcript = Transcript { exchanges: vec![exchange], ..Transcript::default() };
    assert_eq!(redacted(&transcript, &[]), transcript);
}

#[test]
fn what_a_stream_repeats_keeps_its_length_and_stays_comparable() {
    let mut transcript = transcript();
    let exchange = &mut transcript.exchanges[0];
    // Torn by two pieces, and taken for an id.
    exchange.body = vec![chunk("id: top-se"), chunk("cret\ndata: 1234567, top-secret\n\n")];
    exchange.request.headers.set("Last-Event-ID", "top-secret");
    let published = Published { data: "top-secret".to_owned(), ..Published::default() };
    exchange.published = vec![published.clone()];
    let failed = Some("POST /restart?token=top-secret answered 500".to_owned());
    transcript.run_events = [
        RunEventKind::Restarted { ready_us: None, failed },
        RunEventKind::Published { what: published, answered_us: None },
    ]
    .map(|what| RunEvent { at: Duration::ZERO, scenario: String::new(), name: String::new(), what })
    .to_vec();
    let redacted = redacted(&transcript, &[]);
    let exchange = &redacted.exchanges[0];
    let body = String::from_utf8(exchange.body_bytes()).unwrap();
    assert_eq!(exchange.body[0].bytes.len(), "id: top-se".len());
    assert_eq!(body.len(), transcript.exchanges[0].body_bytes().len());
    let id = exchange.request.headers.first("last-event-id").unwrap();
    assert!(id.starts_with("redacted-"), "{id}");
    assert!(body.starts_with(&format!("id: {id}\ndata: r")), "{body}");
    assert_eq!(exchange.published[0].data, id);
    assert!(!format!("{redacted:?}").contains("top-secret"));
}

#[test]
fn what_is_asked_besides_and_variables_have_secrets_too() {
    let gauge = Request::subscribe("http://h/active?token=of-the-gauge").with("X-Key", "abcdefg");
    let variables = [("API_TOKEN", "of-a-variable"), ("TOPIC", "weather")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let secrets = Secrets::of(&Transcript::default(), &[gauge], &variables);
    let text = secrets.text("GET /active?token=of-the-gauge, abcdefg, of-a-variable, weather");
    for secret in ["of-the-gauge", "abcdefg", "of-a-variable"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("weather"), "{text}");
    assert_eq!(Secrets::default().text("Bearer x"), "Bearer x");
}

#[test]
fn the_answer_to_a_login_loses_the_token_that_later_requests_carry() {
    let mut transcript = transcript();
    transcript.exchanges[0].judged = false;
    let redacted = redacted(&transcript, &[]);
    assert!(!redacted.exchanges[0].body[0].bytes.to_text().contains("top-secret"));
}

#[test]
fn secrets_beyond_the_bound_are_replaced_where_their_place_or_form_shows_them() {
    let mut transcript = transcript();
    let key = |number: usize| format!("sk-{number:0>400}");
    let keys: String = (0..2_000).map(|number| format!("data: {}\n\n", key(number))).collect();
    let cookie = "c00k1e".repeat(known::SEARCHED);
    let exchange = &mut transcript.exchanges[0];
    exchange.body = vec![chunk(&keys)];
    let Some(head) = &mut exchange.head else { panic!("headers") };
    head.headers.set("set-cookie", format!("sid={cookie}; Path=/"));
    let redacted = redacted(&transcript, &[tenant()]);
    let text = format!("{redacted:?}");
    for secret in [&key(0), &key(1_999), "c00k1e", "top-secret"] {
        assert!(!text.contains(secret), "{secret:.20}");
    }
    assert_eq!(redacted.exchanges[0].body_bytes().len(), keys.len());
}
