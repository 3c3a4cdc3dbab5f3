//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use sseproof_files::{GaugeHook, PublishHook};
use sseproof_units::parse_duration;

use crate::exit;
use crate::load::args::{Diff, Load, Merge};
use crate::ways::WaysGiven;

/// Proves a Server-Sent Events server right, or shows the byte where it is wrong.
#[derive(Parser)]
#[command(name = "sseproof", version, about, max_term_width = 100, after_help = exit::HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a server: without a URL, the embedded reference server.
    Check(Box<Check>),
    /// Put load on a server, and tell what its streams cost: without a URL, the embedded one, over SSE
    /// and WebSocket.
    Load(Box<Load>),
    /// Join the results of several machines, as if one had done all.
    Merge(Merge),
    /// Compare two results of loads.
    Diff(Diff),
    /// Look at a server, and write a first sseproof.yaml and a CI workflow.
    Init {
        /// The URL of the stream.
        url: String,
        /// Send this header; the files get its name alone. May be given again.
        #[arg(short = 'H', long, value_name = "NAME: VALUE")]
        header: Vec<String>,
        /// The protocol on top of the stream (`sseproof list profiles`); the file gets its
        /// variables, too.
        #[arg(long, value_name = "NAME", value_parser = profile_names())]
        profile: Option<String>,
        /// Where to write, for instance the root of the repository.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        folder: PathBuf,
        /// Write over what is there.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        ways: WaysGiven,
    },
    /// Serve the reference stream, or a server that is wrong on purpose.
    Serve {
        /// Where to listen; port 0 lets the system choose.
        #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
        listen: String,
        /// Be wrong in this way (`sseproof list mutants`).
        #[arg(long, value_name = "ID")]
        mutant: Option<String>,
        /// Serve what is in this file, byte by byte and at its pace: a recording, or what
        /// `curl -isN URL > FILE` wrote. The n-th request of a kind gets the n-th answer to it.
        #[arg(long, value_name = "FILE", conflicts_with = "mutant")]
        play: Option<PathBuf>,
        /// Speak TLS. The authority behind its certificate is made for this run, and written to this
        /// file (PEM), for `sseproof check --ca FILE`.
        #[arg(long, value_name = "FILE")]
        tls: Option<PathBuf>,
        /// Serve the reference of this profile, or a mutant of it (`sseproof list profiles`).
        #[arg(long, value_name = "NAME", value_parser = profile_names(), conflicts_with = "play")]
        profile: Option<String>,
        /// Serve a page that reads the corpus with the EventSource of the browser that opens it.
        #[arg(long, conflicts_with_all = ["mutant", "play", "profile"])]
        corpus: bool,
        /// Serve streams to put load on: /events and /ws with the same content, /publish and /chat.
        /// The query says what comes, as in `/events?every=100ms&size=200`; `/` lists all of it.
        #[arg(long, conflicts_with_all = ["mutant", "play", "profile", "corpus"])]
        load: bool,
        /// With --load: let other servers that say so too listen on the same port. The system spreads
        /// connections over them; what is published to one is not sent by the others.
        #[arg(long, requires = "load")]
        reuse_port: bool,
    },
    /// Print a stream as JSON lines: events, comments, and what is wrong at which byte.
    Parse {
        /// A file, `-` for standard input, or a URL.
        #[arg(default_value = "-")]
        source: String,
        #[command(flatten)]
        ways: Box<WaysGiven>,
    },
    /// Check a parser in any language: without a command, the embedded one.
    CheckParser(CheckParser),
    /// Cut a recording down to the exchanges that show a finding, and print it.
    Cut {
        /// What `sseproof check --record` wrote.
        recording: PathBuf,
        /// The rule that is broken, as in `stream/utf8`.
        #[arg(long)]
        rule: String,
    },
    /// Say what a rule demands, why it matters, and how to mend a server that breaks it.
    Explain {
        /// The rule, as in `stream/utf8`.
        rule: String,
    },
    /// List what there is.
    List {
        /// What to list.
        #[arg(value_enum)]
        what: Listed,
    },
}

/// How to run a parser, below the options.
const PARSERS: &str = "\
The command speaks the protocol of specs/parser-protocol.md: a line of JSON per stream on its
standard input, a line of JSON with the events on its standard output.

Examples:
  sseproof check-parser -- python3 adapter.py
  sseproof check-parser --junit parser.xml --streams 10000 -- node adapter.mjs";

#[derive(Args)]
#[command(after_help = format!("{PARSERS}\n\n{}", exit::HELP))]
pub(crate) struct CheckParser {
    /// The command that runs the adapter of the parser, behind `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// How many streams to make by chance, of each kind.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub(crate) streams: u32,
    /// Where chance begins: with the same seed the same streams are made.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How long to wait for an answer.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
    /// Write the result as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

/// What can be listed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// The rules.
    Rules,
    /// The requirements that they judge.
    Requirements,
    /// The servers that are wrong on purpose.
    Mutants,
    /// The built-in scenarios.
    Probes,
    /// The built-in plans of a load.
    Plans,
    /// The protocols on top of streams.
    Profiles,
}

/// What is typed most, below the options.
const EXAMPLES: &str = "\
Examples:
  sseproof check http://localhost:8080/events
  sseproof check http://localhost:8080/events --start 'python app.py'
  sseproof check http://localhost:8080/events --publish 'POST /publish'
  sseproof check http://localhost:8080/events login.yaml --no-probes -H 'Authorization: Bearer abc'
  sseproof check http://localhost:8080/events --junit sse.xml --record sse.jsonl";

#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct Check {
    /// The URL of the stream, and scenarios of your own (YAML files).
    #[arg(value_name = "URL | SCENARIO.yaml")]
    pub(crate) targets: Vec<String>,

    /// Judge the protocol on top of the stream, too (`sseproof list profiles`).
    #[arg(long, value_name = "NAME", value_parser = profile_names(), help_heading = "What is judged")]
    pub(crate) profile: Option<String>,
    /// Judge only by the rules that match this glob, as in 'resume/*'. May be given again.
    #[arg(long, value_name = "GLOB", help_heading = "What is judged")]
    pub(crate) only: Vec<String>,
    /// Do not judge by the rules that match this glob. May be given again.
    #[arg(long, value_name = "GLOB", help_heading = "What is judged")]
    pub(crate) skip: Vec<String>,
    /// Fail where a `should` is broken, too.
    #[arg(long, help_heading = "What is judged")]
    pub(crate) strict: bool,
    /// Accept the failures in this file (`GLOB: reason` lines); an entry that no longer fails is an error.
    #[arg(long, value_name = "FILE", help_heading = "What is judged")]
    pub(crate) known: Option<PathBuf>,
    /// Watch an idle stream for more than a minute, too.
    #[arg(long, help_heading = "What is judged")]
    pub(crate) idle: bool,
    /// Play only the scenarios that are named, not the built-in probes.
    #[arg(long, help_heading = "What is judged")]
    pub(crate) no_probes: bool,

    /// Send this header with each request. May be given again.
    #[arg(short = 'H', long, value_name = "NAME: VALUE", help_heading = "Requests")]
    pub(crate) header: Vec<String>,
    /// Ask as a page of this origin does, which the server then must admit.
    #[arg(long, value_name = "ORIGIN", value_parser = origin, help_heading = "Requests")]
    pub(crate) origin: Option<String>,
    /// Ask for the stream with this method (GET, or that of the profile).
    #[arg(short = 'X', long, help_heading = "Requests")]
    pub(crate) method: Option<String>,
    /// Send this body, or the contents of @FILE.
    #[arg(short = 'd', long, value_name = "TEXT | @FILE", help_heading = "Requests")]
    pub(crate) body: Option<String>,
    /// Set a variable of the scenarios. May be given again.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Requests")]
    pub(crate) var: Vec<String>,
    /// How long to wait for a connection, and then for the head of a response.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration, help_heading = "Requests")]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) ways: WaysGiven,

    /// Read how to drive the server from this file: its URL and headers, how to start it, to publish, …
    #[arg(long, value_name = "FILE", conflicts_with = "replay", help_heading = "The server")]
    pub(crate) target: Option<PathBuf>,
    /// Publish with this request, whose body is the data, as in 'POST /publish'. Hostile payloads
    /// are sent with it, and the server's subscribers get them.
    #[arg(long, value_name = "METHOD PATH", value_parser = hook, conflicts_with = "replay", help_heading = "The server")]
    pub(crate) publish: Option<PublishHook>,
    /// Read with this request how many producers are alive: the answer is a number, or has one.
    #[arg(long, value_name = "METHOD PATH", value_parser = gauge, conflicts_with = "replay", help_heading = "The server")]
    pub(crate) active: Option<GaugeHook>,
    /// The same stream through a proxy, to be compared.
    #[arg(long, value_name = "URL", conflicts_with = "replay", help_heading = "The server")]
    pub(crate) via: Option<String>,
    /// Generate other hostile payloads; the same number gives the same ones.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, help_heading = "The server")]
    pub(crate) seed: u64,
    /// Start this command first, and stop it at the end. It runs without a shell.
    #[arg(long, value_name = "COMMAND", help_heading = "The server")]
    pub(crate) start: Option<String>,
    /// Wait until the port answers: 10s for a server that is started, otherwise not at all.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "The server")]
    pub(crate) wait_for: Option<Duration>,

    /// Write the result as JSON.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as JUnit XML, a case for each rule.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the result as Markdown, for a pull request.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write all that crossed the wire, with credentials replaced.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,
    /// Write what crossed the wire for each failure into this folder, a text file for each rule.
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub(crate) wire_log: Option<PathBuf>,
    /// Leave credentials in reports, recordings and logs as they are.
    #[arg(long, help_heading = "Output")]
    pub(crate) secrets: bool,
    /// Judge what was recorded before, without a server: a recording, or what
    /// `curl -isN URL > FILE` wrote.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "start", "record"], help_heading = "Output")]
    pub(crate) replay: Option<PathBuf>,
    /// Print only what is broken, and the summary.
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print all evidence.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// The names of the profiles, for clap to choose from.
fn profile_names() -> PossibleValuesParser {
    PossibleValuesParser::new(sseproof_rules::profiles().map(|profile| {
        clap::builder::PossibleValue::new(profile.id).aliases(profile.aliases.iter().copied())
    }))
}

/// A request that publishes: `POST /publish`.
pub(crate) fn hook(text: &str) -> Result<PublishHook, String> {
    const WRITTEN: &str = "write it as 'POST /publish'";
    let (method, place) = request(text, "POST").ok_or(WRITTEN)?;
    Ok(PublishHook::http(method, place))
}

/// A request that reads a number: `GET /active`.
fn gauge(text: &str) -> Result<GaugeHook, String> {
    const WRITTEN: &str = "write it as 'GET /active'";
    let (method, place) = request(text, "GET").ok_or(WRITTEN)?;
    Ok(GaugeHook::http(method, place))
}

/// A method and a place; the method may be left out.
fn request<'t>(text: &'t str, usual: &'t str) -> Option<(&'t str, &'t str)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (method, place) = match words.as_slice() {
        [place] => (usual, *place),
        [method, place] => (*method, *place),
        _ => return None,
    };
    let is_place = place.starts_with('/') || place.contains("://");
    let is_method = method.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_place && is_method).then_some((method, place))
}

/// An origin: `https://app.example`, without a path.
fn origin(text: &str) -> Result<String, String> {
    let written = "write it as https://app.example, with a scheme and without a path";
    let url = url::Url::parse(text).map_err(|_| written.to_owned())?;
    let origin = url.origin().ascii_serialization();
    if origin == text { Ok(origin) } else { Err(written.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_hook_is_a_method_and_a_place() {
        assert_eq!(hook("/publish"), Ok(PublishHook::http("POST", "/publish")));
        assert_eq!(hook("PUT http://h/x"), Ok(PublishHook::http("PUT", "http://h/x")));
        for wrong in ["", "publish", "post /x", "POST /x y"] {
            assert!(hook(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(origin("https://app.example"), Ok("https://app.example".to_owned()));
        for wrong in ["app.example", "https://app.example/", "https://app.example/x", "null", ""] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
