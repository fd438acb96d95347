//! Operators over graphs.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "make-graph",
        kind: FormKind::GraphOperator,
        syntax: &[
            "EDGES | make-graph SOURCE --> TARGET [with NODES on KEY, ...]",
            "EDGES | make-graph SOURCE --> TARGET with_node_id = NAME",
            "EDGES | make-graph SOURCE --> TARGET with NODES on KEY, ... partitioned-by COLUMN (GRAPH_OPERATOR)",
        ],
        summary: "Makes a graph of a table of edges, and tables of nodes.",
        details: "`-->` for edges with a direction, `--` for others. `partitioned-by` makes a graph for each value of a column of edges and nodes, and puts together what the operator gives for each.",
        examples: &[
            ex(
                "let Nodes = datatable(Id:string, Team:string)['a','red', 'b','red', 'a','blue', 'b','blue']; let Edges = datatable(From:string, To:string, Team:string)['a','b','red', 'b','a','blue']; Edges | make-graph From --> To with Nodes on Id partitioned-by Team (graph-match (x)-[e]->(y) project Team = x.Team, Way = strcat(x.Id, y.Id)) | sort by Team asc",
                "Team:string,Way:string\n\"blue\",\"ba\"\n\"red\",\"ab\"",
            ),
            ex(
                "let Nodes = datatable(Name:string)['ann','vm','key']; let Edges = datatable(From:string, To:string, Way:string)['ann','vm','login', 'vm','key','read']; Edges | make-graph From --> To with Nodes on Name | graph-to-table nodes | sort by Name asc",
                "Name:string\n\"ann\"\n\"key\"\n\"vm\"",
            ),
        ],
    },
    Form {
        name: "graph-match",
        kind: FormKind::GraphOperator,
        syntax: &[
            "G | graph-match [cycles = all | none | unique_edges] PATTERN, ... [where PREDICATE] project [NAME =] EXPRESSION, ...",
        ],
        summary: "Looks for paths of a pattern in a graph.",
        details: "A pattern alternates nodes `(a)` and edges `-[e]->`; `-[e*1..3]->` is a way of one to three edges.",
        examples: &[ex(
            "let Nodes = datatable(Name:string)['ann','vm','key']; let Edges = datatable(From:string, To:string, Way:string)['ann','vm','login', 'vm','key','read']; Edges | make-graph From --> To with Nodes on Name | graph-match (a)-[e]->(b) where e.Way == 'login' project A = a.Name, B = b.Name",
            "A:string,B:string\n\"ann\",\"vm\"",
        )],
    },
    Form {
        name: "graph-shortest-paths",
        kind: FormKind::GraphOperator,
        syntax: &[
            "G | graph-shortest-paths [output = any | all] PATTERN [where PREDICATE] project [NAME =] EXPRESSION, ...",
        ],
        summary: "Looks for the shortest ways between nodes.",
        details: "",
        examples: &[ex(
            "let Nodes = datatable(Name:string)['ann','vm','key']; let Edges = datatable(From:string, To:string, Way:string)['ann','vm','login', 'vm','key','read']; Edges | make-graph From --> To with Nodes on Name | graph-shortest-paths (a)-[e*1..5]->(b) where a.Name == 'ann' and b.Name == 'key' project A = a.Name, B = b.Name",
            "A:string,B:string\n\"ann\",\"key\"",
        )],
    },
    Form {
        name: "graph-mark-components",
        kind: FormKind::GraphOperator,
        syntax: &["G | graph-mark-components [kind = weak | strong] [with_component_id = NAME]"],
        summary: "Numbers the connected parts of a graph.",
        details: "",
        examples: &[ex(
            "let Nodes = datatable(Name:string)['ann','vm','key']; let Edges = datatable(From:string, To:string, Way:string)['ann','vm','login', 'vm','key','read']; Edges | make-graph From --> To with Nodes on Name | graph-mark-components | graph-to-table nodes | summarize Parts = dcount(ComponentId)",
            "Parts:long\n1",
        )],
    },
    Form {
        name: "graph-to-table",
        kind: FormKind::GraphOperator,
        syntax: &[
            "G | graph-to-table nodes [as NAME] [with_node_id = NAME]",
            "G | graph-to-table edges [as NAME] [with_source_id = NAME] [with_target_id = NAME]",
        ],
        summary: "Gives the nodes or edges of a graph as rows.",
        details: "",
        examples: &[ex(
            "let Nodes = datatable(Name:string)['ann','vm','key']; let Edges = datatable(From:string, To:string, Way:string)['ann','vm','login', 'vm','key','read']; Edges | make-graph From --> To with Nodes on Name | graph-to-table edges | sort by From asc",
            "From:string,To:string,Way:string\n\"ann\",\"vm\",\"login\"\n\"vm\",\"key\",\"read\"",
        )],
    },
    Form {
        name: "graph-where-nodes",
        kind: FormKind::GraphOperator,
        syntax: &["G | graph-where-nodes PREDICATE"],
        summary: "Keeps the nodes for which a predicate is true, and the edges between them.",
        details: "",
        examples: &[ex(
            "let Nodes = datatable(Name:string)['ann','vm','key']; let Edges = datatable(From:string, To:string, Way:string)['ann','vm','login', 'vm','key','read']; Edges | make-graph From --> To with Nodes on Name | graph-where-nodes Name != 'key' | graph-to-table nodes | count",
            "Count:long\n2",
        )],
    },
    Form {
        name: "graph-where-edges",
        kind: FormKind::GraphOperator,
        syntax: &["G | graph-where-edges PREDICATE"],
        summary: "Keeps the edges for which a predicate is true.",
        details: "",
        examples: &[ex(
            "let Nodes = datatable(Name:string)['ann','vm','key']; let Edges = datatable(From:string, To:string, Way:string)['ann','vm','login', 'vm','key','read']; Edges | make-graph From --> To with Nodes on Name | graph-where-edges Way == 'read' | graph-to-table edges | count",
            "Count:long\n1",
        )],
    },
];
