//! `tidewatch shell`: queries at a prompt.

use std::path::PathBuf;

use anyhow::Result;
use engine::QueryOptions;

use crate::args::ShellArgs;
use crate::exit::Exit;
use crate::session::{self, Session, SessionInput};
use crate::shell::Shell;

/// Loads the logs once and answers until the user leaves.
pub fn run(args: &ShellArgs) -> Result<Exit> {
    let session = Session::open(SessionInput {
        logs: &args.logs,
        names: &args.names,
        functions: Vec::new(),
        watchlists: Vec::new(),
        threads: args.threads.map(usize::from),
    })?;
    let now = match &args.as_of {
        Some(time) => session::parse_time("--as-of", time)?,
        None => session.default_now(),
    };
    let options = QueryOptions { partitions: args.threads.map(usize::from), ..QueryOptions::at(now) };
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    let history = home.map(|home| home.join(".tidewatch_history"));
    Shell::new(session, options).run(history.as_deref())?;
    Ok(Exit::Clean)
}
