//! `tidewatch shell`: queries at a prompt.

use std::path::PathBuf;

use anyhow::Result;

use crate::args::ShellArgs;
use crate::exit::Exit;
use crate::session::{Reading, Session};
use crate::shell::Shell;

/// Loads the logs once and answers until the user leaves.
pub fn run(args: &ShellArgs) -> Result<Exit> {
    let reading = Reading::new(&args.reading, &args.files)?;
    let (session, options) =
        Session::for_queries(&args.logs, reading, &args.names, args.as_of.as_deref(), args.threads)?;
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    let history = home.map(|home| home.join(".tidewatch_history"));
    Shell::new(session, options).run(history.as_deref())?;
    Ok(Exit::Clean)
}
