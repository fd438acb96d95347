//! Plugins and operators that see a whole table.

use crate::operators::gives;
use crate::options::answers;

const VISITS: &str = "datatable(u:string, t:datetime)['a',datetime(2024-01-01), 'b',datetime(2024-01-01), \
                      'a',datetime(2024-01-01), 'c',datetime(2024-01-02), 'a',datetime(2024-01-03)]";

#[test]
fn rows_near_shows_the_neighbours() {
    gives("range n from 1 to 9 step 1 | evaluate rows_near(n == 5, 1)", "n", &["4", "5", "6"]);
    gives("range n from 1 to 9 step 1 | evaluate rows_near(n in (2, 4), 1, 0)", "n", &["1", "2", "3", "4"]);
}

#[test]
fn baskets_are_patterns_that_cannot_say_more() {
    gives(
        "datatable(a:string, b:long)['x',1, 'x',1, 'x',1, 'x',2, 'y',2] | evaluate basket(0.3) | project-away Percent",
        "SegmentId Count a b",
        &["0 3 x 1", "1 4 x null", "2 2  2"],
    );
    gives(
        "datatable(a:string, n:long)['x',9, 'y',1] | evaluate basket(0.5, n, '~', '*') | project Count, a",
        "Count a",
        &["9 x"],
    );
}

#[test]
fn differences_leave_the_split_out() {
    gives(
        "datatable(side:string, a:string)['A','x', 'A','x', 'B','y', 'B','y', 'B','x'] \
         | evaluate diffpatterns(side, 'A', 'B') | project SegmentId, CountA, CountB, a",
        "SegmentId CountA CountB a",
        &["0 2 1 x", "1 0 2 y"],
    );
}

#[test]
fn reduce_finds_what_texts_share() {
    let texts = "range n from 1 to 10 step 1 | extend s = strcat('user ', n, ' left'), n = n";
    gives(
        &format!("{texts} | reduce by s | project Count, Representative"),
        "Count Representative",
        &["10 user 1 left"],
    );
    gives(
        &format!("{texts} | reduce kind=source by s | where n == 3 | project n, same = Pattern startswith 'user'"),
        "n same",
        &["3 Bool(true)"],
    );
}

#[test]
fn sequences_within_their_spans() {
    gives(
        "datatable(u:string, t:datetime, e:string)['x',datetime(2024-01-01),'in', 'x',datetime(2024-01-02),'out', \
         'x',datetime(2024-01-09),'out', 'y',datetime(2024-01-01),'out', 'y',datetime(2024-01-02),'in'] \
         | evaluate sequence_detect(t, 5d, 5d, arrive=(e == 'in'), leave=(e == 'out'), u) \
         | project u, days = Duration / 1d, a = dayofmonth(arrive_t), b = dayofmonth(leave_t)",
        "u days a b",
        &["x Real(1.0) Int(1) Int(2)"],
    );
}

#[test]
fn activity_is_counted_by_bin() {
    let (from, to) = ("datetime(2024-01-01)", "datetime(2024-01-03)");
    gives(
        &format!("{VISITS} | evaluate activity_counts_metrics(u, t, {from}, {to}, 1d) | project-away t"),
        "count dcount new_dcount aggregated_dcount",
        &["1 1 0 3", "1 1 1 3", "3 2 2 2"],
    );
    gives(
        &format!("{VISITS} | evaluate sliding_window_counts(u, t, {from}, {to}, 2d, 1d) | project-away t"),
        "Count Dcount",
        &["2 2", "3 2", "4 3"],
    );
    gives(
        &format!("{VISITS} | evaluate active_users_count(u, t, {from}, {to}, 3d, 1d, 2, 7d) | project dcount"),
        "dcount",
        &["1"],
    );
}

#[test]
fn narrow_gives_a_row_for_each_cell() {
    gives(
        "datatable(a:long, b:string)[1,'x', 2,''] | evaluate narrow()",
        "Row Column Value",
        &["0 a 1", "0 b x", "1 a 2", "1 b "],
    );
}

#[test]
fn a_partition_in_braces_sees_its_key() {
    gives(
        "let T = datatable(v:long)[1, 2, 3]; datatable(k:long)[2, 3, 3] \
         | partition by k { T | where v >= toscalar(k) | summarize n = count(), k = max(toscalar(k)) }",
        "n k",
        &["1 3", "2 2"],
    );
}

#[test]
fn series_of_computed_values() {
    gives(
        "datatable(t:long, v:long)[0,4, 0,6, 2,3] | make-series a = sum(v) / count(), b = 7 default = 1 on t from 0 to 3 step 1 \
         | project a = tostring(a), b = tostring(b)",
        "a b",
        &["[5,0,3] [7,1,7]"],
    );
}

#[test]
fn patterns_choose_a_query() {
    let declared = "declare pattern capital = (country:string)[state:string] { ('USA').['New York'] = { print c = 'Albany' }; \
                    ('Canada').['Alberta'] = { print c = 'Edmonton' }; };";
    gives(&format!("{declared} capital('Canada').Alberta"), "c", &["Edmonton"]);
    gives(&format!("{declared} capital('USA').['New York'] | extend n = 1"), "c n", &["Albany 1"]);
}

#[test]
fn union_names_what_as_named() {
    gives("union withsource=s (print x = 1 | as A), (print x = 2)", "s x", &["A 1", "union_arg1 2"]);
}

#[test]
fn others_stand_for_what_top_nested_leaves_out() {
    let rows = "datatable(a:string, b:string, v:long)['x','p',5, 'x','q',3, 'x','r',1, 'y','p',2, 'z','q',1]";
    gives(
        &format!(
            "{rows} | top-nested 1 of a with others='rest' by sum(v), top-nested 1 of b with others='more' by sum(v)"
        ),
        "a aggregated_a b aggregated_b",
        &["rest 3 more 3", "x 9 more 4", "x 9 p 5"],
    );
    gives(
        &format!("{rows} | top-nested 1 of a with others='rest' by sum(v), top-nested 1 of b by max(v)"),
        "a aggregated_a b aggregated_b",
        &["rest 3  null", "x 9 p 5"],
    );
    gives(
        &format!("{rows} | top-nested 9 of a with others='rest' by count()"),
        "a aggregated_a",
        &["x 3", "y 1", "z 1"],
    );
}

#[test]
fn long_lists_are_joined() {
    let list = "let L = range x from 1 to 20000 step 1 | project s = strcat('h', x * 2);";
    gives(
        &format!(
            "{list} datatable(s:string, n:long)['h4',1, 'h5',2, 'h4',3, '',4] | where s in (L) and n < 9 | project n"
        ),
        "n",
        &["1", "3"],
    );
    gives(
        &format!("{list} datatable(s:string, n:long)['h4',1, 'H4',2, 'h5',3] | where s !in~ (L) | project n"),
        "n",
        &["3"],
    );
    gives(
        "let L = range x from 1 to 9000 step 1 | project x = iff(x > 10, x, long(null)); \
         datatable(n:long)[11, 5, long(null)] | where n in (L)",
        "n",
        &["11"],
    );
}

#[test]
fn a_macro_runs_for_each_entity() {
    gives(
        "macro-expand entity_group [database('a'), database('b')] as d (datatable(n:long)[1] | extend m = 2)",
        "n m",
        &["1 2", "1 2"],
    );
}

#[test]
fn activity_is_compared_between_windows() {
    answers(
        &format!(
            "{VISITS} | evaluate activity_metrics(u, t, datetime(2024-01-01), datetime(2024-01-05), 1d) \
             | project d = dayofmonth(t), dcount_values, dcount_newvalues, retention_rate, churn_rate"
        ),
        "d:int,dcount_values:long,dcount_newvalues:long,retention_rate:real,churn_rate:real\n1,2,2,NaN,NaN\n2,1,1,0.0,1.0\n3,1,1,0.0,1.0",
    );
    answers(
        &format!(
            "{VISITS} | evaluate activity_engagement(u, t, 1d, 2d) | project i = dcount_activities_inner, o = dcount_activities_outer"
        ),
        "i:long,o:long\n2,2\n1,3\n1,2",
    );
    let cohort =
        "evaluate new_activity_metrics(u, t, datetime(2024-01-01), datetime(2024-01-05), 1d, datetime(2024-01-01)";
    let shown = "project to = dayofmonth(to_t), new = dcount_new_values, stayed = dcount_retained_values";
    answers(&format!("{VISITS} | {cohort}) | {shown}"), "to:int,new:long,stayed:long\n1,2,2\n2,2,0\n3,2,1");
    answers(
        &format!("let known = datatable(u:string)['b']; {VISITS} | {cohort}, known) | {shown}"),
        "to:int,new:long,stayed:long\n1,1,1\n2,1,0\n3,1,1",
    );
}

#[test]
fn funnels_show_how_far_ids_came() {
    answers(
        "datatable(u:string, t:datetime, s:string)['a',datetime(2024-01-01 00:00),'in', 'a',datetime(2024-01-01 01:00),'out', \
         'b',datetime(2024-01-01 00:00),'in', 'b',datetime(2024-01-01 05:00),'out', 'c',datetime(2024-01-01 00:00),'out'] \
         | evaluate funnel_sequence_completion(u, t, datetime(2024-01-01), datetime(2024-01-02), 1d, s, dynamic(['in', 'out']), \
           dynamic([2h, 1d])) | project s, Period, dcount",
        "s:string,Period:timespan,dcount:long\n\"in\",02:00:00,2\n\"out\",02:00:00,1\n\"in\",1.00:00:00,2\n\"out\",1.00:00:00,2",
    );
}
