//! Hashes.
//!
//! xxHash64 takes text as UTF-8 and numbers and times as their little-endian bytes; the others take the printed text.

use kql_types::ResultName;
use kql_types::ScalarType::{Long, String};

use crate::entry::{Entry, Function, any, ex, integer, long, takes};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "hash",
        summary: "Hashes a value with xxHash64, optionally modulo a number.",
        details: "The algorithm may change in Kusto; `hash_xxhash64` names it.",
        overloads: &[takes(&[any("source"), integer("mod").optional()], Long)],
        result_name: ResultName::None,
        examples: &[ex("print h = hash('World', 100)", "h:long\n51")],
        kernel: kernel!(crate::kernels::hash::xxhash64),
    }),
    Function::new(Entry {
        name: "hash_xxhash64",
        summary: "Hashes a value with xxHash64, optionally modulo a number.",
        details: "",
        overloads: &[takes(&[any("source"), integer("mod").optional()], Long)],
        result_name: ResultName::None,
        examples: &[ex("print h = hash_xxhash64('World')", "h:long\n1846988464401551951")],
        kernel: kernel!(crate::kernels::hash::xxhash64),
    }),
    Function::new(Entry {
        name: "hash_md5",
        summary: "Hashes a value with MD5, in hexadecimal digits.",
        details: "",
        overloads: &[takes(&[any("source")], String)],
        result_name: ResultName::None,
        examples: &[ex("print h = hash_md5('abc')", "h:string\n\"900150983cd24fb0d6963f7d28e17f72\"")],
        kernel: kernel!(crate::kernels::hash::md5),
    }),
    Function::new(Entry {
        name: "hash_sha1",
        summary: "Hashes a value with SHA-1, in hexadecimal digits.",
        details: "",
        overloads: &[takes(&[any("source")], String)],
        result_name: ResultName::None,
        examples: &[ex("print h = hash_sha1('abc')", "h:string\n\"a9993e364706816aba3e25717850c26c9cd0d89d\"")],
        kernel: kernel!(crate::kernels::hash::sha1),
    }),
    Function::new(Entry {
        name: "hash_sha256",
        summary: "Hashes a value with SHA-256, in hexadecimal digits.",
        details: "",
        overloads: &[takes(&[any("source")], String)],
        result_name: ResultName::None,
        examples: &[ex(
            "print h = hash_sha256('abc')",
            "h:string\n\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
        )],
        kernel: kernel!(crate::kernels::hash::sha256),
    }),
    Function::new(Entry {
        name: "hash_combine",
        summary: "Combines hashes into one; their order matters.",
        details: "How the service combines hashes is not published, and may change: compare combined hashes within one query only.",
        overloads: &[takes(&[long("h1"), long("h2"), long("h").repeat()], Long)],
        result_name: ResultName::None,
        examples: &[ex(
            "print h = hash_combine(hash('Hello'), hash('World')) == hash_many('Hello', 'World')",
            "h:bool\ntrue",
        )],
        kernel: kernel!(crate::kernels::hash::combine),
    }),
    Function::new(Entry {
        name: "hash_many",
        summary: "Hashes several values into one number.",
        details: "The combination of the hashes of the values, as `hash_combine` makes it.",
        overloads: &[takes(&[any("s1"), any("s2"), any("s").repeat()], Long)],
        result_name: ResultName::None,
        examples: &[ex(
            "datatable(a:string, b:long)['x',1, 'y',1, 'x',1] | summarize n = count() by h = hash_many(a, b) | project n",
            "n:long\n2\n1",
        )],
        kernel: kernel!(crate::kernels::hash::many),
    }),
];
