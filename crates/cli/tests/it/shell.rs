//! `tidewatch shell`, fed through a pipe.

use crate::logs::folder_with_launches;

#[test]
fn queries_commands_charts_and_exports_one_after_the_other() {
    let folder = folder_with_launches();
    let input = "AWSCloudTrail\n| summarize Calls = count() by EventName\n| sort by Calls desc\n| render barchart\n\n\
        .export calls.csv\n.tables\n.schema AWSCloudTrail\nAWSCloudTrail | where Nope == 1\n\nprint x = 1\n\
        \n.nothing\n.export calls.txt\n.quit\nprint never = 1\n";
    let run = folder.run_with_input(&["shell", "--logs", "logs"], input);
    assert_eq!(run.code, 0, "{}", run.err);
    let bars: Vec<&str> = run.out.lines().filter(|line| line.contains('█')).collect();
    assert!(bars.len() == 2 && bars[0].contains("RunInstances") && bars[0].ends_with("3.0"), "{}", run.out);
    assert!(run.out.contains("AWSCloudTrail: 4 rows") && run.out.contains("EventName: string"), "{}", run.out);
    assert!(run.out.contains("1 row\n") && !run.out.contains("never"), "{}", run.out);
    assert!(run.err.contains("KS142") && run.err.contains(".nothing") && run.err.contains("calls.txt"), "{}", run.err);
    let exported = std::fs::read_to_string(folder.path().join("calls.csv")).unwrap();
    assert_eq!(exported, "EventName,Calls\nRunInstances,3\nDescribeInstances,1\n");
}

#[test]
fn series_and_points_are_drawn() {
    let folder = folder_with_launches();
    let series = "AWSCloudTrail | make-series n = count() on TimeGenerated from datetime(2026-03-01) \
        to datetime(2026-03-05) step 1d by EventName | render timechart\n";
    let run = folder.run_with_input(&["shell", "--logs", "logs"], series);
    assert!(run.out.contains("n RunInstances") && run.out.contains("2026-03-04"), "{}", run.out);
    let points = "range x from 1 to 9 step 1 | extend y = x * x | render scatterchart\n";
    let run = folder.run_with_input(&["shell"], points);
    assert_eq!(run.out.matches('•').count(), 9, "{}", run.out);
}

#[test]
fn files_that_cannot_be_read_are_told_before_the_first_answer() {
    let folder = folder_with_launches();
    folder.write("logs/torn.json", "{\"Records\":[{\"eventTime\":\"2026-03-02T10:00:00Z\",\"eventName\":");
    let run = folder.run_with_input(&["shell", "--logs", "logs"], "AWSCloudTrail | count\n");
    assert!(run.err.contains("warning: ") && run.err.contains("torn.json"), "{}", run.err);
    assert!(run.out.contains('4'), "{}", run.out);
}
