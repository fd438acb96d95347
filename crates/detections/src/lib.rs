//! Rules: loading, schedule, runs, entities, alerts.
