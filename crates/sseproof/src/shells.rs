//! `sseproof completions` and `sseproof man`: what the declarations of the command line say, for shells
//! and for `man`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::screen;

pub(crate) fn completions(shell: Shell) -> Result<Exit, Blame> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "sseproof", &mut script);
    screen::print_own(&script)?;
    Ok(Exit::Held)
}

/// The page of the program; or, in the folder, those of the program and of each command.
pub(crate) fn man(folder: Option<&Path>) -> Result<Exit, Blame> {
    let command = Arguments::command().disable_help_subcommand(true);
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).context("write the man page")?;
        screen::print_own(&page)?;
        return Ok(Exit::Held);
    };
    let cannot = || format!("cannot write into {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot).usage()?;
    clap_mangen::generate_to(command, folder).with_context(cannot).usage()?;
    Ok(Exit::Held)
}
