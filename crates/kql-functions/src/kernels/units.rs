//! Conversion between units of measurement.
//!
//! Of all quantities but temperature, a unit is a factor of the base unit: one table a quantity.

use super::access::Text;
use super::{Args, KernelResult};

/// Names of units and how many base units each is.
type Units = &'static [(&'static str, f64)];

const PI: f64 = std::f64::consts::PI;

/// Base unit: degree.
const ANGLE: Units = &[
    ("Arcminute", 1.0 / 60.0),
    ("Arcsecond", 1.0 / 3_600.0),
    ("Degree", 1.0),
    ("Gradian", 0.9),
    ("NatoMil", 9.0 / 160.0),
    ("Radian", 180.0 / PI),
    ("Revolution", 360.0),
    ("Microdegree", 1e-6),
    ("Millidegree", 1e-3),
    ("Nanodegree", 1e-9),
    ("Centiradian", 1.8 / PI),
    ("Deciradian", 18.0 / PI),
    ("Microradian", 1.8e-4 / PI),
    ("Milliradian", 0.18 / PI),
    ("Nanoradian", 1.8e-7 / PI),
];

/// Base unit: joule.
const ENERGY: Units = &[
    ("BritishThermalUnit", 1_055.055_852_62),
    ("KilobritishThermalUnit", 1_055_055.852_62),
    ("MegabritishThermalUnit", 1_055_055_852.62),
    ("GigabritishThermalUnit", 1_055_055_852_620.0),
    ("Calorie", 4.184),
    ("Kilocalorie", 4_184.0),
    ("Megacalorie", 4_184_000.0),
    ("ThermEc", 105_505_585.262),
    ("DecathermEc", 1_055_055_852.62),
    ("ThermImperial", 105_505_585.257_348),
    ("DecathermImperial", 1_055_055_852.573_48),
    ("ThermUs", 105_480_400.0),
    ("DecathermUs", 1_054_804_000.0),
    ("ElectronVolt", 1.602_176_565e-19),
    ("KiloelectronVolt", 1.602_176_565e-16),
    ("MegaelectronVolt", 1.602_176_565e-13),
    ("GigaelectronVolt", 1.602_176_565e-10),
    ("TeraelectronVolt", 1.602_176_565e-7),
    ("Erg", 1e-7),
    ("FootPound", 1.355_817_948),
    ("HorsepowerHour", 2_684_519.537_696_173),
    ("Joule", 1.0),
    ("Millijoule", 1e-3),
    ("Kilojoule", 1e3),
    ("Megajoule", 1e6),
    ("Gigajoule", 1e9),
    ("WattDay", 86_400.0),
    ("KilowattDay", 8.64e7),
    ("MegawattDay", 8.64e10),
    ("GigawattDay", 8.64e13),
    ("TerawattDay", 8.64e16),
    ("WattHour", 3_600.0),
    ("KilowattHour", 3.6e6),
    ("MegawattHour", 3.6e9),
    ("GigawattHour", 3.6e12),
    ("TerawattHour", 3.6e15),
];

/// Base unit: newton.
const FORCE: Units = &[
    ("Newton", 1.0),
    ("Decanewton", 10.0),
    ("Kilonewton", 1e3),
    ("Meganewton", 1e6),
    ("Micronewton", 1e-6),
    ("Millinewton", 1e-3),
    ("Dyn", 1e-5),
    ("KilogramForce", 9.806_65),
    ("KiloPond", 9.806_65),
    ("KilopoundForce", 4_448.221_615_260_5),
    ("OunceForce", 0.278_013_850_953_781_2),
    ("Poundal", 0.138_254_954_376),
    ("PoundForce", 4.448_221_615_260_5),
    ("ShortTonForce", 8_896.443_230_521),
    ("TonneForce", 9_806.65),
];

/// Base unit: meter.
const LENGTH: Units = &[
    ("Meter", 1.0),
    ("Angstrom", 1e-10),
    ("AstronomicalUnit", 1.495_978_707e11),
    ("Centimeter", 1e-2),
    ("Chain", 20.116_8),
    ("DataMile", 1_828.8),
    ("Decameter", 10.0),
    ("Decimeter", 0.1),
    ("DtpPica", 0.025_4 / 6.0),
    ("DtpPoint", 0.025_4 / 72.0),
    ("Fathom", 1.828_8),
    ("Foot", 0.304_8),
    ("Hand", 0.101_6),
    ("Hectometer", 100.0),
    ("Inch", 0.025_4),
    ("Kilofoot", 304.8),
    ("LightYear", 9.460_730_472_58e15),
    ("KilolightYear", 9.460_730_472_58e18),
    ("MegalightYear", 9.460_730_472_58e21),
    ("Kilometer", 1e3),
    ("Parsec", 3.085_677_581_28e16),
    ("Kiloparsec", 3.085_677_581_28e19),
    ("Megaparsec", 3.085_677_581_28e22),
    ("Megameter", 1e6),
    ("Microinch", 2.54e-8),
    ("Micrometer", 1e-6),
    ("Mil", 2.54e-5),
    ("Mile", 1_609.344),
    ("Millimeter", 1e-3),
    ("Nanometer", 1e-9),
    ("NauticalMile", 1_852.0),
    ("PrinterPica", 0.025_4 / 72.27 * 12.0),
    ("PrinterPoint", 0.025_4 / 72.27),
    ("Shackle", 27.432),
    ("SolarRadius", 6.955_1e8),
    ("Twip", 0.025_4 / 1_440.0),
    ("UsSurveyFoot", 1_200.0 / 3_937.0),
    ("Yard", 0.914_4),
];

/// Base unit: kilogram.
const MASS: Units = &[
    ("Kilogram", 1.0),
    ("Centigram", 1e-5),
    ("Decagram", 1e-2),
    ("Decigram", 1e-4),
    ("EarthMass", 5.972_2e24),
    ("Grain", 6.479_891e-5),
    ("Gram", 1e-3),
    ("Hectogram", 0.1),
    ("Kilopound", 453.592_37),
    ("Kilotonne", 1e6),
    ("LongHundredweight", 50.802_345_44),
    ("LongTon", 1_016.046_908_8),
    ("Megapound", 453_592.37),
    ("Megatonne", 1e9),
    ("Microgram", 1e-9),
    ("Milligram", 1e-6),
    ("Nanogram", 1e-12),
    ("Ounce", 0.028_349_523_125),
    ("Pound", 0.453_592_37),
    ("ShortHundredweight", 45.359_237),
    ("ShortTon", 907.184_74),
    ("Slug", 14.593_902_937_206_365),
    ("SolarMass", 1.988_47e30),
    ("Stone", 6.350_293_18),
    ("Tonne", 1e3),
];

/// Base unit: cubic meter.
const VOLUME: Units = &[
    ("CubicMeter", 1.0),
    ("AcreFoot", 1.0 / 0.000_810_714),
    ("AuTablespoon", 2e-5),
    ("BoardFoot", 0.002_359_737_216),
    ("CubicCentimeter", 1e-6),
    ("CubicDecimeter", 1e-3),
    ("CubicFoot", 0.028_316_846_592),
    ("HectocubicFoot", 2.831_684_659_2),
    ("KilocubicFoot", 28.316_846_592),
    ("MegacubicFoot", 28_316.846_592),
    ("CubicHectometer", 1e6),
    ("CubicInch", 1.638_706_4e-5),
    ("CubicKilometer", 1e9),
    ("HectocubicMeter", 1e2),
    ("KilocubicMeter", 1e3),
    ("CubicMicrometer", 1e-18),
    ("CubicMile", 4_168_181_825.440_579_6),
    ("CubicMillimeter", 1e-9),
    ("CubicYard", 0.764_554_857_984),
    ("Liter", 1e-3),
    ("Microliter", 1e-9),
    ("Milliliter", 1e-6),
    ("Centiliter", 1e-5),
    ("Deciliter", 1e-4),
    ("Decaliter", 1e-2),
    ("Hectoliter", 0.1),
    ("Kiloliter", 1.0),
    ("Megaliter", 1e3),
    ("UsGallon", 0.003_785_411_784),
    ("DeciusGallon", 0.000_378_541_178_4),
    ("DecausGallon", 0.037_854_117_84),
    ("HectousGallon", 0.378_541_178_4),
    ("KilousGallon", 3.785_411_784),
    ("MegausGallon", 3_785.411_784),
    ("ImperialBeerBarrel", 0.163_659_24),
    ("ImperialGallon", 0.004_546_09),
    ("KiloimperialGallon", 4.546_09),
    ("MegaimperialGallon", 4_546.09),
    ("ImperialOunce", 2.841_306_25e-5),
    ("ImperialPint", 0.000_568_261_25),
    ("MetricCup", 0.000_25),
    ("MetricTeaspoon", 5e-6),
    ("OilBarrel", 0.158_987_294_928),
    ("UkTablespoon", 1.5e-5),
    ("UsBeerBarrel", 0.117_347_765_304),
    ("UsCustomaryCup", 0.000_236_588_236_5),
    ("UsLegalCup", 0.000_24),
    ("UsOunce", 2.957_352_956_25e-5),
    ("UsPint", 0.000_473_176_473),
    ("UsQuart", 0.000_946_352_946),
    ("UsTablespoon", 1.478_676_478_125e-5),
    ("UsTeaspoon", 4.928_921_593_75e-6),
];

/// Base unit: meter per second.
const SPEED: Units = &[
    ("CentimeterPerSecond", 1e-2),
    ("CentimeterPerMinute", 1e-2 / 60.0),
    ("CentimeterPerHour", 1e-2 / 3_600.0),
    ("DecimeterPerSecond", 0.1),
    ("DecimeterPerMinute", 0.1 / 60.0),
    ("DecimeterPerHour", 0.1 / 3_600.0),
    ("FootPerSecond", 0.304_8),
    ("FootPerMinute", 0.304_8 / 60.0),
    ("FootPerHour", 0.304_8 / 3_600.0),
    ("InchPerSecond", 0.025_4),
    ("InchPerMinute", 0.025_4 / 60.0),
    ("InchPerHour", 0.025_4 / 3_600.0),
    ("KilometerPerSecond", 1e3),
    ("KilometerPerMinute", 1e3 / 60.0),
    ("KilometerPerHour", 1e3 / 3_600.0),
    ("MeterPerSecond", 1.0),
    ("MeterPerMinute", 1.0 / 60.0),
    ("MeterPerHour", 1.0 / 3_600.0),
    ("MicrometerPerSecond", 1e-6),
    ("MicrometerPerMinute", 1e-6 / 60.0),
    ("MicrometerPerHour", 1e-6 / 3_600.0),
    ("MillimeterPerSecond", 1e-3),
    ("MillimeterPerMinute", 1e-3 / 60.0),
    ("MillimeterPerHour", 1e-3 / 3_600.0),
    ("NanometerPerSecond", 1e-9),
    ("NanometerPerMinute", 1e-9 / 60.0),
    ("NanometerPerHour", 1e-9 / 3_600.0),
    ("UsSurveyFootPerSecond", 1_200.0 / 3_937.0),
    ("UsSurveyFootPerMinute", 1_200.0 / 3_937.0 / 60.0),
    ("UsSurveyFootPerHour", 1_200.0 / 3_937.0 / 3_600.0),
    ("YardPerSecond", 0.914_4),
    ("YardPerMinute", 0.914_4 / 60.0),
    ("YardPerHour", 0.914_4 / 3_600.0),
    ("Knot", 1_852.0 / 3_600.0),
    ("MilePerHour", 0.447_04),
];

fn factor(units: Units, name: &str) -> Option<f64> {
    units.iter().find(|(unit, _)| *unit == name).map(|(_, factor)| *factor)
}

/// The tilt of an angle is its sine.
fn angle(value: f64, from: &str, to: &str) -> Option<f64> {
    let degrees = if from == "Tilt" { value.asin().to_degrees() } else { value * factor(ANGLE, from)? };
    if to == "Tilt" { Some(degrees.to_radians().sin()) } else { Some(degrees / factor(ANGLE, to)?) }
}

/// By way of kelvin.
fn temperature(value: f64, from: &str, to: &str) -> Option<f64> {
    let kelvin = match from {
        "Kelvin" => value,
        "DegreeCelsius" => value + 273.15,
        "MillidegreeCelsius" => value / 1_000.0 + 273.15,
        "DegreeFahrenheit" => (value + 459.67) * 5.0 / 9.0,
        "DegreeRankine" => value * 5.0 / 9.0,
        "DegreeDelisle" => 373.15 - value * 2.0 / 3.0,
        "DegreeNewton" => value * 100.0 / 33.0 + 273.15,
        "DegreeReaumur" => value * 1.25 + 273.15,
        "DegreeRoemer" => (value - 7.5) * 40.0 / 21.0 + 273.15,
        "SolarTemperature" => value * 5_778.0,
        _ => return None,
    };
    Some(match to {
        "Kelvin" => kelvin,
        "DegreeCelsius" => kelvin - 273.15,
        "MillidegreeCelsius" => (kelvin - 273.15) * 1_000.0,
        "DegreeFahrenheit" => kelvin * 9.0 / 5.0 - 459.67,
        "DegreeRankine" => kelvin * 9.0 / 5.0,
        "DegreeDelisle" => (373.15 - kelvin) * 1.5,
        "DegreeNewton" => (kelvin - 273.15) * 0.33,
        "DegreeReaumur" => (kelvin - 273.15) / 1.25,
        "DegreeRoemer" => (kelvin - 273.15) * 21.0 / 40.0 + 7.5,
        "SolarTemperature" => kelvin / 5_778.0,
        _ => return None,
    })
}

/// A conversion of three arguments: value, from, to.
fn converted(args: &Args<'_>, convert: impl Fn(f64, &str, &str) -> Option<f64>) -> KernelResult {
    let (value, from, to): (_, Text<'_>, Text<'_>) = (args.real(0)?, args.text(1)?, args.text(2)?);
    args.to_reals(|row| convert(value.opt(row)?, from.at(row), to.at(row)))
}

fn by_factor(args: &Args<'_>, units: Units) -> KernelResult {
    converted(args, |value, from, to| Some(value * factor(units, from)? / factor(units, to)?))
}

pub fn convert_angle(args: &Args<'_>) -> KernelResult {
    converted(args, angle)
}

pub fn convert_temperature(args: &Args<'_>) -> KernelResult {
    converted(args, temperature)
}

pub fn convert_energy(args: &Args<'_>) -> KernelResult {
    by_factor(args, ENERGY)
}

pub fn convert_force(args: &Args<'_>) -> KernelResult {
    by_factor(args, FORCE)
}

pub fn convert_length(args: &Args<'_>) -> KernelResult {
    by_factor(args, LENGTH)
}

pub fn convert_mass(args: &Args<'_>) -> KernelResult {
    by_factor(args, MASS)
}

pub fn convert_speed(args: &Args<'_>) -> KernelResult {
    by_factor(args, SPEED)
}

pub fn convert_volume(args: &Args<'_>) -> KernelResult {
    by_factor(args, VOLUME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::Real;

    fn converts(kernel: crate::kernels::KernelFn, value: f64, from: &str, to: &str, expected: f64) {
        let found = call(kernel, &[value.into(), from.into(), to.into()], Real);
        assert!(matches!(found, Cell::Real(found) if (found - expected).abs() <= 1e-9 * expected.abs()), "{found:?}");
    }

    #[test]
    fn units() {
        converts(convert_angle, 1.2, "Degree", "Arcminute", 72.0);
        converts(convert_energy, 1.0, "KilowattHour", "Joule", 3.6e6);
        converts(convert_length, 1.0, "Mile", "Meter", 1_609.344);
        converts(convert_mass, 1.0, "Pound", "Gram", 453.592_37);
        converts(convert_speed, 36.0, "KilometerPerHour", "MeterPerSecond", 10.0);
        converts(convert_temperature, 212.0, "DegreeFahrenheit", "DegreeCelsius", 100.0);
        converts(convert_volume, 1.0, "CubicMeter", "Liter", 1_000.0);
        converts(convert_angle, 90.0, "Degree", "Tilt", 1.0);
        assert_eq!(call(convert_mass, &[1.0.into(), "Pound".into(), "Stein".into()], Real), Cell::Null);
    }
}
