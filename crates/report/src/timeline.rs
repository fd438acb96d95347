//! All alerts on one line of time.

use crate::entities;
use crate::model::{Alert, Moment};

/// The alerts by the time of their last record, oldest first: what completed them happened then.
pub fn of(alerts: &[Alert]) -> Vec<Moment> {
    let mut moments: Vec<Moment> = alerts
        .iter()
        .map(|alert| Moment {
            time: alert.begins().to_string(),
            until: alert.ends().to_string(),
            alert: alert.id.clone(),
            severity: alert.severity.clone(),
            name: alert.name.clone(),
            entities: alert.entities.iter().map(entities::label).filter(|label| !label.is_empty()).collect(),
        })
        .collect();
    moments.sort_by(|a, b| (&a.until, &a.time, &a.alert).cmp(&(&b.until, &b.time, &b.alert)));
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_say_when() {
        let by_result =
            Alert { id: "a".into(), start: "2026-03-02".into(), end: "2026-03-02".into(), ..Alert::default() };
        let by_record = Alert { id: "b".into(), last_record: Some("2026-03-01".into()), ..by_result.clone() };
        let order: Vec<String> = of(&[by_result, by_record]).into_iter().map(|moment| moment.alert).collect();
        assert_eq!(order, ["b", "a"]);
    }
}
