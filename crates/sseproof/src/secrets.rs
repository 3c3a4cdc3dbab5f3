//! Texts for the terminal and results of loads without secrets, unless `--show-secrets` is given.
//!
//! Messages may come from anywhere, and quote what the user wrote: so they are redacted where they are
//! printed, by the form of what is in them and by the arguments of this process.

use std::sync::OnceLock;

use sseproof_http::{Request, is_secret};
use sseproof_load_model::Outcome;
use sseproof_record::{Secrets, Transcript};

use crate::screen;

/// `None`: texts may have secrets.
static GIVEN: OnceLock<Option<Secrets>> = OnceLock::new();

/// Says once, for the whole process, whether texts may have secrets.
pub(crate) fn begin(are_shown: bool, arguments: &[String]) {
    GIVEN.get_or_init(|| (!are_shown).then(|| of_arguments(arguments)));
}

pub(crate) fn are_shown() -> bool {
    matches!(GIVEN.get(), Some(None))
}

pub(crate) fn text(text: &str) -> String {
    let given = GIVEN.get_or_init(|| Some(of_arguments(&[])));
    given.as_ref().map_or_else(|| text.to_owned(), |secrets| secrets.text(text))
}

/// A recording that another version may have written.
pub(crate) fn without(transcript: Transcript) -> Transcript {
    if are_shown() {
        return transcript;
    }
    let secrets = Secrets::of(&transcript, &[], &[]);
    secrets.redact(&transcript).reported(|warning| screen::say(format_args!("{warning}")))
}

/// The result of a load: the same whatever the secrets are, so that parts of one run still merge.
pub(crate) fn redact(outcomes: &mut [Outcome]) {
    if are_shown() {
        return;
    }
    for run in outcomes.iter_mut().map(|outcome| &mut outcome.run) {
        run.url = sseproof_http::without_secrets(&run.url);
        run.plan = text(&run.plan);
        let texts = run.partial.iter_mut().chain(&mut run.saturated).chain(&mut run.found);
        texts.chain(run.conditions.values_mut()).for_each(|said| *said = text(said));
    }
}

/// Each argument may be a URL, a header line (also one without its colon), a variable or a body.
fn of_arguments(arguments: &[String]) -> Secrets {
    let (mut requests, mut known) = (Vec::new(), Vec::new());
    for argument in arguments {
        let argument = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => value,
            _ => argument,
        };
        let mut request = Request::subscribe(argument);
        request.body = argument.as_bytes().into();
        let end = argument.find(|char: char| char == ':' || char == '=' || char.is_whitespace());
        if let Some(end) = end.filter(|end| is_secret(&argument[..*end])) {
            let value = argument[end + 1..].trim();
            known.push((argument[..end].to_owned(), value.to_owned()));
            request.headers.add(&argument[..end], value);
        }
        requests.push(request);
    }
    Secrets::of(&Transcript::default(), &requests, &known)
}
