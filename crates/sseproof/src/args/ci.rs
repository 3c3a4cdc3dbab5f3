//! The flags for CI systems, which all checks have.

use std::path::{Path, PathBuf};

use clap::Args;

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CiFlags {
    /// Write the failures as SARIF, for code scanning, each at a line of the target or scenario file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) sarif: Option<PathBuf>,
    /// Write the failures as a code quality report of GitLab.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) gitlab: Option<PathBuf>,
    /// In GitHub Actions, write no annotations and no job summary.
    #[arg(long, help_heading = "Output")]
    pub(crate) no_annotations: bool,
}

impl CiFlags {
    /// The files, by the names of their flags.
    pub(crate) fn files(&self) -> [(&'static str, Option<&Path>); 2] {
        [("sarif", self.sarif.as_deref()), ("gitlab", self.gitlab.as_deref())]
    }
}
