//! Parsers with bugs, and adapters that misbehave: each is reported as what it is.

use std::time::Duration;

use sseproof_check_parser::{
    Adapter, Answer, Fault, Options, Parser, Reference, Report, Verdict, check, check_only, ids,
    junit, text,
};

const FEW: Options = Options { streams: 200, seed: 7 };

struct Mutant {
    chunks: fn(&[Vec<u8>]) -> Vec<Vec<u8>>,
    answer: fn(&mut Answer),
}

impl Parser for Mutant {
    fn parse(&mut self, chunks: &[Vec<u8>]) -> Result<Answer, Fault> {
        let mut answer = Reference.parse(&(self.chunks)(chunks))?;
        (self.answer)(&mut answer);
        Ok(answer)
    }
}

fn same(chunks: &[Vec<u8>]) -> Vec<Vec<u8>> {
    chunks.to_vec()
}

fn broken(report: &Report) -> Vec<&str> {
    let requirements = report.requirements.iter();
    requirements
        .filter(|requirement| requirement.verdict() == Verdict::Broken)
        .map(|requirement| requirement.requirement.as_str())
        .collect()
}

#[test]
fn the_reference_passes_everything() {
    let report = check("the reference", &mut Reference, FEW);
    assert!(report.is_right(), "{}", text(&report));
    assert_eq!(report.not_reported, Vec::<String>::new());
}

#[test]
fn a_parser_that_strips_every_bom_breaks_the_requirement_on_it() {
    let strip = |chunks: &[Vec<u8>]| {
        let stream = chunks.concat();
        let text = String::from_utf8_lossy(&stream).replace('\u{FEFF}', "");
        vec![format!("\u{FEFF}{text}").into_bytes()]
    };
    let report = check("strips", &mut Mutant { chunks: strip, answer: |_| {} }, FEW);
    assert!(broken(&report).contains(&"whatwg-sse/bom-at-start"), "{:?}", broken(&report));
    assert!(!broken(&report).contains(&"whatwg-sse/line-ends"), "{:?}", broken(&report));
}

#[test]
fn a_parser_that_holds_a_cr_back_at_the_end_of_a_chunk_is_found_by_its_chunking() {
    // A CR that ends a chunk waits for an LF, and at the end of the stream it is lost.
    let hold = |chunks: &[Vec<u8>]| {
        let mut stream = chunks.concat();
        if stream.ends_with(b"\r") {
            stream.pop();
        }
        vec![stream]
    };
    let report = check("holds", &mut Mutant { chunks: hold, answer: |_| {} }, FEW);
    assert!(broken(&report).contains(&"whatwg-sse/line-ends"), "{:?}", broken(&report));
    let smallest = report.chance.iter().filter_map(|chance| chance.failure.as_ref()).next();
    let fed: usize =
        smallest.expect("a random stream finds it too").chunks.iter().map(String::len).sum();
    assert!(fed < 24, "{}", text(&report));
}

/// Takes the end of a chunk for the end of a line.
fn lines_of_chunks(chunks: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut chunks = chunks.to_vec();
    let last = chunks.len().saturating_sub(1);
    for chunk in chunks.iter_mut().take(last).filter(|chunk| !chunk.ends_with(b"\n")) {
        chunk.push(b'\n');
    }
    chunks
}

#[test]
fn a_parser_that_is_wrong_only_when_cut_is_reported_as_one_cause() {
    let report = check("cuts", &mut Mutant { chunks: lines_of_chunks, answer: |_| {} }, FEW);
    assert!(broken(&report).len() > 5, "{:?}", broken(&report));
    let text = text(&report);
    let first = text.lines().nth(2).unwrap_or_default();
    assert!(first.starts_with("✗ right in one piece, wrong when cut: "), "{text}");
    assert!(!text.contains("✗ whatwg-sse/"), "{text}");
    assert!(
        text.contains("hostile streams (seed 7): right in one piece, wrong when cut"),
        "{text}"
    );
    assert!(text.contains("requirements passed (24 if no stream is cut)"), "{text}");
    assert!(text.lines().count() < 40, "{text}");
    assert!(junit(&report).contains("only when cut: "));
}

#[test]
fn a_parser_that_is_also_wrong_in_one_piece_has_both_causes() {
    let forget = |answer: &mut Answer| answer.retry = Some(None);
    let report = check("both", &mut Mutant { chunks: lines_of_chunks, answer: forget }, FEW);
    let text = text(&report);
    assert!(text.contains("✗ right in one piece, wrong when cut: "), "{text}");
    assert!(text.contains("✗ whatwg-sse/field-retry"), "{text}");
}

#[test]
fn a_check_by_some_ids_asks_only_what_they_need() {
    let options = Options { streams: 20, ..FEW };
    let all: Vec<String> = ids().collect();
    assert_eq!(all.len(), 26, "{all:?}");
    let judged = |report: &Report| -> Vec<String> {
        report.requirements.iter().map(|of| of.requirement.clone()).collect()
    };
    let whole = check("all", &mut Reference, options);
    for id in ["whatwg-sse/bom-at-start", "whatwg-sse/line-ends", "random/hostile"] {
        assert!(all.iter().any(|known| known == id));
        let report = check_only("one", &mut Reference, options, &|other| other == id);
        assert!(report.is_right(), "{}", text(&report));
        assert!(report.questions < whole.questions, "{id}");
        let expected = if id.starts_with("random/") { vec![] } else { vec![id] };
        assert_eq!(judged(&report), expected);
        assert_eq!(report.chance.len(), usize::from(id.starts_with("random/")));
    }
}

#[test]
fn a_known_failure_is_accepted_until_it_passes() {
    let forget = |answer: &mut Answer| answer.retry = Some(None);
    let checked = || check("no retry", &mut Mutant { chunks: same, answer: forget }, FEW);
    let mut report = checked();
    assert!(!report.is_right());
    let broken = [broken(&report).as_slice(), &["random/well-formed", "random/hostile"]].concat();
    let broken: Vec<String> = broken.into_iter().map(str::to_owned).collect();
    report.accept("*".to_owned(), "fixed in June".to_owned(), |id| {
        broken.iter().any(|broken| broken == id)
    });
    assert!(report.is_right(), "{}", text(&report));
    assert!(text(&report).contains("– whatwg-sse/field-retry: known to fail: fixed in June"));
    assert!(!junit(&report).contains("<failure"));
    report.accept("whatwg-sse/bom*".to_owned(), "x".to_owned(), |id| id.contains("/bom"));
    assert!(!report.is_right());
    assert!(text(&report).contains("its requirements pass now; remove the entry"));
    assert!(junit(&report).contains("<failure"));
}

#[test]
fn members_that_are_not_reported_are_not_judged() {
    let forget = |answer: &mut Answer| {
        (answer.last_event_id, answer.retry) = (None, None);
        for event in &mut answer.events {
            (event.event_type, event.last_event_id) = (None, None);
        }
    };
    let report = check("reports little", &mut Mutant { chunks: same, answer: forget }, FEW);
    assert!(report.is_right(), "{}", text(&report));
    assert_eq!(report.not_reported.len(), 4);
}

#[test]
fn a_wrong_type_is_found_in_the_answer() {
    let rename = |answer: &mut Answer| {
        for event in &mut answer.events {
            event.event_type =
                event.event_type.take().filter(|name| name != "message").or(Some(String::new()));
        }
    };
    let report = check("no name", &mut Mutant { chunks: same, answer: rename }, FEW);
    assert!(text(&report).contains("its type is \"\" instead of \"message\""));
    assert!(junit(&report).contains("<failure"));
}

fn adapter(script: &str) -> Adapter {
    let command = ["sh", "-c", script].map(str::to_owned);
    Adapter::start(&command, Duration::from_millis(300)).expect("sh is there")
}

#[test]
fn an_adapter_that_dies_is_started_again_and_its_last_words_are_kept() {
    let mut adapter = adapter("read line; echo 'no module named sse' >&2; exit 3");
    for _ in 0..2 {
        let Err(Fault::Died { status, stderr }) = adapter.parse(&[]) else { panic!("it dies") };
        assert!(status.contains('3'), "{status}");
        assert_eq!(stderr, "no module named sse");
    }
}

#[test]
fn an_adapter_that_hangs_is_ended_and_given_up() {
    let report = check("hangs", &mut adapter("echo 'loading a model' >&2; exec sleep 600"), FEW);
    assert!(!report.is_complete && !report.is_right());
    assert!(report.questions < 10, "{}", report.questions);
    for expected in ["inconclusive: no answer to 5 questions", "within 300ms", "loading a model"] {
        assert!(text(&report).contains(expected), "{}", text(&report));
    }
    assert!(junit(&report).contains("<error"), "{}", junit(&report));
}

/// Any failure at one stream is reported with the standard error, and a new process answers the
/// next.
#[test]
fn the_run_goes_on_with_a_new_process() {
    for (misdeed, named) in [
        ("exit 3", "the adapter exited (exit status: 3)"),
        ("sleep 600", "did not answer within 300ms"),
        (
            "echo hello",
            "a line that is not an answer (expected value at line 1 column 1): \"hello\"",
        ),
        (r#"echo '{"id":99,"events":[]}'"#, "was asked question 2 and answered 99"),
    ] {
        let mut adapter = adapter(&format!(
            r#"while read -r line; do
                 id=${{line##*'"id":'}}; id=${{id%%[!0-9]*}}
                 case $line in
                   *77u/*) echo 'a BOM: oh no' >&2; {misdeed};;
                   *) echo '{{"id":'$id',"events":[]}}';;
                 esac
               done"#
        ));
        assert_eq!(adapter.parse(&[]), Ok(Answer::default()), "{misdeed}");
        let fault = adapter.parse(&[b"\xEF\xBB\xBF".to_vec()]).expect_err(misdeed).to_string();
        assert!(fault.contains(named), "{fault}");
        assert!(fault.ends_with("its standard error ends with:\na BOM: oh no"), "{fault}");
        assert_eq!(adapter.parse(&[]), Ok(Answer::default()), "{misdeed}");
    }
}

/// The corpus begins with a BOM, at which some parsers die.
#[test]
fn a_parser_that_dies_of_the_first_cases_is_asked_the_others() {
    struct DiesOfBom;
    impl Parser for DiesOfBom {
        fn parse(&mut self, chunks: &[Vec<u8>]) -> Result<Answer, Fault> {
            if chunks.concat().starts_with(b"\xEF\xBB\xBF") {
                return Err(Fault::Died {
                    status: "exit status: 101".into(),
                    stderr: String::new(),
                });
            }
            Reference.parse(chunks)
        }
    }
    let report = check("dies of a BOM", &mut DiesOfBom, FEW);
    assert!(report.is_complete && report.no_answer.is_none(), "{}", text(&report));
    assert_eq!(broken(&report), ["whatwg-sse/bom-at-start", "whatwg-sse/end-of-stream"]);
}

/// A process that writes without an end fills no memory, and no answer is taken for another.
#[test]
fn an_adapter_that_writes_without_being_asked_is_named() {
    let mut adapter = adapter("while true; do echo '{\"id\":1,\"events\":[]}'; done");
    assert_eq!(adapter.parse(&[]), Ok(Answer::default()));
    let fault = adapter.parse(&[]).expect_err("it answers the first question again");
    assert!(fault.to_string().contains("was asked question 2 and answered 1"), "{fault}");
}

#[test]
fn garbage_and_answers_to_other_questions_are_named() {
    for (script, expected) in [
        ("read line; echo hello", "a line that is not an answer (expected value"),
        (r#"read line; echo '{"events":[]}'"#, "it has no `id`"),
        (r#"read line; echo '{"id":9,"events":[]}'"#, "was asked question 1 and answered 9"),
        (
            r#"read line; echo '{"id":1,"event":[]}'"#,
            "unknown field `event`, expected one of `events`",
        ),
        (
            r#"read line; echo '{"id":1,"error":"bad utf-8"}'"#,
            "the parser gives an error: bad utf-8",
        ),
    ] {
        let fault = adapter(script).parse(&[]).expect_err(script);
        assert!(fault.to_string().contains(expected), "{fault}");
    }
}

#[test]
fn a_command_that_is_not_there_is_an_error_at_once() {
    let error = Adapter::start(&["no-such-parser".to_owned()], Duration::from_secs(1));
    let error = error.expect_err("there is none").to_string();
    assert_eq!(error, "cannot start no-such-parser");
}
