//! The files and the summary of `sseproof init`.

use std::fmt::Write as _;
use std::path::PathBuf;

use sseproof_rules::profile;
use sseproof_units::counted;

use super::survey::Survey;
use crate::connection::Trust;

/// The target file: the keys that are known, and all others as comments.
pub(super) fn target(survey: &Survey, trust: &Trust<'_>, start: Option<&str>) -> String {
    let mut out = String::from(
        "# yaml-language-server: $schema=.sseproof.schema.json\n# The server, for `sseproof check`.\n# Every key is optional; a skipped rule names the key that it needs.\n",
    );
    let _ = writeln!(out, "url: {}", quoted(survey.url.as_str()));
    match trust {
        Trust::System => {}
        Trust::Ca(file) => {
            let _ = writeln!(out, "ca: {}", quoted(&file.display().to_string()));
        }
        Trust::Any => out.push_str("insecure: true\n"),
    }
    if let Some(command) = start {
        // In a target file, `${` begins a variable, and `$${` is the text.
        let _ = writeln!(out, "start: {}", quoted(&command.replace("${", "$${")));
    }
    if survey.fields.is_empty() {
        out.push_str("# headers: { Authorization: \"Bearer ${env:TOKEN}\" }\n");
    } else {
        out.push_str("headers:\n");
        for name in &survey.fields {
            // The file will be committed, so it must not have the value.
            let _ = writeln!(out, "  {}: \"${{env:{}}}\"", quoted(name), variable(name));
        }
    }
    out.push_str(
        "# A second user, who must not get the events of the first:\n# other: { headers: { Authorization: \"Bearer ${env:OTHER_TOKEN}\" } }\n\n",
    );
    let path = survey.publish.unwrap_or("/publish");
    let found = match survey.publish {
        Some(path) => {
            format!("# {path} accepts POST: if it publishes the body, remove the `#`.\n")
        }
        None => "# How to publish an event: a request, or a command.\n".to_owned(),
    };
    let _ = write!(
        out,
        "{found}# sseproof publishes dangerous payloads, and every subscriber gets them.\n# publish:\n#   http: {{ path: {path}, body: \"${{data}}\" }}\n#   # run: ./publish ${{data}}\n\n"
    );
    let active = survey.active.unwrap_or("/active");
    let other = match start {
        Some(_) => "# restart: true     # stop it, and start it again\n".to_owned(),
        None => {
            let port = survey.url.port_or_known_default().unwrap_or(80);
            format!("# start: ./my-server --port {port}\n")
        }
    };
    let _ = write!(
        out,
        "# Other keys:\n{other}# active: {{ http: {{ path: {active} }} }}     # the number of live producers\n# via: http://127.0.0.1:8081{}     # the same stream behind a proxy\n",
        survey.url.path(),
    );
    out.push_str(&protocol(survey));
    out
}

/// The profile and its variables; as a comment if the profile is only a guess.
fn protocol(survey: &Survey) -> String {
    let Some(profile) = survey.profile.and_then(profile) else { return String::new() };
    let mark = if survey.is_sure { "" } else { "# " };
    let mut out = format!(
        "\n# The protocol on top of the stream, and its variables:\n{mark}profile: {}\n",
        profile.id
    );
    if !profile.variables.is_empty() {
        let _ = writeln!(out, "{mark}vars:");
    }
    for (name, value) in profile.variables {
        let _ = writeln!(out, "{mark}  {name}: {}", quoted(value));
    }
    out
}

pub(super) fn workflow(survey: &Survey, is_started: bool) -> String {
    let secrets: String = survey
        .fields
        .iter()
        .map(|name| {
            let variable = variable(name);
            format!("          {variable}: ${{{{ secrets.{variable} }}}}\n")
        })
        .collect();
    let environment =
        if secrets.is_empty() { String::new() } else { format!("        env:\n{secrets}") };
    let build = match is_started {
        true => "Build your server here; sseproof.yaml says how to start it.",
        false => "Build and start your server here, or add `start` to sseproof.yaml.",
    };
    include_str!("workflow.yml").replace("{environment}", &environment).replace("{build}", build)
}

pub(super) fn summary(survey: &Survey, files: &[PathBuf]) -> String {
    let mut out = String::new();
    let media = survey.media_type.as_deref().unwrap_or("no content type");
    let _ = writeln!(out, "{}: status {}, {media}", survey.url, survey.status);
    if survey.is_stream() {
        let ids = if survey.has_ids { "with ids" } else { "without ids" };
        let retry = survey.retry.map_or_else(String::new, |retry| format!(", retry {retry} ms"));
        let _ =
            writeln!(out, "  {} in a few seconds, {ids}{retry}", counted(survey.events, "event"));
    } else {
        let hint = match survey.status {
            401 | 403 => {
                "it requires credentials: pass them with -H 'Authorization: Bearer …' --force"
            }
            404 => "is this the path of the stream?",
            _ => "an event stream has status 200 and type text/event-stream",
        };
        let _ = writeln!(out, "  not an event stream: {hint}");
    }
    for (what, path) in [("accepts POST", survey.publish), ("returns a number", survey.active)] {
        if let Some(path) = path {
            let _ = writeln!(out, "  {path} {what}: see the comments in the file");
        }
    }
    if let Some(profile) = survey.profile {
        let _ = writeln!(out, "  the events look like those of {profile}");
    }
    for file in files {
        let _ = writeln!(out, "wrote {}", file.display());
    }
    out.push_str("next:\n");
    for name in &survey.fields {
        let _ = writeln!(out, "  export {}=…     # the value of {name}", variable(name));
    }
    out.push_str(
        "  sseproof check --known sseproof.known.yaml     # passes until something new breaks\n",
    );
    out.push_str("  then add to sseproof.yaml how to publish: more rules can be checked\n");
    out
}

/// The environment variable for a header field: `AUTHORIZATION`, `X_API_KEY`.
fn variable(name: &str) -> String {
    let letters = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' });
    letters.collect::<String>().to_ascii_uppercase()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_files::{Target, Variables};
    use std::path::Path;
    use url::Url;

    fn survey() -> Survey {
        Survey {
            url: Url::parse("http://127.0.0.1:8080/events?a=b#c").unwrap(),
            fields: vec!["Authorization".to_owned(), "X-Api-Key".to_owned()],
            status: 200,
            media_type: Some("text/event-stream".to_owned()),
            events: 2,
            has_ids: true,
            retry: Some(3_000),
            profile: Some("openai-chat"),
            is_sure: false,
            publish: Some("/emit"),
            active: None,
        }
    }

    #[test]
    fn our_own_parser_reads_what_is_written() {
        let mut variables = Variables::default();
        for name in ["AUTHORIZATION", "X_API_KEY"] {
            variables.environment.insert(name.to_owned(), format!("of {name}"));
        }
        let text = target(&survey(), &Trust::System, None);
        let read = Target::parse("sseproof.yaml", &text, &variables).unwrap();
        assert_eq!(read.url, "http://127.0.0.1:8080/events?a=b#c");
        assert_eq!(read.headers.first("x-api-key").as_deref(), Some("of X_API_KEY"));
        let bare = Survey { fields: Vec::new(), ..survey() };
        let read = |trust: Trust<'_>| {
            Target::parse("f", &target(&bare, &trust, None), &Variables::default()).unwrap()
        };
        assert!(!read(Trust::System).connection.insecure && read(Trust::Any).connection.insecure);
        let ca = read(Trust::Ca(Path::new("certs/our ca.pem"))).connection.ca.unwrap();
        assert_eq!(ca.path, Path::new("certs/our ca.pem"));
    }

    #[test]
    fn a_protocol_that_was_given_is_written_with_its_variables() {
        let sure = Survey { fields: Vec::new(), is_sure: true, ..survey() };
        let read = Target::parse("f", &target(&sure, &Trust::System, None), &Variables::default())
            .unwrap();
        assert_eq!(read.profile.as_deref(), Some("openai-chat"));
        let own = profile("openai-chat").unwrap().variables;
        assert!(own.iter().all(|(name, value)| read.vars[*name] == *value), "{:?}", read.vars);
    }

    #[test]
    fn the_commented_lines_work_without_their_mark() {
        let bare = Survey { fields: Vec::new(), ..survey() };
        let lines = ["# publish:", "#   http:", "# other:", "# headers:"];
        let text: String = target(&bare, &Trust::System, None)
            .lines()
            .map(|line| {
                let is_one = lines.iter().any(|start| line.starts_with(start));
                let line = if is_one {
                    line.replacen("# ", "", 1).replacen('#', "", 0)
                } else {
                    line.to_owned()
                };
                line + "\n"
            })
            .collect();
        let mut variables = Variables::default();
        for name in ["TOKEN", "OTHER_TOKEN"] {
            variables.environment.insert(name.to_owned(), "x".to_owned());
        }
        let read =
            Target::parse("f", &text, &variables).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(
            read.publish.is_some() && read.other.is_some() && read.headers.has("authorization")
        );
    }

    #[test]
    fn the_workflow_is_yaml_and_gets_the_secrets() {
        let text = workflow(&survey(), false);
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let steps = value["jobs"]["sseproof"]["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 4);
        assert_eq!(steps[2]["env"]["X_API_KEY"], "${{ secrets.X_API_KEY }}");
    }

    #[test]
    fn the_files_read_well() {
        let start = Some("./my-server --port 8080 --flag '${HOME}'");
        let files = ["sseproof.yaml", "sseproof.known.yaml"].map(PathBuf::from);
        let text = [
            target(&survey(), &Trust::System, start),
            target(&Survey { fields: Vec::new(), ..survey() }, &Trust::System, None),
            workflow(&survey(), true),
            summary(&survey(), &files),
        ];
        insta::assert_snapshot!(text.join("\n---\n"));
    }
}
