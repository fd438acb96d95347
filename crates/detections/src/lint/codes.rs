//! The registry of lint codes: what each means, why it matters, what to write instead.
//!
//! tidy: data. The pages of the reference are made from it, and a test lints every example: what stands under `bad` must raise
//! its code, what stands under `good` must not. Codes keep their number for ever.

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Probably not what the author meant.
    Warning,
    /// The rule cannot work, or the service refuses it.
    Error,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// What a check looks at besides the rule itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// Loaded logs (`--logs`).
    Logs,
    /// The file at an earlier revision (`--since`).
    Earlier,
    /// All rules of the run.
    RuleSet,
    /// The tests beside the rule.
    Tests,
    /// A mutation run of the tests (`--mutate`).
    Mutation,
}

/// What is written, or should be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Example {
    /// The query of a scheduled rule with a day's period and frequency.
    Query(&'static str),
    /// A rule file.
    Rule(&'static str),
    /// Words: nothing to run.
    Words(&'static str),
}

/// One kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LintCode {
    pub code: &'static str,
    pub level: Level,
    /// One line, lower case.
    pub title: &'static str,
    /// What happens when it is left as it is.
    pub why: &'static str,
    pub bad: Example,
    pub good: Example,
    /// `--fix` can mend it without changing what the rule finds today.
    pub fixable: bool,
    /// The checks of Microsoft's own repository refuse it as well: part of `--profile sentinel`.
    pub sentinel: bool,
    pub needs: Needs,
}

const fn code(code: &'static str, level: Level, title: &'static str, why: &'static str) -> LintCode {
    let nothing = Example::Words("");
    LintCode {
        code,
        level,
        title,
        why,
        bad: nothing,
        good: nothing,
        fixable: false,
        sentinel: false,
        needs: Needs::Nothing,
    }
}

impl LintCode {
    const fn query(self, bad: &'static str, good: &'static str) -> LintCode {
        LintCode { bad: Example::Query(bad), good: Example::Query(good), ..self }
    }
    const fn rule(self, bad: &'static str, good: &'static str) -> LintCode {
        LintCode { bad: Example::Rule(bad), good: Example::Rule(good), ..self }
    }
    const fn words(self, bad: &'static str, good: &'static str) -> LintCode {
        LintCode { bad: Example::Words(bad), good: Example::Words(good), ..self }
    }
    const fn fix(self) -> LintCode {
        LintCode { fixable: true, ..self }
    }
    const fn sentinel(self) -> LintCode {
        LintCode { sentinel: true, ..self }
    }
    const fn needs(self, needs: Needs) -> LintCode {
        LintCode { needs, ..self }
    }
}

/// The code with this number.
pub fn find(code: &str) -> Option<&'static LintCode> {
    CODES.iter().find(|known| known.code.eq_ignore_ascii_case(code))
}

use Level::{Error, Note, Warning};

/// All codes, by number: 0 files, 1 language, 2 time, 3 values, 4 alerts, 5 guidance, 6 cost.
pub const CODES: &[LintCode] = &[
    code("TW001", Error, "the file cannot be read as a rule",
        "The service and every tool pass over a file that is not YAML, or that lacks a query: the detection does not exist.")
        .rule("id: a\nname: [unclosed\nquery: |\n  AzureActivity\nkind: NRT\n", "id: a\nname: closed\nquery: |\n  AzureActivity\nkind: NRT\n")
        .sentinel(),
    code("TW002", Error, "a required field is missing or ill-formed",
        "The service refuses a scheduled rule without a severity, a schedule or a threshold, an id that is no GUID, a period shorter \
        than the frequency, or a schedule outside 5 minutes to 14 days.")
        .rule("id: not-a-guid\nname: x\nkind: Scheduled\nquery: |\n  AzureActivity\n",
            "id: 6f1d2c3b-0000-4000-8000-000000000001\nname: x\ndescription: d\nseverity: Low\nkind: Scheduled\nrequiredDataConnectors: []\nqueryFrequency: 1h\n\
            queryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0\ntactics: [Impact]\nversion: 1.0.0\nquery: |\n  AzureActivity\n")
        .sentinel(),
    code("TW003", Warning, "unknown field",
        "Nothing reads the field. Often it is a known one misspelled, and the rule runs with a default instead.")
        .rule("id: a\nname: b\nkind: Scheduled\nqueryFrequncy: 5m\nquery: |\n  AzureActivity\n",
            "id: a\nname: b\nkind: Scheduled\nqueryFrequency: 5m\nquery: |\n  AzureActivity\n"),
    code("TW004", Error, "two rules share an id",
        "The service knows a rule by its id: deploying the second replaces the first.")
        .words("Two files with `id: 6f1d2c3b-0000-4000-8000-000000000001`.", "An id of its own for each rule.")
        .sentinel().needs(Needs::RuleSet),
    code("TW005", Error, "the id changed since the earlier revision",
        "A changed id is a new rule: the deployed one stays, and both alert.")
        .words("`id` differs from the file's id at the revision given with `--since`.", "Keep the id for the life of the rule.")
        .sentinel().needs(Needs::Earlier),
    code("TW006", Warning, "the query changed and the version did not rise",
        "Deployments compare versions; a change under the same version never reaches a workspace.")
        .words("Another query than at the revision given with `--since`, the same `version`.", "Raise the version with every change of the query.")
        .fix().sentinel().needs(Needs::Earlier),
    code("TW007", Error, "a character outside ASCII",
        "Microsoft's repository refuses files with characters outside ASCII. Reported with `--profile sentinel` only.")
        .words("A curly quote or a dash of a word processor in the description.", "Plain quotes and hyphens.")
        .sentinel(),
    code("TW008", Warning, "the rule is deprecated",
        "Its author retired it; a hunt skips it.")
        .rule("id: a\nname: \"[Deprecated] Old thing\"\nkind: NRT\nquery: |\n  AzureActivity\n", "id: a\nname: New thing\nkind: NRT\nquery: |\n  AzureActivity\n"),
    code("TW009", Warning, "a silence that silences nothing, or has expired",
        "A silence outlives its reason and hides the next mistake.")
        .query("// tidewatch: allow TW306 old\nAzureActivity | take 5", "AzureActivity | take 5"),
    code("TW101", Error, "syntax error", "The query does not parse.")
        .query("AzureActivity | where Caller ==", "AzureActivity | where Caller == 'a'").sentinel(),
    code("TW102", Error, "unknown table",
        "The query fails at its first run, and after several runs the service disables the rule. A custom table can be declared with `--schemas`.")
        .query("AzureActivty | take 5", "AzureActivity | take 5").sentinel(),
    code("TW103", Error, "unknown column", "The query fails at its first run. A custom column can be declared with `--schemas`.")
        .query("AzureActivity | where CallerName == 'a'", "AzureActivity | where Caller == 'a'").sentinel(),
    code("TW104", Error, "a column's name in other case", "Names of columns distinguish case: the query fails.")
        .query("AzureActivity | where caller == 'a'", "AzureActivity | where Caller == 'a'").fix().sentinel(),
    code("TW105", Error, "unknown function, or a parser that is not loaded",
        "The query fails where the function is not deployed. Parsers of a solution are loaded with `--functions`.")
        .query("AzureActivity | extend a = tolowercase(Caller)", "AzureActivity | extend a = tolower(Caller)").sentinel(),
    code("TW106", Error, "refused by the service",
        "Analytics rules may not use `search *` or `union *`, may not exceed 10,000 characters, and must read columns made by `bag_unpack` \
        through `column_ifexists`.")
        .query("union * | where TimeGenerated > ago(1h)", "union AzureActivity, SigninLogs | where TimeGenerated > ago(1h)").sentinel(),
    code("TW107", Warning, "an old spelling with a smaller default limit",
        "`makeset` and `makelist` stop at 128 values and `mvexpand` at 128 rows, where `make_set`, `make_list` and `mv-expand` go on: \
        values are lost without a word.")
        .query("AzureActivity | summarize makeset(Caller)", "AzureActivity | summarize make_set(Caller)").fix(),
    code("TW108", Warning, "a join without its kind",
        "The default kind, innerunique, keeps one left row of each key; few who leave it out mean that.")
        .query("AzureActivity | join (SigninLogs) on CorrelationId", "AzureActivity | join kind=inner (SigninLogs) on CorrelationId").fix(),
    code("TW109", Error, "the query does not bind", "A type, an argument or a name is wrong in another way: the query fails.")
        .query("AzureActivity | where Caller + 1 > 2", "AzureActivity | where strlen(Caller) + 1 > 2").sentinel(),
    code("TW201", Warning, "the query looks back further than the period",
        "The service cuts every table to the period. What the text asks for beyond it is never seen, and a baseline is shorter than it looks.")
        .query("AzureActivity | where TimeGenerated > ago(14d)", "AzureActivity | where TimeGenerated > ago(1d)"),
    code("TW202", Warning, "period equals frequency over a source that arrives late",
        "An event that arrives after its run is in no later window: it is never seen. Let the period exceed the frequency by the source's delay.")
        .query("SigninLogs | where ResultType == '50126'",
            "AWSGuardDuty | take 5"),
    code("TW203", Warning, "one side of a join has no bound on time",
        "One side is bounded and the other reads everything the window holds: more rows than meant, and pairs far apart in time.")
        .rule("id: a\nname: b\nquery: |\n  AzureActivity | where TimeGenerated > ago(1h)\n  | join kind=inner (SigninLogs) on CorrelationId\n",
            "id: a\nname: b\nquery: |\n  AzureActivity | where TimeGenerated > ago(1h)\n  | join kind=inner (SigninLogs | where TimeGenerated > ago(1h)) on CorrelationId\n"),
    code("TW204", Warning, "now() or ago() beside the hunting placeholders",
        "The placeholders follow the range that the hunter chose, `ago()` the present: over another range the query compares times that do not belong together.")
        .rule("id: a\nname: b\nquery: |\n  AzureActivity | where TimeGenerated between (todatetime('{{StartTimeISO}}') .. todatetime('{{EndTimeISO}}'))\n  | where EventSubmissionTimestamp > ago(7d)\n",
            "id: a\nname: b\nquery: |\n  AzureActivity | where TimeGenerated between (todatetime('{{StartTimeISO}}') .. todatetime('{{EndTimeISO}}'))\n"),
    code("TW205", Warning, "the baseline contains the time it is compared with",
        "What is new in the last hour is also in a baseline that reaches to now: nothing is ever new.")
        .query("AzureActivity | where TimeGenerated > ago(1h) | join kind=leftanti (AzureActivity | where TimeGenerated > ago(1d)) on Caller",
            "AzureActivity | where TimeGenerated > ago(1h) | join kind=leftanti (AzureActivity | where TimeGenerated between (ago(1d) .. ago(1h))) on Caller"),
    code("TW206", Warning, "a difference of times that were cut to days",
        "After `bin(..., 1d)` or `startofday` a difference counts midnights: two events a minute apart can be a day apart.")
        .query("AzureActivity | summarize First = min(bin(TimeGenerated, 1d)), Last = max(TimeGenerated) by Caller | extend Day = bin(Last, 1d) | where Day - First < 1d",
            "AzureActivity | summarize First = min(TimeGenerated), Last = max(TimeGenerated) by Caller | where Last - First < 1d"),
    code("TW207", Warning, "a reference table is clipped by the period",
        "Identities are written in full every 14 days. A window shorter than that sees only those that changed, and a join drops the rest.")
        .query("AzureActivity | join kind=inner (IdentityInfo) on $left.Caller == $right.AccountUPN", "AzureActivity | take 5"),
    code("TW301", Warning, "the value never occurs in the column, a near one does",
        "The comparison is false for every row: a rule that can never fire, or an exclusion that excludes nothing.")
        .query("AuditLogs | where Result == \"Success\"", "AuditLogs | where Result == \"success\""),
    code("TW302", Warning, "equality on a column whose case varies",
        "The same operation, resource or user is written in different case by different exporters; `==` finds one spelling. Use `=~` or `in~`.")
        .query("AzureActivity | where OperationNameValue == \"Microsoft.Compute/virtualMachines/write\"",
            "AzureActivity | where OperationNameValue =~ \"Microsoft.Compute/virtualMachines/write\""),
    code("TW303", Warning, "`has` on a part of a term, or on a very short one",
        "`has` finds whole terms: letters and digits up to the next other character. In a value that is one term, a part of it is never found; \
        a term under three characters is found by scanning.")
        .query("AWSCloudTrail | where EventName has \"Delete\"", "AWSCloudTrail | where EventName startswith \"Delete\""),
    code("TW304", Warning, "join keys that differ in form or case",
        "A name never equals a full id, and upper case never equals lower case: the join finds nothing, or only what happens to agree.")
        .query("AzureActivity | join kind=inner (SigninLogs) on $left.Caller == $right.UserId",
            "AzureActivity | extend Who = tolower(Caller) | join kind=inner (SigninLogs | extend Who = tolower(UserPrincipalName)) on Who"),
    code("TW305", Warning, "a join key that may be empty on both sides",
        "Empty text equals empty text: rows without a key all match one another.")
        .query("AWSCloudTrail | extend Id = tostring(parse_json(RequestParameters).instanceId) \
            | join kind=inner (AWSCloudTrail | extend Id = tostring(parse_json(ResponseElements).instanceId)) on Id",
            "AWSCloudTrail | extend Id = tostring(parse_json(RequestParameters).instanceId) | where isnotempty(Id) \
            | join kind=inner (AWSCloudTrail | extend Id = tostring(parse_json(ResponseElements).instanceId)) on Id"),
    code("TW306", Warning, "only the first element of an array is read",
        "An attacker who acts on several things in one call shows one of them. Use `mv-expand` or `mv-apply`.")
        .query("AWSCloudTrail | extend Id = tostring(parse_json(ResponseElements).instancesSet.items[0].instanceId)",
            "AWSCloudTrail | mv-expand Item = parse_json(ResponseElements).instancesSet.items | extend Id = tostring(Item.instanceId)"),
    code("TW307", Warning, "a test of success that failures also pass",
        "A failed console login has no error code: `isempty(ErrorCode)` lets it through. Test ResponseElements or ErrorMessage.")
        .query("AWSCloudTrail | where EventName == \"ConsoleLogin\" | where isempty(ErrorCode)",
            "AWSCloudTrail | where EventName == \"ConsoleLogin\" | where ResponseElements has \"Success\""),
    code("TW308", Note, "a column is empty in the loaded data",
        "The rule reads a column that no loaded row fills: it is silent for want of data, not for want of an attack.")
        .words("A rule that reads a column which the loaded logs leave empty.", "Another column, or logs that fill it.").needs(Needs::Logs),
    code("TW309", Warning, "a threshold that cannot be reached, or is always passed",
        "A result of at most N rows never exceeds N; a summarize without `by` always has one row; a line through two points has no slope to judge.")
        .query("AzureActivity | summarize Count = count()", "AzureActivity | summarize Count = count() | where Count > 100"),
    code("TW310", Warning, "start and end of one operation are counted as two",
        "AzureActivity has a row for the start, the acceptance and the end of an operation: a count without a filter on the status is two or three times too high.")
        .query("AzureActivity | where OperationNameValue endswith \"delete\" | summarize Count = count() by Caller | where Count > 10",
            "AzureActivity | where OperationNameValue endswith \"delete\" | where ActivityStatusValue in~ (\"Success\", \"Succeeded\") | summarize Count = count() by Caller | where Count > 10"),
    code("TW311", Warning, "an address compared as text where other forms occur",
        "The column also holds addresses with a port, IPv6 forms or names of services, which never equal the plain address.")
        .query("AzureActivity | where CallerIpAddress == \"203.0.113.9\"", "AzureActivity | where CallerIpAddress startswith \"203.0.113.9\""),
    code("TW401", Error, "an entity's column is not in the result",
        "The service accepts the rule and the alert has no such entity: it joins no incident and no investigation.")
        .rule("id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity | project Caller\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Address, columnName: Ip}\n",
            "id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity | project Ip = CallerIpAddress\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Address, columnName: Ip}\n")
        .sentinel(),
    code("TW402", Warning, "no entity is mapped",
        "Alerts without entities are not grouped and lead nowhere.")
        .rule("id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity | take 5\n",
            "id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Address, columnName: CallerIpAddress}\n"),
    code("TW403", Error, "an entity mapping outside the limits, or with an unknown identifier",
        "The service takes 10 mappings of 3 identifiers, Microsoft's repository 5, and only the identifiers of the type, one of them required.")
        .rule("id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Adress, columnName: CallerIpAddress}\n",
            "id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Address, columnName: CallerIpAddress}\n")
        .sentinel(),
    code("TW404", Warning, "an account known by its name alone",
        "A bare name identifies nobody: two companies' `admin` are one account. Add UPNSuffix, NTDomain, Sid or AadUserId.")
        .rule("id: a\nname: b\nkind: NRT\nquery: |\n  SigninLogs\nentityMappings:\n  - entityType: Account\n    fieldMappings:\n      - {identifier: Name, columnName: Identity}\n",
            "id: a\nname: b\nkind: NRT\nquery: |\n  SigninLogs\nentityMappings:\n  - entityType: Account\n    fieldMappings:\n      - {identifier: FullName, columnName: UserPrincipalName}\n"),
    code("TW405", Warning, "an entity's column is a dynamic value",
        "A list or a bag becomes one identifier that is its JSON text, and equals nothing.")
        .rule("id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity | summarize Ips = make_set(CallerIpAddress) by Caller\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Address, columnName: Ips}\n",
            "id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity | distinct CallerIpAddress, Caller\nentityMappings:\n  - entityType: IP\n    fieldMappings:\n      - {identifier: Address, columnName: CallerIpAddress}\n"),
    code("TW406", Error, "a custom detail or an override outside the result or the limits",
        "A column that the result lacks leaves the alert with its default. The limits are 20 details, three columns in a name and three in a description.")
        .rule("id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity | project Caller\ncustomDetails:\n  Who: Actor\n",
            "id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity | project Caller\ncustomDetails:\n  Who: Caller\n")
        .sentinel(),
    code("TW407", Warning, "the result has no TimeGenerated",
        "The alert's times then are those of the window, not of the events.")
        .query("AzureActivity | project Caller, CallerIpAddress", "AzureActivity | project TimeGenerated, Caller, CallerIpAddress"),
    code("TW408", Warning, "one alert for more entities than it can carry",
        "An alert carries 500 entities, divided equally among the mappings; the rest is dropped. Use AlertPerResult.")
        .words("A SingleAlert rule whose run over the loaded logs gives more distinct entities than fit.", "`aggregationKind: AlertPerResult`.").needs(Needs::Logs),
    code("TW501", Warning, "a technique that is unknown, gone, or under no listed tactic",
        "Coverage counts what the rule names. The table of techniques is that of the version given with `--attack`; a retired tactic's name is \
        accepted as the ones that replaced it.")
        .rule("id: a\nname: b\nkind: NRT\ntactics: [Discovery]\nrelevantTechniques: [T1486]\nquery: |\n  AzureActivity\n",
            "id: a\nname: b\nkind: NRT\ntactics: [Impact]\nrelevantTechniques: [T1486]\nquery: |\n  AzureActivity\n").sentinel(),
    code("TW502", Warning, "the declared data types are not the tables that are read",
        "A workspace that connects what the rule declares is told that the rule works, and it does not; or the other way round.")
        .rule("id: a\nname: b\nkind: NRT\nrequiredDataConnectors:\n  - connectorId: AWS\n    dataTypes: [AWSCloudTrail]\nquery: |\n  AzureActivity\n",
            "id: a\nname: b\nkind: NRT\nrequiredDataConnectors:\n  - connectorId: AzureActivity\n    dataTypes: [AzureActivity]\nquery: |\n  AzureActivity\n"),
    code("TW503", Warning, "a promise that no step of the query keeps",
        "`claims:` maps each promise of the description to the text of the step that keeps it: `promise: step`. The step must stand in the query.")
        .rule("id: a\nname: b\nkind: NRT\ndescription: Only successful writes.\nclaims:\n  Only successful writes: ActivityStatusValue in~\nquery: |\n  AzureActivity\n",
            "id: a\nname: b\nkind: NRT\ndescription: Only successful writes.\nclaims:\n  Only successful writes: ActivityStatusValue in~\nquery: |\n  AzureActivity | where ActivityStatusValue in~ (\"Success\", \"Succeeded\")\n"),
    code("TW504", Note, "no guidance on false positives, or on the response",
        "Whoever gets the alert at night knows neither what else looks like it nor what to do.")
        .rule("id: a\nname: b\nkind: NRT\nquery: |\n  AzureActivity\n",
            "id: a\nname: b\nkind: NRT\nfalsePositives: [pipelines]\nresponse: [ask the owner]\nquery: |\n  AzureActivity\n"),
    code("TW505", Warning, "no test that it fires, or none that it stays silent",
        "A rule without both has not been shown to tell an attack from its neighbour. Reported where rules have tests at all.")
        .words("A test file without a case that expects an alert, or without one that expects none.", "One case of each kind.").needs(Needs::Tests),
    code("TW506", Warning, "no test exercises a condition",
        "A condition whose change no test notices may be wrong, or gone tomorrow, unseen.")
        .words("A comparison that can be turned round while every test still passes.", "The near miss that `tidewatch test --mutate` proposes.").needs(Needs::Mutation),
    code("TW601", Warning, "a wide column is read only to be counted",
        "Columns of JSON text are most of a table's bytes. Count a narrow one.")
        .query("AWSCloudTrail | summarize Kinds = dcount(RequestParameters) by UserIdentityArn | where Kinds > 5",
            "AWSCloudTrail | summarize Kinds = dcount(EventName) by UserIdentityArn | where Kinds > 5"),
    code("TW602", Warning, "`contains` where `has` finds the same",
        "`contains` reads every value; `has` uses the index of terms. Over the loaded logs both find the same rows.")
        .words("`contains \"RunInstances\"` over a table where only whole terms match.", "`has \"RunInstances\"`").needs(Needs::Logs),
    code("TW603", Note, "far more costly than the other rules",
        "The rule reads a multiple of what the median of the run's rules reads in a day: its readings of tables, times the period over the frequency.")
        .words("A period of 14 days every 5 minutes.", "A longer frequency, or a baseline that is kept in a table of its own.").needs(Needs::RuleSet),
];

/// Helps to check the registry itself.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ordered_and_described() {
        for pair in CODES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
        }
        for code in CODES {
            assert!(code.code.len() == 5 && !code.title.is_empty() && code.why.len() > 15, "{}", code.code);
            assert_ne!(code.bad, Example::Words(""), "{}", code.code);
            assert_ne!(code.good, Example::Words(""), "{}", code.code);
        }
        assert_eq!(find("tw301").unwrap().level, Level::Warning);
    }
}
