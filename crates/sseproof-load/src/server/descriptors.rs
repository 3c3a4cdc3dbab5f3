//! The limit of open files: each connection is one.

/// How many files this process may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// Now; `None` is without a limit.
    pub limit: Option<u64>,
    /// As far as it could be raised without more rights.
    pub hard: Option<u64>,
}

/// Raises the limit of open files as far as this process may, and says where it is then.
///
/// # Errors
/// Where the system refuses.
#[cfg(target_os = "linux")]
pub fn raise_open_files() -> std::io::Result<OpenFiles> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(OpenFiles { limit: maximum, hard: maximum })
}

/// Leaves the limit of open files as it is, which this system does not tell.
///
/// # Errors
/// None here.
#[cfg(not(target_os = "linux"))]
pub fn raise_open_files() -> std::io::Result<OpenFiles> {
    Ok(OpenFiles { limit: None, hard: None })
}
