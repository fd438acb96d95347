//! Queries cut short, doubled and with bytes that are none of theirs: `check` gives a verdict on each, and the server of an
//! editor lives on. The damage is the same in every run.

use serde_json::json;

use crate::lsp::Editor;
use crate::run::Folder;

/// Queries whose damage is tried: together they use most of the language.
const WHOLE: [&str; 14] = [
    "SigninLogs | where TimeGenerated > ago(1d) and ResultType !in ('0', '50125') | summarize n = count(), ips = make_set(IPAddress, 5) by UserPrincipalName, bin(TimeGenerated, 1h) | where n >= 10",
    "let since = 7d; let f = (t:(*), n:long = 3) { t | take n }; f(AWSCloudTrail | where TimeGenerated between (ago(since) .. now()))",
    "AuditLogs | mv-expand t = TargetResources | extend who = tostring(t.userPrincipalName), first = t.modifiedProperties[0]['newValue'] | where isnotempty(who)",
    "union isfuzzy=true withsource=s (SigninLogs | project a = Identity), (AuditLogs | project a = OperationName) | summarize by a, s",
    "AWSCloudTrail | join kind=leftanti (SigninLogs | project IPAddress) on $left.SourceIpAddress == $right.IPAddress | project-away *Id",
    "datatable(t:datetime, x:long, d:dynamic)[datetime(2026-01-01T00:00:00.5Z), 1, dynamic({'k': [1, null, \"é\"]})] | make-series s = avg(x) default=0.0 on t from ago(9d) to now() step 1d by k = tostring(d.k)",
    "print s = @'C:\\a\"b' , h'secret', ```several\nlines```, 0x1F, -1.5e3, 2.5h, guid(74be27de-1e4e-49d9-b579-fe0b331d3642) | parse kind=regex s with * 'a' b:long \"c\" d",
    "SecurityEvent | mv-apply e = split(CommandLine, ' ') to typeof(string) on (where e startswith '-' | summarize l = make_list(e) | top 1 by tostring(l)) | render timechart with (title='x')",
    "range x from 1 to 10 step 1 | scan declare (c:long = 0) with (step a: true => c = a.c + x; step b output=all: x > 3;) | evaluate pivot(x, sum(c))",
    "SigninLogs | where * has 'a' or Location in~ ((AuditLogs | project OperationName)) | extend c = case(ResultType == '0', 1, ResultType matches regex @'^\\d+$', toint(ResultType), -1)",
    "let g = SigninLogs | make-graph UserId --> AppId with AuditLogs on Id; g | graph-match (u)-[e*1..3]->(a) where u.x == 1 project u.x, path = e",
    "declare query_parameters(n:long = 1, s:string); set query_now = datetime(2026-01-01); SigninLogs | search kind=case_sensitive in (SigninLogs) s:'b' and * has 'c' // end",
    "find in (SigninLogs, AuditLogs) where TimeGenerated > ago(1h) project Id:string, pack(*)",
    "SigninLogs | partition hint.strategy=native by AppId (top 2 by TimeGenerated desc | extend r = row_number(1, AppId != prev(AppId)))",
];

/// Numbers in a row that is the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % count.max(1)
    }
}

/// The text with one to three injuries, read as an editor or a file would be: what is no UTF-8 is replaced.
fn damaged(numbers: &mut Numbers, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=numbers.below(3) {
        let from = numbers.below(bytes.len() + 1);
        let to = (from + numbers.below(24)).min(bytes.len());
        match numbers.below(7) {
            0 => bytes.truncate(from),
            1 => drop(bytes.drain(..from)),
            2 => drop(bytes.drain(from..to)),
            3 => {
                let again = bytes[from..to].to_vec();
                bytes.splice(from..from, again);
            }
            4 => bytes.insert(from, numbers.below(256) as u8),
            5 => {
                let signs = b"()[]{}'\"|;,.=<>!*$@`\\/-+:~ \n\0\xc3\xff";
                bytes.insert(from, signs[numbers.below(signs.len())]);
            }
            _ if from < bytes.len() => bytes[from] ^= 1 << numbers.below(8),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn check_gives_a_verdict_on_every_damaged_query() {
    const EACH: usize = 250;
    let mut numbers = Numbers(7);
    let queries: Vec<String> =
        WHOLE.iter().flat_map(|whole| vec![*whole; EACH]).map(|q| damaged(&mut numbers, q)).collect();
    let input: String =
        queries.iter().enumerate().map(|(id, query)| format!("{}\n", json!({"id": id, "query": query}))).collect();
    let run = Folder::new().run_with_input(&["check", "--jsonl"], &input);
    assert_eq!(run.code, 0, "{}", run.err);
    let verdicts = run.lines();
    assert_eq!(verdicts.len(), queries.len());
    for (id, (verdict, query)) in verdicts.iter().zip(&queries).enumerate() {
        assert_eq!(verdict["id"], id);
        let diagnostics = verdict["diagnostics"].as_array().unwrap_or_else(|| panic!("{query}\n{verdict}"));
        let length = query.chars().count() as u64;
        for diagnostic in diagnostics {
            assert_ne!(diagnostic["code"], "TW001", "{query}\n{diagnostic}");
            let (start, end) = (diagnostic["start"].as_u64().unwrap(), diagnostic["end"].as_u64().unwrap());
            assert!(start <= end && end <= length, "{query}\n{diagnostic}");
        }
    }
}

#[test]
fn damaged_json_lines_are_told_apart() {
    let mut numbers = Numbers(11);
    let lines: Vec<String> = (0..400)
        .map(|id| damaged(&mut numbers, &json!({"id": id, "query": WHOLE[id % WHOLE.len()]}).to_string()))
        .map(|line| line.replace(['\n', '\r'], " "))
        .filter(|line| !line.trim().is_empty())
        .collect();
    let run = Folder::new().run_with_input(&["check", "--jsonl"], &(lines.join("\n") + "\n"));
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.out.lines().count(), lines.len());
}

#[test]
fn a_server_lives_on_whatever_is_typed() {
    let folder = Folder::new();
    let mut editor = Editor::start(&folder, &["--stdio"]);
    let mut numbers = Numbers(13);
    let documents = [("file:///rules/a.kql", "kusto"), ("file:///rules/a.yaml", "yaml")];
    let rule = |query: &str| format!("id: a\nname: n\nquery: |\n  {}\nseverity: High\n", query.replace('\n', "\n  "));
    for (uri, language) in documents {
        editor.open(uri, language, "print 1");
        for round in 0..400 {
            let whole = WHOLE[round % WHOLE.len()];
            let text =
                if language == "yaml" { damaged(&mut numbers, &rule(whole)) } else { damaged(&mut numbers, whole) };
            let told = editor.change(uri, &text);
            assert!(told.iter().all(|diagnostic| diagnostic["code"] != "TW001"), "{text}\n{told:?}");
            let lines: Vec<&str> = text.split('\n').collect();
            let line = numbers.below(lines.len());
            let character = numbers.below(lines[line].encode_utf16().count() + 2) as u64;
            let method = ["completion", "hover", "definition"][numbers.below(3)];
            editor.at(method, uri, line as u64, character);
            if round % 4 == 0 {
                let options = json!({"tabSize": 2, "insertSpaces": true});
                editor.ask("textDocument/formatting", json!({"textDocument": {"uri": uri}, "options": options}));
            }
        }
    }
    editor.leave();
}
