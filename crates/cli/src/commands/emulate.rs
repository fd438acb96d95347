//! `tidewatch emulate`: the raw events that an attack test leaves.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context, Result};
use emulate::Emulation;
use serde_json::{Value as Json, json};

use crate::args::{EmulateArgs, SourcesFormat};
use crate::exit::{Exit, Failure};
use crate::session;
use crate::terminal::{Tone, paint, stdout_has_colour};

/// Writes the events of a test, or lists the tests.
pub fn run(args: &EmulateArgs) -> Result<Exit> {
    let chosen = args.name.as_deref().map(find).transpose()?;
    if args.list {
        return list(chosen, args.format);
    }
    let Some(emulation) = chosen else { return Err(Failure::usage("which test? --list shows all")) };
    let at = args.at.as_deref().map_or_else(|| Ok(session::present()), moment)?;
    let records = emulation.play(at, &given(args)?).map_err(|mistake| Failure::usage(mistake.to_string()))?;
    let text = emulation.file(&records);
    match &args.out {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
            let mut out = io::stdout().lock();
            writeln!(
                out,
                "{}: {} events of {} in {}",
                emulation.name,
                records.len(),
                emulation.source.name(),
                path.display()
            )?;
        }
        None => io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(Exit::Clean)
}

fn find(name: &str) -> Result<&'static Emulation> {
    emulate::find(name).ok_or_else(|| {
        let near = match emulate::near(name).as_slice() {
            [] => "--list shows all".to_string(),
            near => format!("near it: {}", near.join(", ")),
        };
        Failure::usage(format!("no test is named `{name}`; {near}"))
    })
}

/// A time, or a distance from the present.
fn moment(text: &str) -> Result<i64> {
    let distance = match text.split_at_checked(1) {
        Some(("-", length)) => detections::duration::parse(length).map(|ticks| -ticks),
        Some(("+", length)) => detections::duration::parse(length),
        _ => None,
    };
    match distance {
        Some(distance) => Ok(session::present().saturating_add(distance)),
        None => session::parse_time("--at", text),
    }
}

fn given(args: &EmulateArgs) -> Result<BTreeMap<String, String>> {
    let own = [("actor", &args.actor), ("ip", &args.ip), ("region", &args.region), ("account", &args.account)];
    let mut given: BTreeMap<String, String> =
        own.into_iter().filter_map(|(name, value)| Some((name.to_string(), value.clone()?))).collect();
    for text in &args.set {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Failure::usage(format!("--set: `{text}` is not NAME=VALUE")))?;
        given.insert(name.trim().to_string(), value.to_string());
    }
    Ok(given)
}

fn list(chosen: Option<&'static Emulation>, format: SourcesFormat) -> Result<Exit> {
    let mut out = io::stdout().lock();
    let tests = chosen.map_or_else(emulate::all, |emulation| vec![emulation]);
    if format == SourcesFormat::Json {
        let tests: Vec<Json> = tests.into_iter().map(as_json).collect();
        serde_json::to_writer_pretty(&mut out, &json!({"schema": "tidewatch-emulations/1", "tests": tests}))?;
        writeln!(out)?;
        return Ok(Exit::Clean);
    }
    let colour = stdout_has_colour();
    for test in &tests {
        let name = paint(&format!("{:<40}", test.name), Tone::Strong, colour);
        writeln!(out, "{name} {} ({})", test.title, test.techniques.join(", "))?;
    }
    if let Some(test) = chosen {
        writeln!(out, "\n{} events: {}", test.source.name(), test.operations.join(", "))?;
        if !test.tests.is_empty() {
            writeln!(out, "as left by: {}", test.tests.join("; "))?;
        }
        writeln!(out, "\nparameters:")?;
        for parameter in test.all_parameters() {
            let default =
                if parameter.default.is_empty() { String::new() } else { format!(" [{}]", parameter.default) };
            writeln!(out, "  {:<15} {}{default}", parameter.name, parameter.about)?;
        }
    } else {
        writeln!(out, "\n{} tests; `tidewatch emulate NAME --list` shows the parameters of one", tests.len())?;
    }
    Ok(Exit::Clean)
}

fn as_json(test: &Emulation) -> Json {
    let parameters: Vec<Json> = test
        .all_parameters()
        .iter()
        .map(|parameter| json!({"name": parameter.name, "default": parameter.default, "about": parameter.about}))
        .collect();
    json!({
        "name": test.name,
        "title": test.title,
        "source": test.source.name(),
        "techniques": test.techniques,
        "tests": test.tests,
        "operations": test.operations,
        "parameters": parameters,
    })
}
