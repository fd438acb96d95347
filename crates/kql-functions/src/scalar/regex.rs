//! Regular expressions: extracting, replacing, trimming, counting.
//!
//! Patterns are RE2 syntax. A pattern that does not compile is an error, also on no rows.

use kql_types::ScalarType::{Dynamic, Long, String};
use kql_types::{Overload, ResultName, Return, ScalarType};

use crate::entry::{Entry, Function, any, dynamic, ex, integer, string, takes, text};

/// The type named by `typeof(T)` (a null of that type), string without one.
fn extracted_type(types: &[ScalarType]) -> ScalarType {
    types.get(3).copied().unwrap_or(String)
}

const CONVERTED: Return = Return::Custom(extracted_type);
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "extract",
        summary: "Takes what a group of a regular expression matched first; group 0 is the whole match.",
        details: "No match gives `\"\"`, or null when a type is given as `typeof(long)` and the like.",
        overloads: &[Overload::new(
            &[string("regex"), integer("captureGroup"), string("source"), any("typeLiteral").optional().constant()],
            CONVERTED,
        )],
        result_name: ResultName::None,
        examples: &[
            ex("print u = extract('user=([a-z]+)', 1, 'id=7 user=bob')", "u:string\n\"bob\""),
            ex("print n = extract(@'id=(\\d+)', 1, 'id=7 user=bob', typeof(long))", "n:long\n7"),
        ],
        kernel: kernel!(crate::kernels::regex::extract),
    }),
    Function::new(Entry {
        name: "extract_all",
        summary: "Takes every match of a regular expression as a dynamic array.",
        details: "With one capturing group the elements are strings, with several they are arrays of strings. A list of groups, by \
                  number or name, chooses among them. No match gives null.",
        overloads: &[
            takes(&[string("regex"), string("source")], Dynamic),
            takes(&[string("regex"), dynamic("captureGroups"), string("source")], Dynamic),
        ],
        result_name: ResultName::None,
        examples: &[
            ex("print a = extract_all(@'(\\d+)', 'a1b22')", "a:dynamic\n[\"1\",\"22\"]"),
            ex("print a = extract_all(@'(\\w)(\\d)', dynamic([2]), 'a1 b2')", "a:dynamic\n[\"1\",\"2\"]"),
        ],
        kernel: kernel!(crate::kernels::regex::extract_all),
    }),
    Function::new(Entry {
        name: "extractall",
        summary: "Takes every match of a regular expression: the old name of `extract_all`.",
        details: "",
        overloads: &[
            takes(&[string("regex"), string("source")], Dynamic),
            takes(&[string("regex"), dynamic("captureGroups"), string("source")], Dynamic),
        ],
        result_name: ResultName::None,
        examples: &[ex("print a = extractall('([a-z])', 'a1b')", "a:dynamic\n[\"a\",\"b\"]")],
        kernel: kernel!(crate::kernels::regex::extract_all),
    })
    .obsolete("extract_all"),
    Function::new(Entry {
        name: "replace_regex",
        summary: "Replaces every match of a regular expression.",
        details: "`\\1` to `\\9` in the new text stand for what the groups matched, `\\0` for the whole match. Matches do not overlap.",
        overloads: &[takes(&[text("source"), string("regex"), string("rewrite")], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = replace_regex('a=1', @'(\\w)=(\\d)', @'\\2:\\1')", "s:string\n\"1:a\"")],
        kernel: kernel!(crate::kernels::regex::replace_regex),
    }),
    Function::new(Entry {
        name: "replace",
        summary: "Replaces every match of a regular expression: the old form of `replace_regex`, with the text last.",
        details: "",
        overloads: &[takes(&[string("regex"), string("rewrite"), string("source")], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = replace(@'\\d', '#', 'a1b22')", "s:string\n\"a#b##\"")],
        kernel: kernel!(crate::kernels::regex::replace),
    })
    .obsolete("replace_regex' or 'replace_string"),
    Function::new(Entry {
        name: "trim",
        summary: "Removes one match of a regular expression at the start and one at the end.",
        details: "One match each: `trim('x', 'xxaxx')` is `xax`; write `x+` to remove all.",
        overloads: &[takes(&[string("regex"), text("source")], String)],
        result_name: ResultName::None,
        examples: &[
            ex("print s = trim(@'\\W+', '--abc--')", "s:string\n\"abc\""),
            ex("print s = trim('x', 'xxaxx')", "s:string\n\"xax\""),
        ],
        kernel: kernel!(crate::kernels::regex::trim),
    }),
    Function::new(Entry {
        name: "trim_start",
        summary: "Removes one match of a regular expression at the start.",
        details: "",
        overloads: &[takes(&[string("regex"), text("source")], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = trim_start('0+', '00120')", "s:string\n\"120\"")],
        kernel: kernel!(crate::kernels::regex::trim_start),
    }),
    Function::new(Entry {
        name: "trim_end",
        summary: "Removes one match of a regular expression at the end.",
        details: "",
        overloads: &[takes(&[string("regex"), text("source")], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = trim_end(@'\\.+', 'host..')", "s:string\n\"host\"")],
        kernel: kernel!(crate::kernels::regex::trim_end),
    }),
    Function::new(Entry {
        name: "countof",
        summary: "Counts how often a text occurs in another one.",
        details: "Plain occurrences may overlap: `countof('aaa', 'aa')` is 2. With the kind `regex` the second argument is a regular \
                  expression, whose matches do not overlap.",
        overloads: &[takes(&[text("source"), text("search"), string("kind").optional()], Long)],
        result_name: ResultName::None,
        examples: &[ex(
            "print a = countof('aaa', 'aa'), b = countof('aaa', 'aa', 'regex'), c = countof('a1b2', @'\\d', 'regex')",
            "a:long,b:long,c:long\n2,1,2",
        )],
        kernel: kernel!(crate::kernels::regex::countof),
    }),
    Function::new(Entry {
        name: "indexof_regex",
        summary: "Finds a match of a regular expression: the position of its first character, or -1.",
        details: "Arguments as for `indexof`, but a negative start gives null.",
        overloads: &[takes(
            &[
                any("source"),
                string("lookup"),
                integer("start_index").optional(),
                integer("length").optional(),
                integer("occurrence").optional(),
            ],
            Long,
        )],
        result_name: ResultName::None,
        examples: &[ex(
            "print a = indexof_regex('ab12', @'\\d'), b = indexof_regex('ab12', @'\\d', 0, -1, 2)",
            "a:long,b:long\n2,3",
        )],
        kernel: kernel!(crate::kernels::regex::indexof_regex),
    }),
    Function::new(Entry {
        name: "regex_quote",
        summary: "Puts a backslash before the characters that a regular expression would not take as they are.",
        details: "",
        overloads: &[takes(&[string("text")], String)],
        result_name: ResultName::None,
        examples: &[ex("print s = regex_quote('a.b*')", "s:string\n@\"a\\.b\\*\"")],
        kernel: kernel!(crate::kernels::regex::regex_quote),
    }),
];
