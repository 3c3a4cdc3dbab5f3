//! The software that answers, as it shows itself, and the recipes that fit it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;
use sseproof_record::Transcript;

use crate::{Recipe, RuleText};

/// The header fields in which software names itself.
const FIELDS: [&str; 3] = ["server", "x-powered-by", "via"];

/// A server, framework or proxy of `specs/servers.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Software {
    pub name: String,
    /// Words of header values and of commands.
    signs: Vec<String>,
    /// Words in the names of recipes, the best first.
    recipes: Vec<String>,
    #[serde(default)]
    advice: Vec<Advice>,
}

/// A way to run the software without a fault.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advice {
    /// Rules, or families of rules: `delivery/*`.
    rules: Vec<String>,
    write: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    servers: Vec<Software>,
}

static SOFTWARE: LazyLock<Vec<Software>> = LazyLock::new(|| {
    match serde_yaml::from_str::<File>(include_str!("../../../specs/servers.yaml")) {
        Ok(file) => file.servers,
        // The file is part of the program, and a test reads it.
        Err(error) => panic!("specs/servers.yaml does not parse: {error}"),
    }
});

/// The software that the responses and the command that started the server show.
pub fn software(transcript: &Transcript, command: Option<&str>) -> Vec<&'static Software> {
    let heads = transcript.exchanges.iter().filter_map(|exchange| exchange.head.as_ref());
    let fields = heads.flat_map(|head| FIELDS.iter().flat_map(|name| head.headers.all(name)));
    let fields: BTreeSet<String> = fields.map(|field| field.value.to_text()).collect();
    let words = command.unwrap_or_default().split_whitespace();
    let words: Vec<&str> = words.filter_map(|word| word.rsplit('/').next()).collect();
    let shows = |sign: &String| {
        let is_named = words.iter().any(|word| word.eq_ignore_ascii_case(sign));
        is_named || fields.iter().any(|field| has_word(field, sign))
    };
    SOFTWARE.iter().filter(|software| software.signs.iter().any(shows)).collect()
}

impl Software {
    /// How to fix a fault of that rule in this software; `None` if no recipe fits.
    pub fn recipe(&self, rule: &RuleText) -> Option<Recipe> {
        let is_for = |advice: &&Advice| {
            advice.rules.iter().any(|named| match named.strip_suffix('*') {
                Some(family) => rule.id.starts_with(family),
                None => rule.id == *named,
            })
        };
        let advice = self.advice.iter().find(is_for);
        let advice =
            advice.map(|found| Recipe { with: self.name.clone(), write: found.write.clone() });
        advice.or_else(|| {
            let named =
                |word: &String| rule.recipes.iter().find(|recipe| has_word(&recipe.with, word));
            self.recipes.iter().find_map(named).cloned()
        })
    }
}

/// Whether the text has the word, in any letter case, with no letter or digit beside it.
fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sseproof_http::{Request, Version};
    use sseproof_record::{Exchange, Head};

    use super::*;
    use crate::requirement::rule_texts;
    use crate::rule;

    fn names(headers: &[(&str, &str)], command: Option<&str>) -> Vec<&'static str> {
        let at = Duration::ZERO;
        let headers = headers.iter().copied().collect();
        let head = Head { at, version: Version::Http11, status: 200, headers };
        let exchange = Exchange {
            head: Some(head),
            ..Exchange::begun(1, Request::subscribe("http://h/"), at)
        };
        let transcript = Transcript { exchanges: vec![exchange], ..Transcript::default() };
        software(&transcript, command).iter().map(|software| software.name.as_str()).collect()
    }

    #[test]
    fn software_shows_itself_in_headers_and_commands() {
        for (headers, command, expected) in [
            (&[("Server", "Werkzeug/3.1.9 Python/3.11.7")][..], None, &["Werkzeug"][..]),
            (
                &[("Server", "nginx/1.22.1"), ("X-Powered-By", "Express")],
                None,
                &["Express", "nginx"],
            ),
            (&[("Server", "uvicorn")], None, &["uvicorn"]),
            (&[("server", "hypercorn-h11")], None, &["hypercorn"]),
            (&[("Server", "Microsoft-IIS/10.0"), ("X-Powered-By", "ASP.NET")], None, &["Kestrel"]),
            (&[("Via", "1.1 Caddy")], Some("/usr/bin/node app.js"), &["Node.js", "Caddy"]),
            (&[], Some("gunicorn -k gevent app:app"), &["gunicorn"]),
            (&[("Server", "Django"), ("Content-Type", "nginx")], Some("python node.py"), &[]),
        ] {
            assert_eq!(names(headers, command), expected, "{headers:?} {command:?}");
        }
    }

    #[test]
    fn advice_comes_before_recipes_and_the_best_recipe_is_shown() {
        let with = |name: &str, id: &str| {
            let software = SOFTWARE.iter().find(|software| software.name == name).unwrap();
            software.recipe(rule(id).unwrap().text()).map(|recipe| recipe.with)
        };
        for (name, id, expected) in [
            ("Werkzeug", "response/http10", Some("Werkzeug")),
            ("Werkzeug", "response/cache-control", Some("Flask, Django")),
            ("Express", "response/cache-control", Some("Node http, Express")),
            ("Apache", "stream/utf8", None),
        ] {
            assert_eq!(with(name, id).as_deref(), expected, "{name} {id}");
        }
    }

    #[test]
    fn every_entry_has_an_effect() {
        for software in SOFTWARE.iter() {
            for word in &software.recipes {
                let mut recipes = rule_texts().flat_map(|(_, text)| &text.recipes);
                let is_used = recipes.any(|recipe| has_word(&recipe.with, word));
                assert!(is_used, "{}: no recipe is called {word}", software.name);
            }
            for rules in software.advice.iter().flat_map(|advice| &advice.rules) {
                let is_it = |id: &str| match rules.strip_suffix('*') {
                    Some(family) => id.starts_with(family),
                    None => id == rules,
                };
                assert!(crate::rules().any(|rule| is_it(rule.id)), "{}: {rules}", software.name);
            }
        }
    }
}
