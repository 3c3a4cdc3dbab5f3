//! Cases of the command line as data: servers, files, commands, and what these print.
//!
//! ```yaml
//! rules are chosen by globs:
//!   - serve: --mutant latin1-payload
//!   - { run: check $HOLDS --skip stream/utf8, says: ["✓"] }
//!   - { run: check $HOLDS --only stream/*, code: 1, says: ["✗ stream/utf8"] }
//! ```
//!
//! `$DIR` is the folder of the case, `$URL` the stream of the last server that it started, `$HOST` the
//! address of that server, and `$FREE` one on which nothing listens. `$PROGRAM` is the program. `$HOLDS` is that stream with a
//! scenario that holds, and without probes. The program runs in the folder.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::HOLDS;
use crate::program::{
    Folder, Served, answering, finish, free_address, read, serve, sseproof, unhindered,
};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Step {
    /// Arguments of `sseproof serve`.
    serve: Option<String>,
    /// A server gives this answer to every request.
    answer: Option<String>,
    /// A server accepts connections, and no response ever comes.
    hangs: bool,
    /// Files that are written first.
    write: BTreeMap<String, String>,
    /// Arguments of the program, quoted as in a shell.
    run: Option<String>,
    /// Variables of the environment; null removes one.
    env: BTreeMap<String, Option<String>>,
    code: i32,
    /// Texts of its output, and texts that neither the output nor one of `files` has.
    says: Vec<String>,
    hides: Vec<String>,
    /// The request to the last answer: its beginning, texts in it, and its end.
    asked: Vec<String>,
    /// The file for its standard output.
    out: Option<String>,
    /// How many seconds it may take.
    within: Option<u64>,
    /// Files after the run: all of the text, some texts in it, or null if there must be none.
    files: BTreeMap<String, Value>,
    /// Values in JSON files by their pointers; `/#` is the length of a list.
    json: BTreeMap<String, BTreeMap<String, Value>>,
    /// Lists that are the same in two JSON files, by their pointer.
    same: BTreeMap<String, [String; 2]>,
    /// The servers are stopped first.
    stop: bool,
}

/// How many cases of a file are played at a time: most of them wait most of the time.
const AT_A_TIME: usize = 4;

pub(crate) fn play(file: &str) {
    let cases: BTreeMap<String, Vec<Step>> = serde_yaml::from_str(file).unwrap();
    let waiting = Mutex::new(cases.iter());
    let next = || waiting.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(cases.len()) {
            scope.spawn(|| {
                while let Some((name, steps)) = next() {
                    // A panic names the thread.
                    let named = thread::Builder::new().name(name.clone());
                    thread::scope(|scope| {
                        named.spawn_scoped(scope, || case(steps)).unwrap();
                    });
                }
            });
        }
    });
}

fn case(steps: &[Step]) {
    let (folder, free) = (Folder::new(), free_address().to_string());
    let (mut servers, mut url): (Vec<Served>, _) = (Vec::new(), String::new());
    let (mut requests, mut listeners) = (None, Vec::new());
    folder.write("holds.yaml", HOLDS);
    for step in steps {
        let filled = |text: &str, url: &str| {
            let host = url.split('/').nth(2).unwrap_or_default();
            text.replace("$HOLDS", "$URL $DIR/holds.yaml --no-probes")
                .replace("$URL", url)
                .replace("$HOST", host)
                .replace("$FREE", &free)
                .replace("$PROGRAM", env!("CARGO_BIN_EXE_sseproof"))
                .replace("$DIR", folder.name("").trim_end_matches('/'))
        };
        if step.stop {
            servers.clear();
        }
        if let Some(arguments) = &step.serve {
            let arguments = shlex::split(&filled(arguments, &url)).unwrap();
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            servers.push(serve(&arguments));
            url.clone_from(&servers.last().unwrap().url);
        }
        if let Some(answer) = &step.answer {
            let (answering, received) = answering(answer.as_bytes());
            (url, requests) = (answering, Some(received));
        }
        if step.hangs {
            listeners.push(TcpListener::bind("127.0.0.1:0").unwrap());
            url = format!("http://{}/events", listeners.last().unwrap().local_addr().unwrap());
        }
        for (name, text) in &step.write {
            folder.write(name, &filled(text, &url));
        }
        if let Some(line) = &step.run {
            command(step, line, &folder, |text| filled(text, &url));
        }
        if let Some((first, more)) = step.asked.split_first() {
            let request = requests.as_ref().unwrap().recv().unwrap();
            assert!(request.starts_with(first), "{request}");
            assert!(more.iter().all(|text| request.contains(text)), "{request}");
            assert!(more.last().is_none_or(|last| request.ends_with(last)), "{request}");
        }
    }
}

fn command(step: &Step, line: &str, folder: &Folder, filled: impl Fn(&str) -> String) {
    let words = shlex::split(&filled(line)).unwrap_or_else(|| panic!("{line}"));
    let arguments: Vec<_> = words.iter().map(String::as_str).collect();
    let begin = Instant::now();
    let ran = unhindered(|| {
        let mut command = sseproof(&arguments);
        command.current_dir(folder.path(""));
        for (name, value) in &step.env {
            match value {
                Some(value) => command.env(name, filled(value)),
                None => command.env_remove(name),
            };
        }
        finish(command.spawn().unwrap())
    });
    let says: Vec<_> = step.says.iter().map(|text| filled(text)).collect();
    ran.ends(step.code, &says.iter().map(String::as_str).collect::<Vec<_>>());
    let hides = |text: &str| {
        let shown = step.hides.iter().find(|secret| text.contains(*secret));
        assert_eq!(shown, None, "{line}: {text}");
    };
    hides(&ran.out);
    hides(&ran.err);
    let limit = step.within.map_or(Duration::MAX, Duration::from_secs);
    assert!(begin.elapsed() < limit, "{line}: {:?}", begin.elapsed());
    if let Some(name) = &step.out {
        folder.write(name, &ran.out);
    }
    for (name, expected) in &step.files {
        if expected.is_null() {
            assert!(!folder.path(name).exists(), "{line}: {name}");
            continue;
        }
        let text = read(folder.path(name));
        hides(&text);
        if let Some(whole) = expected.as_str() {
            assert_eq!(text, whole, "{line}: {name}");
        }
        for part in expected.as_array().into_iter().flatten() {
            let part = &filled(part.as_str().unwrap());
            assert!(text.contains(part), "`{part}` is missing in {name}: {text}");
        }
    }
    let json = |name: &str| -> Value { serde_json::from_str(&read(folder.path(name))).unwrap() };
    for (pointer, files) in &step.same {
        let [one, other] = files.each_ref().map(|name| json(name).pointer(pointer).cloned());
        assert!(one.iter().flat_map(Value::as_array).any(|list| !list.is_empty()), "{line}");
        assert_eq!(one, other, "{line}: {pointer}");
    }
    for (name, members) in &step.json {
        let value = json(name);
        for (pointer, expected) in members {
            let found = match pointer.strip_suffix("/#") {
                Some(list) => value.pointer(list).unwrap().as_array().unwrap().len().into(),
                None => value.pointer(pointer).cloned().unwrap_or_default(),
            };
            assert_eq!(found, *expected, "{line}: {name}{pointer}");
        }
    }
}
