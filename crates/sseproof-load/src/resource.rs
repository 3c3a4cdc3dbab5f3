//! Looks into processes and the kernel of this machine: memory, processor time, descriptors.
//!
//! Nothing is kept between two looks, and no figure is clamped or smoothed: what a connection costs
//! is computed from many looks, by `sseproof_load_model::cost`. The generator is the processes that
//! it names, and the server a tree of processes: a server started by the generator is its child and
//! would count twice otherwise.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use sseproof_load_model::{Kernel, Usage};

#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod process;

#[cfg(target_os = "linux")]
pub use kernel::{kernel, waiting};
#[cfg(target_os = "linux")]
pub use process::{processes, tree};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    #[error(
        "read process {0}: no such process, or /proc is not readable; pass the id of a running server"
    )]
    Gone(u32),
    #[error(
        "read process {0}: permission denied; run as the server's user, as root, or with the capability CAP_SYS_PTRACE"
    )]
    Forbidden(u32),
    #[error(
        "read process {server} as the server: the generator (process {generator}) is one of its descendants and would count as the server; pass the id of the server's own process"
    )]
    Ancestor { server: u32, generator: u32 },
    /// A file of `/proc` is missing, or not understood.
    #[error("read {}: {why}", .path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error(
        "read the memory and processor time of processes: this needs Linux; run without it, or on Linux"
    )]
    NotLinux,
}

/// The current usage of the server, the generator and the kernel.
///
/// The server is the process with that id and all its descendants, found anew at every look. The
/// generator is exactly the processes with those ids: a server that it started is none of them.
///
/// It blocks for as long as the kernel walks the page tables of these processes: a millisecond for
/// each 50 MiB or so. The processor time of all earlier readings is left out of the
/// generator's, if this process is one of them: no connection has caused it.
///
/// # Errors
/// [`LookError`]: a process that has ended or may not be read, or another system than Linux.
pub fn look(
    server: Option<u32>,
    generator: &[u32],
) -> Result<(Option<Usage>, Usage, Kernel), LookError> {
    let before = own_time();
    // The generator comes first, while the processor time of all readings is known.
    let mut used = processes(generator)?;
    if generator.contains(&std::process::id()) {
        used.cpu = used.cpu.saturating_sub(LOOKING.load(Ordering::Relaxed));
    }
    let server = server.map(|server| tree(server, generator)).transpose();
    let kernel = kernel();
    LOOKING.fetch_add(own_time().saturating_sub(before), Ordering::Relaxed);
    Ok((server?, used, kernel?))
}

/// The processor time of readings in this process, in nanoseconds.
static LOOKING: AtomicU64 = AtomicU64::new(0);

/// The processor time of this thread, in nanoseconds.
#[cfg(target_os = "linux")]
fn own_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let part = |part: i64| u64::try_from(part).unwrap_or_default();
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}

#[cfg(not(target_os = "linux"))]
fn own_time() -> u64 {
    0
}

#[cfg(not(target_os = "linux"))]
pub fn tree(_root: u32, _generator: &[u32]) -> Result<Usage, LookError> {
    Err(LookError::NotLinux)
}

#[cfg(not(target_os = "linux"))]
pub fn processes(_ids: &[u32]) -> Result<Usage, LookError> {
    Err(LookError::NotLinux)
}

#[cfg(not(target_os = "linux"))]
pub fn kernel() -> Result<Kernel, LookError> {
    Err(LookError::NotLinux)
}

#[cfg(not(target_os = "linux"))]
pub fn waiting(_port: u16) -> Result<u64, LookError> {
    Err(LookError::NotLinux)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn looking_is_no_work_of_the_generator() {
        let ours = std::process::id();
        for _ in 0..50 {
            look(None, &[ours]).unwrap();
        }
        let whole = || processes(&[ours]).unwrap().cpu;
        let before = whole();
        let (server, used, _) = look(None, &[ours]).unwrap();
        // Other tests may look at the same time.
        let looking = LOOKING.load(Ordering::Relaxed);
        assert!(looking > 0 && server.is_none());
        assert!((before.saturating_sub(looking)..=whole()).contains(&used.cpu));
    }

    #[test]
    fn the_generator_is_not_taken_for_the_server() {
        let ours = std::process::id();
        assert_eq!(
            look(Some(ours), &[ours]),
            Err(LookError::Ancestor { server: ours, generator: ours })
        );
    }
}
