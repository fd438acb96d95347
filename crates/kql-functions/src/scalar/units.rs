//! Conversion between units of measurement.

use kql_types::ResultName;
use kql_types::ScalarType::Real;

use crate::entry::{Entry, Function, ex, real, string, takes};
use crate::kernel;

pub static FAMILY: &[Function] = &[
    Function::new(Entry {
        name: "convert_angle",
        summary: "Converts an angle from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_angle(1.2, 'Degree', 'Arcminute'), 6)", "v:real\n72.0")],
        kernel: kernel!(crate::kernels::units::convert_angle),
    }),
    Function::new(Entry {
        name: "convert_energy",
        summary: "Converts an energy from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_energy(2, 'Kilojoule', 'Joule'), 6)", "v:real\n2000.0")],
        kernel: kernel!(crate::kernels::units::convert_energy),
    }),
    Function::new(Entry {
        name: "convert_force",
        summary: "Converts a force from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_force(3, 'Kilonewton', 'Newton'), 6)", "v:real\n3000.0")],
        kernel: kernel!(crate::kernels::units::convert_force),
    }),
    Function::new(Entry {
        name: "convert_length",
        summary: "Converts a length from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_length(1.5, 'Kilometer', 'Meter'), 6)", "v:real\n1500.0")],
        kernel: kernel!(crate::kernels::units::convert_length),
    }),
    Function::new(Entry {
        name: "convert_mass",
        summary: "Converts a mass from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_mass(2, 'Kilogram', 'Gram'), 6)", "v:real\n2000.0")],
        kernel: kernel!(crate::kernels::units::convert_mass),
    }),
    Function::new(Entry {
        name: "convert_speed",
        summary: "Converts a speed from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_speed(36, 'KilometerPerHour', 'MeterPerSecond'), 6)", "v:real\n10.0")],
        kernel: kernel!(crate::kernels::units::convert_speed),
    }),
    Function::new(Entry {
        name: "convert_temperature",
        summary: "Converts a temperature from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_temperature(100, 'DegreeCelsius', 'Kelvin'), 6)", "v:real\n373.15")],
        kernel: kernel!(crate::kernels::units::convert_temperature),
    }),
    Function::new(Entry {
        name: "convert_volume",
        summary: "Converts a volume from one unit to another.",
        details: "An unknown unit gives null.",
        overloads: &[takes(&[real("value"), string("from"), string("to")], Real)],
        result_name: ResultName::None,
        examples: &[ex("print v = round(convert_volume(2, 'CubicMeter', 'Liter'), 6)", "v:real\n2000.0")],
        kernel: kernel!(crate::kernels::units::convert_volume),
    }),
];
