//! Graphs: made of tables, searched, and made tables again.

use crate::operators::gives;
use crate::options::answers;

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

#[test]
fn parts_of_a_partitioned_graph_never_meet() {
    // Both teams have an `a` and a `b`; only the red one goes on to `c`.
    let graph = "let nodes = datatable(id:string, team:string, age:long)['a','red',1, 'b','red',2, 'c','red',3, 'a','blue',4, 'b','blue',5]; \
                 let edges = datatable(src:string, dst:string, team:string)['a','b','red', 'b','c','red', 'a','b','blue']; \
                 edges | make-graph src --> dst with nodes on id partitioned-by team";
    answers(
        &format!(
            "{graph} (graph-match (x)-[e*1..3]->(y) where x.id == 'a' project x.team, end = y.id, age = y.age, n = array_length(e))"
        ),
        "x_team:string,end:string,age:long,n:long\n\"red\",\"b\",2,1\n\"red\",\"c\",3,2\n\"blue\",\"b\",5,1",
    );
    answers(
        &format!("{graph} (graph-to-table edges)"),
        "src:string,dst:string,team:string\n\"a\",\"b\",\"red\"\n\"b\",\"c\",\"red\"\n\"a\",\"b\",\"blue\"",
    );
}

#[test]
fn ids_and_labels_of_nodes() {
    answers(
        &format!(
            "{STAFF} g | graph-match (x)-[r*1..2]->(boss) where boss.name == 'Ann' and x.age > 20 \
                  project who = node_id(x), way = map(inner_nodes(r), node_id()), l = labels(x)"
        ),
        "who:string,way:dynamic,l:dynamic\n\"Bob\",[],[]\n\"Cy\",[],[]\n\"Di\",[\"Bob\"],[]",
    );
}
