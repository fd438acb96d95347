//! Measures how long the parser takes for all queries of the reference corpus: `cargo run --release -p kql-syntax
//! --example parse_corpus`. Needs the reference data beside the project.
#![allow(clippy::print_stdout, reason = "the measurement is what this program is for")]

use std::error::Error;
use std::io::Read;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = testing::shared("corpus/sentinel-open.jsonl.gz") else { return Ok(()) };
    let mut lines = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut lines)?;
    let mut queries = Vec::new();
    for line in lines.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        queries.push(record["query"].as_str().unwrap_or_default().to_owned());
    }
    let bytes: usize = queries.iter().map(String::len).sum();
    println!("{} queries, {bytes} bytes", queries.len());
    report("lex", &queries, |q| kql_syntax::lex(q).0.len());
    report("parse", &queries, |q| kql_syntax::parse(q).query.statements.len());
    report("parse_tree", &queries, |q| kql_syntax::parse_tree(q).errors().len());
    let options = kql_syntax::FormatOptions::default();
    report("format", &queries, |q| kql_syntax::format(q, &options).len());
    Ok(())
}

/// Runs the work over all queries five times and prints the fastest round.
fn report(name: &str, queries: &[String], work: impl Fn(&str) -> usize) {
    let mut fastest = Duration::MAX;
    let mut sum = 0;
    for _ in 0..5 {
        let start = Instant::now();
        sum = queries.iter().map(|q| work(q)).sum();
        fastest = fastest.min(start.elapsed());
    }
    println!("{name:>10}: {:>7.1} ms ({sum})", fastest.as_secs_f64() * 1000.0);
}
