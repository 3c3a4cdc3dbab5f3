//! The arguments of `sseproof load`, `merge` and `diff`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use sseproof_files::PublishHook;
use sseproof_load_model::{Arrivals, Http, Metric, Protocol, Sequencing, Stamping, Threshold};

use sseproof_report::terminal::Detail;
use sseproof_units::{Dimension, UnitError, Value, parse_bytes, parse_duration};

use super::meeting::{StartAt, start_at};
use super::processes::{Task, task};
use super::shards::{Sharding, sharding};
use crate::args::{given, hook};
use crate::connection::ConnectionFlags;
use crate::exit;

const EXAMPLES: &str = include_str!("../help/load.txt").trim_ascii_end();

#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct Load {
    /// The URL of the stream, a plan (a YAML file), or the name of a ready plan
    /// (`sseproof list plans`); without it, the embedded server.
    #[arg(value_name = "URL | PLAN", value_parser = given)]
    pub(crate) what: Option<String>,
    /// The URL of the stream, for a plan.
    #[arg(long, value_name = "URL", value_parser = given, help_heading = "The load")]
    pub(crate) url: Option<String>,
    /// Put the same load on this WebSocket, in turn, and compare; `websocket` is the one of the embedded
    /// server.
    #[arg(long, value_name = "URL | websocket", value_parser = given, help_heading = "The load")]
    pub(crate) versus: Option<String>,
    /// Show the error of the measurement: the embedded server delays its events by 0, 1, 10 and
    /// 100 ms.
    #[arg(long, conflicts_with_all = ["what", "url", "versus", "publish", "publish_cmd"], help_heading = "The load")]
    pub(crate) calibrate: bool,
    /// The number of rounds for each URL.
    #[arg(long, value_name = "COUNT", default_value_t = 1, help_heading = "The load")]
    pub(crate) rounds: u32,
    /// The number of clients (default: 500, which a server on another machine gets only with --yes).
    #[arg(short = 'c', long, value_name = "COUNT", help_heading = "The load")]
    pub(crate) connections: Option<u64>,
    /// The time in which all clients connect.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "The load")]
    pub(crate) ramp: Option<Duration>,
    /// The number of steps of the ramp; memory is read after each.
    #[arg(long, value_name = "COUNT", default_value_t = 4, help_heading = "The load")]
    pub(crate) plateaus: u32,
    /// The time for which all clients stay connected.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "The load")]
    pub(crate) hold: Option<Duration>,
    /// Then disconnect this share of the clients, as in '50%', and measure until they have reconnected.
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "The load")]
    pub(crate) storm: Option<f64>,
    /// With --http 2: the number of streams per connection (default: 100), if the server allows as
    /// many. Each WebSocket has its own connection.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(Http::MOST_STREAMS)), help_heading = "The load")]
    pub(crate) streams_per_connection: Option<u32>,
    /// Offer to take compressed streams: in gzip, and on WebSockets by permessage-deflate.
    #[arg(long, help_heading = "The load")]
    pub(crate) compress: bool,
    /// The distribution of arrivals in time.
    #[arg(long, value_parser = arrivals(), default_value = "constant", value_name = "HOW", help_heading = "The load")]
    pub(crate) arrivals: Arrivals,
    /// Send requests of this protocol, whose responses end, instead of subscribing. Without --body,
    /// the request is that of `sseproof check --profile`, with --var model=… and --var prompt=….
    #[arg(long, value_parser = protocol(), value_name = "NAME", help_heading = "The load")]
    pub(crate) profile: Option<Protocol>,
    /// Count a response as good if it meets this, as in 'ttft < 500ms'. Can be repeated.
    #[arg(long, value_name = "METRIC < LIMIT", value_parser = sseproof_load_model::objective, requires = "profile", help_heading = "The load")]
    pub(crate) objective: Vec<(Metric, u64)>,
    /// Requests, or published events, per second, as in 50 or 0.5/s.
    #[arg(long, value_name = "COUNT", value_parser = rate, help_heading = "The load")]
    pub(crate) rate: Option<f64>,
    /// The time for which requests are sent.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "The load")]
    pub(crate) duration: Option<Duration>,
    /// Publish with this request, whose body is the data, as in 'POST /publish', at --rate.
    #[arg(long, value_name = "METHOD PATH", value_parser = hook, help_heading = "The load")]
    pub(crate) publish: Option<PublishHook>,
    /// Publish with this command, without a shell, as in 'redis-cli publish news ${data}', at --rate.
    #[arg(long, value_name = "COMMAND", value_parser = PublishHook::command, conflicts_with = "publish", help_heading = "The load")]
    pub(crate) publish_cmd: Option<PublishHook>,
    /// The size of the data of a published event, as in 100 or 4KiB.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "100", help_heading = "The load")]
    pub(crate) size: u64,
    /// Where an event has its time: `own` if sseproof made the event, a JSON pointer and the unit since
    /// the Unix epoch, as in '/time:ms', `none`, or `auto`: where the first events have it (default).
    #[arg(long, value_name = "auto | own | none | POINTER:UNIT", value_parser = stamping, help_heading = "The load")]
    pub(crate) stamp: Option<Stamping>,
    /// Where an event has its sequence number: `own`, `id`, a JSON pointer, `none`, or `auto`: where the
    /// first events have it (default).
    #[arg(long, value_name = "auto | own | id | none | POINTER", value_parser = sequencing, help_heading = "The load")]
    pub(crate) sequence: Option<Sequencing>,
    /// Put 500 clients or more on a server on another machine, though no -c says so.
    #[arg(long, help_heading = "The load")]
    pub(crate) yes: bool,
    /// The seed of the schedule; the same number gives the same schedule (default: 0).
    #[arg(long, value_name = "NUMBER", help_heading = "The load")]
    pub(crate) seed: Option<u64>,

    /// Send this header with each request. Can be repeated.
    #[arg(short = 'H', long, value_name = "NAME: VALUE", help_heading = "Requests")]
    pub(crate) header: Vec<String>,
    /// Send this body, or the contents of @FILE.
    #[arg(short = 'd', long, value_name = "TEXT | @FILE", help_heading = "Requests")]
    pub(crate) body: Option<String>,
    /// Set a variable of the plan. Can be repeated.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Requests")]
    pub(crate) var: Vec<String>,
    /// Wait at most this long for a connection, and as long again for response headers.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Requests")]
    pub(crate) timeout: Option<Duration>,

    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,

    /// Read memory and processor time of this process and its children.
    #[arg(long, value_name = "ID", conflicts_with = "server_cmd", help_heading = "The server")]
    pub(crate) server_pid: Option<u32>,
    /// Start the server with this command, without a shell, before each round, and stop it after.
    #[arg(long, value_name = "COMMAND", value_parser = given, help_heading = "The server")]
    pub(crate) server_cmd: Option<String>,

    /// Connect from these addresses, in turn, as in '127.0.0.2-127.0.0.9'; each has 28,000 ports
    /// by the default of Linux.
    #[arg(long, value_name = "ADDRESS[-ADDRESS]", value_parser = addresses, help_heading = "The generator")]
    pub(crate) bind: Option<Addresses>,
    /// The number of threads (default: half of the processors).
    #[arg(long, value_name = "COUNT", help_heading = "The generator")]
    pub(crate) threads: Option<u64>,
    /// The number of processes; each has its own limit of open files.
    #[arg(long, value_name = "COUNT", default_value_t = 1, help_heading = "The generator")]
    pub(crate) processes: u64,
    /// Play only this part of the plan, as in '0/4'; `auto`: the part that Kubernetes, Slurm, AWS Batch,
    /// Google Cloud Batch or Nomad gives to this task. `sseproof merge` joins the results.
    #[arg(long, value_name = "INDEX/COUNT | auto", value_parser = sharding, conflicts_with = "processes", help_heading = "Many generators")]
    pub(crate) shard: Option<Sharding>,
    /// The number of shards, if neither --shard nor the engine says it.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "processes", help_heading = "Many generators")]
    pub(crate) shards: Option<u64>,
    /// Begin at this time, as in 2026-11-29T12:00:00Z, or so long after the start of this program.
    #[arg(long, value_name = "TIME | +90s", value_parser = start_at, help_heading = "Many generators")]
    pub(crate) start_at: Option<StartAt>,
    /// Put the result there, where `sseproof merge` finds it: s3://…, gs://…, az://… or file:///….
    /// Without --start-at, all shards begin when the last one is ready.
    #[arg(long, value_name = "PLACE", value_parser = given, help_heading = "Many generators")]
    pub(crate) results: Option<String>,
    /// Give up if not all shards are ready after this time.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "5m", requires = "results", help_heading = "Many generators")]
    pub(crate) start_within: Duration,
    /// The task of a worker, set by the process that starts it.
    #[arg(long, hide = true, value_parser = task)]
    pub(super) task: Option<Task>,

    #[command(flatten)]
    pub(super) outputs: Outputs,
    /// Serve metrics for Prometheus at this address while the load runs, as in '127.0.0.1:9100'.
    #[arg(long, value_name = "ADDRESS", help_heading = "Output")]
    pub(super) prometheus: Option<std::net::SocketAddr>,
}

impl Load {
    pub(super) fn publish(&self) -> Option<&PublishHook> {
        self.publish.as_ref().or(self.publish_cmd.as_ref())
    }
}

/// Thresholds of a result, and files for it.
#[derive(Args)]
pub(super) struct Outputs {
    /// Fail if this is true, as in 'delivery.p99 > 50ms' or 'lost > 0'. Can be repeated.
    #[arg(long, value_name = "THRESHOLD", value_parser = Threshold::parse, help_heading = "Output")]
    pub(super) fail_if: Vec<Threshold>,
    /// Write the result as JSON, for `sseproof merge` and `sseproof diff`.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) json: Option<PathBuf>,
    /// Write the result as CSV, one row per interval and metric.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) csv: Option<PathBuf>,
    /// Write the result as Markdown, for a pull request.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) markdown: Option<PathBuf>,
    /// Write the result as one HTML file, with charts.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) html: Option<PathBuf>,
    /// Write the histograms of all intervals as an HdrHistogram log.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) hlog: Option<PathBuf>,
    /// Print only the verdict, and what stands against the results.
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(super) quiet: bool,
    /// Print all figures.
    #[arg(short, long, help_heading = "Output")]
    pub(super) verbose: bool,
}

impl Outputs {
    pub(super) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        }
    }

    /// The flags and their files.
    pub(super) fn files(&self) -> [(&'static str, Option<&Path>); 5] {
        [
            ("json", self.json.as_deref()),
            ("csv", self.csv.as_deref()),
            ("markdown", self.markdown.as_deref()),
            ("hlog", self.hlog.as_deref()),
            ("html", self.html.as_deref()),
        ]
    }
}

/// Results of several machines.
#[derive(Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Merge {
    /// The result of each shard, written by `sseproof load --shard INDEX/COUNT --json FILE`, or the
    /// place of all, written by `sseproof load --results PLACE`.
    #[arg(required = true, value_name = "RESULT.json | PLACE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

/// Two results.
#[derive(Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Diff {
    /// The older result, written by `sseproof load --json`.
    #[arg(value_name = "OLD.json")]
    pub(super) old: PathBuf,
    /// The newer result.
    #[arg(value_name = "NEW.json")]
    pub(super) new: PathBuf,
    /// Fail if this is true, as in 'delivery.p99 > +10%' or 'lost > 0'. Can be repeated.
    #[arg(long, value_name = "THRESHOLD", value_parser = Threshold::parse_change)]
    pub(super) fail_if: Vec<Threshold>,
    /// Write the comparison as one HTML file.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Print all values, also those that did not change.
    #[arg(short, long)]
    pub(super) verbose: bool,
}

fn arrivals() -> impl TypedValueParser<Value = Arrivals> {
    let value = |name, help| PossibleValue::new(name).help(help);
    let both = [
        value("constant", "At equal distances"),
        value("poisson", "At random, like independent clients"),
    ];
    PossibleValuesParser::new(both).map(|name| match name.as_str() {
        "poisson" => Arrivals::Poisson,
        _ => Arrivals::Constant,
    })
}

fn protocol() -> impl TypedValueParser<Value = Protocol> {
    PossibleValuesParser::new(Protocol::ALL.map(|protocol| {
        PossibleValue::new(protocol.id()).help(match protocol {
            Protocol::Plain => "Every event is a token",
            Protocol::OpenaiChat => "OpenAI's chat completions",
            Protocol::OpenaiResponses => "OpenAI's responses",
            Protocol::AnthropicMessages => "Anthropic's messages",
        })
    }))
    .map(|id| Protocol::ALL.into_iter().find(|protocol| protocol.id() == id).unwrap_or_default())
}

#[derive(Clone, Debug)]
pub(crate) struct Addresses(pub(crate) Vec<IpAddr>);

/// How many source addresses there may be.
const MOST_ADDRESSES: u32 = 1024;

fn addresses(text: &str) -> Result<Addresses, String> {
    let said = "write it as 127.0.0.2 or 127.0.0.2-127.0.0.9";
    let Some((from, to)) = text.split_once('-') else {
        return text.parse().map(|address| Addresses(vec![address])).map_err(|_| said.to_owned());
    };
    let parse = |text: &str| text.parse::<std::net::Ipv4Addr>().map(u32::from);
    let (Ok(from), Ok(to)) = (parse(from), parse(to)) else { return Err(said.to_owned()) };
    if to < from || to - from >= MOST_ADDRESSES {
        return Err(format!(
            "the second address must be the higher one, at most {MOST_ADDRESSES} in all; {said}"
        ));
    }
    Ok(Addresses((from..=to).map(|address| std::net::Ipv4Addr::from(address).into()).collect()))
}

fn share(text: &str) -> Result<f64, UnitError> {
    let share = Value::parse(text, Dimension::Share)?.amount;
    let most = || UnitError {
        at: 0,
        what: format!("{text} is more than 100%"),
        instead: "write 100% for all clients".to_owned(),
    };
    (share <= 1.0).then_some(share).ok_or_else(most)
}

fn rate(text: &str) -> Result<f64, UnitError> {
    let alone = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let text = if alone { format!("{text}/s") } else { text.to_owned() };
    let rate = Value::parse(&text, Dimension::Rate)?.amount;
    let none = || UnitError {
        at: 0,
        what: "a rate must be greater than 0".to_owned(),
        instead: "write one such as 50 or 0.5/s".to_owned(),
    };
    (rate > 0.0).then_some(rate).ok_or_else(none)
}

fn stamping(text: &str) -> Result<Stamping, &'static str> {
    Stamping::parse(text)
        .ok_or("write auto, own, none, or a JSON pointer and s, ms, us or ns, as in /time:ms")
}

fn sequencing(text: &str) -> Result<Sequencing, &'static str> {
    Sequencing::parse(text).ok_or("write auto, own, id, none, or a JSON pointer as in /sequence")
}
