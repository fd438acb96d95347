//! What a watcher is told while a hunt runs: every outcome once, in the order of the report, before later rules have run.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use detections::alert::Alert;
use detections::hunt::{HuntOptions, Watcher};
use detections::library::{self, RuleLibrary};
use detections::outcome::{RuleOutcome, RuleState};

use crate::data::{HOUR, World, event, options};

fn world() -> World {
    World::new(&[("A_CL", vec![event(0, "ann", "login", 1), event(2 * HOUR, "eve", "create", 2)])])
}

/// Eight rules, and a broken file between them.
fn library() -> RuleLibrary {
    let rule = |name: &str| {
        let text = format!(
            "id: {name}\nname: {name}\nseverity: High\nqueryFrequency: 1h\nqueryPeriod: 1h\nquery: |\n  A_CL | where Who == 'eve'\n"
        );
        (format!("{name}.yaml"), text)
    };
    let mut texts: Vec<(String, String)> = ["a", "b", "c", "d", "f", "g", "h", "i"].map(rule).to_vec();
    texts.push(("e.yaml".to_string(), "id: e\nquery: [".to_string()));
    let texts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let library = library::from_texts(texts);
    assert_eq!((library.rules.len(), library.broken.len()), (8, 1));
    library
}

/// Keeps what it is told; asks the hunt to end after the first.
#[derive(Default)]
struct Told {
    files: Mutex<Vec<(String, usize)>>,
    stop: Option<AtomicBool>,
}

impl Watcher for Told {
    fn next(&self, outcome: &RuleOutcome, alerts: &[Alert]) {
        assert!(alerts.windows(2).all(|pair| pair[0].end_time >= pair[1].end_time));
        self.files.lock().unwrap().push((outcome.file.clone(), alerts.len()));
        if let Some(stop) = &self.stop {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn outcomes_are_told_in_the_order_of_the_report_on_any_number_of_threads() {
    for threads in [1, 2, 7] {
        let told = Told::default();
        let options = HuntOptions { threads, ..options() };
        let hunt = world().watched(&library(), &options, &AtomicBool::new(false), &told);
        let reported: Vec<(String, usize)> = hunt.outcomes.iter().map(|o| (o.file.clone(), o.alerts)).collect();
        assert_eq!(told.files.into_inner().unwrap(), reported);
        assert_eq!(
            reported.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>()[3..6],
            ["d.yaml", "e.yaml", "f.yaml"]
        );
        assert_eq!(reported.iter().map(|(_, alerts)| alerts).sum::<usize>(), 8);
    }
}

#[test]
fn a_rule_is_told_of_before_later_rules_have_run() {
    let told = Told { stop: Some(AtomicBool::new(false)), ..Told::default() };
    let stop = told.stop.as_ref().unwrap();
    let hunt = world().watched(&library(), &options(), stop, &told);
    let states: Vec<RuleState> = hunt.outcomes.iter().map(|outcome| outcome.state).collect();
    assert_eq!(states[0], RuleState::Fired);
    let rules_after = states[1..].iter().filter(|state| **state == RuleState::Failed).count();
    assert_eq!(rules_after, 7, "a later rule ran before the first was told of: {states:?}");
    assert_eq!(told.files.lock().unwrap().len(), 9, "also rules that did not run are told of");
}
