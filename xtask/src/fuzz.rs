//! `cargo xtask fuzz`: every decoder of logs under libFuzzer, led by coverage, for a time in all.
//!
//! The decoders and all that they link are built with coverage (on the stable toolchain) into a folder of their own. Each
//! target begins with well-formed files of every format, its own seeds and what earlier runs kept. A finding fails the
//! run, and its input stays.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;

/// What rustc is told so that libFuzzer sees edges and comparisons.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

#[derive(Args)]
pub struct Options {
    /// Seconds for all targets together
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Targets at a time
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// The only targets to run
    #[arg(long)]
    target: Vec<String>,
    /// Seed of the fuzzer's choices
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Go on with a target after a finding
    #[arg(long)]
    go_on: bool,
}

/// What became of one target.
struct Outcome {
    name: String,
    executions: u64,
    seconds: f64,
    edges: u64,
    inputs: usize,
    findings: Vec<PathBuf>,
}

/// Builds the targets and runs each; fails when one finds something.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz");
    let program = build(&folder)?;
    let seeds = folder.join("seeds");
    let mut targets = list(&program, &seeds)?;
    targets.retain(|(name, _)| options.target.is_empty() || options.target.contains(name));
    if targets.is_empty() {
        bail!("no such target");
    }
    write_files(&seeds.join("files"))?;
    let each = Duration::from_secs((options.seconds / targets.len() as u64).max(1));
    let (waiting, done) = (Mutex::new(targets.into_iter()), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some((name, largest)) = next() {
                    let outcome = fuzzed(&program, &folder, &name, largest, each, options);
                    if let Ok(mut done) = done.lock() {
                        done.push(outcome);
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_default().into_iter().collect::<anyhow::Result<Vec<Outcome>>>()?;
    report(&done)
}

fn report(done: &[Outcome]) -> anyhow::Result<()> {
    println!("| target | executions | seconds | edges | inputs kept | findings |\n|---|---|---|---|---|---|");
    for Outcome { name, executions, seconds, edges, inputs, findings } in done {
        println!("| {name} | {executions} | {seconds:.0} | {edges} | {inputs} | {} |", findings.len());
    }
    let executions: u64 = done.iter().map(|outcome| outcome.executions).sum();
    let wall: f64 = done.iter().map(|outcome| outcome.seconds).sum();
    println!("{} targets, {executions} executions in {wall:.0} s", done.len());
    let findings: Vec<&PathBuf> = done.iter().flat_map(|outcome| &outcome.findings).collect();
    for finding in &findings {
        println!("finding: {}", finding.display());
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!("{count} findings"),
    }
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The program with all targets.
fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    // With a target named, build scripts and macros are built without coverage.
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let status = Command::new(cargo())
        .args(["build", "--package", "fuzz", "--features", "libfuzzer", "--profile", "fuzz", "--target", &triple])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTFLAGS", COVERAGE.join(" "))
        .status()
        .context("building the targets")?;
    if !status.success() {
        bail!("the targets were not built");
    }
    Ok(folder.join(triple).join("fuzz/fuzz"))
}

/// Names and largest inputs of the targets; their own seeds and the dictionary are written to the folder.
fn list(program: &Path, seeds: &Path) -> anyhow::Result<Vec<(String, usize)>> {
    fs::create_dir_all(seeds)?;
    let output = Command::new(program).env("FUZZ_LIST", seeds).output().context("listing the targets")?;
    if !output.status.success() {
        bail!("the targets were not listed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let targets = text.lines().filter_map(|line| {
        let (name, largest) = line.split_once(' ')?;
        Some((name.to_owned(), largest.parse().ok()?))
    });
    Ok(targets.collect())
}

/// Well-formed files of every format, which the tests make.
fn write_files(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    // The packages and features of all tests, so that nothing is compiled anew.
    let output = Command::new(cargo())
        .args(["test", "--workspace", "--test", "it", "hostile::a_well_formed_file"])
        .env("HOSTILE_SEEDS", folder)
        .output()
        .context("writing well-formed files")?;
    if !output.status.success() {
        bail!("no well-formed files: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Runs one target until its time is over; findings end a run, and the next one begins with another seed.
fn fuzzed(
    program: &Path,
    folder: &Path,
    name: &str,
    largest: usize,
    time: Duration,
    options: &Options,
) -> anyhow::Result<Outcome> {
    let (corpus, found) = (folder.join("corpus").join(name), folder.join("findings").join(name));
    let seeds = folder.join("seeds");
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&found)?;
    let known = files(&found)?;
    let mut outcome =
        Outcome { name: name.to_owned(), executions: 0, seconds: 0.0, edges: 0, inputs: 0, findings: Vec::new() };
    let started = Instant::now();
    let mut seed = options.seed;
    loop {
        let left = time.saturating_sub(started.elapsed()).as_secs().max(1);
        let output = Command::new(program)
            .arg(format!("-max_total_time={left}"))
            .arg(format!("-max_len={largest}"))
            .arg(format!("-seed={seed}"))
            .arg(format!("-dict={}", seeds.join("words.dict").display()))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .args(["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=1", "-reload=0"])
            .args([&corpus, &seeds.join(name), &seeds.join("files")])
            .env("FUZZ_TARGET", name)
            .stdout(Stdio::null())
            .output()
            .with_context(|| format!("running {name}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        outcome.executions += number_after(&said, "stat::number_of_executed_units:");
        outcome.edges = outcome.edges.max(number_after(&said, " cov:"));
        seed += 1;
        if output.status.success() || !options.go_on || started.elapsed() + Duration::from_secs(2) > time {
            if !output.status.success() {
                fs::write(found.join("last.log"), said.as_bytes())?;
            }
            break;
        }
        fs::write(found.join(format!("{}.log", files(&found)?.len())), said.as_bytes())?;
    }
    outcome.seconds = started.elapsed().as_secs_f64();
    outcome.inputs = files(&corpus)?.len();
    // What was slow without coming to the limit of time says more of the machine than of the decoder.
    let is_finding = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !known.contains(path) && !name.ends_with(".log") && !name.starts_with("slow-unit-")
    };
    outcome.findings = files(&found)?.into_iter().filter(is_finding).collect();
    Ok(outcome)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    files.sort();
    Ok(files)
}

/// The last number behind a mark.
fn number_after(text: &str, mark: &str) -> u64 {
    let after = text.rsplit_once(mark).map_or("", |(_, after)| after.trim_start());
    after.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_what_the_fuzzer_says() {
        let said = "#2 INITED cov: 10 ft: 11\n#9 DONE cov: 1234 ft: 5\nstat::number_of_executed_units: 77\n";
        assert_eq!(number_after(said, "stat::number_of_executed_units:"), 77);
        assert_eq!(number_after(said, " cov:"), 1234);
        assert_eq!(number_after(said, "none:"), 0);
    }
}
