//! Literals by type, the extreme ones among them, and by the names of parameters that take only some values.

use kql_types::ScalarType;

/// Literals of a type.
pub fn of(ty: ScalarType) -> &'static [&'static str] {
    match ty {
        ScalarType::Bool => &["true", "false", "bool(null)"],
        ScalarType::Int => &["int(0)", "int(5)", "int(-3)", "int(2147483647)", "int(null)", "int(1)"],
        ScalarType::Long => {
            &["0", "1", "5", "7", "40", "(-3)", "9223372036854775807", "long(null)", "3", "long(-9223372036854775808)"]
        }
        ScalarType::Real => {
            &["0.5", "real(-1.25)", "real(nan)", "real(+inf)", "real(-inf)", "real(null)", "2.0", "1e300"]
        }
        ScalarType::Decimal => {
            &["decimal(1.5)", "decimal(-0.01)", "decimal(123456789.125)", "decimal(null)", "decimal(0)"]
        }
        ScalarType::DateTime => &[
            "datetime(2026-03-01)",
            "datetime(2026-02-28T23:59:59.9999999Z)",
            "datetime(null)",
            "datetime(0001-01-01)",
            "datetime(9999-12-31T23:59:59.9999999Z)",
            "datetime(2024-02-29T12:30:00)",
            "datetime(1969-12-31T23:59:59.5)",
        ],
        ScalarType::TimeSpan => &["1h", "1d", "7m", "time(0)", "time(-1.02:03:04.5)", "timespan(null)", "30s", "1tick"],
        ScalarType::Guid => &["guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)"],
        ScalarType::Dynamic => &[
            "dynamic(null)",
            "dynamic([])",
            "dynamic({})",
            "dynamic([1, 2.5, \"a\", null, [3], true])",
            "dynamic({\"name\": \"a\", \"b\": {\"c\": [1, 2]}, \"tags\": [\"alpha\", \"\"]})",
            "dynamic(\"alpha\")",
            "dynamic(5)",
            "dynamic([3, 1, 2, 2])",
            "dynamic([\"b\", \"a\", \"é\"])",
            "dynamic([datetime(2026-01-01), 1h, 9223372036854775807])",
            "dynamic([1.5, 2, 4, 8, 16, 8, 4, 2, 1])",
        ],
        ScalarType::String | ScalarType::Unknown => &[
            "'alpha'",
            "'beta'",
            "'Alpha'",
            "''",
            "'a'",
            "'key'",
            "'key=7'",
            "'é'",
            "'straße'",
            "'x y'",
            "'12'",
            "'alpha beta'",
            "'日本'",
            "' '",
        ],
    }
}

const REGEX: &[&str] =
    &["'([a-z]+)'", "@'(\\d+)'", "'^.'", "'(a|b)+'", "'(?i)(ALPHA)'", "'(k)ey=(.*)'", "'é'", "'(x*)'"];
const SMALL: &[&str] = &["0", "1", "2", "3", "(-1)"];
const POSITIVE: &[&str] = &["1", "2", "3", "5"];
const SERIES: &[&str] = &[
    "dynamic([1.5, 2, 4, 8, 16, 8, 4, 2, 1])",
    "dynamic([1, null, 3, 4])",
    "dynamic([])",
    "range(1, 12, 1)",
    "repeat(2, 5)",
    "dynamic([0, 10, 0, 10, 0, 10, 0, 10, 0, 10])",
    "dynamic([\"a\", 2])",
];
const POINT: &[&str] = &["13.4", "52.5", "0.0", "-122.33", "179.99", "real(null)", "(-45.0)"];
const ADDRESS: &[&str] = &[
    "'10.1.2.3'",
    "'192.168.0.0/16'",
    "'::1'",
    "'fe80::a/64'",
    "''",
    "'256.1.1.1'",
    "'::ffff:10.0.0.1'",
    "'10.0.0.0/8'",
];
const SHAPE: &[&str] = &[
    "dynamic({\"type\": \"Polygon\", \"coordinates\": [[[0,0],[4,0],[4,4],[0,4],[0,0]]]})",
    "dynamic({\"type\": \"LineString\", \"coordinates\": [[0,0],[1,2],[3,3]]})",
    "dynamic({\"type\": \"Point\", \"coordinates\": [1,2]})",
    "dynamic({\"type\": \"Polygon\", \"coordinates\": []})",
    "dynamic(null)",
];
const SHAPES: &[&str] = &[
    "dynamic([{\"type\": \"Polygon\", \"coordinates\": [[[0,0],[4,0],[4,4],[0,4],[0,0]]]}, {\"type\": \"Polygon\", \"coordinates\": [[[2,2],[6,2],[6,6],[2,2]]]}])",
    "dynamic([])",
];

/// Literals for a parameter, by its name and that of its function, when few values mean anything to it.
pub fn named(function: &str, param: &str) -> Option<&'static [&'static str]> {
    Some(match param {
        "part" | "period" if function.starts_with("date") => {
            &["'year'", "'quarter'", "'month'", "'day'", "'hour'", "'minute'", "'second'", "'millisecond'"]
        }
        "regex" => REGEX,
        "lookup" if function.contains("regex") => REGEX,
        "captureGroup" => &["0", "1"],
        "captureGroups" => &["dynamic([1])", "dynamic([0, 1])"],
        "typeLiteral" => &["typeof(long)", "typeof(string)", "typeof(real)", "typeof(datetime)"],
        "jsonPath" => &["'$.name'", "'$.tags[0]'", "'$..c'", "'$'", "'name'"],
        "format" if function.contains("timespan") => &["'d.hh:mm:ss'", "'hh:mm'", "'fffffff'"],
        "format" => &["'yyyy-MM-dd HH:mm:ss.fffffff'", "'yy/M/d h:m tt'", "'HH'"],
        "timezone" | "from" | "to" if function.contains("local") || function.contains("utc") => {
            &["'Europe/Berlin'", "'US/Pacific'", "'Asia/Tokyo'", "'UTC'"]
        }
        "series" | "series1" | "series2" | "filter" | "numerators" | "denominators" | "real" | "imaginary" => SERIES,
        "x" | "y" if function.starts_with("series_") => SERIES,
        "left" | "right" if function.starts_with("series_") => SERIES,
        "longitude" | "latitude" | "radius" | "c_radius" | "tolerance" => POINT,
        name if name.ends_with("_longitude") || name.ends_with("_latitude") => POINT,
        "polygon" | "polygon1" | "polygon2" | "lineString" | "lineString1" | "lineString2" => SHAPE,
        "polygons" | "lineStrings" => SHAPES,
        "ip" | "ip1" | "ip2" | "ip_address" | "ip_address_prefix" | "range" | "start_address" | "end_address" => {
            ADDRESS
        }
        "prefix" => &["32", "24", "8", "128", "0"],
        "h3cell" => &["'862a1072fffffff'", "geo_point_to_h3cell(13.4, 52.5, 5)", "''"],
        "s2cell" => &["geo_point_to_s2cell(13.4, 52.5, 9)", "'89c259'", "''"],
        "geohash" => &["'u33db2'", "'c2'", "''"],
        "resolution" | "level" | "accuracy" | "degree" | "precision" | "rotate" | "shift" | "multiplier" | "count" => {
            SMALL
        }
        "numPeriods" | "testPoints" | "points" | "seasonality" | "minLength" | "occurrence" | "distance" => POSITIVE,
        "roundTo" | "binSize" | "size" | "step" | "stop" | "n" | "num" => return positive(function),
        "wkt" => &["'POINT (1 2)'", "'LINESTRING (0 0, 1 2)'", "'POLYGON ((0 0, 4 0, 4 4, 0 0))'", "'x'"],
        "json" => &["'{\"name\": [1, {\"a\": null}]}'", "'[1, 2'", "'5'", "''"],
        "xml" => &["'<a b=\"1\"><c>2</c></a>'", "'<a'"],
        "csv_text" => &["'a,\"b,c\",d'", "''"],
        "url" | "query" => &["'https://u:p@host:8080/a/b?x=1&y=%20#f'", "'x=1&y=2'", "'host'"],
        "path" => &["@'C:\\temp\\a.txt'", "'/usr/lib/b.tar.gz'", "''"],
        "user_agent" => {
            &["'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36'", "'curl'"]
        }
        "version" => &["'1.2.3'", "'1.10'", "'x'"],
        "parser_type" => &["'windows'"],
        "look_for" => &["'browser'", "'os'", "dynamic(['browser', 'os', 'device'])"],
        "percentile" => &["5", "50", "99.5"],
        "trend" => &["'avg'", "'linefit'", "'none'"],
        "method" => &["'tukey'", "'ctukey'"],
        "kind" if function.starts_with("series_") => &["'tukey'", "'ctukey'"],
        "kind" => &["'normal'", "'regex'"],
        "units" => &["'Meters'", "'Kilometers'"],
        "percentiles" => &["dynamic([5, 50, 95])"],
        "probability" | "fraction" | "threshold" => &["0.5", "0.95", "0.0"],
        _ => return None,
    })
}

/// Whether anything but its literals is a mistake for a parameter of this name.
pub fn is_choice(param: &str) -> bool {
    matches!(
        param,
        "part" | "period" | "method" | "kind" | "trend" | "parser_type" | "percentiles" | "percentile" | "look_for"
    )
}

/// Sizes and ends that may be small only, of the type that their function has.
fn positive(function: &str) -> Option<&'static [&'static str]> {
    match function {
        "bin" | "floor" | "bin_at" => None,
        name if name.starts_with("series_") => Some(POSITIVE),
        "range" | "repeat" => Some(POSITIVE),
        _ => None,
    }
}
