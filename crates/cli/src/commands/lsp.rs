//! `tidewatch lsp`: the language server for editors, on standard input and output.

use std::io;

use anyhow::Result;
use detections::library::RuleLibrary;

use crate::args::LspArgs;
use crate::commands::check;
use crate::exit::Exit;
use crate::lsp::{Farewell, Server};

/// Serves one editor until it leaves.
pub fn run(args: &LspArgs) -> Result<Exit> {
    let engine = check::engine_for(&args.names, &RuleLibrary::default())?;
    let farewell = Server::new(engine, args.strict).serve(&mut io::stdin().lock(), &mut io::stdout().lock())?;
    Ok(match farewell {
        Farewell::Orderly => Exit::Clean,
        // What the protocol asks for.
        Farewell::Abrupt => Exit::Found,
    })
}
