//! Commands: split as a shell does, run without one.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

/// How many bytes of a command's standard error are kept, counted from its end.
const TAIL: usize = 4 << 10;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// An open quote, or nothing to start.
    #[error("`{0}` cannot be split into a program and its arguments: a quote may be open")]
    Words(String),
    #[error("`{program}` cannot be started: {reason}")]
    Start { program: String, reason: String },
    #[error("the command took longer than {0:?} and was stopped")]
    TooLong(Duration),
    #[error("the command should exit with code {wanted}, and ended {ended}")]
    Exit { wanted: i32, ended: String, stderr: Vec<String> },
}

/// Runs a command and waits for its end; it is killed after that time, or if this is dropped.
///
/// # Errors
/// [`CommandError`] if it does not end with this exit code in time.
pub async fn run(command: &str, within: Duration, exit: i32) -> Result<(), CommandError> {
    let words = shlex::split(command).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| CommandError::Words(command.to_owned()))?;
    let start = |error: std::io::Error| CommandError::Start {
        program: words[0].clone(),
        reason: error.to_string(),
    };
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let errors = child.stderr.take();
    let done = async {
        let stderr = match errors {
            Some(errors) => tail(errors).await,
            None => Vec::new(),
        };
        (child.wait().await, stderr)
    };
    let (status, stderr) =
        timeout(within, done).await.map_err(|_| CommandError::TooLong(within))?;
    let status = status.map_err(start)?;
    if status.code() == Some(exit) {
        return Ok(());
    }
    let ended =
        status.code().map_or_else(|| "by a signal".to_owned(), |code| format!("with code {code}"));
    let stderr = String::from_utf8_lossy(&stderr);
    let stderr = stderr.lines().rev().take(5).map(str::to_owned).collect::<Vec<_>>();
    Err(CommandError::Exit { wanted: exit, ended, stderr: stderr.into_iter().rev().collect() })
}

async fn tail(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read]);
        let over = kept.len().saturating_sub(TAIL);
        kept.drain(..over);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_command_ends_as_expected_or_with_a_reason() {
        assert_eq!(run("true", LONG, 0).await, Ok(()));
        assert_eq!(run("sh -c 'exit 3'", LONG, 3).await, Ok(()));
        assert_eq!(
            run("sh -c 'echo it broke >&2; exit 4'", LONG, 0).await,
            Err(CommandError::Exit {
                wanted: 0,
                ended: "with code 4".to_owned(),
                stderr: vec!["it broke".to_owned()]
            })
        );
        let missing = run("/nowhere/to/be/found", LONG, 0).await;
        assert!(matches!(missing, Err(CommandError::Start { .. })), "{missing:?}");
        assert!(matches!(run("a 'b", LONG, 0).await, Err(CommandError::Words(_))));
        let short = Duration::from_millis(50);
        assert_eq!(run("sleep 20", short, 0).await, Err(CommandError::TooLong(short)));
    }
}
