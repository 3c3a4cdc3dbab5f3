//! Completions and man pages know each command and flag.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::fs;
use std::process::{Command, Stdio};

use crate::program::{Folder, run};

/// The commands in the help.
fn commands() -> Vec<String> {
    let help = run(&["--help"]).out;
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    // A line that goes on begins with more spaces.
    let names: Vec<_> = names.filter(|name| run(&[name, "--help"]).code == Some(0)).collect();
    assert!(names.len() > 12 && names.contains(&"check"), "{names:?}");
    names.into_iter().map(str::to_owned).filter(|name| name != "help").collect()
}

#[test]
fn completions_know_each_command() {
    let commands = commands();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&["completions", shell]);
        ran.ends(0, &["origin", "one-by-one", "calibrate"]);
        for command in &commands {
            assert!(ran.out.contains(command.as_str()), "{shell}: {command}");
        }
    }
    run(&["completions", "csh"])
        .ends(2, &["[possible values: bash, elvish, fish, powershell, zsh]"]);
}

#[test]
fn bash_completes_flags() {
    let folder = Folder::new();
    let script = folder.write("sseproof.bash", &run(&["completions", "bash"]).out);
    // The words of the line until now, and the one that is completed.
    let ask = r#"source "$0"; COMP_WORDS=(sseproof check --one); COMP_CWORD=2
        _sseproof sseproof --one check; echo "${COMPREPLY[@]}""#;
    let asked = Command::new("bash").args(["-c", ask, &script]).stdin(Stdio::null()).output();
    // Not each machine has bash.
    let Ok(asked) = asked else { return };
    assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), "--one-by-one", "{asked:?}");
}

#[test]
fn each_command_has_a_man_page() {
    let page = run(&["man"]);
    page.ends(0, &[".TH sseproof 1", "sseproof\\-check(1)", "Exit codes:"]);
    let folder = Folder::new();
    run(&["man", "--folder", &folder.name("pages")]).ends(0, &[]);
    let read = |name: &str| {
        fs::read_to_string(folder.path(&format!("pages/{name}.1")))
            .unwrap_or_else(|_| panic!("{name}"))
    };
    assert!(read("sseproof").contains(".TH sseproof 1"));
    for command in commands() {
        let page = read(&format!("sseproof-{command}"));
        assert!(page.contains(&format!(".TH sseproof-{command} 1")), "{page}");
    }
    assert!(read("sseproof-check").contains("one\\-by\\-one"));
    let file = folder.write("file", "");
    run(&["man", "--folder", &file]).ends(2, &["cannot write into"]);
}
