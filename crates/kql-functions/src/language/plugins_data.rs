//! Plugins that reshape rows and find patterns in them.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "bag_unpack",
        kind: FormKind::Plugin,
        syntax: &[
            "T | evaluate bag_unpack(BAG [, PREFIX] [, columnsConflict = 'error' | 'keep_source' | 'replace_source'] [, IGNORED])",
        ],
        summary: "Makes a column of each key of a bag.",
        details: "The columns depend on the data, unless they are written behind the call. A value keeps its type when all rows agree on it.",
        examples: &[ex(
            "datatable(Id:long, Bag:dynamic)[1, dynamic({'port': 22, 'proto': 'tcp'}), 2, dynamic({'port': 53})] | evaluate bag_unpack(Bag) | sort by Id asc",
            "Id:long,port:long,proto:string\n1,22,\"tcp\"\n2,53,\"\"",
        )],
    },
    Form {
        name: "pivot",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate pivot(COLUMN [, AGGREGATE] [, GROUP, ...])"],
        summary: "Turns the values of a column into columns.",
        details: "Each holds the aggregate (`count()` unless said otherwise) of the rows with that value, by the other columns or those that are named.",
        examples: &[ex(
            "datatable(User:string, Result:string)['ann','ok', 'ann','failed', 'bob','ok', 'ann','ok'] | evaluate pivot(Result) | sort by User asc",
            "User:string,failed:long,ok:long\n\"ann\",1,2\n\"bob\",0,1",
        )],
    },
    Form {
        name: "narrow",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate narrow()"],
        summary: "Turns each value into a row of its own: row number, column name, value as text.",
        details: "",
        examples: &[ex(
            "print A = 1, B = 'x' | evaluate narrow() | sort by Column asc",
            "Row:long,Column:string,Value:string\n0,\"A\",\"1\"\n0,\"B\",\"x\"",
        )],
    },
    Form {
        name: "ipv4_lookup",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate ipv4_lookup(NETWORKS, ADDRESS, NETWORK [, KEY, ...] [, return_unmatched = true])"],
        summary: "Adds the columns of the networks that an IPv4 address lies in.",
        details: "A row for each network that matches. Without `return_unmatched` the addresses of no network are gone.",
        examples: &[ex(
            "let Nets = datatable(Net:string, Zone:string)['10.0.0.0/8','office']; datatable(Ip:string)['10.1.2.3', '8.8.8.8'] | evaluate ipv4_lookup(Nets, Ip, Net, return_unmatched = true) | sort by Ip asc",
            "Ip:string,Net:string,Zone:string\n\"10.1.2.3\",\"10.0.0.0/8\",\"office\"\n\"8.8.8.8\",\"\",\"\"",
        )],
    },
    Form {
        name: "ipv6_lookup",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate ipv6_lookup(NETWORKS, ADDRESS, NETWORK [, return_unmatched = true])"],
        summary: "Adds the columns of the networks that an address lies in, of version 6 or 4.",
        details: "",
        examples: &[ex(
            "let Nets = datatable(Net:string, Zone:string)['2001:db8::/32','lab']; datatable(Ip:string)['2001:db8::7', '::1'] | evaluate ipv6_lookup(Nets, Ip, Net)",
            "Ip:string,Net:string,Zone:string\n\"2001:db8::7\",\"2001:db8::/32\",\"lab\"",
        )],
    },
    Form {
        name: "autocluster",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate autocluster([SIZE_WEIGHT] [, WEIGHT_COLUMN] [, SEEDS] [, WILDCARD, ...])"],
        summary: "Finds patterns of column values that many rows share.",
        details: "",
        examples: &[ex(
            "datatable(Ip:string, Port:long)['10.0.0.1',22, '10.0.0.1',22, '10.0.0.2',22, '10.0.0.3',443] | evaluate autocluster() | where Count == 2 | project Ip, Port",
            "Ip:string,Port:long\n\"10.0.0.1\",22",
        )],
    },
    Form {
        name: "basket",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate basket([THRESHOLD] [, WEIGHT_COLUMN] [, DIMENSIONS] [, WILDCARD, ...])"],
        summary: "Finds all combinations of column values that a share of the rows has.",
        details: "5 % of the rows unless said otherwise.",
        examples: &[ex(
            "datatable(Ip:string, Port:long)['10.0.0.1',22, '10.0.0.1',22, '10.0.0.2',22, '10.0.0.3',443] | evaluate basket(0.7) | project Count, Port",
            "Count:long,Port:long\n3,22",
        )],
    },
    Form {
        name: "diffpatterns",
        kind: FormKind::Plugin,
        syntax: &[
            "T | evaluate diffpatterns(COLUMN, VALUE_A, VALUE_B [, WEIGHT_COLUMN] [, THRESHOLD] [, DIMENSIONS] [, WILDCARD, ...])",
        ],
        summary: "Finds patterns that are frequent in one set of rows and rare in the other.",
        details: "",
        examples: &[ex(
            "datatable(Set:string, Port:string)['a','22', 'a','22', 'a','22', 'a','22', 'b','80', 'b','80', 'b','80', 'b','80'] | evaluate diffpatterns(Set, 'a', 'b') | where Port == '22' | project CountA, CountB",
            "CountA:long,CountB:long\n4,0",
        )],
    },
    Form {
        name: "diffpatterns_text",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate diffpatterns_text(COLUMN, CONDITION [, MIN_TOKENS] [, THRESHOLD] [, MAX_TOKENS])"],
        summary: "Finds words that tell two sets of texts apart.",
        details: "",
        examples: &[],
    },
    Form {
        name: "preview",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate preview(NUMBER)"],
        summary: "Gives so many rows, and the number of all rows as a second result.",
        details: "",
        examples: &[ex("range x from 1 to 9 step 1 | evaluate preview(2) | count", "Count:long\n2")],
    },
    Form {
        name: "identity",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate identity()"],
        summary: "Gives its input.",
        details: "",
        examples: &[ex("print A = 1 | evaluate identity()", "A:long\n1")],
    },
    Form {
        name: "schema_merge",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate schema_merge([PreserveOrder = true | false])"],
        summary: "Joins the texts of table schemas to one.",
        details: "The input has the rows of `getschema`. With `PreserveOrder = false` a column may stand in different places.",
        examples: &[ex(
            "union (datatable(A:string, B:int)[] | getschema), (datatable(A:string, B:long)[] | getschema) | evaluate schema_merge() | project ColumnName, ColumnType",
            "ColumnName:string,ColumnType:string\n\"A\",\"string\"\n\"B\",\"long\"",
        )],
    },
    Form {
        name: "infer_storage_schema",
        kind: FormKind::Plugin,
        syntax: &["evaluate infer_storage_schema(OPTIONS)"],
        summary: "Guesses the schema of files in storage.",
        details: "Tidewatch does not fetch addresses on behalf of a query.",
        examples: &[],
    },
    Form {
        name: "infer_storage_schema_with_suggestions",
        kind: FormKind::Plugin,
        syntax: &["evaluate infer_storage_schema_with_suggestions(OPTIONS)"],
        summary: "Guesses the schema of files in storage, with other types that would do.",
        details: "",
        examples: &[],
    },
    Form {
        name: "geo_polygon_lookup",
        kind: FormKind::Plugin,
        syntax: &[
            "T | evaluate geo_polygon_lookup(POLYGONS, POLYGON, LONGITUDE, LATITUDE [, radius] [, return_unmatched])",
        ],
        summary: "Adds the columns of the polygons that a point lies in.",
        details: "With `radius` also the polygons that are so many metres away; with `return_lookup_key = true` the polygon itself is shown.",
        examples: &[ex(
            "let Areas = datatable(Area:string, Shape:dynamic)['square', dynamic({'type':'Polygon','coordinates':[[[0,0],[10,0],[10,10],[0,10],[0,0]]]})]; datatable(Lon:real, Lat:real)[5.0,5.0, 50.0,5.0] | evaluate geo_polygon_lookup(Areas, Shape, Lon, Lat)",
            "Lon:real,Lat:real,Area:string\n5.0,5.0,\"square\"",
        )],
    },
    Form {
        name: "geo_line_lookup",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate geo_line_lookup(LINES, LINE, LONGITUDE, LATITUDE, RADIUS [, return_unmatched])"],
        summary: "Adds the columns of the lines that a point is near.",
        details: "",
        examples: &[ex(
            "let Roads = datatable(Road:string, Line:dynamic)['equator', dynamic({'type':'LineString','coordinates':[[0,0],[10,0]]})]; datatable(Lon:real, Lat:real)[5.0,0.0001, 5.0,5.0] | evaluate geo_line_lookup(Roads, Line, Lon, Lat, 100) | project Lon, Road",
            "Lon:real,Road:string\n5.0,\"equator\"",
        )],
    },
];
