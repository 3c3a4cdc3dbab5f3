//! `sseproof`: proves a Server-Sent Events server right, or shows the byte where it is wrong.

mod args;
mod check;
mod check_client;
mod check_parser;
mod ci;
mod connection;
mod cut;
mod exit;
mod fault;
mod files;
mod group;
mod init;
mod interrupt;
mod known;
mod lint;
mod load;
mod output;
mod parse;
mod progress;
mod recorded;
mod reference_client;
mod reference_texts;
mod running;
mod screen;
mod scrub;
mod secrets;
mod serve;
mod shells;
mod started;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command};
use crate::exit::{Blame, Exit};

fn main() -> ExitCode {
    fault::report_panics();
    let given = load::handed_over();
    let texts: Vec<String> =
        given.iter().map(|given| given.to_string_lossy().into_owned()).collect();
    let arguments = match Arguments::try_parse_from(&given) {
        Ok(arguments) => arguments,
        Err(error) => {
            secrets::begin(false, &texts);
            return screen::usage(&error);
        }
    };
    secrets::begin(arguments.show_secrets, &texts);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            screen::say(format_args!("sseproof: cannot start the runtime: {error}"));
            return Exit::Fault.into();
        }
    };
    let is_annotated = ci::annotates(&arguments.command);
    let ended = fault::guarded(|| runtime.block_on(run(arguments.command)));
    // A task in the background, such as a reader of standard input, must not delay the end.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(blame) => {
            screen::say(format_args!("sseproof: {blame}"));
            if is_annotated {
                ci::show_error(&blame.to_string());
            }
            if blame.exit == Exit::Fault {
                screen::say(format_args!(
                    "This is a bug in sseproof; please report it with this message."
                ));
            }
            blame.exit.into()
        }
    }
}

async fn run(command: Command) -> Result<Exit, Blame> {
    match command {
        Command::Load(arguments) => load::run(&arguments).await,
        Command::Merge(arguments) => load::merge(&arguments).await,
        Command::Diff(arguments) => load::diff(&arguments),
        Command::Check(arguments) => check::run(&arguments).await,
        Command::Serve { listen, tls, load: true, reuse_port, processes, with_parent, .. } => {
            let shares_port = reuse_port || processes > 1;
            let (server, lines) = serve::load(&listen, tls.as_deref(), shares_port).await?;
            load::serve(server, &lines, processes, with_parent).await
        }
        Command::Serve { listen, tls, corpus: true, .. } => {
            serve::corpus(&listen, tls.as_deref()).await
        }
        Command::Serve { listen, tls, hostile: Some(name), .. } => {
            serve::hostile(&listen, &name, tls.as_deref()).await
        }
        Command::Serve { listen, tls, for_client: Some(name), .. } => {
            serve::case(&listen, &name, tls.as_deref()).await
        }
        Command::Serve {
            listen, mutant, play, profile, tls, corpus: false, load: false, ..
        } => {
            let (mutant, profile) = (mutant.as_deref(), profile.as_deref());
            serve::run(&listen, mutant, play.as_deref(), profile, tls.as_deref()).await
        }
        Command::Init(arguments) => init::run(&arguments).await,
        Command::CheckClient(arguments) => check_client::run(&arguments).await,
        Command::ReferenceClient { mutant } => reference_client::run(mutant.as_deref()).await,
        Command::CheckParser(arguments) => check_parser::run(&arguments),
        Command::Cut { recording, rule } => cut::run(&recording, &rule),
        Command::Scrub { file, output } => scrub::run(&file, output.as_deref()),
        Command::Parse { source, connection } => parse::run(&source, &connection).await,
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Schema { kind } => reference_texts::schema(kind),
        Command::Completions { shell } => shells::completions(shell),
        Command::Man { folder } => shells::man(folder.as_deref()),
        Command::Explain { rule } => reference_texts::explain(&rule),
        Command::List { what, clients } => reference_texts::list(what, clients),
    }
}
