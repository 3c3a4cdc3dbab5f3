//! The limit of open files: each connection is one.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// The current limit; `None` is unlimited.
    pub limit: Option<u64>,
    /// The limit up to which it can be raised without privileges.
    pub hard: Option<u64>,
}

/// Raises the limit of open files as far as this process may, and returns the new limit.
///
/// # Errors
/// If the system refuses.
#[cfg(target_os = "linux")]
pub fn raise_open_files() -> std::io::Result<OpenFiles> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(OpenFiles { limit: maximum, hard: maximum })
}

/// Leaves the limit of open files as it is, which this system does not show.
///
/// # Errors
/// None here.
#[cfg(not(target_os = "linux"))]
pub fn raise_open_files() -> std::io::Result<OpenFiles> {
    Ok(OpenFiles { limit: None, hard: None })
}
