//! Rounding down to multiples: `bin` and its relatives.

use kql_types::ScalarType::{self, DateTime, Int, Long, Real, TimeSpan};
use kql_types::{Overload, ResultName, Return};

use crate::entry::{Entry, Function, any, datetime, ex, number, takes, timespan};
use crate::kernel;

/// Whole numbers give a long; otherwise the wider type.
fn widest(types: &[ScalarType]) -> ScalarType {
    match types.iter().max_by_key(|ty| number_width(**ty)) {
        Some(Int) | None => Long,
        Some(widest) => *widest,
    }
}

/// How wide a number type is.
fn number_width(ty: ScalarType) -> u8 {
    match ty {
        Int => 0,
        Long => 1,
        Real => 2,
        _ => 3,
    }
}

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "bin",
        summary: "Rounds down to a multiple.",
        details: "Towards minus infinity; whole numbers give a long. Datetimes count from the year 1: `bin(t, 7d)` is a Monday. A roundTo of zero, or below, gives null.",
        overloads: &[
            Overload::new(&[number("value"), number("roundTo")], Return::Custom(widest)),
            takes(&[datetime("value"), timespan("roundTo")], DateTime),
            takes(&[timespan("value"), timespan("roundTo")], TimeSpan),
            takes(&[datetime("value"), number("roundTo")], DateTime),
            takes(&[timespan("value"), number("roundTo")], TimeSpan),
        ],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("print b = bin(7.5, 2)", "b:real\n6.0"),
            ex("print b = bin(datetime(2024-05-06 10:47:00), 1h)", "b:datetime\n2024-05-06T10:00:00.0000000Z"),
            ex("print b = bin(-5, 2)", "b:long\n-6"),
        ],
        kernel: kernel!(crate::kernels::rounding::bin),
    }),
    Function::new(Entry {
        name: "floor",
        summary: "Rounds down to a multiple: another name of `bin`.",
        details: "",
        overloads: &[
            Overload::new(&[number("value"), number("roundTo")], Return::Custom(widest)),
            takes(&[datetime("value"), timespan("roundTo")], DateTime),
            takes(&[timespan("value"), timespan("roundTo")], TimeSpan),
            takes(&[datetime("value"), number("roundTo")], DateTime),
            takes(&[timespan("value"), number("roundTo")], TimeSpan),
        ],
        result_name: ResultName::FirstArgument,
        examples: &[ex("print b = floor(-0.1, 0.5)", "b:real\n-0.5")],
        kernel: kernel!(crate::kernels::rounding::bin),
    }),
    Function::new(Entry {
        name: "bin_at",
        summary: "Rounds down to a multiple counted from a fixed point.",
        details: "",
        overloads: &[
            Overload::new(&[number("value"), number("binSize"), number("fixedPoint")], Return::Custom(widest)),
            takes(&[datetime("value"), timespan("binSize"), datetime("fixedPoint")], DateTime),
            takes(&[timespan("value"), timespan("binSize"), timespan("fixedPoint")], TimeSpan),
        ],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("print b = bin_at(6.5, 2.5, 7)", "b:real\n4.5"),
            ex(
                "print b = bin_at(datetime(2024-05-06 10:47:00), 1d, datetime(2024-01-01 12:00))",
                "b:datetime\n2024-05-05T12:00:00.0000000Z",
            ),
        ],
        kernel: kernel!(crate::kernels::rounding::bin_at),
    }),
    Function::new(Entry {
        name: "bin_auto",
        summary: "Rounds down to a multiple set by the query options.",
        details: "`query_bin_auto_size` is the multiple, `query_bin_auto_at` a value that is one, if it is not zero.",
        overloads: &[Overload::new(&[any("value")], Return::Argument(0))],
        result_name: ResultName::FirstArgument,
        examples: &[
            ex("set query_bin_auto_size=10; print b = bin_auto(27)", "b:long\n20"),
            ex(
                "set query_bin_auto_size=1h; set query_bin_auto_at=datetime(2024-05-06 00:05); print b = bin_auto(datetime(2024-05-06 10:47))",
                "b:datetime\n2024-05-06T10:05:00.0000000Z",
            ),
        ],
        kernel: None,
    })
    .by_binder(),
];
