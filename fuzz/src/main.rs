//! One decoder under libFuzzer: `FUZZ_TARGET` names it.
//!
//! With `FUZZ_LIST=FOLDER` the targets' own seeds and the dictionary are written there, and the targets are listed.
//! `cargo xtask fuzz` builds and runs this.

#![no_main]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::panic)]

use std::path::Path;
use std::sync::OnceLock;

use connectors::fuzz::{TARGETS, Target, words};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: start(), |data: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.run)(data);
    }
});

fn start() {
    if let Some(folder) = std::env::var_os("FUZZ_LIST") {
        let listed = list(Path::new(&folder));
        if let Err(error) = &listed {
            eprintln!("{error}");
        }
        std::process::exit(i32::from(listed.is_err()));
    }
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        panic!("no such target: {name}");
    };
    let _ = TARGET.set(target);
    // The harness ends the process at every panic, but decoders of others run behind a guard: theirs may pass, and when
    // nobody catches them they end the process all the same.
    std::panic::set_hook(Box::new(|panic| {
        let file = panic.location().map_or("", |place| place.file());
        if !file.contains("/registry/") && !file.contains("/rustc/") {
            eprintln!("{panic}");
            std::process::abort();
        }
        if std::env::var_os("FUZZ_SHOW").is_some() {
            eprintln!("{panic}");
        }
    }));
}

fn list(folder: &Path) -> std::io::Result<()> {
    for target in TARGETS {
        let own = folder.join(target.name);
        std::fs::create_dir_all(&own)?;
        for (index, seed) in target.seeds.iter().enumerate() {
            std::fs::write(own.join(format!("seed-{index:02}")), seed)?;
        }
        println!("{} {}", target.name, target.largest);
    }
    let words: Vec<String> = words().iter().map(|word| format!("\"{word}\"\n")).collect();
    std::fs::write(folder.join("words.dict"), words.concat())
}
