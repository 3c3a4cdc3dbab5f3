//! What `sseproof init` writes and says.

use std::fmt::Write as _;
use std::path::PathBuf;

use sseproof_rules::profile;

use super::seen::Seen;
use crate::ways::Trust;

/// The target file: what was seen, and every other key as a comment.
pub(super) fn target(seen: &Seen, trust: &Trust<'_>) -> String {
    let mut out = String::from(
        "# yaml-language-server: $schema=.sseproof.schema.json\n# How to drive the server, for `sseproof check --target sseproof.yaml`.\n# Every key may be left out; what a rule lacks, it says.\n",
    );
    let _ = writeln!(out, "url: {}", quoted(seen.url.as_str()));
    match trust {
        Trust::System => {}
        Trust::Ca(file) => {
            let _ = writeln!(out, "ca: {}", quoted(&file.display().to_string()));
        }
        Trust::Anybody => out.push_str("insecure: true\n"),
    }
    if seen.fields.is_empty() {
        out.push_str("# headers: { Authorization: \"Bearer ${env:TOKEN}\" }\n");
    } else {
        out.push_str("headers:\n");
        for name in &seen.fields {
            // The value stays out of a file that is committed.
            let _ = writeln!(out, "  {}: \"${{env:{}}}\"", quoted(name), variable(name));
        }
    }
    out.push_str(
        "# A second user, who must not see what is meant for the first:\n# other: { headers: { Authorization: \"Bearer ${env:OTHER_TOKEN}\" } }\n\n",
    );
    let path = seen.publish.unwrap_or("/publish");
    let found = match seen.publish {
        Some(path) => {
            format!("# {path} takes POST: if it publishes its body, take the mark away.\n")
        }
        None => "# What makes the server emit an event: a request, or a command.\n".to_owned(),
    };
    let _ = write!(
        out,
        "{found}# Every dangerous payload is sent with it, and all who listen get them.\n# publish:\n#   http: {{ path: {path}, body: \"${{data}}\" }}\n#   # run: ./publish ${{data}}\n\n"
    );
    let active = seen.active.unwrap_or("/active");
    let _ = write!(
        out,
        "# What else a check can use:\n# start: ./my-server --port {}\n# active: {{ http: {{ path: {active} }} }}     # how many producers are alive\n# via: http://127.0.0.1:8081{}     # the same stream through a proxy\n",
        seen.url.port_or_known_default().unwrap_or(80),
        seen.url.path(),
    );
    out.push_str(&protocol(seen));
    out
}

/// The protocol on top of the stream, and its variables: as a comment where it is only a guess.
fn protocol(seen: &Seen) -> String {
    let Some(profile) = seen.profile.and_then(profile) else { return String::new() };
    let mark = if seen.is_sure { "" } else { "# " };
    let mut out = format!(
        "\n# The protocol on top of the stream, and the values of its variables:\n{mark}profile: {}\n",
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

/// The CI workflow.
pub(super) fn workflow(seen: &Seen) -> String {
    let secrets: String = seen
        .fields
        .iter()
        .map(|name| {
            let variable = variable(name);
            format!("          {variable}: ${{{{ secrets.{variable} }}}}\n")
        })
        .collect();
    let environment =
        if secrets.is_empty() { String::new() } else { format!("        env:\n{secrets}") };
    format!(
        "\
name: SSE
on: [push, pull_request]
permissions: {{ contents: read }}
jobs:
  sseproof:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      # Build and start your server here, or hand its command to --start below.
      # SSEPROOF_REPOSITORY is a variable of the repository: the URL of sseproof's own.
      - run: cargo install --locked --git \"${{{{ vars.SSEPROOF_REPOSITORY }}}}\" sseproof
      - run: >
          sseproof check --target sseproof.yaml --wait-for 30s
          --junit sseproof.xml --markdown sseproof.md
          --record sseproof.jsonl --wire-log sseproof-logs
{environment}      - if: always()
        run: cat sseproof.md >> \"$GITHUB_STEP_SUMMARY\"
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: sseproof
          path: |
            sseproof.xml
            sseproof.jsonl
            sseproof-logs
"
    )
}

/// What was seen and what to do next.
pub(super) fn told(seen: &Seen, files: &[PathBuf]) -> String {
    let mut out = String::new();
    let media = seen.media_type.as_deref().unwrap_or("no content type");
    let _ = writeln!(out, "saw {}: {}, {media}", seen.url, seen.status);
    if seen.is_stream() {
        let ids = if seen.has_ids { "with ids" } else { "without ids" };
        let retry = seen.retry.map_or_else(String::new, |retry| format!(", retry {retry} ms"));
        let _ = writeln!(out, "  {} events in a few seconds, {ids}{retry}", seen.events);
    } else {
        let hint = match seen.status {
            401 | 403 => {
                "it wants credentials: give them with -H 'Authorization: Bearer …' --force"
            }
            404 => "is this the path of the stream?",
            _ => "an event stream is 200 with text/event-stream",
        };
        let _ = writeln!(out, "  this is no event stream: {hint}");
    }
    for (what, path) in [("takes POST", seen.publish), ("tells a number", seen.active)] {
        if let Some(path) = path {
            let _ = writeln!(out, "  {path} {what}: see the comments in the file");
        }
    }
    if let Some(profile) = seen.profile {
        let _ = writeln!(out, "  the events look like those of {profile}");
    }
    for file in files {
        let _ = writeln!(out, "wrote {}", file.display());
    }
    out.push_str("next:\n");
    for name in &seen.fields {
        let _ = writeln!(out, "  export {}=…     # the value of {name}", variable(name));
    }
    out.push_str("  sseproof check --target sseproof.yaml\n");
    out.push_str("  then say in sseproof.yaml how to publish: more rules can be asked\n");
    out
}

/// The environment's variable for a field: `AUTHORIZATION`, `X_API_KEY`.
fn variable(name: &str) -> String {
    let letters = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' });
    letters.collect::<String>().to_ascii_uppercase()
}

/// The text as YAML: JSON strings are.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_files::{TargetFile, Variables};
    use std::path::Path;
    use url::Url;

    fn seen() -> Seen {
        Seen {
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
        let text = target(&seen(), &Trust::System);
        let read = TargetFile::parse("sseproof.yaml", &text, &variables).unwrap();
        assert_eq!(read.url.as_deref(), Some("http://127.0.0.1:8080/events?a=b#c"));
        assert_eq!(read.headers.first("x-api-key").as_deref(), Some("of X_API_KEY"));
        let bare = Seen { fields: Vec::new(), ..seen() };
        let read = |trust: Trust<'_>| {
            TargetFile::parse("f", &target(&bare, &trust), &Variables::default()).unwrap()
        };
        assert!(!read(Trust::System).insecure && read(Trust::Anybody).insecure);
        let ca = read(Trust::Ca(Path::new("certs/our ca.pem"))).ca.unwrap();
        assert_eq!(ca.path, Path::new("certs/our ca.pem"));
    }

    #[test]
    fn a_protocol_that_was_given_is_written_with_its_variables() {
        let sure = Seen { fields: Vec::new(), is_sure: true, ..seen() };
        let read =
            TargetFile::parse("f", &target(&sure, &Trust::System), &Variables::default()).unwrap();
        assert_eq!(read.profile.as_deref(), Some("openai-chat"));
        let own = profile("openai-chat").unwrap().variables;
        assert!(own.iter().all(|(name, value)| read.vars[*name] == *value), "{:?}", read.vars);
    }

    #[test]
    fn the_commented_lines_work_where_the_mark_is_taken_away() {
        let bare = Seen { fields: Vec::new(), ..seen() };
        let lines = ["# publish:", "#   http:", "# other:", "# headers:"];
        let text: String = target(&bare, &Trust::System)
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
        let read = TargetFile::parse("f", &text, &variables)
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(
            read.publish.is_some() && read.other.is_some() && read.headers.has("authorization")
        );
    }

    #[test]
    fn the_workflow_is_yaml_and_gets_the_secrets() {
        let text = workflow(&seen());
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let steps = value["jobs"]["sseproof"]["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 5);
        assert_eq!(steps[2]["env"]["X_API_KEY"], "${{ secrets.X_API_KEY }}");
    }
}
