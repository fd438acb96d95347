//! Filters and transforms of series.

use kql_types::ScalarType::Dynamic;
use kql_types::{Overload, ResultName, Return};

use crate::entry::{Entry, Function, boolean, dynamic, ex, takes};
use crate::kernel;

const FOURIER: Return = Return::Columns(&[("real", Dynamic), ("imag", Dynamic)]);

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "series_fir",
        summary: "Applies a finite impulse response filter: a moving weighted sum.",
        details: "normalize divides by the sum of the coefficients; when not given, it does so unless a coefficient is negative. center takes as many values before as after.",
        overloads: &[takes(
            &[dynamic("series"), dynamic("filter"), boolean("normalize").optional(), boolean("center").optional()],
            Dynamic,
        )],
        result_name: ResultName::FirstArgument,
        examples: &[ex(
            "print s = series_fir(dynamic([5, 15, 10]), dynamic([1, -1]), false, false)",
            "s:dynamic\n[5.0,10.0,-5.0]",
        )],
        kernel: kernel!(crate::kernels::series_filters::series_fir),
    }),
    Function::new(Entry {
        name: "series_iir",
        summary: "Applies an infinite impulse response filter.",
        details: "",
        overloads: &[takes(&[dynamic("series"), dynamic("numerators"), dynamic("denominators")], Dynamic)],
        result_name: ResultName::FirstArgument,
        examples: &[ex(
            "print s = series_iir(dynamic([1, 2, 3]), dynamic([1]), dynamic([1, -1]))",
            "s:dynamic\n[1.0,3.0,6.0]",
        )],
        kernel: kernel!(crate::kernels::series_filters::series_iir),
    }),
    Function::new(Entry {
        name: "series_fft",
        summary: "Applies the discrete Fourier transform.",
        details: "",
        overloads: &[Overload::new(&[dynamic("real"), dynamic("imaginary").optional()], FOURIER)],
        result_name: ResultName::None,
        examples: &[ex("print (r, i) = series_fft(dynamic([1, 0]))", "r:dynamic,i:dynamic\n[1.0,1.0],[0.0,0.0]")],
        kernel: kernel!(crate::kernels::series_fourier::series_fft),
    }),
    Function::new(Entry {
        name: "series_ifft",
        summary: "Applies the inverse discrete Fourier transform.",
        details: "",
        overloads: &[Overload::new(&[dynamic("real"), dynamic("imaginary").optional()], FOURIER)],
        result_name: ResultName::None,
        examples: &[ex("print (r, i) = series_ifft(dynamic([1, 1]))", "r:dynamic,i:dynamic\n[1.0,0.0],[0.0,0.0]")],
        kernel: kernel!(crate::kernels::series_fourier::series_ifft),
    }),
];
