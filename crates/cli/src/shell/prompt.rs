//! The prompt on a terminal: editing, history, completion, queries of several lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use kql_semantics::Catalog;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

/// A prompt with what it knows and remembers.
pub struct Prompt {
    editor: Editor<Kql, FileHistory>,
    history: Option<PathBuf>,
}

impl Prompt {
    /// # Errors
    /// A terminal that cannot be used.
    pub fn open(catalog: Arc<dyn Catalog>, history: Option<&Path>) -> Result<Prompt> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Kql { catalog }));
        if let Some(file) = history {
            // The first time there is none.
            let _ = editor.load_history(file);
        }
        Ok(Prompt { editor, history: history.map(Path::to_path_buf) })
    }

    /// The next query or command; None at the end. An interrupt gives an empty one.
    ///
    /// # Errors
    /// A terminal that cannot be read.
    pub fn read(&mut self) -> Result<Option<String>> {
        match self.editor.readline("kql> ") {
            Ok(text) => Ok(Some(text)),
            Err(ReadlineError::Interrupted) => Ok(Some(String::new())),
            Err(ReadlineError::Eof) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps the history for the next time; without a file, or where it cannot be written, nothing is kept.
    pub fn save(&mut self) {
        if let Some(file) = &self.history {
            let _ = self.editor.save_history(file);
        }
    }
}

struct Kql {
    catalog: Arc<dyn Catalog>,
}

impl Helper for Kql {}
impl Highlighter for Kql {}

impl Hinter for Kql {
    type Hint = String;
}

impl Completer for Kql {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = kql_editor::complete(line, pos, self.catalog.as_ref());
        let start = found.first().map_or(pos, |completion| completion.replaces.start as usize);
        let pairs = found
            .into_iter()
            .map(|completion| Pair { display: completion.label.clone(), replacement: completion.label });
        Ok((start, pairs.collect()))
    }
}

impl Validator for Kql {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(context.input()) { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

/// Whether Enter runs the text: a command, a whole query on one line, or anything behind a blank line.
fn is_complete(text: &str) -> bool {
    if text.trim().is_empty() || text.starts_with('.') || text.ends_with('\n') {
        return true;
    }
    let one_line = !text.contains('\n') && !text.trim_end().ends_with([';', '|', ',']);
    one_line && kql_syntax::parse(text).errors.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_runs_what_is_whole() {
        for text in ["SigninLogs | take 5", ".tables", "", "T\n| where (\n", "let a = 1; print a"] {
            assert!(is_complete(text), "{text}");
        }
        for text in ["SigninLogs |", "T | where (", "let a = 1;", "T\n| take 5"] {
            assert!(!is_complete(text), "{text}");
        }
    }
}
