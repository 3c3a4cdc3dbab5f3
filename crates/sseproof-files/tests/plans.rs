//! Plans: what they say is what is planned.

use std::collections::BTreeMap;

use sseproof_files::{Body, HookCall, PlanFile, Variables, plans};
use sseproof_load_model::Workload;

fn parse(text: &str) -> PlanFile {
    match PlanFile::parse("plan.yaml", text, &Variables::default()) {
        Ok(file) => file,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

#[test]
fn plans_are_read() {
    let clients = include_str!("plans/clients.yaml").replace("${env:SECRET}", "s");
    let requests = include_str!("plans/requests.yaml").to_owned();
    let others: Vec<String> = serde_yaml::from_str(include_str!("plans/read.yaml")).unwrap();
    let texts = [clients, requests].into_iter().chain(others);
    let read: Vec<_> = texts.map(|text| parse(&text)).collect();
    insta::assert_debug_snapshot!("read", read);
    let Some(Body::Json(body)) = &read[1].body else { panic!("no JSON") };
    assert_eq!(
        body.fill(5),
        r#"{"messages":[{"content":"question 5","role":"user"}],"stream":true}"#
    );
}

#[test]
fn each_client_has_its_own_address_and_token() {
    let variables = Variables {
        given: BTreeMap::from([("room".to_owned(), "b".to_owned())]),
        environment: BTreeMap::from([("SECRET".to_owned(), "s".to_owned())]),
    };
    let text = include_str!("plans/clients.yaml");
    let file = PlanFile::parse("f", text, &variables).unwrap();
    let url = file.url.as_ref().unwrap();
    assert_eq!(url.fill(3), "http://127.0.0.1:8080/events?room=b&user=3");
    assert_eq!(url.same(), None);
    let websocket = file.websocket.as_ref().unwrap();
    assert_eq!(websocket.same(), Some("ws://127.0.0.1:8080/ws?room=b"));
    let headers: Vec<_> = file.headers.iter().map(|(name, text)| (name, text.fill(12))).collect();
    assert_eq!(headers, [(&"Authorization".to_owned(), "Bearer s-12".to_owned())]);

    let published = file.publication("http://h:1/events?x", "{}");
    let Ok(Some(HookCall::Send(request))) = published else { panic!("{published:?}") };
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "http://h:1/publish"));
    assert_eq!(request.body.to_text(), "{}");
    assert_eq!(request.headers.first("authorization").as_deref(), Some("Bearer s-0"));
    let silent = parse("plan: x\nclients: [{ ramp: 1 }, { hold: 1s }]\n");
    assert_eq!(silent.publication("http://h", "x"), Ok(None));
    let by_command = "publish: { rate: 1/s, run: \"./publish ${data}\" }\n";
    let command =
        parse(&format!("plan: x\nclients: [{{ ramp: 1 }}, {{ hold: 1s }}]\n{by_command}"));
    let line = HookCall::Run("./publish 'a b'".to_owned());
    assert_eq!(command.publication("http://h", "a b"), Ok(Some(line)));
}

#[test]
fn the_ready_plans_are_all_that_there_are_and_each_says_what_is_realistic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/load");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut ready: Vec<_> = plans().iter().map(|plan| format!("{}.yaml", plan.id)).collect();
    ready.sort();
    assert_eq!(ready, files);
    for plan in plans() {
        let file = parse(plan.source);
        assert_eq!(file, plan.file, "{}", plan.id);
        assert!(file.why.is_some_and(|why| why.len() > 200), "{}", plan.id);
        assert!(!file.plan.thresholds.is_empty(), "{}", plan.id);
        // Without a URL it runs against the embedded server.
        assert!(file.url.unwrap().same().unwrap().starts_with('/'), "{}", plan.id);
        let is_request = matches!(file.plan.workload, Workload::Request(_));
        assert!(file.websocket.is_none() || !is_request, "{}", plan.id);
    }
}
