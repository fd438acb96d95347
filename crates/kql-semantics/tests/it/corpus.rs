//! Published rules: what the official parser accepts is accepted with the same columns, what it refuses is refused
//! for the same reason. The counts are a ratchet. Set `CORPUS_REPORT=1` to see the first differences.

use std::collections::BTreeMap;
use std::io::Read;

use kql_types::Severity;
use serde_json::Value;

use crate::catalog::reference;
use crate::{bind_function, bind_with, columns, recorded_columns};

fn rules() -> Option<Vec<Value>> {
    let file = std::fs::File::open(testing::shared("corpus/sentinel-open.jsonl.gz")?).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[derive(Default, Debug)]
struct Counts {
    accepted: usize,
    accepted_here: usize,
    same_columns: usize,
    refused: usize,
    refused_here: usize,
    same_code: usize,
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn published_rules_bind_as_the_official_parser_says() {
    let (Some(catalog), Some(rules)) = (reference(), rules()) else { return };
    let report = std::env::var_os("CORPUS_REPORT").is_some();
    let only: Option<Vec<String>> =
        std::env::var("CORPUS_ID").ok().map(|ids| ids.split(',').map(str::to_string).collect());
    let shown: usize = std::env::var("CORPUS_REPORT").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let mut slowest = Vec::new();
    let mut counts = Counts::default();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in &rules {
        let query = rule["query"].as_str().unwrap();
        let id = rule["id"].as_str().unwrap();
        if only.as_ref().is_some_and(|only| !only.contains(&id.to_string())) {
            continue;
        }
        let started = std::time::Instant::now();
        let bound = match rule["params"].as_str() {
            Some(params) if !params.is_empty() => {
                bind_function(params, query, catalog, !rule["oracle"]["ok"].as_bool().unwrap())
            }
            // A refusal may be for what is only a warning by default.
            _ => bind_with(query, catalog, !rule["oracle"]["ok"].as_bool().unwrap()),
        };
        if let Ok(pattern) = std::env::var("CORPUS_COLUMNS") {
            let shown: Vec<_> = columns(&bound).into_iter().filter(|(name, _)| name.contains(&pattern)).collect();
            eprintln!("{id} {shown:?}\n{:?}", bound.diagnostics);
        }
        slowest.push((started.elapsed(), id.to_string()));
        let oracle = &rule["oracle"];
        let first = bound.diagnostics.iter().find(|d| d.severity == Severity::Error);
        let mut because = |reason: String, detail: String| {
            reasons.entry(reason).or_default().push(format!("{id} {detail}"));
        };
        if oracle["ok"].as_bool().unwrap() {
            counts.accepted += 1;
            match first {
                Some(error) => {
                    let at = query.get(error.span.start as usize..error.span.end as usize).unwrap_or("?");
                    because(format!("refused: {}", error.code), format!("{} at {at:?}", error.message));
                }
                None => {
                    counts.accepted_here += 1;
                    let recorded = recorded_columns(&oracle["result"]);
                    if recorded == columns(&bound) || oracle["result"].is_null() {
                        counts.same_columns += 1;
                    } else {
                        because("columns".to_string(), first_difference(&recorded, &columns(&bound)));
                    }
                }
            }
        } else {
            counts.refused += 1;
            let codes: Vec<&str> = oracle["diagnostics"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|d| d["severity"] == "Error")
                .filter_map(|d| d["code"].as_str())
                .collect();
            match first {
                Some(error) => {
                    counts.refused_here += 1;
                    let all: Vec<&str> = bound.diagnostics.iter().map(|d| d.code).collect();
                    if codes.first() == Some(&error.code) {
                        counts.same_code += 1;
                    } else {
                        because(format!("code {codes:?}"), format!("{all:?} {}", error.message));
                    }
                }
                None => because(format!("accepted: {codes:?}"), oracle["diagnostics"].to_string()),
            }
        }
    }
    if report {
        let mut by_count: Vec<_> = reasons.iter().collect();
        by_count.sort_by_key(|(_, list)| std::cmp::Reverse(list.len()));
        for (reason, list) in by_count {
            eprintln!("{:5} {reason}", list.len());
            for detail in list.iter().take(shown) {
                eprintln!("        {}", detail.chars().take(400).collect::<String>());
            }
        }
        slowest.sort();
        let total: std::time::Duration = slowest.iter().map(|(time, _)| *time).sum();
        eprintln!("{counts:?} in {total:?}, slowest {:?}", slowest.iter().rev().take(8).collect::<Vec<_>>());
    }
    if only.is_none() {
        let least = [counts.accepted_here, counts.same_columns, counts.refused_here, counts.same_code];
        let reached = least.iter().zip([3183, 3160, 167, 155]).all(|(count, known)| *count >= known);
        assert!(reached, "fewer than before: {counts:?}");
    }
}

fn first_difference(recorded: &[(String, String)], here: &[(String, String)]) -> String {
    let at = recorded.iter().zip(here).position(|(a, b)| a != b).unwrap_or(recorded.len().min(here.len()));
    format!("at {at} of {}/{}: expected {:?}, here {:?}", recorded.len(), here.len(), recorded.get(at), here.get(at))
}
