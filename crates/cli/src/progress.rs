//! What is shown while a long command works: on a terminal only, never in a pipe.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

/// The display while logs are read.
pub struct Loading {
    bar: ProgressBar,
}

impl Loading {
    pub fn start() -> Loading {
        Loading { bar: bar("reading logs") }
    }

    /// What the loader calls after each file.
    pub fn callback(&self) -> Arc<dyn Fn(&connectors::Progress) + Send + Sync> {
        let bar = self.bar.clone();
        Arc::new(move |progress| {
            bar.set_length(progress.files_total as u64);
            bar.set_position(progress.files_done as u64);
            bar.set_message(format!(
                "reading logs: {} records, {}",
                HumanCount(progress.records),
                HumanBytes(progress.bytes)
            ));
        })
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// The display while rules run.
pub struct Hunting {
    bar: ProgressBar,
    alerts: AtomicUsize,
}

impl Hunting {
    pub fn start(rules: usize) -> Hunting {
        let bar = bar("running rules");
        bar.set_length(rules as u64);
        Hunting { bar, alerts: AtomicUsize::new(0) }
    }

    /// One rule is done.
    pub fn done(&self, alerts: usize) {
        self.bar.inc(1);
        let all = self.alerts.fetch_add(alerts, Ordering::Relaxed) + alerts;
        if alerts > 0 {
            self.bar.set_message(format!("running rules: {} alerts", HumanCount(all as u64)));
        }
    }

    /// Writes to the terminal without disturbing the display.
    pub fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn bar(message: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {pos}/{len} {elapsed}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(message.to_string());
    bar
}
