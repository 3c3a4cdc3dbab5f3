//! `sseproof parse`: prints a stream as JSON lines.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sseproof_codec::{Decoder, Item};
use sseproof_files::ConnectionKeys;
use sseproof_http::Request;
use sseproof_net::{Client, ConnectionOptions, Direct, Leave, Limits, Waited};
use sseproof_record::Ending;

use crate::connection::ConnectionFlags;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::screen;

const PIECE: usize = 64 << 10;
/// The wait for the next piece of a stream is renewed after this time.
const RENEW: Duration = Duration::from_secs(3_600);

pub(crate) async fn run(source: &str, connection: &ConnectionFlags) -> Result<Exit, Blame> {
    if source.starts_with("http://") || source.starts_with("https://") {
        return url(source, connection.options(Some(source), &ConnectionKeys::default()).usage()?)
            .await;
    }
    let mut input: Box<dyn std::io::Read> = if source == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(source)
            .with_context(|| format!("cannot open {source} (a file, `-`, or a URL with http://)"));
        Box::new(file.usage()?)
    };
    let mut decoder = Decoder::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read =
            input.read(&mut piece).with_context(|| format!("cannot read {source}")).usage()?;
        if read == 0 {
            break;
        }
        let mut items = decoder.inspect(&piece[..read]);
        while let Some(item) = items.next() {
            if !print(&item)? {
                return Ok(Exit::Held);
            }
        }
    }
    if let Some(anomaly) = decoder.finish() {
        print(&Item::Anomaly(anomaly))?;
    }
    Ok(Exit::Held)
}

async fn url(url: &str, connection: ConnectionOptions) -> Result<Exit, Blame> {
    let client = Client::new(Arc::new(Direct), Limits::default()).with(connection);
    let mut live = client.open(Request::subscribe(url)).usage()?;
    let mut printed = 0;
    loop {
        let waited = live.wait(RENEW, |progress| progress.items.len() > printed).await;
        let new: Vec<_> = live.look(|progress| progress.items[printed..].to_vec());
        printed += new.len();
        for (_, item) in &new {
            if !print(item)? {
                return Ok(Exit::Held);
            }
        }
        if waited == Waited::Ended {
            break;
        }
    }
    let exchange = live.leave(Leave::Fin).await;
    match (&exchange.head, &exchange.end.how) {
        (None, how) => Err(anyhow::anyhow!("cannot read {url}: {how}")).unreachable(),
        (Some(head), _) if !exchange.is_stream() => {
            let kind = head.media_type().unwrap_or_else(|| "no content type".to_owned());
            screen::say(format_args!(
                "sseproof: {url} is not an event stream: status {}, {kind}",
                head.status
            ));
            Ok(Exit::Broken)
        }
        (Some(_), Ending::OverLimit(bytes)) => {
            screen::say(format_args!(
                "sseproof: {url} was read only up to byte {bytes}, since sseproof keeps no more of a response; for the rest: curl -N {url} | sseproof parse -"
            ));
            Ok(Exit::Broken)
        }
        (Some(_), how) => {
            if *how != Ending::Complete {
                screen::say(format_args!(
                    "sseproof: the stream of {url} did not end properly: {how}"
                ));
            }
            Ok(Exit::Held)
        }
    }
}

/// Prints the item; `false` if standard output is closed.
fn print(item: &Item<'_>) -> Result<bool, Blame> {
    let mut line = serde_json::to_string(item).context("write an item as JSON")?;
    line.push('\n');
    screen::print_json(&line)
}
