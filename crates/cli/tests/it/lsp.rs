//! `tidewatch lsp`: an editor's conversation, scripted.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};

use crate::run::Folder;

/// A client of the server, in a folder.
pub struct Editor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last_id: u64,
}

impl Editor {
    pub fn start(folder: &Folder, args: &[&str]) -> Editor {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
            .env("TIDEWATCH_CACHE", "off")
            .arg("lsp")
            .args(args)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut editor = Editor { child, input, output, last_id: 0 };
        let answer = editor.ask("initialize", json!({"capabilities": {}}));
        assert_eq!(answer["capabilities"]["hoverProvider"], true, "{answer}");
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Json) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn receive(&mut self) -> Json {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the server has gone");
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn tell(&mut self, method: &str, params: Json) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    pub fn ask(&mut self, method: &str, params: Json) -> Json {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let answer = self.receive();
        assert_eq!(answer["id"], id, "{answer}");
        answer["result"].clone()
    }

    /// Opens a document and gives what is wrong with it.
    pub fn open(&mut self, uri: &str, language: &str, text: &str) -> Vec<Json> {
        let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
        self.diagnostics(uri)
    }

    pub fn change(&mut self, uri: &str, text: &str) -> Vec<Json> {
        let params = json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]});
        self.tell("textDocument/didChange", params);
        self.diagnostics(uri)
    }

    fn diagnostics(&mut self, uri: &str) -> Vec<Json> {
        let told = self.receive();
        assert_eq!(told["method"], "textDocument/publishDiagnostics", "{told}");
        assert_eq!(told["params"]["uri"], uri);
        told["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// Asks about a place.
    pub fn at(&mut self, method: &str, uri: &str, line: u64, character: u64) -> Json {
        let position = json!({"line": line, "character": character});
        self.ask(&format!("textDocument/{method}"), json!({"textDocument": {"uri": uri}, "position": position}))
    }

    fn labels(&mut self, uri: &str, line: u64, character: u64) -> Vec<String> {
        let answer = self.at("completion", uri, line, character);
        answer["items"].as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap().to_string()).collect()
    }

    pub fn leave(mut self) {
        assert_eq!(self.ask("shutdown", Json::Null), Json::Null);
        self.tell("exit", Json::Null);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

fn range(from: (u64, u64), to: (u64, u64)) -> Json {
    json!({"start": {"line": from.0, "character": from.1}, "end": {"line": to.0, "character": to.1}})
}

#[test]
fn a_query_is_judged_completed_explained_and_formatted() {
    let folder = Folder::new();
    let mut editor = Editor::start(&folder, &["--stdio"]);
    let uri = "file:///home-of-rules/q.kql";
    let wrong = editor.open(uri, "kusto", "SigninLogs\n| where 'ż😀' == Token");
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!((&wrong[0]["code"], &wrong[0]["severity"]), (&json!("KS142"), &json!(1)));
    assert_eq!(wrong[0]["range"], range((1, 17), (1, 22)));
    assert_eq!(editor.change(uri, "let Limit = 5;\nSigninLogs\n|where UserPrin\n|take Limit").len(), 1);

    let columns = editor.labels(uri, 2, 15);
    assert_eq!(columns.first().map(String::as_str), Some("UserPrincipalName"), "{columns:?}");
    assert!(editor.labels(uri, 3, 1).contains(&"summarize".to_string()));
    assert!(editor.labels(uri, 1, 4).contains(&"SigninLogs".to_string()));

    let help = editor.at("hover", uri, 3, 2);
    assert!(help["contents"]["value"].as_str().unwrap().contains("take NUMBER"), "{help}");
    let place = editor.at("definition", uri, 3, 7);
    assert_eq!(place, json!({"uri": uri, "range": range((0, 4), (0, 9))}));

    assert_eq!(editor.change(uri, "SigninLogs|take 5"), Vec::<Json>::new());
    let edits = editor.ask("textDocument/formatting", json!({"textDocument": {"uri": uri}, "options": {}}));
    assert_eq!(edits, json!([{"range": range((0, 0), (0, 17)), "newText": "SigninLogs\n| take 5\n"}]));
    editor.leave();
}

const RULE: &str = "id: 5a0c7e64-0000-4000-8000-000000000001
name: Failed sign-ins
kind: Scheduled
severity: Low
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
query: |
  SigninLogs
  |where Reslt != '0'
  | project TimeGenerated, UserId
";

#[test]
fn queries_inside_rules_are_served_where_they_stand() {
    let folder = Folder::new();
    let mut editor = Editor::start(&folder, &[]);
    let uri = "file:///home-of-rules/rules/failed.yaml";
    let wrong = editor.open(uri, "yaml", RULE);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0]["range"], range((10, 9), (10, 14)));
    assert!(editor.labels(uri, 10, 11).contains(&"ResultType".to_string()));
    assert_eq!(editor.at("completion", uri, 1, 3), Json::Null, "the fields of a rule are no query");
    let help = editor.at("hover", uri, 9, 4);
    assert!(help["contents"]["value"].as_str().unwrap().contains("table SigninLogs"), "{help}");

    let mended = RULE.replace("Reslt", "ResultType");
    assert_eq!(editor.change(uri, &mended), Vec::<Json>::new());
    let edits = editor.ask("textDocument/formatting", json!({"textDocument": {"uri": uri}, "options": {}}));
    let formatted = "SigninLogs\n  | where ResultType != '0'\n  | project TimeGenerated, UserId";
    assert_eq!(edits, json!([{"range": range((9, 2), (11, 33)), "newText": formatted}]));

    let torn = editor.change(uri, "id: a\nname: [\nquery: |\n  T\n");
    assert!(!torn.is_empty(), "YAML that cannot be read is told");
    editor.leave();
}

#[test]
fn names_of_the_user_are_known_and_what_is_unknown_is_refused() {
    let folder = Folder::new();
    folder.write("functions.json", &json!({"Mine": {"params": "", "body": "print Colour = 'red'"}}).to_string());
    let mut editor = Editor::start(&folder, &["--functions", "functions.json"]);
    let uri = "untitled:1";
    assert!(!editor.open(uri, "kusto", "Mine | where ").is_empty(), "the predicate is missing");
    assert!(editor.labels(uri, 0, 13).contains(&"Colour".to_string()));
    editor.send(&json!({"jsonrpc": "2.0", "id": 99, "method": "workspace/nothing", "params": {}}));
    assert_eq!(editor.receive()["error"]["code"], -32601);
    editor.tell("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    assert_eq!(editor.diagnostics(uri), Vec::<Json>::new());
    editor.tell("exit", Json::Null);
    assert_eq!(editor.child.wait().unwrap().code(), Some(1), "left without a goodbye");
}
