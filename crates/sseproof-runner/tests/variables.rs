//! Where the values of variables come from, and which one wins.

mod lab;

use std::pin::pin;
use std::sync::Arc;

use sseproof_files::{Scenario, Target, Variables};
use sseproof_net::{Client, Direct, Lab, Limits};
use sseproof_runner::run;

fn variables(given: &[(&str, &str)], environment: &[(&str, &str)]) -> Variables {
    let owned = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Variables { given: owned(given), environment: owned(environment) }
}

const SOURCE: &str = "scenario: a
vars: { topic: news, user: \"${env:USER_NAME}\" }
steps:
  - connect: { path: \"/events?${topic}&${user}&${extra}\", headers: { X-Token: \"${env:TOKEN}\" } }
";

#[tokio::test(start_paused = true)]
async fn the_command_line_wins_over_the_file() {
    for (given, target) in [
        (vec![("extra", "1")], "/events?news&ann&1"),
        (vec![("extra", "1"), ("topic", "sport")], "/events?sport&ann&1"),
        (vec![("extra", "1"), ("user", "bob")], "/events?news&bob&1"),
    ] {
        let environment = [("USER_NAME", "ann"), ("TOKEN", "secret"), ("OTHER", "hidden")];
        let scenario = Scenario::parse("f", SOURCE, &variables(&given, &environment)).unwrap();
        assert!(!format!("{scenario:?}").contains("hidden"), "only what is used is kept");
        let never = pin!(std::future::pending());
        let outcome = run(&scenario, &lab::target(), &lab::client(), 1, &mut |_| {}, never).await;
        let request = &outcome.exchanges[0].request;
        assert_eq!(request.target(), target);
        assert_eq!(request.headers.first("x-token").as_deref(), Some("secret"));
    }
}

#[test]
fn a_given_variable_need_not_be_in_the_environment() {
    let without = variables(&[("extra", "1")], &[("TOKEN", "secret")]);
    let mistakes = Scenario::parse("f", SOURCE, &without).unwrap_err();
    assert_eq!(mistakes.0.len(), 1, "{mistakes}");
    assert_eq!((mistakes.0[0].line, mistakes.0[0].column), (2, 29), "{mistakes}");
    let with = variables(&[("extra", "1"), ("user", "bob")], &[("TOKEN", "secret")]);
    assert!(Scenario::parse("f", SOURCE, &with).is_ok());
}

/// A scenario can be run on another thread.
fn is_send<T: Send>(it: T) -> T {
    it
}

// The same code over TCP, with the clock of the world.
#[tokio::test]
async fn a_real_socket_serves_as_well() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::new(format!("http://{}/events", listener.local_addr().unwrap()));
    let lab = Lab::new(lab::answer);
    let serving = tokio::spawn(async move { lab.listen(listener).await });
    let client = Client::new(Arc::new(Direct), Limits::default());
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/holds");
    // None of them depends on the server's clock.
    for name in ["../../../../../scenarios/examples/resume", "publish", "ends", "redirects"] {
        let source = std::fs::read_to_string(format!("{root}/{name}.yaml")).unwrap();
        let scenario = lab::scenario(name, &source);
        let never = pin!(std::future::pending());
        let outcome = is_send(run(&scenario, &target, &client, 1, &mut |_| {}, never)).await;
        assert_eq!(outcome.failures, [], "{name}");
        assert!(!outcome.exchanges.is_empty(), "{name}");
    }
    serving.abort();
}
