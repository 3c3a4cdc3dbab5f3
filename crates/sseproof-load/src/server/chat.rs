//! A stream as a language model sends it, in the form of OpenAI's chat completions: a role, a token
//! now and then, a reason to end, the usage if it is requested, and `[DONE]`.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::event::{Batch, Framing};
use super::query::{Mistake, Parameter};
use super::request::{Answer, Talk, stream_head};
use super::ticker::unix;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// How long the first token takes, as the prompt has to be read.
    first: Duration,
    /// How long each further one takes.
    token_every: Duration,
    /// How many there are, unless the request allows fewer.
    tokens: u64,
}

impl Default for Pace {
    /// A typical model on an idle machine.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            token_every: Duration::from_millis(20),
            tokens: 100,
        }
    }
}

impl Pace {
    fn parse(query: &str) -> Result<Self, Mistake> {
        let mut pace = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let parameter = Parameter { name: &name, value: &value };
            match &*name {
                "first" => pace.first = parameter.duration()?,
                "token-every" => pace.token_every = parameter.duration()?,
                "tokens" => pace.tokens = parameter.number(1..=1_000_000)?,
                _ => return Err(parameter.unknown("first, token-every, tokens")),
            }
        }
        Ok(pace)
    }
}

/// The used members of a request; clients send many more.
#[derive(Debug, Deserialize)]
struct Body {
    model: String,
    messages: Vec<serde_json::Value>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Debug)]
pub(super) struct Chat {
    pace: Pace,
    body: Body,
    id: String,
    created: u64,
}

/// The words of an answer, each a token.
const WORDS: [&str; 8] = [" the", " stream", " goes", " on", ",", " word", " by", " word"];

impl Chat {
    pub(super) fn new(query: &str, body: &[u8], number: u64) -> Result<Self, Answer> {
        let pace = Pace::parse(query).map_err(|mistake| refused(&mistake.to_string()))?;
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            refused(&format!("the body is not a valid chat completion request: {error}"))
        })?;
        if body.messages.is_empty() {
            return Err(refused("`messages` is empty; write at least one message"));
        }
        Ok(Self { pace, body, id: format!("chatcmpl-{number}"), created: unix() / 1_000_000_000 })
    }

    pub(super) async fn answer(
        &self,
        talk: &mut Talk<'_>,
        modern: bool,
        keeps: bool,
    ) -> io::Result<()> {
        let start = Instant::now() + self.pace.first;
        let (tokens, _) = self.length();
        if !self.body.stream {
            let every = self.pace.token_every;
            let thinking = every.saturating_mul(u32::try_from(tokens - 1).unwrap_or(u32::MAX));
            pause(talk, start + thinking).await?;
            return talk.write(&Answer::json("200 OK", self.whole()).write(false, keeps)).await;
        }
        let framing = if modern { Framing::Chunks } else { Framing::Plain };
        talk.write(stream_head(framing, keeps, false).as_bytes()).await?;
        let mut batch = Batch::default();
        // Made once, so that a token costs a write and little else.
        let words = WORDS.map(|word| {
            self.choice(&json!({ "content": word }), None, batch.fill());
            batch.framed(framing).to_vec()
        });
        self.choice(&json!({ "role": "assistant", "content": "" }), None, batch.fill());
        pause(talk, start).await?;
        talk.write(batch.framed(framing)).await?;
        for n in 0..tokens {
            let every = self.pace.token_every.as_nanos() * u128::from(n);
            let every = Duration::from_nanos(u64::try_from(every).unwrap_or(u64::MAX));
            pause(talk, start + every).await?;
            talk.write(of_turn::<Vec<u8>>(&words, n)).await?;
        }
        self.last(batch.fill());
        talk.write(batch.framed(framing)).await?;
        talk.write(framing.end()).await
    }

    /// How many tokens there are, and why there are no more.
    fn length(&self) -> (u64, &'static str) {
        let most = self.body.max_completion_tokens.or(self.body.max_tokens).unwrap_or(u64::MAX);
        if most < self.pace.tokens { (most.max(1), "length") } else { (self.pace.tokens, "stop") }
    }

    fn includes_usage(&self) -> bool {
        self.body.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }

    fn last(&self, out: &mut Vec<u8>) {
        let (_, reason) = self.length();
        self.choice(&json!({}), Some(reason), out);
        if self.includes_usage() {
            self.chunk(json!([]), self.usage(), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn choice(&self, delta: &serde_json::Value, reason: Option<&str>, out: &mut Vec<u8>) {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        self.chunk(json!([choice]), serde_json::Value::Null, out);
    }

    fn chunk(&self, choices: serde_json::Value, usage: serde_json::Value, out: &mut Vec<u8>) {
        let mut chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.body.model,
            "choices": choices,
        });
        // A client that requests the usage gets the field in every chunk.
        if self.includes_usage() {
            chunk["usage"] = usage;
        }
        out.extend_from_slice(format!("data: {chunk}\n\n").as_bytes());
    }

    fn usage(&self) -> serde_json::Value {
        // Four letters a token, as the rule of thumb has it.
        let said = |message: &serde_json::Value| message["content"].as_str().map_or(0, str::len);
        let prompt = self.body.messages.iter().map(said).sum::<usize>() as u64 / 4 + 1;
        let (tokens, _) = self.length();
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": tokens,
            "total_tokens": prompt + tokens,
        })
    }

    fn whole(&self) -> String {
        let (tokens, reason) = self.length();
        let content = (0..tokens).fold(String::new(), |mut content, n| {
            // A `String` takes whatever is written.
            let _ = write!(content, "{}", of_turn(&WORDS, n));
            content
        });
        let message = json!({ "role": "assistant", "content": content });
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.body.model,
            "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
            "usage": self.usage(),
        })
        .to_string()
    }
}

fn of_turn<T>(all: &[T; WORDS.len()], n: u64) -> &T {
    &all[(n % all.len() as u64) as usize]
}

fn refused(message: &str) -> Answer {
    let error = json!({
        "message": message,
        "type": "invalid_request_error",
        "param": null,
        "code": null,
    });
    Answer::json("400 Bad Request", json!({ "error": error }).to_string())
}

async fn pause(talk: &mut Talk<'_>, until: Instant) -> io::Result<()> {
    tokio::select! {
        () = sleep_until(until) => Ok(()),
        gone = talk.gone() => Err(gone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(query: &str, body: &str) -> Chat {
        Chat::new(query, body.as_bytes(), 7).unwrap()
    }

    fn refusal(query: &str, body: &str) -> String {
        let answer = Chat::new(query, body.as_bytes(), 7).unwrap_err().write(false, true);
        String::from_utf8(answer).unwrap()
    }

    #[test]
    fn the_request_may_allow_fewer_tokens() {
        let body = r#"{"model":"m","messages":[{}],"max_tokens":3}"#;
        assert_eq!(chat("tokens=5", body).length(), (3, "length"));
        assert_eq!(chat("tokens=3", body).length(), (3, "stop"));
        assert_eq!(chat("", r#"{"model":"m","messages":[{}]}"#).length(), (100, "stop"));
    }

    #[test]
    fn the_usage_comes_last_where_it_is_asked_for() {
        let body = r#"{"model":"m","messages":[{"content":"12345678"}],"stream_options":{"include_usage":true}}"#;
        let mut out = Vec::new();
        chat("tokens=2", body).last(&mut out);
        let out = String::from_utf8(out).unwrap();
        let chunks: Vec<_> = out.split_terminator("\n\n").collect();
        let parsed = |n: usize| {
            serde_json::from_str::<serde_json::Value>(&chunks[n]["data: ".len()..]).unwrap()
        };
        assert_eq!(parsed(0)["choices"][0]["finish_reason"], "stop");
        assert_eq!(parsed(0)["usage"], serde_json::Value::Null);
        let usage = json!({ "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 });
        assert_eq!((&parsed(1)["usage"], &parsed(1)["choices"]), (&usage, &json!([])));
        assert_eq!(chunks[2..], ["data: [DONE]"]);
    }

    #[test]
    fn what_cannot_be_is_an_error_in_json() {
        assert!(refusal("", "{}").contains("missing field `model`"));
        assert!(refusal("", r#"{"model":"m","messages":[]}"#).contains("at least one message"));
        assert!(refusal("token-every=1", "{}").contains("`token-every=1` is not a duration"));
        assert!(refusal("", "no json").contains(r#""type":"invalid_request_error""#));
    }
}
