//! The operators `+ - * / %`.
//!
//! Null in gives null out.

use kql_types::ScalarType::{self, DateTime, Decimal, Dynamic, Int, Long, Real, TimeSpan};
use kql_types::{Overload, ResultName, Return};

use crate::entry::{Entry, Function, datetime, dynamic, ex, number, takes, timespan};
use crate::kernel;

/// Two ints give a long; otherwise the wider type. Beside a dynamic value it is the type of the number.
fn arithmetic(types: &[ScalarType]) -> ScalarType {
    let width = |ty: ScalarType| match ty {
        Int | Long => 0,
        Real => 1,
        Decimal => 2,
        _ => 0,
    };
    match types.iter().copied().filter(|ty| *ty != Dynamic).max_by_key(|ty| width(*ty)) {
        Some(Int) => Long,
        Some(ty) => ty,
        None => Dynamic,
    }
}

pub static OPERATORS: &[Function] = &[
    Function::new(Entry {
        name: "+",
        summary: "Adds.",
        details: "Two ints give a long; longs wrap around. A datetime outside of years 1 to 9999 is null.",
        overloads: &[
            Overload::new(&[number("left"), number("right")], Return::Custom(arithmetic)),
            takes(&[timespan("left"), timespan("right")], TimeSpan),
            takes(&[datetime("left"), timespan("right")], DateTime),
            takes(&[timespan("left"), datetime("right")], DateTime),
            takes(&[datetime("left"), datetime("right")], DateTime),
            takes(&[dynamic("left"), dynamic("right")], Dynamic),
            Overload::new(&[dynamic("left"), number("right")], Return::Custom(arithmetic)),
            Overload::new(&[number("left"), dynamic("right")], Return::Custom(arithmetic)),
            takes(&[dynamic("left"), timespan("right")], TimeSpan),
            takes(&[timespan("left"), dynamic("right")], TimeSpan),
            takes(&[dynamic("left"), datetime("right")], DateTime),
            takes(&[datetime("left"), dynamic("right")], DateTime),
        ],
        result_name: ResultName::None,
        examples: &[
            ex("print n = toint(2147483647) + toint(1)", "n:long\n2147483648"),
            ex("print t = datetime(2024-02-28) + 36h", "t:datetime\n2024-02-29T12:00:00.0000000Z"),
        ],
        kernel: kernel!(crate::kernels::arithmetic::add),
    }),
    Function::new(Entry {
        name: "-",
        summary: "Subtracts.",
        details: "As `+`; two datetimes give a timespan.",
        overloads: &[
            Overload::new(&[number("left"), number("right")], Return::Custom(arithmetic)),
            takes(&[timespan("left"), timespan("right")], TimeSpan),
            takes(&[datetime("left"), timespan("right")], DateTime),
            takes(&[datetime("left"), datetime("right")], TimeSpan),
            takes(&[timespan("left"), datetime("right")], DateTime),
            takes(&[dynamic("left"), dynamic("right")], Dynamic),
            Overload::new(&[dynamic("left"), number("right")], Return::Custom(arithmetic)),
            Overload::new(&[number("left"), dynamic("right")], Return::Custom(arithmetic)),
            takes(&[dynamic("left"), timespan("right")], TimeSpan),
            takes(&[timespan("left"), dynamic("right")], TimeSpan),
            takes(&[dynamic("left"), datetime("right")], DateTime),
            takes(&[datetime("left"), dynamic("right")], DateTime),
        ],
        result_name: ResultName::None,
        examples: &[ex("print t = datetime(2024-03-01) - datetime(2024-02-01)", "t:timespan\n29.00:00:00")],
        kernel: kernel!(crate::kernels::arithmetic::subtract),
    }),
    Function::new(Entry {
        name: "*",
        summary: "Multiplies.",
        details: "Two ints give a long; longs wrap around. Decimals are exact.",
        overloads: &[
            Overload::new(&[number("left"), number("right")], Return::Custom(arithmetic)),
            takes(&[timespan("left"), number("right")], TimeSpan),
            takes(&[number("left"), timespan("right")], TimeSpan),
            takes(&[timespan("left"), timespan("right")], TimeSpan),
            takes(&[datetime("left"), number("right")], DateTime),
            takes(&[number("left"), datetime("right")], DateTime),
            takes(&[dynamic("left"), dynamic("right")], Dynamic),
            Overload::new(&[dynamic("left"), number("right")], Return::Custom(arithmetic)),
            Overload::new(&[number("left"), dynamic("right")], Return::Custom(arithmetic)),
        ],
        result_name: ResultName::None,
        examples: &[
            ex("print t = 1.5 * 1h", "t:timespan\n01:30:00"),
            ex("print d = decimal(0.1) * decimal(3)", "d:decimal\n0.3"),
        ],
        kernel: kernel!(crate::kernels::arithmetic::multiply),
    }),
    Function::new(Entry {
        name: "/",
        summary: "Divides.",
        details: "Whole numbers are cut towards zero and give null when divided by 0; reals give infinities and NaN.",
        overloads: &[
            Overload::new(&[number("left"), number("right")], Return::Custom(arithmetic)),
            takes(&[timespan("left"), timespan("right")], Real),
            takes(&[timespan("left"), number("right")], TimeSpan),
            takes(&[datetime("left"), timespan("right")], Real),
            takes(&[datetime("left"), datetime("right")], Real),
            takes(&[datetime("left"), number("right")], DateTime),
            takes(&[dynamic("left"), dynamic("right")], Dynamic),
            Overload::new(&[dynamic("left"), number("right")], Return::Custom(arithmetic)),
            Overload::new(&[number("left"), dynamic("right")], Return::Custom(arithmetic)),
        ],
        result_name: ResultName::None,
        examples: &[ex("print n = -7 / 2", "n:long\n-3"), ex("print r = 90m / 1h", "r:real\n1.5")],
        kernel: kernel!(crate::kernels::arithmetic::divide),
    }),
    Function::new(Entry {
        name: "%",
        summary: "Gives the rest of a division.",
        details: "Never negative, unlike in most languages. Null when divided by 0.",
        overloads: &[
            Overload::new(&[number("left"), number("right")], Return::Custom(arithmetic)),
            takes(&[timespan("left"), timespan("right")], TimeSpan),
            takes(&[datetime("left"), timespan("right")], TimeSpan),
            takes(&[datetime("left"), datetime("right")], TimeSpan),
            takes(&[timespan("left"), number("right")], TimeSpan),
            takes(&[datetime("left"), number("right")], DateTime),
            takes(&[dynamic("left"), dynamic("right")], Dynamic),
            Overload::new(&[dynamic("left"), number("right")], Return::Custom(arithmetic)),
            Overload::new(&[number("left"), dynamic("right")], Return::Custom(arithmetic)),
        ],
        result_name: ResultName::None,
        examples: &[ex("print n = -7 % 3", "n:long\n2"), ex("print t = 25h % 7h", "t:timespan\n04:00:00")],
        kernel: kernel!(crate::kernels::arithmetic::modulo),
    }),
];
