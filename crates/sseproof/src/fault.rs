//! A panic is a bug in sseproof: one line says so, and the program ends with its exit code.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::exit::{Blame, Exit};
use crate::screen;

/// Whether any thread or task has panicked.
static HAS_PANICKED: AtomicBool = AtomicBool::new(false);
static PANICKED: Notify = Notify::const_new();

/// Reports each panic in one line; with `RUST_BACKTRACE`, also as Rust does.
pub(crate) fn report_panics() {
    let usual = take_hook();
    set_hook(Box::new(move |info| {
        PANICKED.notify_one();
        // Many tasks may panic for one reason.
        if !HAS_PANICKED.swap(true, Ordering::SeqCst) {
            screen::say(format_args!("sseproof: {}", line(info)));
        }
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(info);
        }
    }));
}

fn line(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("no message").replace('\n', " ");
    let place = info.location().map_or_else(String::new, |at| format!(", at {at}"));
    format!("a bug in sseproof: {message}{place}; please report it")
}

/// Completes after the first panic of a task.
pub(crate) async fn panicked() {
    PANICKED.notified().await;
}

/// The result of the run, or the exit code of a bug if anything in it panicked.
pub(crate) fn guarded(run: impl FnOnce() -> Result<Exit, Blame>) -> Result<Exit, Blame> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(ended) if !HAS_PANICKED.load(Ordering::SeqCst) => ended,
        // An error may follow from the panic, and may say more.
        Ok(Err(blame)) => Err(Blame { exit: Exit::Fault, ..blame }),
        Ok(Ok(_)) | Err(_) => Ok(Exit::Fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_the_run_or_in_a_task_is_a_fault() {
        report_panics();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let in_task = guarded(|| {
            runtime.block_on(async {
                let task = tokio::spawn(async { panic!("in a task\nof two lines") });
                panicked().await;
                drop(task.await);
                Ok(Exit::Held)
            })
        });
        assert!(matches!(in_task, Ok(Exit::Fault)));
        assert!(matches!(guarded(|| panic!("in the run")), Ok(Exit::Fault)));
    }
}
