//! Who did something and from where, in one form: Tidewatch's own functions, which the reference engine does not have.
//!
//! Tables keep what logs wrote. These give the form by which rows of different logs can be joined.

use kql_types::ResultName;
use kql_types::ScalarType::String;

use crate::entry::{Entry, Function, ex, string, takes};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "client_ip",
        summary: "Gives the canonical form of an address that a log wrote.",
        details: "Takes a port, brackets and a zone away, and makes an IPv4 address of one that is mapped into IPv6. What is no address (a \
                  service's name, `AWS Internal`), and the unspecified one, gives `\"\"`. A function of Tidewatch's own.",
        overloads: &[takes(&[string("address")], String)],
        result_name: ResultName::None,
        examples: &[ex(
            "print a = client_ip('203.0.113.9:52111'), b = client_ip('[2001:DB8::1]:443'), c = client_ip('::ffff:203.0.113.9'), d = client_ip('AWS Internal')",
            "a:string,b:string,c:string,d:string\n\"203.0.113.9\",\"2001:db8::1\",\"203.0.113.9\",\"\"",
        )],
        kernel: kernel!(crate::kernels::identity::client_ip),
    }),
    Function::new(Entry {
        name: "actor",
        summary: "Gives the first identity that is not empty, in the form by which logs can be joined.",
        details: "Names with `@` or `\\`, and ids, become lower case; `live.com#` is taken away; a guest (`nina_example.com#EXT#@contoso.com`) \
                  becomes who it is at home; a session of a role (`arn:aws:sts::1:assumed-role/Role/session`) becomes the role; of \
                  `AROA...:session` the id remains. Anything else stays as it is. A function of Tidewatch's own.",
        overloads: &[takes(&[string("identity"), string("identity").repeat()], String)],
        result_name: ResultName::None,
        examples: &[ex(
            "print a = actor('', 'Nina@Contoso.com'), b = actor('nina_example.com#EXT#@contoso.com'), c = actor('arn:aws:sts::123456789012:assumed-role/Deploy/i-1')",
            "a:string,b:string,c:string\n\"nina@contoso.com\",\"nina@example.com\",\"arn:aws:iam::123456789012:role/Deploy\"",
        )],
        kernel: kernel!(crate::kernels::identity::actor),
    }),
];
