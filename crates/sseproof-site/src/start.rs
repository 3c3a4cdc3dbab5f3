//! The first page: what event streams are, what sseproof does, how to run it, and what was found.

use maud::{Markup, html};
use sseproof_html::{Mark, Section, anchor, line, prose, scroll};
use sseproof_rules::Level;
use sseproof_units::counted;

use crate::frame::Page;
use crate::places::{group_page, rule_page};
use crate::tables::words;
use crate::{Changes, Grave, Group, Site, Subject, grave_faults};

/// How many of those that have a fault are named.
const NAMED: usize = 6;
const STREAM: &str = "HTTP/1.1 200 OK\nContent-Type: text/event-stream\nCache-Control: no-cache\n\nid: 41\ndata: The first line of an event,\ndata: and its second line.\n\nid: 42\nevent: price\ndata: {\"symbol\": \"ACME\", \"price\": 17.3}\n\n";

pub(crate) fn page(site: &Site<'_>, changes: Option<&Changes<'_>>) -> Page {
    let mut page =
        Page::new("index.html", "event streams, proven", "Does your event stream arrive?");
    page.lead = html! {
        p.large {
            "Dashboards, notifications and nearly every answer of a language model travel as " strong { "Server-Sent Events" }
            ". " strong { "sseproof" } " proves a server, a proxy, a client or a parser of such streams right, or shows the byte where it is wrong, the clients that this breaks, and the fix."
        }
        (figures(site))
        @if let Some(changes) = changes {
            p { a href="changes.html" { "Since the last results" } ": " (changes.words()) "." }
        }
    };
    page.sections = vec![grave(site), events(), run(), contents(site)];
    page
}

/// One number for each group.
fn figures(site: &Site<'_>) -> Markup {
    let matrix = &site.input.matrix;
    let count = |group: Group| {
        let all: Vec<&Subject> = matrix.of(group).collect();
        let is_broken = |one: &&&Subject| !one.failed(matrix, Level::Must).is_empty();
        (all.iter().filter(is_broken).count(), all.len())
    };
    html! {
        ul.figures { @for group in Group::ALL {
            @let (broken, all) = count(group);
            @if all > 0 { li {
                a href=(group_page(group)) {
                    span.big { (broken) " of " (all) }
                    " " (match group { Group::Protocols => "protocol servers", other => other.folder() })
                    " break a must"
                }
            } }
        } }
    }
}

fn grave(site: &Site<'_>) -> Section {
    Section {
        id: "gravest",
        title: "The gravest faults found".to_owned(),
        short: "faults".to_owned(),
        body: html! {
            p { "All of these are in software that many use. Each was also checked by hand, without sseproof: the page of each name says how, and the page of each fault what to do." }
            @for group in Group::ALL {
                @let found = found(site, group);
                @if !found.is_empty() {
                    h3.apart { (words(group).0) }
                    (scroll("Faults", &html! { table {
                        thead { tr { th scope="col" { "Fault" } th scope="col" { "In" } th scope="col" { "Among them" } } }
                        tbody { @for (grave, failed, asked) in found { (row(site, grave, &failed, asked)) } }
                    } }))
                }
            }
            p { a href="bugs.html" { "All reports on bugs" } ", each with a script that shows it." }
        },
    }
}

fn found<'m>(site: &Site<'m>, group: Group) -> Vec<(&'static Grave, Vec<&'m Subject>, usize)> {
    let all = grave_faults(group).map(|grave| {
        let (mut failed, asked) = grave.found(&site.input.matrix);
        failed.sort_by_key(|one| &one.name);
        (grave, failed, asked)
    });
    all.filter(|(_, failed, _)| !failed.is_empty()).collect()
}

fn row(site: &Site<'_>, grave: &Grave, failed: &[&Subject], asked: usize) -> Markup {
    let bug = grave.report.and_then(|name| site.places.page(&format!("reports/bugs/{name}.md")));
    let place = bug.map(str::to_owned).or_else(|| rule_page(grave.rule)).unwrap_or_default();
    html! {
        tr {
            th scope="row" { a href=(place) { (prose(grave.fault)) } }
            td.nowrap { (failed.len()) " of " (asked) }
            td {
                @for (at, one) in failed.iter().take(NAMED).enumerate() {
                    @if at > 0 { ", " }
                    a href={ (one.page()) "#" (anchor(grave.rule)) } { (line(&one.name)) }
                }
                @if failed.len() > NAMED { ", and " a href={ (rule_page(grave.rule).unwrap_or_default()) "#found" } { (failed.len() - NAMED) " more" } }
            }
        }
    }
}

fn events() -> Section {
    Section {
        id: "events",
        title: "What are Server-Sent Events?".to_owned(),
        short: "event streams".to_owned(),
        body: html! {
            p { "A response over HTTP that does not end. The server writes one event after the other, as lines of text with a blank line after each event:" }
            pre tabindex="0" { (sseproof_html::text(STREAM.trim_end())) }
            p { "A browser reads it with a few lines of JavaScript, and reconnects by itself when the connection breaks; it then sends the id of the last event, so that the server can resume after it:" }
            pre tabindex="0" { "const stream = new EventSource(\"/events\");\nstream.onmessage = (event) => console.log(event.data);" }
            p { "That is all of the protocol, and there is still much to get wrong: a line end in a text that becomes an event of its own, a proxy that holds events back, a server that keeps working for clients that are gone, a client that reconnects a thousand times a second. None of this shows in a first try." }
        },
    }
}

fn run() -> Section {
    Section {
        id: "run",
        title: "Run it".to_owned(),
        short: "run it".to_owned(),
        body: html! {
            ul.steps {
                li { "your server:" pre tabindex="0" { "sseproof check http://127.0.0.1:8080/events" } }
                li { "in CI, with a target file and a workflow:" pre tabindex="0" { "sseproof init http://127.0.0.1:8080/events --start './my-server --port 8080'" } }
                li { "a language model, MCP, GraphQL or Mercure:" pre tabindex="0" { "sseproof check http://127.0.0.1:8000/v1/chat/completions --profile openai-chat" } }
                li { "your proxy, compared with its server:" pre tabindex="0" { "sseproof check http://127.0.0.1:8080/events --via http://127.0.0.1:8081/events" } }
                li { "a client, or a browser:" pre tabindex="0" { "sseproof check-client --browser chromium" } }
                li { "a parser in any language:" pre tabindex="0" { "sseproof check-parser -- python3 my_adapter.py" } }
                li { "under load, beside a WebSocket:" pre tabindex="0" { "sseproof load --url http://127.0.0.1:8080/events --versus ws://127.0.0.1:8080/ws" } }
            }
            p { "Each writes the same as one page with " code { "--html FILE" } "." }
        },
    }
}

fn contents(site: &Site<'_>) -> Section {
    let reports = |name: &str| match name {
        "check-time" => "How long checks take",
        "codec" => "The codec beside decoders of others",
        "corpus-in-chromium" => "The corpus in Chromium",
        "hostile" => "sseproof against hostile servers",
        "load" => "The load generator",
        "mcp-conformance" => "sseproof and the official MCP conformance suite",
        "parsers" => "Parsers of others, with their speed",
        "profiles" => "The clients of OpenAI and Anthropic against wrong servers",
        _ => "",
    };
    let body = html! {
        ul {
            @for group in Group::ALL {
                @let count = site.input.matrix.of(group).count();
                @if count > 0 {
                    li { a href=(group_page(group)) { (counted(count, group.noun())) } ", by rule" }
                }
            }
            li { a href="bugs.html" { (counted(site.input.bugs.len(), "report")) " on bugs" } ", each with a reproduction" }
            li { a href="sse-vs-websocket.html" { "Event streams against WebSockets" } " on " (counted(site.input.versus.servers.len(), "server")) }
            li { a href="rules.html" { "The rule book" } ": what each rule requires, why, and the fix" }
            @for report in &site.input.reports {
                @let words = reports(&report.name);
                li { a href={ "reports/" (report.name) ".html" } { @if words.is_empty() { (line(&report.name)) } @else { (words) } } }
            }
            li { a href="matrix.json" { "matrix.json" } ": all results for programs, and " a href="matrix.schema.json" { "its schema" } }
        }
        p.faint { (Mark::Good) " Every result can be made again: each page of a subject has the command." }
    };
    Section { id: "contents", title: "Contents".to_owned(), short: "contents".to_owned(), body }
}
