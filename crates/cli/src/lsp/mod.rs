//! The language server: what editors ask over standard input and output, answered from one thread.
//!
//! [`wire`] reads and writes messages, [`document`] finds the queries of a file and turns places of the protocol into
//! offsets; what stands at a place is `kql_editor`'s to say. Start at [`Server::serve`].

mod document;
mod wire;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use anyhow::Result;
use engine::Engine;
use kql_editor::CompletionKind;
use kql_syntax::FormatOptions;
use kql_types::{Diagnostic, Severity};
use serde_json::{Value as Json, json};

use crate::commands::check::check_text;
use document::Document;

/// An error code of the protocol.
const METHOD_NOT_FOUND: i64 = -32601;

/// The open documents and the names that queries may use.
pub struct Server {
    engine: Engine,
    strict: bool,
    documents: BTreeMap<String, Document>,
    shut_down: bool,
}

/// Whether the client said goodbye before it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    Orderly,
    Abrupt,
}

impl Server {
    pub fn new(engine: Engine, strict: bool) -> Server {
        Server { engine, strict, documents: BTreeMap::new(), shut_down: false }
    }

    /// Answers until the client leaves.
    ///
    /// # Errors
    /// A message that is none, output that cannot be written.
    pub fn serve(&mut self, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<Farewell> {
        while let Some(message) = wire::read(input)? {
            let method = message["method"].as_str().unwrap_or_default();
            if method == "exit" {
                break;
            }
            let params = &message["params"];
            match message.get("id") {
                Some(id) if !method.is_empty() => {
                    let answer = match self.request(method, params) {
                        Some(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
                        None => {
                            let error = json!({"code": METHOD_NOT_FOUND, "message": format!("no method {method}")});
                            json!({"jsonrpc": "2.0", "id": id, "error": error})
                        }
                    };
                    wire::write(output, &answer)?;
                }
                Some(_) => {}
                None => {
                    if let Some(uri) = self.notification(method, params) {
                        wire::write(output, &self.diagnostics(&uri))?;
                    }
                }
            }
        }
        Ok(if self.shut_down { Farewell::Orderly } else { Farewell::Abrupt })
    }

    /// The result of a request; None: there is no such method.
    fn request(&mut self, method: &str, params: &Json) -> Option<Json> {
        Some(match method {
            "initialize" => capabilities(),
            "shutdown" => {
                self.shut_down = true;
                Json::Null
            }
            "textDocument/completion" => self.completion(params).unwrap_or(Json::Null),
            "textDocument/hover" => self.hover(params).unwrap_or(Json::Null),
            "textDocument/definition" => self.definition(params).unwrap_or(Json::Null),
            "textDocument/formatting" => self.formatting(params).unwrap_or(Json::Null),
            _ => return None,
        })
    }

    /// Takes in a change; gives the document whose diagnostics are to be told.
    fn notification(&mut self, method: &str, params: &Json) -> Option<String> {
        let uri = params["textDocument"]["uri"].as_str()?.to_string();
        match method {
            "textDocument/didOpen" => {
                let text = params["textDocument"]["text"].as_str().unwrap_or_default();
                let language = params["textDocument"]["languageId"].as_str().unwrap_or_default();
                self.documents.insert(uri.clone(), Document::new(&uri, language, text));
            }
            "textDocument/didChange" => {
                // The whole text each time: the last change stands.
                let text = params["contentChanges"].as_array()?.last()?["text"].as_str()?;
                self.documents.get_mut(&uri)?.set_text(text);
            }
            "textDocument/didClose" => {
                self.documents.remove(&uri);
            }
            _ => return None,
        }
        Some(uri)
    }

    fn diagnostics(&self, uri: &str) -> Json {
        let mut list = Vec::new();
        if let Some(document) = self.documents.get(uri) {
            for query in document.queries() {
                let checked = check_text(&self.engine, &query.text, self.strict, Vec::new()).0;
                let parts = checked.bound.iter().flat_map(|bound| &bound.unsupported);
                let unsupported =
                    parts.map(|part| Diagnostic::warning("TW900", part.span, format!("unsupported: {}", part.name)));
                for diagnostic in checked.diagnostics.iter().cloned().chain(unsupported) {
                    let range = document.range(&query, diagnostic.span);
                    list.push(diagnostic_json(&diagnostic, range));
                }
            }
            for (position, message) in document.broken() {
                let place =
                    json!({"line": position.line.saturating_sub(1), "character": position.column.saturating_sub(1)});
                list.push(json!({
                    "range": {"start": place, "end": place}, "severity": 1, "source": "tidewatch", "message": message,
                }));
            }
        }
        let params = json!({"uri": uri, "diagnostics": list});
        json!({"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": params})
    }

    /// The document that a request is about, the query at its place, and the offset in the query.
    fn place(&self, params: &Json) -> Option<(&Document, document::Query, usize)> {
        let document = self.documents.get(params["textDocument"]["uri"].as_str()?)?;
        let offset = document.offset(&params["position"])?;
        let (query, offset) = document.query_at(offset)?;
        Some((document, query, offset))
    }

    fn completion(&self, params: &Json) -> Option<Json> {
        let (document, query, offset) = self.place(params)?;
        let found = kql_editor::complete(&query.text, offset, self.engine.catalog().as_ref());
        let items = found.into_iter().enumerate().map(|(order, completion)| {
            let kind = match completion.kind {
                CompletionKind::Table => 7,
                CompletionKind::Column => 5,
                CompletionKind::Function => 3,
                CompletionKind::Variable => 6,
                CompletionKind::Operator => 14,
                CompletionKind::Word => 24,
            };
            json!({
                "label": completion.label,
                "kind": kind,
                "detail": completion.detail,
                "documentation": completion.summary,
                "sortText": format!("{order:05}"),
                "textEdit": {"range": document.range(&query, completion.replaces), "newText": completion.label},
            })
        });
        Some(json!({"isIncomplete": false, "items": items.collect::<Vec<_>>()}))
    }

    fn hover(&self, params: &Json) -> Option<Json> {
        let (document, query, offset) = self.place(params)?;
        let hover = kql_editor::hover(&query.text, offset, self.engine.catalog().as_ref())?;
        let contents = json!({"kind": "markdown", "value": hover.markdown});
        Some(json!({"contents": contents, "range": document.range(&query, hover.span)}))
    }

    fn definition(&self, params: &Json) -> Option<Json> {
        let (document, query, offset) = self.place(params)?;
        let span = kql_editor::definition(&query.text, offset)?;
        Some(json!({"uri": params["textDocument"]["uri"], "range": document.range(&query, span)}))
    }

    fn formatting(&self, params: &Json) -> Option<Json> {
        let document = self.documents.get(params["textDocument"]["uri"].as_str()?)?;
        let mut edits = Vec::new();
        for query in document.queries() {
            let formatted = kql_syntax::format(&query.text, &FormatOptions::default());
            edits.extend(document.replacement(&query, &formatted));
        }
        Some(Json::from(edits))
    }
}

fn capabilities() -> Json {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": {"openClose": true, "change": 1},
            "completionProvider": {"triggerCharacters": ["|", " ", "("]},
            "hoverProvider": true,
            "definitionProvider": true,
            "documentFormattingProvider": true,
        },
        "serverInfo": {"name": "tidewatch", "version": env!("CARGO_PKG_VERSION")},
    })
}

fn diagnostic_json(diagnostic: &Diagnostic, range: Json) -> Json {
    let severity = match diagnostic.severity {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Information => 3,
        Severity::Suggestion => 4,
    };
    let message = match &diagnostic.help {
        Some(help) => format!("{}\n{help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    json!({"range": range, "severity": severity, "code": diagnostic.code, "source": "tidewatch", "message": message})
}
