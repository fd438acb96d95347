//! Rules, stored functions and watchlists from files and folders, as a clone of a rule repository has them.
//!
//! Every file found is a rule, a function file, a watchlist, passed over, or broken: the counts in [`RuleLibrary`] add
//! up. Files are read in the order of their paths, so the same folder always gives the same library. Start at [`load`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kql_semantics::StoredFunction;

use crate::function_file;
use crate::rule::AnalyticsRule;
use crate::rule_file::{self, BrokenFile, Expectation, FileContent};

/// The largest file that can be a rule; published ones stay under 200 KB.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// What a set of paths holds.
#[derive(Debug, Clone, Default)]
pub struct RuleLibrary {
    /// In the order of their files.
    pub rules: Vec<AnalyticsRule>,
    /// By name; the first file of a name wins.
    pub functions: Vec<StoredFunction>,
    /// Folders of CSV files named `watchlists`.
    pub watchlist_files: Vec<PathBuf>,
    pub broken: Vec<BrokenFile>,
    pub duplicates: Vec<Duplicate>,
    /// Files that are no rules.
    pub passed_over: u64,
    /// What could not be opened: path and reason.
    pub unreadable: Vec<(String, String)>,
    /// Sigma documents of all files, until they are made rules.
    pub(crate) sigma: sigma::Collection,
    /// The texts of Sigma files.
    pub(crate) sigma_texts: BTreeMap<String, Arc<str>>,
}

/// Two rules of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    pub id: String,
    /// Index into [`RuleLibrary::rules`] of the one that runs first.
    pub first: usize,
    pub second: usize,
    /// The queries are the same as well: the second is not run again.
    pub same_query: bool,
}

/// Reads the rules of files and folders. A path given by the user that does not exist is an entry of `unreadable`.
pub fn load(paths: &[PathBuf]) -> RuleLibrary {
    let mut library = RuleLibrary::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        if path.is_dir() {
            let mut files = Vec::new();
            collect_files(path, 0, &mut files, &mut library);
            files.sort();
            for file in files {
                if seen.insert(canonical(&file)) {
                    library.add_file(&file, Expectation::Anything);
                }
            }
        } else if seen.insert(canonical(path)) {
            library.add_file(path, Expectation::Rule);
        }
    }
    library.finish();
    library
}

/// Reads rules that are already in memory, as (name, text).
pub fn from_texts<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> RuleLibrary {
    let mut library = RuleLibrary::default();
    for (name, text) in files {
        library.add_text(name, text, Expectation::Anything);
    }
    library.finish();
    library
}

/// Reads stored functions from a file or from every file below a folder.
///
/// # Errors
/// The first file named by the user that is not what it should be: its path and the reason.
pub fn load_functions(path: &Path) -> Result<Vec<StoredFunction>, String> {
    if !path.is_dir() {
        let text = read_text(path)?;
        let functions =
            function_file::load(&path.to_string_lossy(), &text).map_err(|e| format!("{}: {e}", path.display()))?;
        return functions.ok_or_else(|| format!("{}: holds no stored function", path.display()));
    }
    let mut library = RuleLibrary::default();
    let mut files = Vec::new();
    collect_files(path, 0, &mut files, &mut library);
    files.sort();
    let mut functions = Vec::new();
    for file in files {
        let Ok(text) = read_text(&file) else { continue };
        if let Ok(Some(found)) = function_file::load(&file.to_string_lossy(), &text) {
            functions.extend(found);
        }
    }
    Ok(first_of_each_name(functions))
}

fn first_of_each_name(functions: Vec<StoredFunction>) -> Vec<StoredFunction> {
    let mut by_name: BTreeMap<String, StoredFunction> = BTreeMap::new();
    for function in functions {
        by_name.entry(function.name.clone()).or_insert(function);
    }
    by_name.into_values().collect()
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Folders below this depth are not entered: a loop of links ends.
const DEPTH_MAX: usize = 32;

fn collect_files(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, library: &mut RuleLibrary) {
    if depth > DEPTH_MAX {
        return;
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            library.unreadable.push((folder.display().to_string(), error.to_string()));
            return;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != ".git" && name != "node_modules" {
                collect_files(&path, depth + 1, files, library);
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file's extension, lower case.
pub(crate) fn extension(file: &str) -> String {
    Path::new(file).extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase()
}

fn has_ancestor(path: &Path, names: &[&str]) -> bool {
    path.parent().is_some_and(|folder| {
        folder.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            names.iter().any(|name| part.eq_ignore_ascii_case(name))
        })
    })
}

impl RuleLibrary {
    fn add_file(&mut self, path: &Path, expectation: Expectation) {
        let name = path.to_string_lossy().into_owned();
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        if extension == "csv" && has_ancestor(path, &["watchlists", "watchlist"]) {
            self.watchlist_files.push(path.to_path_buf());
            return;
        }
        let ours = matches!(extension.as_str(), "yaml" | "yml" | "kql" | "csl" | "kusto");
        if !ours && expectation == Expectation::Anything {
            self.passed_over += 1;
            return;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
                self.unreadable.push((name, "larger than any rule file".to_string()));
                return;
            }
            Ok(_) => {}
            Err(error) => {
                self.unreadable.push((name, error.to_string()));
                return;
            }
        }
        match fs::read(path) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let is_function = matches!(extension.as_str(), "kql" | "csl" | "kusto")
                    && has_ancestor(path, &["parsers", "functions"])
                    && expectation == Expectation::Anything;
                match is_function.then(|| function_file::load(&name, &text)) {
                    Some(Ok(Some(functions))) => self.functions.extend(functions),
                    _ => self.add_text(&name, &text, expectation),
                }
            }
            Err(error) => self.unreadable.push((name, error.to_string())),
        }
    }

    fn add_text(&mut self, name: &str, text: &str, expectation: Expectation) {
        match rule_file::read(name, text, expectation) {
            FileContent::Rule(rule) => self.rules.push(*rule),
            FileContent::Functions(functions) => self.functions.extend(functions),
            FileContent::Sigma(found) => {
                self.sigma.documents.extend(found.documents);
                self.broken.extend(found.broken);
                self.sigma_texts.insert(name.to_string(), found.text);
            }
            FileContent::Other => self.passed_over += 1,
            FileContent::Broken(broken) => self.broken.push(broken),
        }
    }

    /// Makes rules of the Sigma documents: correlations and filters reach over files.
    fn add_sigma_rules(&mut self) {
        for outcome in std::mem::take(&mut self.sigma).convert() {
            match outcome {
                sigma::rule::Outcome::Rule(converted) => {
                    let text = self.sigma_texts.get(&converted.file).cloned().unwrap_or_else(|| Arc::from(""));
                    self.rules.extend(rule_file::of_sigma(&converted, text));
                }
                sigma::rule::Outcome::Impossible(impossible) => self.broken.push(BrokenFile {
                    message: format!(
                        "the Sigma rule `{}` matches nothing: {}",
                        impossible.title,
                        impossible.reasons.join("; ")
                    ),
                    file: impossible.file,
                    position: Some(impossible.position),
                    unsupported: true,
                }),
            }
        }
    }

    /// Finds rules of one id and keeps one function of each name.
    fn finish(&mut self) {
        self.add_sigma_rules();
        self.functions = first_of_each_name(std::mem::take(&mut self.functions));
        let mut first_of: HashMap<String, usize> = HashMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            match first_of.get(&rule.id.to_ascii_lowercase()) {
                None => {
                    first_of.insert(rule.id.to_ascii_lowercase(), index);
                }
                Some(&first) => {
                    let same_query = self.rules.get(first).is_some_and(|other| same_rule(other, rule));
                    self.duplicates.push(Duplicate { id: rule.id.clone(), first, second: index, same_query });
                }
            }
        }
    }
}

/// Whether running the second rule would only repeat the first.
fn same_rule(a: &AnalyticsRule, b: &AnalyticsRule) -> bool {
    a.query.trim() == b.query.trim()
        && a.kind == b.kind
        && (a.query_period, a.query_frequency) == (b.query_period, b.query_frequency)
        && (a.trigger_operator, a.trigger_threshold) == (b.trigger_operator, b.trigger_threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "id: r1\nname: one\nquery: |\n  T\n";

    #[test]
    fn duplicates_are_named_and_a_copy_is_told_from_a_clash() {
        let library = from_texts([
            ("a.yaml", RULE),
            ("b.yaml", RULE),
            ("c.yaml", "id: R1\nname: other\nquery: |\n  U\n"),
            ("d.yaml", "id: r2\nname: x\nquery: |\n  U\n"),
        ]);
        assert_eq!(library.rules.len(), 4);
        let found: Vec<_> = library.duplicates.iter().map(|d| (d.first, d.second, d.same_query)).collect();
        assert_eq!(found, [(0, 1, true), (0, 2, false)]);
    }

    #[test]
    fn a_clone_of_a_repository_is_sorted_out() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Solutions/X/Analytic Rules/one.yaml", RULE);
        write("Solutions/X/Analytic Rules/torn.yaml", "id: r9\nname: [\nquery: |\n  T\n");
        write("Solutions/X/Parsers/XEvent.yaml", "FunctionName: XEvent\nFunctionQuery: |\n  T\n");
        write("Solutions/X/Parsers/YEvent.kql", "T | take 1");
        write("Hunting/odd.kql", "T | take 2");
        write("Watchlists/Allowed.csv", "SearchKey\na\n");
        write(".github/workflows/ci.yml", "name: build\non: push\n");
        write(".git/config.yaml", RULE);
        write("README.md", "# hi");
        let library = load(&[root.path().to_path_buf()]);
        let names: Vec<_> = library.rules.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["odd", "one"]);
        let functions: Vec<_> = library.functions.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(functions, ["XEvent", "YEvent"]);
        assert_eq!(library.watchlist_files.len(), 1);
        assert_eq!(library.broken.len(), 1);
        assert!(library.broken[0].position.is_some());
        assert_eq!(library.passed_over, 2);
        assert_eq!(load_functions(root.path()).unwrap().iter().filter(|f| f.name == "XEvent").count(), 1);
    }

    #[test]
    fn a_missing_path_is_told() {
        let library = load(&[PathBuf::from("no/such/rule.yaml")]);
        assert_eq!(library.unreadable.len(), 1);
    }
}
