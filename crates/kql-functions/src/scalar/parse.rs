//! Taking apart texts of well-known forms: URLs, paths, CSV, XML, command lines, versions, user agents.
//!
//! What does not have the form gives null, or a bag with empty parts where Kusto does so.

use kql_types::ResultName;
use kql_types::ScalarType::{Decimal, Dynamic};

use crate::entry::{Entry, Function, any, ex, string, takes, text};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "parse_url",
        summary: "Takes a URL apart: scheme, host, port, path, user, password, query parameters, fragment.",
        details: "All parts are strings, `Query Parameters` is a bag. A text that is no absolute URL has no host and no path. Nothing is decoded.",
        overloads: &[takes(&[string("url")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print h = tostring(parse_url('https://u:p@example.com:8443/a/b?x=1#top').Host)",
            "h:string\n\"example.com\"",
        )],
        kernel: kernel!(crate::kernels::parse::parse_url),
    }),
    Function::new(Entry {
        name: "parseurl",
        summary: "Takes a URL apart: the old name of `parse_url`.",
        details: "",
        overloads: &[takes(&[string("url")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print p = tostring(parseurl('https://example.com/a').Path)", "p:string\n\"/a\"")],
        kernel: kernel!(crate::kernels::parse::parse_url),
    })
    .obsolete("parse_url"),
    Function::new(Entry {
        name: "parse_urlquery",
        summary: "Takes the query part of a URL apart.",
        details: "A bag with one key, `Query Parameters`, that holds a bag of strings as written.",
        overloads: &[takes(&[string("query")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print q = parse_urlquery('a=1&b=two')",
            "q:dynamic\n{\"Query Parameters\":{\"a\":\"1\",\"b\":\"two\"}}",
        )],
        kernel: kernel!(crate::kernels::parse::parse_urlquery),
    }),
    Function::new(Entry {
        name: "parseurlquery",
        summary: "Takes the query part of a URL apart: the old name of `parse_urlquery`.",
        details: "",
        overloads: &[takes(&[string("query")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex("print q = parseurlquery('a=1')", "q:dynamic\n{\"Query Parameters\":{\"a\":\"1\"}}")],
        kernel: kernel!(crate::kernels::parse::parse_urlquery),
    })
    .obsolete("parse_urlquery"),
    Function::new(Entry {
        name: "parse_path",
        summary: "Takes a file path of Windows or Unix apart.",
        details: "A bag of `Scheme`, `RootPath`, `DirectoryPath`, `DirectoryName`, `Filename`, `Extension`, `AlternateDataStreamName`.",
        overloads: &[takes(&[string("path")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print f = tostring(parse_path(@'C:\\Windows\\System32\\cmd.exe').Filename)",
            "f:string\n\"cmd.exe\"",
        )],
        kernel: kernel!(crate::kernels::parse::parse_path),
    }),
    Function::new(Entry {
        name: "parse_csv",
        summary: "Splits one record of comma-separated values into a dynamic array of strings.",
        details: "Quotes protect commas, and `\"\"` inside quotes is a quote. Only the first record is read.",
        overloads: &[takes(&[text("csv_text")], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex(
            "print a = parse_csv('x,\"y,z\",\"say \"\"hi\"\"\"')",
            "a:dynamic\n[\"x\",\"y,z\",\"say \\\"hi\\\"\"]",
        )],
        kernel: kernel!(crate::kernels::parse::parse_csv),
    }),
    Function::new(Entry {
        name: "parse_xml",
        summary: "Turns an XML document into a dynamic bag.",
        details: "Attributes become keys with `@`, text beside them the key `#text`; elements that repeat become an array. What is no \
                  XML, or longer than 1 MiB, gives null.",
        overloads: &[takes(&[text("xml")], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex(
            "print x = parse_xml('<a id=\"1\"><b>t</b><b>u</b></a>')",
            "x:dynamic\n{\"a\":{\"@id\":\"1\",\"b\":[\"t\",\"u\"]}}",
        )],
        kernel: kernel!(crate::kernels::xml::parse_xml),
    }),
    Function::new(Entry {
        name: "parse_version",
        summary: "Turns a version of up to four parts into a decimal number that sorts as the version does.",
        details: "Each part takes eight digits; missing parts are 0. What is no version gives null.",
        overloads: &[takes(&[string("version")], Decimal)],
        result_name: ResultName::None,
        examples: &[ex("print v = parse_version('1.2.3.40') > parse_version('1.2.3.9')", "v:bool\ntrue")],
        kernel: kernel!(crate::kernels::parse::parse_version),
    }),
    Function::new(Entry {
        name: "parse_command_line",
        summary: "Splits a command line into its arguments by the rules of Windows.",
        details: "The second argument is always `windows`.",
        overloads: &[takes(&[string("command_line"), string("parser_type")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print a = parse_command_line('run \"C:\\\\a b.exe\" -x', 'windows')",
            "a:dynamic\n[\"run\",\"C:\\\\a b.exe\",\"-x\"]",
        )],
        kernel: kernel!(crate::kernels::parse::parse_command_line),
    }),
    Function::new(Entry {
        name: "parse_user_agent",
        summary: "Finds the browser, the operating system and the device that a user agent names.",
        details: "The second argument says what to look for: `browser`, `os`, `device`, or an array of these. The rules here are a small part of \
                  those of Kusto; what they do not know is `Other`.",
        overloads: &[takes(&[string("user_agent"), any("look_for")], Dynamic)],
        result_name: ResultName::None,
        examples: &[ex(
            "print b = tostring(parse_user_agent('Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0', 'browser').Browser.Family)",
            "b:string\n\"Firefox\"",
        )],
        kernel: kernel!(crate::kernels::user_agent::parse_user_agent),
    }),
];
