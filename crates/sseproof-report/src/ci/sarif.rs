//! A run as SARIF 2.1.0, the format of code scanning: validated with the official schema.
//!
//! A known failure is a result with a suppression, and a rule that passed is a rule without result:
//! GitHub shows every result as an alert, whatever its kind is.
//! Fingerprints have a name of our own: `primaryLocationLineHash` is computed by GitHub's action for
//! uploads, which warns of values of others.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sseproof_rules::Level;
use sseproof_units::inert;

use super::{Place, Problem, Rule, Run, Weight};
use crate::Outcome;
use crate::markdown::fence;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of the root of the repository in places.
const ROOT: &str = "%SRCROOT%";
/// The name, with its version, of the fingerprints.
const FINGERPRINT: &str = "sseproof/v1";

pub fn render(run: &Run) -> String {
    let (name, version) = run.tool.split_once(' ').unwrap_or((&run.tool, ""));
    let mut driver = json!({
        "name": name,
        "rules": run.rules.iter().map(rule).collect::<Vec<_>>(),
    });
    if !version.is_empty() {
        driver["semanticVersion"] = version.into();
    }
    let results = run.problems.iter().zip(run.fingerprints());
    let results: Vec<_> =
        results.map(|(problem, fingerprint)| result(run, problem, &fingerprint)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "automationDetails": { "id": format!("sseproof-{}/{}/", run.command, inert(&run.file)) },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The root of the repository." } },
            },
            "invocations": [invocation(run)],
            "results": results,
            "properties": {
                "target": inert(&run.target),
                "verdict": inert(&run.verdict),
                "rules": run.counts,
            },
        }],
    });
    match serde_json::to_string_pretty(&document) {
        Ok(text) => text + "\n",
        Err(error) => unreachable!("these are plain values: {error}"),
    }
}

fn invocation(run: &Run) -> Value {
    let mut invocation = json!({
        "executionSuccessful": run.early.is_none(),
        "exitCodeDescription": inert(&run.verdict),
    });
    // An inconclusive run that was interrupted has another exit code than other ones.
    match run.outcome {
        Outcome::Held => invocation["exitCode"] = 0.into(),
        Outcome::Broken => invocation["exitCode"] = 1.into(),
        Outcome::Unproven => {}
    }
    if run.started.ends_with('Z') {
        invocation["startTimeUtc"] = run.started.clone().into();
    }
    if let Some(why) = &run.early {
        invocation["toolExecutionNotifications"] =
            json!([{ "level": "error", "message": { "text": escaped(why) } }]);
    }
    invocation
}

fn level(weight: Weight) -> &'static str {
    match weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Note => "note",
    }
}

fn rule(rule: &Rule) -> Value {
    let weight = Weight::of(rule.level, false);
    let title = if rule.title.is_empty() { &rule.id } else { &rule.title };
    let mut described = json!({
        "id": rule.id,
        "shortDescription": { "text": sentence(title) },
        "fullDescription": { "text": sentence(&format!("{}. {}", capital(title).trim_end_matches('.'), rule.why)) },
        "help": { "text": help(rule, false), "markdown": help(rule, true) },
        "defaultConfiguration": { "level": level(weight) },
        "properties": properties(rule),
    });
    if rule.link.starts_with("https://") {
        described["helpUri"] = rule.link.clone().into();
    }
    described
}

/// The properties that GitHub reads: a rule with a security severity is a security alert.
fn properties(rule: &Rule) -> Value {
    let family = rule.id.split('/').next().unwrap_or_default();
    let mut tags = vec!["server-sent-events".to_owned(), family.to_owned()];
    let mut properties = Map::new();
    if let Some(weakness) = &rule.security {
        tags.push("security".to_owned());
        let number = weakness.strip_prefix("CWE-").unwrap_or(weakness);
        tags.push(format!("external/cwe/cwe-{number:0>3}"));
        // The limits of GitHub's words: critical from 9.0, high from 7.0, medium from 4.0.
        let severity = match rule.level {
            Level::Must => "8.0",
            Level::Should => "5.0",
            Level::Advice => "2.0",
        };
        properties.insert("security-severity".to_owned(), severity.into());
    }
    let severity = match rule.level {
        Level::Must => "error",
        Level::Should => "warning",
        Level::Advice => "recommendation",
    };
    properties.insert("problem.severity".to_owned(), severity.into());
    properties.insert("precision".to_owned(), "very-high".into());
    properties.insert("tags".to_owned(), tags.into());
    properties.into()
}

/// The effect, the fix and the standard, as text or as Markdown.
fn help(rule: &Rule, is_markdown: bool) -> String {
    let mut out = String::new();
    // Writing into a string does not fail.
    for (name, text) in [("Why", &rule.why), ("Fix", &rule.fix)] {
        let _ = match is_markdown {
            _ if text.is_empty() => Ok(()),
            true => write!(out, "**{name}:** {text}\n\n"),
            false => writeln!(out, "{name}: {text}"),
        };
    }
    for recipe in &rule.recipes {
        let _ = match is_markdown {
            true => write!(out, "{}:\n\n{}\n", recipe.with, fence(&recipe.write)),
            false => writeln!(out, "{}:\n{}", recipe.with, recipe.write),
        };
    }
    let _ = match (is_markdown, rule.source.is_empty()) {
        (_, true) => Ok(()),
        (true, false) if rule.link.starts_with("https://") => {
            writeln!(out, "**Standard:** [{}]({})", rule.source, rule.link)
        }
        (true, false) => writeln!(out, "**Standard:** {}", rule.source),
        (false, false) => writeln!(out, "Standard: {} {}", rule.source, rule.link),
    };
    let _ = match is_markdown {
        true => writeln!(out, "\nMore: `sseproof explain {}`", rule.id),
        false => writeln!(out, "More: sseproof explain {}", rule.id),
    };
    inert(&out)
}

fn result(run: &Run, problem: &Problem, fingerprint: &str) -> Value {
    let Problem { rule, weight, message, seen, fix, text, place, accepted, .. } = problem;
    let mut said = sentence(&escaped(message));
    if !seen.is_empty() {
        let _ = write!(said, "\nSeen at {}.", escaped(seen));
    }
    if !fix.is_empty() {
        let _ = write!(said, "\nFix: {}", escaped(fix));
    }
    let mut result = json!({
        "ruleId": rule,
        "ruleIndex": run.rules.iter().position(|known| known.id == *rule),
        "level": level(*weight),
        "message": { "text": said, "markdown": inert(&fence(text)) },
        "locations": [{ "physicalLocation": location(place) }],
        "partialFingerprints": { FINGERPRINT: fingerprint },
    });
    if let Some(why) = accepted {
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": inert(why) }]);
    }
    result
}

fn location(place: &Place) -> Value {
    let mut region = json!({ "startLine": place.line });
    if place.column > 0 {
        region["startColumn"] = place.column.into();
    }
    let path = path(&place.file);
    match place.file.starts_with('/') {
        true => {
            json!({ "artifactLocation": { "uri": format!("file://{path}") }, "region": region })
        }
        false => {
            json!({ "artifactLocation": { "uri": path, "uriBaseId": ROOT }, "region": region })
        }
    }
}

/// The path in a URI. RFC 3986, 3.3.
fn path(file: &str) -> String {
    let mut out = String::with_capacity(file.len());
    for byte in file.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// The text without links of others: brackets begin a link in a message. SARIF 2.1.0, 3.11.6.
fn escaped(text: &str) -> String {
    let text = inert(text);
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '\\' | '[' | ']') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// With a capital letter, and a full stop.
fn sentence(text: &str) -> String {
    let text = capital(text.trim_end());
    if text.ends_with(['.', '!', '?']) { text } else { text + "." }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars.by_ref()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::tests::{EXAMPLES, judged, run};

    /// The schema of OASIS, from its repository `oasis-tcs/sarif-spec`.
    const OFFICIAL: &str = include_str!("../../tests/sarif-2.1.0.schema.json");

    fn read(run: &Run) -> Value {
        serde_json::from_str(&render(run)).unwrap()
    }

    #[test]
    fn every_run_follows_the_official_schema() {
        let schema: Value = serde_json::from_str(OFFICIAL).unwrap();
        for name in EXAMPLES {
            assert_eq!(judged(&schema, &read(&run(name))), Ok(()), "{name}");
        }
        let mut wrong = read(&run("broken"));
        wrong["runs"][0]["results"][0]["level"] = "grave".into();
        assert!(judged(&schema, &wrong).is_err(), "the schema refuses something");
    }

    #[test]
    fn a_broken_run_reads_well() {
        insta::assert_snapshot!(render(&run("broken")));
    }

    #[test]
    fn each_result_has_what_code_scanning_needs() {
        let document = read(&run("broken"));
        let driver = &document["runs"][0]["tool"]["driver"];
        let results = document["runs"][0]["results"].as_array().unwrap();
        assert!(results.len() > 8, "{results:#?}");
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
            assert!(!place["artifactLocation"]["uri"].as_str().unwrap().contains(' '));
        }
        let suppressed = |result: &&Value| result["suppressions"][0]["status"] == "accepted";
        let suppressed: Vec<_> = results.iter().filter(suppressed).collect();
        assert_eq!(suppressed.len(), 1);
        assert_eq!(suppressed[0]["ruleId"], "stream/bom");
    }

    #[test]
    fn a_matter_of_security_is_a_security_alert() {
        let mut run = run("broken");
        run.rules[0].security = Some("CWE-93".to_owned());
        run.rules[0].level = Level::Must;
        let document = read(&run);
        let rules = &document["runs"][0]["tool"]["driver"]["rules"];
        assert_eq!(rules[0]["properties"]["security-severity"], "8.0");
        let tags = rules[0]["properties"]["tags"].as_array().unwrap();
        assert!(tags.contains(&"external/cwe/cwe-093".into()), "{tags:?}");
        assert_eq!(rules[1]["properties"].get("security-severity"), None);
    }

    #[test]
    fn text_of_others_makes_no_link() {
        let mut run = run("broken");
        run.problems[0].message = "a [link](https://evil.example) \\ \u{202e}".to_owned();
        let text = read(&run)["runs"][0]["results"][0]["message"]["text"].clone();
        let text = text.as_str().unwrap();
        assert!(text.starts_with("A \\[link\\](https://evil.example) \\\\ ⟨U+202E⟩."), "{text}");
    }

    #[test]
    fn a_file_is_a_uri() {
        for (file, uri) in [
            ("a b/ü.yaml", "a%20b/%C3%BC.yaml"),
            ("/tmp/a#b.yaml", "file:///tmp/a%23b.yaml"),
            ("c:d%.yaml", "c%3Ad%25.yaml"),
        ] {
            assert_eq!(location(&Place::new(file, 1))["artifactLocation"]["uri"], uri);
        }
    }
}
