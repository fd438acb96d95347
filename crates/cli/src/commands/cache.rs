//! `tidewatch cache`: what is kept between runs, and how to be rid of it.

use std::io::{self, Write};

use anyhow::Result;
use connectors::{cache_state, clear_cache};
use indicatif::HumanBytes;

use crate::args::CacheArgs;
use crate::cache;
use crate::exit::{Exit, Failure};
use crate::terminal::{counted, safe};

/// Shows or removes.
pub fn run(args: &CacheArgs) -> Result<Exit> {
    let mut out = io::stdout().lock();
    let Some(folder) = cache::folder(args.cache.as_deref()) else {
        writeln!(out, "off: nothing is kept between runs")?;
        return Ok(Exit::Clean);
    };
    let (state, verb) = match args.clear {
        true => (clear_cache(&folder).map_err(|error| Failure::input(error.to_string()))?, "removed"),
        false => (cache_state(&folder), "rows of"),
    };
    let files = counted(state.entries, "file");
    writeln!(out, "{}: {verb} {files}, {}", safe(&folder.display().to_string()), HumanBytes(state.bytes))?;
    Ok(Exit::Clean)
}
