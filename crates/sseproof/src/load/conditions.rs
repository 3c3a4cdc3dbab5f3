//! The conditions of a run, so that a comparison of two runs can say what else differs.

use std::collections::BTreeMap;
use std::fs;

use sseproof_load::Route;
use sseproof_load_model::{Http, Pace, Plan, Workload};
use sseproof_units::{Value, counted};

use super::args::Load;

/// The conditions of a run by name, which begins with `plan`, `server`, `generator` or `machine`.
pub(super) fn of(
    plan: &Plan,
    arguments: &Load,
    threads: u64,
    is_embedded: bool,
    route: &Route,
) -> BTreeMap<String, String> {
    let server = match (&arguments.server_cmd, arguments.server_pid) {
        _ if is_embedded => Some("embedded".to_owned()),
        // Its arguments may have secrets, and paths of one machine.
        (Some(command), _) => command.split_whitespace().next().map(name),
        (None, Some(id)) => read(&format!("/proc/{id}/comm")),
        (None, None) => None,
    };
    let connection = match route {
        Route::Direct => None,
        // Its path is one of this machine.
        Route::Unix(_) => Some("over a unix socket".to_owned()),
        Route::Proxy(proxy) => Some(format!("through the proxy {}", proxy.url())),
    };
    let generator =
        format!("{} of {}", counted(arguments.processes, "process"), counted(threads, "thread"));
    let all = [
        ("plan.clients", Some(plan.workload.to_string())),
        ("plan.slow clients", slow(plan)),
        ("plan.published", published(plan)),
        ("plan.HTTP", http(plan)),
        ("plan.compression", plan.compress.then(|| "offered".to_owned())),
        ("server.program", server),
        ("server.connection", connection),
        ("generator.processes", Some(generator)),
        ("machine.processors", processors()),
        ("machine.memory", memory()),
        ("machine.system", system()),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn slow(plan: &Plan) -> Option<String> {
    let Workload::Subscribe(subscribe) = &plan.workload else { return None };
    let slow = subscribe.slow?;
    let pace = match slow.pace {
        Pace::Never => "read nothing".to_owned(),
        Pace::BytesPerSecond(rate) => format!("read {}/s", Value::bytes(rate as f64)),
    };
    Some(format!("{:.0}% {pace}", slow.share * 100.0))
}

fn published(plan: &Plan) -> Option<String> {
    let publishing = plan.publishing.as_ref()?;
    Some(format!("{}/s of {}", publishing.rate, Value::bytes(publishing.size as f64)))
}

fn http(plan: &Plan) -> Option<String> {
    match plan.http {
        Http::One => None,
        Http::Two { streams_per_connection } => {
            Some(format!("2, {} per connection", counted(streams_per_connection, "stream")))
        }
    }
}

fn processors() -> Option<String> {
    let count = std::thread::available_parallelism().ok()?.get();
    let known = read("/proc/cpuinfo").unwrap_or_default();
    let model = known.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map(|(_, model)| model.trim());
    Some(match model {
        Some(model) => format!("{count} × {model}"),
        None => count.to_string(),
    })
}

fn memory() -> Option<String> {
    let known = read("/proc/meminfo")?;
    let line = known.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(Value::bytes(kib * 1024.0).to_string())
}

fn system() -> Option<String> {
    let release = read("/proc/sys/kernel/osrelease");
    Some(release.map_or(std::env::consts::OS.to_owned(), |release| format!("Linux {release}")))
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
