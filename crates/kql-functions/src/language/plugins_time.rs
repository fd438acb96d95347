//! Plugins over users and time.

use crate::entry::ex;
use crate::language::{Form, FormKind};

pub static FAMILY: &[Form] = &[
    Form {
        name: "rolling_percentile",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate rolling_percentile(VALUE, PERCENTILE, INDEX, BIN_SIZE, BINS [, DIMENSION, ...])"],
        summary: "Gives percentiles over a window of steps that moves along.",
        details: "The window of a bin is the bin and those before it, `BINS` in all.",
        examples: &[ex(
            "range T from 1 to 6 step 1 | extend V = T * 10 | evaluate rolling_percentile(V, 50, T, 2, 2) | sort by T asc",
            "T:long,rolling_2_percentile_V_50:long\n0,10\n2,20\n4,30\n6,50",
        )],
    },
    Form {
        name: "rows_near",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate rows_near(CONDITION, NUMBER [, NUMBER_AFTER])"],
        summary: "Keeps the rows that stand near a row of a condition.",
        details: "The rows must be serialized.",
        examples: &[ex("range x from 1 to 9 step 1 | serialize | evaluate rows_near(x == 5, 1)", "x:long\n4\n5\n6")],
    },
    Form {
        name: "sequence_detect",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate sequence_detect(TIME, MAX_STEP, MAX_SPAN, STEP = CONDITION, ... [, DIMENSION, ...])"],
        summary: "Finds sequences of events, each near the one before.",
        details: "",
        examples: &[ex(
            "datatable(User:string, T:datetime, What:string)['ann', datetime(2026-03-01 10:00), 'login', 'ann', datetime(2026-03-01 10:05), 'delete'] | evaluate sequence_detect(T, 10m, 1h, s1 = What == 'login', s2 = What == 'delete', User) | project User, Duration",
            "User:string,Duration:timespan\n\"ann\",00:05:00",
        )],
    },
    Form {
        name: "session_count",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate session_count(ID, TIME, START, END, BIN, LOOK_BACK [, DIMENSION, ...])"],
        summary: "Counts sessions of an identity: runs of events without a long pause.",
        details: "A row opens a session when its identity was not seen within `LOOK_BACK` before it.",
        examples: &[ex(
            "datatable(User:string, T:long)['ann',1, 'ann',2, 'ann',20, 'bob',3] | evaluate session_count(User, T, 0, 30, 10, 5) | sort by T asc",
            "T:long,count_sessions:long\n0,2\n20,1",
        )],
    },
    Form {
        name: "dcount_intersect",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate dcount_intersect(HLL, ...)"],
        summary: "Counts the values that the first sets of several have in common.",
        details: "`s0` is the size of the first set, `s1` that of the first two together, and so on.",
        examples: &[ex(
            "range x from 1 to 100 step 1 | summarize a = hll(iff(x % 2 == 0, x, 0)), b = hll(iff(x % 3 == 0, x, 0)) | evaluate dcount_intersect(a, b) | project s0, s1",
            "s0:long,s1:long\n51,17",
        )],
    },
    Form {
        name: "active_users_count",
        kind: FormKind::Plugin,
        syntax: &[
            "T | evaluate active_users_count(ID, TIME, START, END, LOOK_BACK, PERIOD, ACTIVE_PERIODS, BIN [, DIMENSION, ...])",
        ],
        summary: "Counts the ids that were seen in at least so many periods before each step.",
        details: "",
        examples: &[ex(
            "datatable(User:string, T:datetime)['ann', datetime(2026-03-01), 'bob', datetime(2026-03-01), 'ann', datetime(2026-03-02)] | evaluate active_users_count(User, T, datetime(2026-03-01), datetime(2026-03-03), 3d, 1d, 2, 1d)",
            "T:datetime,dcount:long\n2026-03-02T00:00:00.0000000Z,1",
        )],
    },
    Form {
        name: "activity_counts_metrics",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate activity_counts_metrics(ID, TIME, START, END, STEP [, DIMENSION, ...])"],
        summary: "Counts rows, ids, new ids and all ids so far, for each step.",
        details: "",
        examples: &[ex(
            "datatable(User:string, T:datetime)['ann', datetime(2026-03-01), 'bob', datetime(2026-03-01), 'ann', datetime(2026-03-02)] | evaluate activity_counts_metrics(User, T, datetime(2026-03-01), datetime(2026-03-03), 1d) | sort by T asc | project dcount, new_dcount, aggregated_dcount",
            "dcount:long,new_dcount:long,aggregated_dcount:long\n2,2,2\n1,0,2",
        )],
    },
    Form {
        name: "activity_engagement",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate activity_engagement(ID, TIME, [START, END,] INNER, OUTER [, DIMENSION, ...])"],
        summary: "Compares the ids of a short window with those of a long one.",
        details: "Each inner window is compared with the outer one that ends with it.",
        examples: &[ex(
            "datatable(User:string, T:datetime)['ann', datetime(2026-03-01), 'bob', datetime(2026-03-01), 'ann', datetime(2026-03-02)] | evaluate activity_engagement(User, T, datetime(2026-03-01), datetime(2026-03-03), 1d, 2d) | sort by T asc | project Inner = dcount_activities_inner, Outer = dcount_activities_outer, activity_ratio",
            "Inner:long,Outer:long,activity_ratio:real\n2,2,1.0\n1,2,0.5",
        )],
    },
    Form {
        name: "activity_metrics",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate activity_metrics(ID, TIME, [START, END,] STEP [, DIMENSION, ...])"],
        summary: "Counts ids, new ids, those that stayed and those that left, for each step.",
        details: "New is who was not there in the window just before. The length of the windows may be `'week'`, `'month'` or `'year'`.",
        examples: &[ex(
            "datatable(User:string, T:datetime)['ann', datetime(2026-03-01), 'bob', datetime(2026-03-01), 'ann', datetime(2026-03-02)] | evaluate activity_metrics(User, T, datetime(2026-03-01), datetime(2026-03-03), 1d) | sort by T asc | project dcount_values, dcount_newvalues, retention_rate, churn_rate",
            "dcount_values:long,dcount_newvalues:long,retention_rate:real,churn_rate:real\n2,2,NaN,NaN\n1,0,0.5,0.5",
        )],
    },
    Form {
        name: "new_activity_metrics",
        kind: FormKind::Plugin,
        syntax: &[
            "T | evaluate new_activity_metrics(ID, TIME, START, END, STEP [, COHORT] [, DIMENSION, ...] [, KNOWN])",
        ],
        summary: "Follows the ids that were new in each step.",
        details: "With a cohort, only the ids that were new in the window of that time. Ids of the table `KNOWN` are never new. The length of the windows may be `'week'`, `'month'` or `'year'`.",
        examples: &[ex(
            "datatable(User:string, T:datetime)['ann', datetime(2026-03-01), 'bob', datetime(2026-03-01), 'ann', datetime(2026-03-02)] | evaluate new_activity_metrics(User, T, datetime(2026-03-01), datetime(2026-03-03), 1d) | sort by from_T asc, to_T asc | project New = dcount_new_values, Stayed = dcount_retained_values, retention_rate",
            "New:long,Stayed:long,retention_rate:real\n2,2,1.0\n2,1,0.5",
        )],
    },
    Form {
        name: "sliding_window_counts",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate sliding_window_counts(ID, TIME, START, END, LOOK_BACK, BIN [, DIMENSION, ...])"],
        summary: "Counts rows and ids in a window that ends at each step.",
        details: "",
        examples: &[ex(
            "datatable(User:string, T:datetime)['ann', datetime(2026-03-01), 'bob', datetime(2026-03-01), 'ann', datetime(2026-03-02)] | evaluate sliding_window_counts(User, T, datetime(2026-03-01), datetime(2026-03-03), 2d, 1d) | sort by T asc | project Count, Dcount",
            "Count:long,Dcount:long\n2,2\n3,2\n1,1",
        )],
    },
    Form {
        name: "funnel_sequence",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate funnel_sequence(ID, TIME, START, END, MAX_STEP, STEP, STATE, SEQUENCE)"],
        summary: "Counts the ids by what came before and after a sequence of states.",
        details: "",
        examples: &[],
    },
    Form {
        name: "funnel_sequence_completion",
        kind: FormKind::Plugin,
        syntax: &["T | evaluate funnel_sequence_completion(ID, TIME, START, END, STEP, STATE, SEQUENCE, WINDOWS)"],
        summary: "Counts the ids that came so far in a sequence of states.",
        details: "The windows are counted apart; each period gives a funnel. Other states may stand between those of the sequence.",
        examples: &[ex(
            "datatable(User:string, T:datetime, What:string)['ann', datetime(2026-03-01 10:00), 'in', 'ann', datetime(2026-03-01 11:00), 'out', 'bob', datetime(2026-03-01 10:00), 'in'] | evaluate funnel_sequence_completion(User, T, datetime(2026-03-01), datetime(2026-03-02), 1d, What, dynamic(['in', 'out']), dynamic([30m, 2h])) | project What, Period, dcount",
            "What:string,Period:timespan,dcount:long\n\"in\",00:30:00,2\n\"out\",00:30:00,0\n\"in\",02:00:00,2\n\"out\",02:00:00,1",
        )],
    },
];
