//! The command line.

mod ci;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use sseproof_files::{GaugeHook, PublishHook};
use sseproof_units::parse_duration;

pub(crate) use self::ci::CiFlags;
use self::values::{gauge, hostile_names, origin, profile_names};
pub(crate) use self::values::{given, hook};
use crate::connection::ConnectionFlags;
use crate::exit;
use crate::load::args::{Diff, Load, Merge};

/// Proves a Server-Sent Events server right, or shows the byte where it is wrong.
#[derive(Parser)]
#[command(name = "sseproof", version, about, max_term_width = 100, after_help = exit::HELP)]
pub(crate) struct Arguments {
    /// Do not redact secrets in any output.
    #[arg(long, alias = "secrets", global = true, help_heading = "Output")]
    pub(crate) show_secrets: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a server: that of the URL, or of ./sseproof.yaml, or the embedded reference server.
    Check(Box<Check>),
    /// Put load on a server, and measure the cost of its streams: without a URL, the embedded server,
    /// over SSE and WebSocket.
    Load(Box<Load>),
    /// Merge the results of several machines into the result of one run.
    Merge(Merge),
    /// Compare two results of `sseproof load`.
    Diff(Diff),
    /// Check a server once, and write a first sseproof.yaml, the failures of today and a CI workflow.
    Init(Box<Init>),
    /// Serve the reference stream, a server with a known fault, or a recording; log each request on
    /// standard error.
    Serve {
        /// Listen on this address; with port 0 the system chooses a free port.
        #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
        listen: String,
        /// Serve the mutant with this fault (`sseproof list mutants`).
        #[arg(long, value_name = "ID")]
        mutant: Option<String>,
        /// Serve this attack on clients, such as a gzip bomb; an unknown name lists all of them.
        #[arg(long, value_name = "NAME", value_parser = hostile_names(), conflicts_with_all = ["mutant", "play", "profile", "corpus", "load"])]
        hostile: Option<String>,
        /// Serve the responses in this file, byte by byte and at the recorded pace: a recording, or the
        /// output of `curl -isN URL > FILE`. The n-th request of a kind gets the n-th response to it.
        #[arg(long, value_name = "FILE", conflicts_with = "mutant")]
        play: Option<PathBuf>,
        /// Use TLS. A new CA signs the certificate, and is written to this file (PEM), for
        /// `sseproof check --ca FILE`.
        #[arg(long, value_name = "FILE")]
        tls: Option<PathBuf>,
        /// Serve a case of `sseproof check-client`: of this rule on clients, or with this name.
        #[arg(long = "for", value_name = "RULE | CASE", conflicts_with_all = ["mutant", "play", "profile"])]
        for_client: Option<String>,
        /// Serve the reference server of this profile, or a mutant of it (`sseproof list profiles`).
        #[arg(long, value_name = "NAME", value_parser = profile_names(), conflicts_with = "play")]
        profile: Option<String>,
        /// Serve a page that tests the EventSource of the browser that opens it with the corpus.
        #[arg(long, conflicts_with_all = ["mutant", "play", "profile"])]
        corpus: bool,
        /// Serve a target for load: /events and /ws with the same content, /publish and /chat.
        /// The query sets the content, as in `/events?every=100ms&size=200`; `/` lists all parameters.
        #[arg(long, conflicts_with_all = ["mutant", "play", "profile", "corpus"])]
        load: bool,
        /// With --load: share the port with other servers that have this option. The system distributes
        /// connections over them; a server sends only events that were published to itself.
        #[arg(long, requires = "load")]
        reuse_port: bool,
        /// With --load: serve with this many processes, which share the port as with --reuse-port; each
        /// has its own limit of open files.
        #[arg(
            long,
            value_name = "COUNT",
            default_value_t = 1,
            value_parser = clap::value_parser!(u32).range(1..=1024),
            requires = "load",
            conflicts_with = "tls"
        )]
        processes: u32,
        /// End with the process that started this one, which keeps its standard input open.
        #[arg(long, hide = true, requires = "load")]
        with_parent: bool,
    },
    /// Print a stream as JSON lines: events, comments, and anomalies with byte offsets.
    Parse {
        /// A file, `-` for standard input, or a URL.
        #[arg(default_value = "-", value_parser = given)]
        source: String,
        #[command(flatten)]
        connection: Box<ConnectionFlags>,
    },
    /// Check a client of event streams in any language: without a command, the embedded one.
    CheckClient(CheckClient),
    /// Speak the protocol of adapters as the reference client, or as a client with a known fault: to
    /// see what `sseproof check-client -- sseproof reference-client --mutant ID` finds.
    ReferenceClient {
        /// The fault (`sseproof list mutants --clients`).
        #[arg(long, value_name = "ID")]
        mutant: Option<String>,
    },
    /// Check a parser in any language: without a command, the embedded one.
    CheckParser(CheckParser),
    /// Print only the exchanges of a recording that show a finding.
    Cut {
        /// A recording, written by `sseproof check --record`.
        recording: PathBuf,
        /// The broken rule, as in `stream/utf8`.
        #[arg(long)]
        rule: String,
    },
    /// Redact the secrets in a recording, or in a result of `sseproof load`, of an older version.
    Scrub {
        /// A recording, written by `sseproof check --record`, or a result, written by `sseproof load
        /// --json`.
        file: PathBuf,
        /// Write to this file (default: standard output).
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Read targets, scenarios, plans and lists of known failures, and report each mistake; no server is
    /// needed.
    Lint(Lint),
    /// Print the JSON schema of a kind of file, for editors.
    Schema {
        /// The kind of file.
        #[arg(value_enum)]
        kind: Schema,
    },
    /// Print completions for a shell: of commands, flags and their values.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the man page: `sseproof man | man -l -`.
    Man {
        /// Write the pages of the program and of each command into this folder.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Explain a rule: what it requires, why, and how to fix a server that breaks it.
    Explain {
        /// The rule, as in `stream/utf8`.
        rule: String,
    },
    /// List rules, requirements, mutants, probes, plans or profiles: a row on each line, of which a
    /// terminal shows what fits.
    List {
        /// The kind of things to list.
        #[arg(value_enum)]
        what: Listed,
        /// Those on clients, of `sseproof check-client`: rules or mutants.
        #[arg(long)]
        clients: bool,
    },
}

/// The kinds of clients in `specs/client-protocol.md`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServedKind {
    /// It follows the standard of `EventSource`.
    Eventsource,
    /// It reconnects by a policy of its own.
    Resilient,
    /// It reads one response.
    Reader,
}

const CLIENTS: &str = include_str!("help/check-client.txt").trim_ascii_end();

#[derive(Args)]
#[command(after_help = format!("{CLIENTS}\n\n{}", exit::HELP))]
pub(crate) struct CheckClient {
    /// The command that runs the adapter of the client, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Check the client of a test service that speaks LaunchDarkly's sse-contract-tests protocol.
    #[arg(long, value_name = "URL", value_parser = given, conflicts_with = "command", help_heading = "The client")]
    pub(crate) service: Option<String>,
    /// The kind of the client of the service: which ends it should reconnect after.
    #[arg(long, value_enum, requires = "service", default_value_t = ServedKind::Resilient, help_heading = "The client")]
    pub(crate) kind: ServedKind,
    /// The protocol of a client that understands no other streams: the server sends its events as
    /// chunks of that protocol.
    #[arg(long, value_name = "NAME", value_parser = ["openai-chat", "anthropic-messages", "mcp"], help_heading = "The client")]
    pub(crate) profile: Option<String>,
    /// Ask the service to end after the check.
    #[arg(long, requires = "service", help_heading = "The client")]
    pub(crate) stop_service_at_end: bool,
    /// Check the EventSource of this browser, as in `chromium` or `firefox-esr`: a name in the PATH, or
    /// a file. It is started without a window, with an empty profile.
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["command", "service"], help_heading = "The client")]
    pub(crate) browser: Option<PathBuf>,

    /// Check only rules that match this glob, as in 'client/retry*'. Can be repeated.
    #[arg(long, value_name = "GLOB", help_heading = "Rules")]
    pub(crate) only: Vec<String>,
    /// Skip rules that match this glob. Can be repeated.
    #[arg(long, value_name = "GLOB", help_heading = "Rules")]
    pub(crate) skip: Vec<String>,
    /// Also fail if a `should` is broken.
    #[arg(long, help_heading = "Rules")]
    pub(crate) strict: bool,
    /// Accept the failures listed in this file (lines `GLOB: reason`, or
    /// `GLOB: { reason: …, until: 2027-01-31 }`); an entry that no longer fails is an error.
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) known: Option<PathBuf>,
    /// Write the failures of this run into such a file. With --known, the entries whose rules still fail
    /// stay as they are.
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) write_known: Option<PathBuf>,
    /// Also play the cases that wait for long.
    #[arg(long, help_heading = "Rules")]
    pub(crate) idle: bool,
    /// Play the cases one after the other.
    #[arg(long, help_heading = "Rules")]
    pub(crate) one_by_one: bool,

    /// Wait at most this long for the first line of the adapter.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration, help_heading = "The client")]
    pub(crate) timeout: Duration,
    /// End the check after this time with the results until then; it is inconclusive if nothing is
    /// broken.
    #[arg(long, value_name = "TIME", default_value = sseproof_net::DEADLINE, value_parser = parse_duration, help_heading = "The client")]
    pub(crate) deadline: Duration,

    /// Write the result as JSON.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as JUnit XML, one test case per rule.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the result as Markdown, for a pull request.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write the result as one HTML file, with a timeline of each failed case.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ci: CiFlags,
    /// Record every request, every response and every call of the client.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,
    /// Judge a recording again, without a client.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "service", "browser", "record"], help_heading = "Output")]
    pub(crate) replay: Option<PathBuf>,
    /// Print only what is broken, and the verdict.
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print all evidence, and the rules that passed or were skipped.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

const PARSERS: &str = include_str!("help/check-parser.txt").trim_ascii_end();

#[derive(Args)]
#[command(after_help = format!("{PARSERS}\n\n{}", exit::HELP))]
pub(crate) struct CheckParser {
    /// The command that runs the adapter of the parser, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// The number of random streams of each kind.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub(crate) streams: u32,
    /// The seed of the random streams; the same seed gives the same streams.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Check only requirements that match this glob, as in 'whatwg-sse/bom-*', or 'random/*' for
    /// the random streams. Can be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// Accept the failures listed in this file (lines `GLOB: reason`, or
    /// `GLOB: { reason: …, until: 2027-01-31 }`); an entry that no longer fails is an error.
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
    /// Wait at most this long for each answer.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
    /// Write the result as JSON.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as JUnit XML.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the result as one HTML file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ci: CiFlags,
}

#[derive(Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Init {
    /// The URL of the stream.
    #[arg(value_parser = given)]
    pub(crate) url: String,
    /// Send this header; the files get its name, not its value. Can be repeated.
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// The protocol on top of the stream (`sseproof list profiles`); its variables are written to
    /// the file.
    #[arg(long, value_name = "NAME", value_parser = profile_names())]
    pub(crate) profile: Option<String>,
    /// Start the server with this command, without a shell, and stop it at the end; the file gets it.
    #[arg(long, value_name = "COMMAND", value_parser = given)]
    pub(crate) start: Option<String>,
    /// Write into this folder, for instance the root of the repository.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Overwrite existing files.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,
}

#[derive(Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Lint {
    /// Files, and folders with YAML files. Variables of the environment may be missing.
    #[arg(required = true, value_name = "FILE | FOLDER")]
    pub(crate) files: Vec<PathBuf>,
    /// Set a variable of the files. Can be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) var: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schema {
    /// How to drive a server: sseproof.yaml.
    Target,
    /// Your own scenarios.
    Scenario,
    /// Plans of `sseproof load`.
    Plan,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// The rules of `sseproof check`.
    Rules,
    /// The requirements that the rules check.
    Requirements,
    /// The servers with a known fault.
    Mutants,
    /// The built-in scenarios of `sseproof check`.
    Probes,
    /// The built-in plans of `sseproof load`.
    Plans,
    /// The protocols on top of streams.
    Profiles,
}

const EXAMPLES: &str = include_str!("help/check.txt").trim_ascii_end();

#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct Check {
    /// The URL of the stream, and your own scenarios (YAML files, or folders with them). Without a URL,
    /// the target file ./sseproof.yaml names it.
    #[arg(value_name = "URL | SCENARIO.yaml | FOLDER", value_parser = given)]
    pub(crate) targets: Vec<String>,

    /// Also check the protocol on top of the stream (`sseproof list profiles`).
    #[arg(long, value_name = "NAME", value_parser = profile_names(), help_heading = "Rules")]
    pub(crate) profile: Option<String>,
    /// Check only rules that match this glob, as in 'resume/*'. Can be repeated.
    #[arg(long, value_name = "GLOB", help_heading = "Rules")]
    pub(crate) only: Vec<String>,
    /// Skip rules that match this glob. Can be repeated.
    #[arg(long, value_name = "GLOB", help_heading = "Rules")]
    pub(crate) skip: Vec<String>,
    /// Also fail if a `should` is broken.
    #[arg(long, help_heading = "Rules")]
    pub(crate) strict: bool,
    /// Accept the failures listed in this file (lines `GLOB: reason`, or
    /// `GLOB: { reason: …, until: 2027-01-31 }`); an entry that no longer fails is an error.
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) known: Option<PathBuf>,
    /// Write the failures of this run into such a file. With --known, the entries whose rules still fail
    /// stay as they are.
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) write_known: Option<PathBuf>,
    /// Play only the probes that take a moment, for at most 5 s.
    #[arg(long, conflicts_with = "idle", help_heading = "Rules")]
    pub(crate) quick: bool,
    /// Play the probes one after the other, also those that only look at streams.
    #[arg(long, help_heading = "Rules")]
    pub(crate) one_by_one: bool,
    /// Also watch an idle stream for more than a minute.
    #[arg(long, help_heading = "Rules")]
    pub(crate) idle: bool,
    /// Run only your own scenarios, not the built-in probes.
    #[arg(long, help_heading = "Rules")]
    pub(crate) no_probes: bool,

    /// Send this header with each request. Can be repeated.
    #[arg(short = 'H', long, value_name = "NAME: VALUE", help_heading = "Requests")]
    pub(crate) header: Vec<String>,
    /// Send the requests of a page of this origin; the server must allow it (CORS).
    #[arg(long, value_name = "ORIGIN", value_parser = origin, help_heading = "Requests")]
    pub(crate) origin: Option<String>,
    /// Request the stream with this method (default: GET, or the method of the profile).
    #[arg(short = 'X', long, help_heading = "Requests")]
    pub(crate) method: Option<String>,
    /// Send this body, or the contents of @FILE.
    #[arg(short = 'd', long, value_name = "TEXT | @FILE", help_heading = "Requests")]
    pub(crate) body: Option<String>,
    /// Set a variable of the scenarios. Can be repeated.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Requests")]
    pub(crate) var: Vec<String>,
    /// Wait at most this long for a connection, and as long again for response headers.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration, help_heading = "Requests")]
    pub(crate) timeout: Duration,

    /// End the check after this time with the results until then; it is inconclusive if nothing is
    /// broken.
    #[arg(long, value_name = "TIME", default_value = sseproof_net::DEADLINE, value_parser = parse_duration, help_heading = "Requests")]
    pub(crate) deadline: Duration,

    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,

    /// Check the embedded reference server, not a server of yours.
    #[arg(long, conflicts_with_all = ["replay", "target", "publish", "publish_answer", "active", "via", "start"], help_heading = "The server")]
    pub(crate) reference: bool,
    /// Read the target file: URL and headers of the server, how to start it, how to publish, …
    /// (default: ./sseproof.yaml, if it exists and no URL is given).
    #[arg(long, value_name = "FILE", conflicts_with = "replay", help_heading = "The server")]
    pub(crate) target: Option<PathBuf>,
    /// Publish with this request, whose body is the data, as in 'POST /publish'. Every subscriber gets
    /// the dangerous payloads that are published.
    #[arg(long, value_name = "METHOD PATH", value_parser = hook, conflicts_with = "replay", help_heading = "The server")]
    pub(crate) publish: Option<PublishHook>,
    /// Publish with this request, whose answer is the stream with the data, as in 'POST /preview' or
    /// 'GET /preview?data=${data}'.
    #[arg(long, value_name = "METHOD PATH", value_parser = hook, conflicts_with_all = ["replay", "publish"], help_heading = "The server")]
    pub(crate) publish_answer: Option<PublishHook>,
    /// Read the number of live producers with this request; the response is a number, or contains one.
    #[arg(long, value_name = "METHOD PATH", value_parser = gauge, conflicts_with = "replay", help_heading = "The server")]
    pub(crate) active: Option<GaugeHook>,
    /// The URL of the same stream through a proxy: compare both.
    #[arg(long, value_name = "URL", value_parser = given, conflicts_with = "replay", help_heading = "The server")]
    pub(crate) via: Option<String>,
    /// The seed of random payloads; the same number gives the same payloads.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, help_heading = "The server")]
    pub(crate) seed: u64,
    /// Start the server with this command, without a shell, and stop it after the check.
    #[arg(long, value_name = "COMMAND", value_parser = given, help_heading = "The server")]
    pub(crate) start: Option<String>,
    /// Wait at most this long for the server to listen (default: 10s with --start, otherwise no wait).
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "The server")]
    pub(crate) wait_for: Option<Duration>,

    /// Write the result as JSON.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as JUnit XML, one test case per rule.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the result as Markdown, for a pull request.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write the result as one HTML file, with the waterfall of all exchanges.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ci: CiFlags,
    /// Record every byte that was sent and received; secrets are redacted.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) record: Option<PathBuf>,
    /// Write the bytes of each failure into this folder, one text file per rule.
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub(crate) wire_log: Option<PathBuf>,
    /// Check a file instead of a server: a recording, or the output of `curl -isN URL > FILE`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "start", "record"], help_heading = "Output")]
    pub(crate) replay: Option<PathBuf>,
    /// Print only what is broken, and the verdict.
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print all evidence, and the rules that passed or were skipped.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
