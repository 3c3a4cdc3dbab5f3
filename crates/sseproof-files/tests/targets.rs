//! Target files: what is read of them.

use std::collections::BTreeMap;

use sseproof_files::{Target, Variables};

#[test]
fn a_command_may_have_variables_of_each_kind() {
    let variables = Variables {
        given: [("topic".to_owned(), "news of today".to_owned())].into(),
        environment: [("TOKEN".to_owned(), "abc".to_owned())].into(),
    };
    let text = "start: ./server --token ${env:TOKEN}\npublish: { run: \"./publish ${topic} ${env:TOKEN} ${data}\" }\n";
    let file = Target::parse("target.yaml", text, &variables).unwrap();
    assert_eq!(file.start.unwrap().command, "./server --token abc");
    assert!(file.publish.is_some());
}

#[test]
fn variables_and_the_environment_are_filled_in() {
    let variables = Variables {
        given: BTreeMap::from([("user".to_owned(), "ada".to_owned())]),
        environment: BTreeMap::from([("TOKEN".to_owned(), "abc".to_owned())]),
    };
    let source = "url: http://h/${user}\nheaders:\n  Authorization: Bearer ${env:TOKEN}\n";
    let file = Target::parse("f", source, &variables).unwrap();
    assert_eq!(file.url, "http://h/ada");
    assert_eq!(file.headers.first("authorization").as_deref(), Some("Bearer abc"));
    assert_eq!(file.publish, None);
}

#[test]
fn a_variable_of_the_file_gives_way_to_one_that_was_given() {
    let text = "url: \"http://h/${room}\"\nvars: { room: a, model: \"${env:MODEL}\" }\n";
    let environment = BTreeMap::from([("MODEL".to_owned(), "small".to_owned())]);
    let read = |given: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let given = given.iter().map(own).collect();
        let variables = Variables { given, environment: environment.clone() };
        Target::parse("sseproof.yaml", text, &variables).expect("a target")
    };
    assert_eq!(read(&[]).url, "http://h/a");
    assert_eq!(read(&[]).vars["model"], "small");
    assert_eq!(read(&[("room", "b")]).url, "http://h/b");
}

#[test]
fn whatever_drives_a_target_is_read() {
    let texts: Vec<String> = serde_yaml::from_str(include_str!("targets/read.yaml")).unwrap();
    let read = |text: &String| Target::parse("f", text, &Variables::default()).unwrap();
    let read: Vec<_> = texts.iter().map(|text| (text, read(text))).collect();
    insta::assert_debug_snapshot!("read", read);
}
