//! Graphs: made of tables, searched, and made tables again.

use crate::operators::gives;

const STAFF: &str = "let people = datatable(name:string, age:long)['Ann',50, 'Bob',40, 'Cy',30, 'Di',25]; \
                     let reports = datatable(who:string, mgr:string, since:long)['Bob','Ann',1, 'Cy','Ann',2, 'Di','Bob',3, 'Ed','Di',4]; \
                     let g = reports | make-graph who --> mgr with people on name;";

#[test]
fn single_edges_match_with_conditions_on_both_ends() {
    gives(
        &format!(
            "{STAFF} g | graph-match (a)-[r]->(b) where b.age > 30 and r.since < a.age project a.name, r.since, boss = b.name"
        ),
        "a_name r_since boss",
        &["Bob 1 Ann", "Cy 2 Ann", "Di 3 Bob"],
    );
    gives(&format!("{STAFF} g | graph-match (b)<-[r]-(a) where a.name == '' project b.name"), "b_name", &["Di"]);
}

#[test]
fn paths_are_lists() {
    gives(
        &format!(
            "{STAFF} g | graph-match (boss)<-[r*1..3]-(x) where boss.name == 'Ann' \
             project way = tostring(map(r, who)), mid = tostring(map(inner_nodes(r), name)), early = all(r, since < 3)"
        ),
        "way mid early",
        &[
            "[\"Bob\",\"Di\",\"Ed\"] [\"Bob\",\"Di\"] Bool(false)",
            "[\"Bob\",\"Di\"] [\"Bob\"] Bool(false)",
            "[\"Bob\"] [] Bool(true)",
            "[\"Cy\"] [] Bool(true)",
        ],
    );
}

#[test]
fn shared_variables_join_patterns() {
    gives(
        &format!(
            "{STAFF} g | graph-match (a)-->(m), (b)-->(m) where a.age > b.age project a = a.name, b = b.name, m = m.name"
        ),
        "a b m",
        &["Bob Cy Ann"],
    );
}

#[test]
fn degrees_count_edges() {
    gives(
        &format!("{STAFF} g | graph-match (n) where node_degree_in(n) > 1 project n.name, out = node_degree_out(n)"),
        "n_name out",
        &["Ann 0"],
    );
}

#[test]
fn graphs_become_tables_again() {
    gives(
        &format!(
            "{STAFF} g | graph-mark-components with_component_id=c | graph-to-table nodes | summarize n = count() by c"
        ),
        "c n",
        &["0 5"],
    );
    gives(
        &format!("{STAFF} g | graph-to-table edges | project who, since | where since > 2"),
        "who since",
        &["Di 3", "Ed 4"],
    );
    gives(
        &format!("{STAFF} g | graph-where-nodes age > 26 | graph-match (a)-->(b) project a = a.name, b = b.name"),
        "a b",
        &["Bob Ann", "Cy Ann"],
    );
}

#[test]
fn shortest_paths_take_fewest_edges() {
    gives(
        "datatable(a:long, b:long)[1,2, 2,3, 3,4, 1,3] | make-graph a --> b with_node_id=n \
         | graph-shortest-paths (s)-[e*1..5]->(t) where s.n == 1 and t.n == 4 project path = tostring(map(e, b))",
        "path",
        &["[3,4]"],
    );
}
