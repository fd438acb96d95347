//! The operators over text, named by their symbols.
//!
//! A *term* is a run of letters and digits. All but the `_cs` forms and `matches regex` ignore case.

use kql_types::ResultName;
use kql_types::ScalarType::Bool;

use crate::entry::{Entry, Example, Function, any, ex, takes, text};
use crate::kernel;

/// An operator between a text and another text.
macro_rules! operator {
    ($symbol:literal, $summary:literal, $details:literal, $examples:expr, $kernel:ident) => {
        Function::new(Entry {
            name: $symbol,
            summary: $summary,
            details: $details,
            overloads: &[takes(&[text("text"), text("search")], Bool)],
            result_name: ResultName::None,
            examples: {
                const EXAMPLES: &[Example] = &$examples;
                EXAMPLES
            },
            kernel: kernel!(crate::kernels::text_operators::$kernel),
        })
    };
}

pub static FAMILY: &[Function] = &[
    operator!(
        "=~",
        "Equal, ignoring case.",
        "Letter by letter; full-width letters and composed accents are letters of their own.",
        [ex("print r = 'Root' =~ 'ROOT'", "r:bool\ntrue")],
        equals_ci
    ),
    operator!(
        "!~",
        "Not equal, ignoring case.",
        "",
        [ex("print r = 'Root' !~ 'ROOT'", "r:bool\nfalse")],
        not_equals_ci
    ),
    operator!(
        "has",
        "Has the text as a whole term.",
        "A term is a run of letters and digits, so `_`, `-` and `.` separate. A search text with separators in it must match \
         literally, and no term may go on beyond its ends. An empty search text is always there.",
        [
            ex("print a = 'svc-admin' has 'ADMIN', b = 'administrator' has 'admin'", "a:bool,b:bool\ntrue,false"),
            ex("print a = 'GET /a/b' has 'a/b', b = 'GET /a/bc' has 'a/b'", "a:bool,b:bool\ntrue,false")
        ],
        has
    ),
    operator!(
        "!has",
        "Does not have the text as a whole term.",
        "",
        [ex("print r = 'xadmin' !has 'admin'", "r:bool\ntrue")],
        not_has
    ),
    operator!(
        "has_cs",
        "Has the text as a whole term, with case.",
        "",
        [ex("print r = 'an Admin' has_cs 'admin'", "r:bool\nfalse")],
        has_cs
    ),
    operator!(
        "!has_cs",
        "Does not have the text as a whole term, with case.",
        "",
        [ex("print r = 'an Admin' !has_cs 'admin'", "r:bool\ntrue")],
        not_has_cs
    ),
    operator!(
        "hasprefix",
        "Has a term that starts with the text.",
        "",
        [ex(
            "print a = 'the Administrator' hasprefix 'admin', b = 'sysadmin' hasprefix 'admin'",
            "a:bool,b:bool\ntrue,false"
        )],
        hasprefix
    ),
    operator!(
        "!hasprefix",
        "Has no term that starts with the text.",
        "",
        [ex("print r = 'sysadmin' !hasprefix 'admin'", "r:bool\ntrue")],
        not_hasprefix
    ),
    operator!(
        "hasprefix_cs",
        "Has a term that starts with the text, with case.",
        "",
        [ex("print r = 'Administrator' hasprefix_cs 'admin'", "r:bool\nfalse")],
        hasprefix_cs
    ),
    operator!(
        "!hasprefix_cs",
        "Has no term that starts with the text, with case.",
        "",
        [ex("print r = 'Administrator' !hasprefix_cs 'admin'", "r:bool\ntrue")],
        not_hasprefix_cs
    ),
    operator!(
        "hassuffix",
        "Has a term that ends with the text.",
        "",
        [ex("print a = 'SysAdmin on' hassuffix 'admin', b = 'admins' hassuffix 'admin'", "a:bool,b:bool\ntrue,false")],
        hassuffix
    ),
    operator!(
        "!hassuffix",
        "Has no term that ends with the text.",
        "",
        [ex("print r = 'admins' !hassuffix 'admin'", "r:bool\ntrue")],
        not_hassuffix
    ),
    operator!(
        "hassuffix_cs",
        "Has a term that ends with the text, with case.",
        "",
        [ex("print r = 'SysAdmin' hassuffix_cs 'admin'", "r:bool\nfalse")],
        hassuffix_cs
    ),
    operator!(
        "!hassuffix_cs",
        "Has no term that ends with the text, with case.",
        "",
        [ex("print r = 'SysAdmin' !hassuffix_cs 'admin'", "r:bool\ntrue")],
        not_hassuffix_cs
    ),
    operator!(
        "contains",
        "Contains the text anywhere.",
        "",
        [ex("print r = 'fooBARbaz' contains 'bar'", "r:bool\ntrue")],
        contains
    ),
    operator!(
        "!contains",
        "Does not contain the text.",
        "",
        [ex("print r = 'fooBARbaz' !contains 'bar'", "r:bool\nfalse")],
        not_contains
    ),
    operator!(
        "contains_cs",
        "Contains the text anywhere, with case.",
        "",
        [ex("print r = 'fooBARbaz' contains_cs 'bar'", "r:bool\nfalse")],
        contains_cs
    ),
    operator!(
        "!contains_cs",
        "Does not contain the text, with case.",
        "",
        [ex("print r = 'fooBARbaz' !contains_cs 'bar'", "r:bool\ntrue")],
        not_contains_cs
    ),
    operator!(
        "startswith",
        "Starts with the text.",
        "",
        [ex("print r = 'C:\\\\Temp' startswith 'c:'", "r:bool\ntrue")],
        startswith
    ),
    operator!(
        "!startswith",
        "Does not start with the text.",
        "",
        [ex("print r = 'C:\\\\Temp' !startswith 'c:'", "r:bool\nfalse")],
        not_startswith
    ),
    operator!(
        "startswith_cs",
        "Starts with the text, with case.",
        "",
        [ex("print r = 'Abc' startswith_cs 'a'", "r:bool\nfalse")],
        startswith_cs
    ),
    operator!(
        "!startswith_cs",
        "Does not start with the text, with case.",
        "",
        [ex("print r = 'Abc' !startswith_cs 'a'", "r:bool\ntrue")],
        not_startswith_cs
    ),
    operator!(
        "endswith",
        "Ends with the text.",
        "",
        [ex("print r = 'RUN.EXE' endswith '.exe'", "r:bool\ntrue")],
        endswith
    ),
    operator!(
        "!endswith",
        "Does not end with the text.",
        "",
        [ex("print r = 'RUN.EXE' !endswith '.exe'", "r:bool\nfalse")],
        not_endswith
    ),
    operator!(
        "endswith_cs",
        "Ends with the text, with case.",
        "",
        [ex("print r = 'RUN.EXE' endswith_cs '.exe'", "r:bool\nfalse")],
        endswith_cs
    ),
    operator!(
        "!endswith_cs",
        "Does not end with the text, with case.",
        "",
        [ex("print r = 'RUN.EXE' !endswith_cs '.exe'", "r:bool\ntrue")],
        not_endswith_cs
    ),
    operator!(
        "matches regex",
        "Has a match of the regular expression anywhere.",
        "RE2 syntax, with case; write `(?i)` to ignore it.",
        [ex("print r = 'run_123' matches regex @'\\d{3}$'", "r:bool\ntrue")],
        matches_regex
    ),
    operator!(
        ":",
        "Has the term: the form of `search`, where `*` at an end leaves that end open.",
        "",
        [ex("datatable(s:string)['web01', 'db02'] | search s:'web*' | project s", "s:string\n\"web01\"")],
        search_column
    ),
    operator!(
        "like",
        "Matches a pattern in which `%` is any text and `_` any character.",
        "An old spelling; `contains` and its like are faster.",
        [ex("print r = 'server01' like 'SERV%1'", "r:bool\ntrue")],
        like
    ),
    operator!(
        "notlike",
        "Does not match a pattern of `%` and `_`.",
        "",
        [ex("print r = 'server01' notlike 'SERV%1'", "r:bool\nfalse")],
        notlike
    ),
    operator!(
        "likecs",
        "Matches a pattern of `%` and `_`, with case.",
        "",
        [ex("print r = 'server01' likecs 'SERV%1'", "r:bool\nfalse")],
        likecs
    ),
    operator!(
        "notlikecs",
        "Does not match a pattern of `%` and `_`, with case.",
        "",
        [ex("print r = 'server01' notlikecs 'SERV%1'", "r:bool\ntrue")],
        notlikecs
    ),
    Function::new(Entry {
        name: "has_any",
        summary: "Has at least one of the texts as a whole term.",
        details: "Terms as for `has`. The list may hold strings and dynamic arrays; a dynamic left side is searched in its JSON text. \
                  An empty list is never had.",
        overloads: &[takes(&[text("text"), any("search").repeat()], Bool)],
        result_name: ResultName::None,
        examples: &[
            ex("print r = 'run mimikatz now' has_any ('psexec', 'Mimikatz')", "r:bool\ntrue"),
            ex("print r = dynamic(['a', 'b c']) has_any (dynamic(['x', 'c']))", "r:bool\ntrue"),
        ],
        kernel: kernel!(crate::kernels::text_operators::has_any),
    }),
    Function::new(Entry {
        name: "has_all",
        summary: "Has all of the texts as whole terms, in any order.",
        details: "Terms as for `has`. An empty list is always had.",
        overloads: &[takes(&[text("text"), any("search").repeat()], Bool)],
        result_name: ResultName::None,
        examples: &[ex("print r = 'net user bob /add' has_all ('add', 'NET')", "r:bool\ntrue")],
        kernel: kernel!(crate::kernels::text_operators::has_all),
    }),
];
