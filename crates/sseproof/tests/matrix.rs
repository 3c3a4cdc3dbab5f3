//! Every mutant against every rule: the same runner, client and server as a real check.
//!
//! Over a pipe in memory with a paused clock for the whole matrix, and once more over TCP, where
//! each mutant must fail the rule that it was made for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sseproof_files::{
    GaugeHook, Probe, PublishHook, RequestHook, RestartHook, Scenario, Server, ServerFuture,
    ServerHandle, Target, Termination, Variables, needed, probes, profile_ids, profile_probes,
};
use sseproof_http::{Answer, Request, Version};
use sseproof_net::{
    Client, ConnectionOptions, Direct, Identity, IdentityOptions, Lab, Leave, Limits, Tls,
    TlsOptions,
};
use sseproof_record::{Transcript, read_recording, write_recording};
use sseproof_rules::{
    Driven, Finding, Host, Mutant, Over, Profile, Record, Rule, Status, judge, mutants, profiles,
    profiles_of, reference, rules, rules_for,
};
use sseproof_runner::{RunProgress, run_all};

/// How many mutants are checked over TCP at a time.
const AT_A_TIME: usize = 40;
/// Set to also watch, over TCP, the mutants that only a minute of silence gives away.
const SLOW: &str = "SSEPROOF_SLOW_TESTS";

#[derive(Clone, Copy)]
struct Look {
    profile: Option<&'static Profile>,
    idle: bool,
    /// Whether long texts are published, too: they fill a recording.
    long: bool,
    /// The rule that alone is asked: no other probes than it needs are played, and those only until
    /// it fails.
    rule: Option<&'static Rule>,
    driven: Driven,
}

async fn transcript(client: Client, origin: &str, look: Look) -> Transcript {
    let probes = wanted(look);
    let scenarios: Vec<&Scenario> = probes.iter().map(|probe| &probe.scenario).collect();
    let enough = tokio::sync::Notify::new();
    let cancel = pin!(async {
        enough.notified().await;
    });
    let mut target = target(look.profile, origin);
    let server = LabServer { client: client.clone(), origin: origin.to_owned() };
    target.server = Some(ServerHandle(Arc::new(server)));
    if look.driven == Driven::Answered {
        target.publish = Some(PublishHook::json("POST", reference::ECHO).answering());
    }
    if look.driven == Driven::TwoUsers {
        let [first, other] = reference::USERS.map(|user| format!("Bearer {user}"));
        target.url = format!("{origin}{}", reference::PRIVATE);
        target.headers.set("Authorization", first);
        target.other = Some([("Authorization", other)].into_iter().collect());
    }
    let mut hear = |heard: RunProgress<'_>| {
        if let (RunProgress::Kept(transcript), Some(rule)) = (heard, look.rule)
            && fails(rule, transcript)
        {
            enough.notify_one();
        }
    };
    run_all(&scenarios, &target, &client, "", &mut hear, cancel).await.transcript
}

/// A lab as a server that the run has started: a request stands for each signal.
struct LabServer {
    client: Client,
    origin: String,
}

impl LabServer {
    /// How long the answer took, if it came in time.
    async fn post(&self, path: &str, within: Duration) -> Option<Duration> {
        let url = format!("{}{path}", self.origin);
        let request = Request { method: "POST".to_owned(), ..Request::subscribe(url) };
        let mut live = self.client.open(request).expect("a request");
        live.wait(within, |progress| progress.ended).await;
        let exchange = live.leave(Leave::Fin).await;
        exchange.head.map(|head| head.at.saturating_sub(exchange.started))
    }
}

impl Server for LabServer {
    fn restart(&self) -> ServerFuture<'_, ()> {
        Box::pin(async {
            self.post("/restart", Duration::from_secs(1)).await;
            Ok(())
        })
    }

    fn terminate(&self, within: Duration) -> ServerFuture<'_, Termination> {
        Box::pin(async move {
            let took = self.post(reference::TERMINATE, within).await;
            Ok(Termination { by: "SIGTERM".to_owned(), took })
        })
    }
}

fn fails(rule: &Rule, transcript: &Transcript) -> bool {
    Finding::of(rule, &Record::new(transcript)).status == Status::Fail
}

fn wanted(look: Look) -> Vec<Probe> {
    let mut all = match look.profile {
        None => probes().to_vec(),
        Some(profile) => {
            profile_probes(profile.id, &variables(profile)).expect("probes that parse")
        }
    };
    all.retain(|probe| look.long || !probe.scenario.publishes_long_texts());
    if let Some(rule) = look.rule {
        all = needed(all, &[rule.id]);
    }
    all.retain(|probe| look.idle || !probe.scenario.idle);
    all
}

fn variables(profile: &Profile) -> Variables {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Variables { given: profile.variables.iter().map(own).collect(), ..Variables::default() }
}

fn target(profile: Option<&Profile>, origin: &str) -> Target {
    let Some(profile) = profile else {
        let hook = PublishHook::json("POST", "/publish/parts").on_stream("/published");
        let target = Target::new(format!("{origin}/events"));
        let restart = RequestHook::new("POST", "/restart");
        return Target {
            publish: Some(hook),
            active: Some(GaugeHook::http("GET", "/active")),
            memory: Some(GaugeHook::http("GET", "/memory")),
            restart: Some(RestartHook::Http(Box::new(restart))),
            pour: 1 << 17,
            via: Some(format!("{origin}/via/events")),
            ..target
        };
    };
    Target {
        method: profile.method.to_owned(),
        headers: profile.headers.iter().copied().collect(),
        body: variables(profile).fill(profile.body).expect("a body").into(),
        profile: Some(profile.id.to_owned()),
        ..Target::new(format!("{origin}{}", profile.path))
    }
}

fn looks(rule: &Rule) -> Vec<Option<&'static Profile>> {
    let own: Vec<_> = profiles_of(rule).map(Some).collect();
    if own.is_empty() { vec![None] } else { own }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// HTTP/1.1 over plain TCP.
    Http1,
    /// HTTP/2 over plain TCP.
    Http2,
    /// TLS, and what is agreed on there: HTTP/2.
    Tls,
    /// TLS, and HTTP/1.1 since the server speaks no other.
    TlsHttp1,
    /// HTTP/1.1 over plain TCP, to a host that is in no private network.
    Abroad,
}

impl By {
    fn of(mutant: &Mutant) -> Self {
        match (mutant.host, mutant.over) {
            (Host::Abroad, _) => Self::Abroad,
            (Host::Near, Over::Http1) => Self::Http1,
            (Host::Near, Over::Http2) => Self::Http2,
            (Host::Near, Over::TlsHttp1) => Self::TlsHttp1,
        }
    }

    fn way_to(self, lab: Lab) -> (Lab, &'static str, ConnectionOptions) {
        let plain = "http://lab";
        let alpn: &[&str] = match self {
            Self::Http1 => return (lab, plain, ConnectionOptions::default()),
            Self::Abroad => return (lab, "http://lab.example", ConnectionOptions::default()),
            Self::Http2 => {
                return (
                    lab,
                    plain,
                    ConnectionOptions {
                        http: Some(Version::Http2),
                        ..ConnectionOptions::default()
                    },
                );
            }
            Self::Tls => &["h2", "http/1.1"],
            Self::TlsHttp1 => &["http/1.1"],
        };
        let options = IdentityOptions {
            hosts: vec!["lab".to_owned(), "localhost".to_owned()],
            alpn: alpn.iter().map(|name| (*name).to_owned()).collect(),
            ..IdentityOptions::default()
        };
        let identity = Identity::new(&options).expect("an identity");
        let ca = Some(("ca.pem".to_owned(), identity.authority().as_bytes().to_vec()));
        let tls = Tls::new(TlsOptions { ca, ..TlsOptions::default() }).expect("an authority");
        let ways = ConnectionOptions { tls, ..ConnectionOptions::default() };
        (lab.over_tls(identity), "https://lab", ways)
    }
}

/// The transcript of a check with all probes, without any real time.
fn in_memory(
    answer: Answer,
    profile: Option<&'static Profile>,
    driven: Driven,
    long: bool,
    by: By,
) -> Transcript {
    played(answer, Look { profile, idle: true, driven, long, rule: None }, by)
}

fn played(answer: Answer, look: Look, by: By) -> Transcript {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (lab, origin, ways) = by.way_to(Lab::new(answer));
        let client = Client::new(Arc::new(lab.in_process()), Limits::default()).with(ways);
        transcript(client, origin, look).await
    })
}

fn findings(transcript: &Transcript) -> Vec<Finding> {
    judge(&Record::new(transcript), |_| true)
}

fn finding<'f>(findings: &'f [Finding], rule: &Rule) -> &'f Finding {
    let found = findings.iter().find(|finding| finding.rule == rule.id);
    found.unwrap_or_else(|| panic!("no finding of {}", rule.id))
}

fn failing(findings: &[Finding]) -> BTreeSet<&str> {
    findings
        .iter()
        .filter(|finding| finding.status == Status::Fail)
        .map(|finding| finding.rule.as_str())
        .collect()
}

#[test]
fn the_reference_server_passes_every_rule() {
    let verdicts = verdicts(reference::answer, None);
    let table: String = verdicts
        .iter()
        .filter(|(_, verdict)| *verdict != PASSES)
        .map(|(rule, verdict)| format!("{rule} {verdict}\n"))
        .collect();
    insta::assert_snapshot!("reference", table);
}

/// One table for all profiles, with the rules of which it is not as with the general reference, or,
/// where that has no such rule, that do not pass.
#[test]
fn the_reference_of_each_profile_passes_every_rule() {
    let general: BTreeMap<_, _> = verdicts(reference::answer, None).into_iter().collect();
    let mut others = BTreeMap::<_, Vec<_>>::new();
    for profile in profiles() {
        for found in verdicts(profile.answer, Some(profile)) {
            if general.get(&found.0).map_or(PASSES, String::as_str) != found.1 {
                others.entry(found).or_default().push(profile.id);
            }
        }
    }
    let mut table = String::new();
    for ((rule, verdict), profiles) in others {
        let _ = writeln!(table, "{rule} {verdict} ({})", profiles.join(", "));
    }
    insta::assert_snapshot!("profiles", table);
}

#[test]
fn the_profiles_are_those_that_have_probes() {
    let known: BTreeSet<_> = profiles().map(|profile| profile.id).collect();
    assert!(profile_ids().eq(known.iter().copied()));
    for probe in probes() {
        let options = probe.scenario.probe.as_ref().expect("a probe");
        let unknown = options.also_with.iter().find(|id| !known.contains(id.as_str()));
        assert_eq!(unknown, None, "{}", probe.id);
    }
}

const PASSES: &str = "passes";

/// The verdict of each rule on a reference, which must break none.
fn verdicts(answer: Answer, profile: Option<&'static Profile>) -> Vec<(String, String)> {
    let findings = findings(&in_memory(answer, profile, Driven::Usual, true, By::Http1));
    let verdict = |finding: Finding| {
        assert_ne!(finding.status, Status::Fail, "{finding:#?}");
        // The note of a pass changes with every probe.
        let verdict = match finding.status {
            Status::Pass => PASSES.to_owned(),
            status => format!("{status:?}: {}", finding.note),
        };
        (finding.rule, verdict)
    };
    findings.into_iter().map(verdict).collect()
}

#[test]
fn the_reference_passes_in_whatever_way_it_is_driven() {
    for driven in [Driven::TwoUsers, Driven::Answered] {
        let findings = findings(&in_memory(reference::answer, None, driven, true, By::Http1));
        assert_eq!(failing(&findings), BTreeSet::new());
        // The reference admits no other origin.
        let is_asked = |rule: &Rule| !rule.id.starts_with("cors/");
        let driven_so = mutants().filter(|(_, mutant)| mutant.driven == driven);
        for (rule, _) in driven_so.filter(|(rule, _)| is_asked(rule)) {
            assert_eq!(finding(&findings, rule).status, Status::Pass, "{}", rule.id);
        }
        let encode = findings.iter().filter(|finding| finding.rule.starts_with("encode/"));
        for finding in encode.filter(|_| driven == Driven::Answered) {
            assert_eq!(finding.status, Status::Pass, "{finding:?}");
        }
    }
}

#[test]
fn the_reference_server_passes_over_http2_and_tls_too() {
    for by in [By::Http2, By::Tls, By::TlsHttp1] {
        let findings = findings(&in_memory(reference::answer, None, Driven::Usual, false, by));
        for finding in &findings {
            // Over TLS without HTTP/2 the reference is what this rule speaks of.
            let is_without = by == By::TlsHttp1 && finding.rule == "transport/six-connections";
            assert_eq!(finding.status == Status::Fail, is_without, "{by:?}: {finding:#?}");
        }
        let of_http2 = mutants().filter(|(_, mutant)| mutant.over != Over::Http1);
        for (rule, _) in of_http2.filter(|_| by != By::TlsHttp1) {
            let finding = finding(&findings, rule);
            assert_eq!(finding.status, Status::Pass, "{by:?}: {finding:#?}");
        }
    }
}

#[test]
fn mutants_of_http2_fail_over_tls_too() {
    for (rule, mutant) in mutants().filter(|(_, mutant)| mutant.over == Over::Http2) {
        let findings = findings(&in_memory(mutant.serve, None, Driven::Usual, false, By::Tls));
        assert!(failing(&findings).contains(rule.id), "{} survives {}", mutant.id, rule.id);
    }
}

#[test]
fn the_probes_that_a_rule_needs_are_enough_for_it() {
    for (driven, by) in [
        (Driven::Usual, By::Http1),
        (Driven::TwoUsers, By::Http1),
        (Driven::Answered, By::Http1),
        (Driven::Usual, By::Http2),
    ] {
        let look = Look { profile: None, idle: true, driven, long: true, rule: None };
        let with_all = findings(&played(reference::answer, look, by));
        for rule in rules_for(None) {
            let look = Look { rule: Some(rule), ..look };
            let alone = Finding::of(rule, &Record::new(&played(reference::answer, look, by)));
            let all = finding(&with_all, rule);
            assert_eq!(
                alone.status, all.status,
                "{} by its own probes: {}; by all: {}",
                rule.id, alone.note, all.note
            );
        }
    }
}

#[test]
fn the_probes_that_a_rule_needs_are_enough_for_its_mutants() {
    let mut alive = Vec::new();
    let is_general = |rule: &Rule| profiles_of(rule).next().is_none();
    for (rule, mutant) in mutants().filter(|(rule, _)| is_general(rule)) {
        let (profile, driven) = (None, mutant.driven);
        let look = Look { profile, idle: true, driven, long: true, rule: Some(rule) };
        if !fails(rule, &played(mutant.serve, look, By::of(mutant))) {
            alive.push(mutant.id);
        }
    }
    assert_eq!(alive, [""; 0]);
}

#[test]
fn a_probe_is_for_rules_that_there_are() {
    for probe in probes() {
        for named in &probe.scenario.rules {
            let is_it = |rule: &Rule| match named.strip_suffix('*') {
                Some(family) => rule.id.starts_with(family),
                None => rule.id == named,
            };
            assert!(rules().any(is_it), "{} is for {named}, which is not a rule", probe.id);
        }
    }
}

#[test]
fn every_mutant_fails_what_it_breaks() {
    let mut table = String::new();
    let mut alive = Vec::new();
    for (rule, mutant) in mutants() {
        for profile in looks(rule) {
            let transcript = in_memory(
                mutant.serve,
                profile,
                mutant.driven,
                needed(probes().to_vec(), &[rule.id])
                    .iter()
                    .any(|probe| probe.scenario.publishes_long_texts()),
                By::of(mutant),
            );
            let findings = findings(&transcript);
            let failing = failing(&findings);
            if !failing.contains(rule.id) {
                let verdict = findings.iter().find(|finding| finding.rule == rule.id);
                alive.push(format!("{} survives {}: {verdict:?}", mutant.id, rule.id));
            }
            let others: Vec<_> = failing.iter().filter(|id| **id != rule.id).copied().collect();
            let also = match others.as_slice() {
                [] => String::new(),
                others => format!(", also {}", others.join(", ")),
            };
            let with = profile.map_or(String::new(), |profile| format!("{}: ", profile.id));
            let _ = writeln!(table, "{with}{} fails {}{also}", mutant.id, rule.id);

            // The recording has the same verdicts.
            let read = read_recording(&write_recording(&transcript)).unwrap();
            assert_eq!(self::findings(&read), findings, "{} replayed", mutant.id);
        }
    }
    assert!(alive.is_empty(), "{}", alive.join("\n"));
    insta::assert_snapshot!("matrix", table);
}

#[test]
fn every_mutant_fails_over_tcp_too() {
    let slow = std::env::var_os(SLOW).is_some();
    // The mutants that only show in a probe that idles.
    let is_slow = |rule: &Rule, mutant: &Mutant| {
        rule.id == "delivery/heartbeat" || mutant.id == "proxy-cuts-idle"
    };
    if !slow {
        eprintln!("silence is not watched over TCP: set {SLOW} to do so (75 s)");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let alive = runtime.block_on(async {
        let permits = Arc::new(tokio::sync::Semaphore::new(AT_A_TIME));
        let mut tasks = tokio::task::JoinSet::new();
        // The last ones, those of profiles and proxies, take longest.
        let mut all: Vec<_> = mutants().collect();
        all.reverse();
        for (rule, mutant) in
            all.into_iter().filter(|(rule, mutant)| slow || !is_slow(rule, mutant))
        {
            // No address of this machine is abroad.
            if mutant.host == Host::Abroad {
                continue;
            }
            let permits = Arc::clone(&permits);
            tasks.spawn(async move {
                let _permit = permits.acquire().await.unwrap();
                (survival(rule, mutant, is_slow(rule, mutant)).await.is_some())
                    .then_some((rule, mutant))
            });
        }
        let survivors = tasks.join_all().await.into_iter().flatten();
        // Dozens at a time on a small machine disturb rules about times: a mutant that survives is
        // checked again alone.
        let mut alive = Vec::new();
        for (rule, mutant) in survivors {
            alive.extend(survival(rule, mutant, is_slow(rule, mutant)).await);
        }
        alive
    });
    assert!(alive.is_empty(), "{}", alive.join("\n"));
    assert!(rules().count() > 30);
}

/// A message if the mutant does not fail its rule over TCP.
async fn survival(rule: &'static Rule, mutant: &Mutant, idle: bool) -> Option<String> {
    let profile = profiles_of(rule).next();
    let look = Look { profile, idle, driven: mutant.driven, long: true, rule: Some(rule) };
    let findings = findings(&over_tcp(mutant, look).await);
    if failing(&findings).contains(rule.id) {
        return None;
    }
    let verdict = findings.into_iter().find(|finding| finding.rule == rule.id);
    Some(format!("{} survives {}: {verdict:?}", mutant.id, rule.id))
}

async fn over_tcp(mutant: &Mutant, look: Look) -> Transcript {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (lab, named, ways) = By::of(mutant).way_to(Lab::new(mutant.serve));
    let address = listener.local_addr().expect("an address");
    let origin = match named.split_once("://") {
        Some(("https", _)) => format!("https://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    };
    let server = tokio::spawn(async move { lab.listen(listener).await });
    let limits = Limits { head: Duration::from_secs(3), ..Limits::default() };
    let transcript =
        transcript(Client::new(Arc::new(Direct), limits).with(ways), &origin, look).await;
    server.abort();
    transcript
}
