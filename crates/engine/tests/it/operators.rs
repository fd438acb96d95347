//! Operators that need more than a projection, from text to rows.

use std::sync::Arc;

use crate::options::answers;
use engine::{DataSet, Engine, QueryOptions, TableCatalog};
use kql_types::Value;

/// Column names and rows of a query, values as text.
fn run(query: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let engine = Engine::new(Arc::new(TableCatalog::new()), Arc::new(DataSet::default()));
    let output = engine.run_blocking(query, &QueryOptions::at(0)).unwrap_or_else(|error| panic!("{query}: {error}"));
    let table = output.tables.first().expect("a result");
    let names = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut rows = Vec::new();
    for batch in &table.batches {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().zip(&table.columns);
            rows.push(values.map(|(column, known)| text(&kql_plan::value_at(column, known.ty, row))).collect());
        }
    }
    (names, rows)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null(_) => "null".to_owned(),
        Value::Long(value) => value.to_string(),
        Value::String(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn gives(query: &str, names: &str, rows: &[&str]) {
    let (found, mut values) = run(query);
    assert_eq!(found.join(" "), names, "{query}");
    let mut values: Vec<String> = values.drain(..).map(|row| row.join(" ")).collect();
    values.sort();
    assert_eq!(values, rows, "{query}");
}

#[test]
fn scan_matches_sequences() {
    let rows =
        "datatable(t:long, e:string)[1,'login', 2,'read', 3,'logout', 4,'read', 5,'login', 6,'logout'] | sort by t asc";
    gives(
        &format!(
            "{rows} | scan with_match_id=m declare (began:long) with (step a output=none: e == 'login' => began = t; \
             step b: e == 'logout' => began = a.t;) | project t, began, m"
        ),
        "t began m",
        &["3 1 0", "6 5 1"],
    );
    gives(
        &format!("{rows} | scan declare (n:long=0) with (step s: e != 'read' => n = s.n + 1;) | project t, n"),
        "t n",
        &["1 1", "3 2", "5 3", "6 4"],
    );
    gives(
        &format!(
            "{rows} | scan with (step a output=none: e == 'login'; step b output=last: e == 'read' or e == 'logout';) | project t"
        ),
        "t",
        &["4", "6"],
    );
}

#[test]
fn scan_keeps_partitions_apart() {
    gives(
        "datatable(u:string, t:long)['x',1, 'y',2, 'x',3, 'y',4, 'x',5] | sort by t asc \
         | scan partition by u declare (n:long=0) with (step s: true => n = s.n + 1;)",
        "u t n",
        &["x 1 1", "x 3 2", "x 5 3", "y 2 1", "y 4 2"],
    );
}

#[test]
fn top_nested_goes_level_by_level() {
    gives(
        "datatable(a:string, b:string, v:long)['x','p',1, 'x','q',5, 'y','p',3, 'y','q',1, 'z','p',1] \
         | top-nested 2 of a by sum(v), top-nested 1 of b by most=max(v)",
        "a aggregated_a b most",
        &["x 6 q 5", "y 4 p 3"],
    );
}

#[test]
fn bags_unpack_to_the_columns_they_have() {
    let bags =
        "datatable(id:long, d:dynamic)[1,dynamic({'a':1,'b':'x'}), 2,dynamic({'b':'y','c':[1]}), 3,dynamic(null)]";
    gives(&format!("{bags} | evaluate bag_unpack(d) | project id, a, b"), "id a b", &["1 1 x", "2 null y", "3 null "]);
    gives(&format!("{bags} | evaluate bag_unpack(d, 'k_') | where k_b == 'y' | project id"), "id", &["2"]);
    gives(&format!("{bags} | where false | evaluate bag_unpack(d) | where a == 1"), "id a", &[]);
    let engine = Engine::new(Arc::new(TableCatalog::new()), Arc::new(DataSet::default()));
    let clash = "print id = 1, d = dynamic({'id':2}) | evaluate bag_unpack(d)";
    assert!(engine.run_blocking(clash, &QueryOptions::at(0)).is_err());
    gives("print id = 1, d = dynamic({'id':2}) | evaluate bag_unpack(d, columnsConflict='keep_source')", "id", &["1"]);
    gives(
        "print id = 1, d = dynamic({'id':2}) | evaluate bag_unpack(d, columnsConflict='replace_source')",
        "id",
        &["2"],
    );
}

#[test]
fn pivot_turns_values_into_columns() {
    let rows = "datatable(a:string, b:string, v:long)['x','p',1, 'x','q',2, 'y','p',3]";
    gives(&format!("{rows} | evaluate pivot(b, sum(v))"), "a p q", &["x 1 2", "y 3 0"]);
    gives(
        &format!("{rows} | evaluate pivot(b, count(), a) | extend all = p + q"),
        "a p q all",
        &["x 1 1 2", "y 1 0 1"],
    );
}

#[test]
fn lookups_find_the_network_of_an_address() {
    let nets = "let N = datatable(net:string, name:string)['10.0.0.0/8','ten', '192.168.1.0/24','home'];";
    let rows = "datatable(ip:string)['10.1.2.3', '192.168.1.7', '8.8.8.8']";
    gives(
        &format!("{nets} {rows} | evaluate ipv4_lookup(N, ip, net) | project ip, name"),
        "ip name",
        &["10.1.2.3 ten", "192.168.1.7 home"],
    );
    gives(
        &format!("{nets} {rows} | evaluate ipv4_lookup(N, ip, net, return_unmatched=true) | project ip, name"),
        "ip name",
        &["10.1.2.3 ten", "192.168.1.7 home", "8.8.8.8 "],
    );
}

#[test]
fn optional_steps_of_scan_may_be_left_out() {
    let rows = "datatable(t:long, e:string)[1,'in', 2,'read', 3,'out', 4,'in', 5,'out', 6,'out'] | sort by t asc";
    let steps = "step a: e == 'in'; step b optional: e == 'read'; step c: e == 'out';";
    answers(
        &format!("{rows} | scan with_match_id=m with ({steps}) | project t, m"),
        "t:long,m:long\n1,0\n2,0\n3,0\n4,1\n5,1\n6,1",
    );
    // The state of a step that was left out is empty.
    answers(
        &format!(
            "{rows} | scan with_match_id=m declare (seen:long) with (step a output=none: e == 'in'; \
                  step b optional output=none: e == 'read' => seen = t; step c output=last: e == 'out' => seen = b.t;) \
                  | project t, seen"
        ),
        "t:long,seen:long\n3,2\n6,null",
    );
}

#[test]
fn groups_of_top_nested_rank_by_what_is_computed() {
    let rows = "datatable(a:string, b:string, v:long)['x','p',1, 'x','q',9, 'y','p',4, 'y','q',4, 'z','p',8]";
    answers(
        &format!("{rows} | top-nested 2 of a by spread = max(v) - min(v) desc"),
        "a:string,spread:long\n\"x\",8\n\"y\",0",
    );
    answers(
        &format!("{rows} | top-nested 1 of a by sum(v) * 2, top-nested 1 of b by round(avg(v), 1)"),
        "a:string,aggregated_a:long,b:string,aggregated_b:real\n\"x\",20,\"q\",9.0",
    );
    answers(
        &format!("{rows} | top-nested 1 of a with others = 'rest' by n = sum(v) + count()"),
        "a:string,n:long\n\"x\",12\n\"rest\",19",
    );
}
