//! Every mistake in a file is answered with its place and with what to write instead.

use std::fmt::Write as _;
use std::path::Path;

use sseproof_files::{Scenario, Variables};

#[test]
fn each_broken_file_gets_its_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut shown = String::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let source = std::fs::read_to_string(&path).unwrap();
        match Scenario::parse(name, &source, &Variables::default()) {
            Ok(_) => panic!("{name} parses"),
            Err(mistakes) => {
                for mistake in &mistakes.0 {
                    assert!(mistake.line >= 1 && mistake.column >= 1, "{mistakes}");
                    let written = source.lines().nth(mistake.line - 1).unwrap_or_default();
                    assert_eq!(mistake.text, written, "{name}: the line is not the file's");
                }
                write!(shown, "{mistakes}\n\n").unwrap();
            }
        }
    }
    insta::assert_snapshot!("messages", shown);
}

#[test]
fn no_beginning_of_a_file_breaks_the_reader() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/broken", "../../scenarios/examples", "../../scenarios/conformance"];
    for folder in folders {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for (end, _) in source.char_indices() {
                if let Err(mistakes) = Scenario::parse("f", &source[..end], &Variables::default()) {
                    assert!(!mistakes.0.is_empty());
                    assert!(!mistakes.to_string().contains('\u{1f}'), "{mistakes}");
                }
            }
        }
    }
}
