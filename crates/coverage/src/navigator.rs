//! Layers for the ATT&CK Navigator, in its layer format 4.5.

use serde_json::{Value as Json, json};

use crate::{Coverage, Covered, Layer};

/// The version of the layer format.
const LAYER_FORMAT: &str = "4.5";

/// The version of the Navigator that introduced this form of layers.
const NAVIGATOR: &str = "5.1.0";

/// Colours of none to all three layers.
const COLOURS: [&str; 4] = ["#ffffff", "#c6dbef", "#6baed6", "#2171b5"];

/// A layer: the number of rules of one layer as score, or with None how many of the three layers hold.
///
/// Techniques carry no tactic, so that they show in every column that the Navigator's own version gives them.
pub fn layer(coverage: &Coverage, chosen: Option<Layer>, title: &str) -> Json {
    let score = |covered: &Covered| match chosen {
        Some(layer) => coverage.count(covered, layer),
        None => coverage.depth(covered),
    };
    let known = coverage.techniques.iter().filter(|covered| covered.technique.is_some() && score(covered) > 0);
    let techniques: Vec<Json> = known
        .map(|covered| {
            let names: Vec<&str> = covered
                .rules
                .iter()
                .filter_map(|index| coverage.rules.get(*index))
                .filter(|rule| chosen.is_none_or(|layer| layer.holds(rule)))
                .map(|rule| rule.name.as_str())
                .collect();
            json!({
                "techniqueID": covered.id,
                "score": score(covered),
                "color": "",
                "comment": names.join("\n"),
                "enabled": true,
                "metadata": Layer::ALL.map(|layer| json!({"name": layer.name(), "value": coverage.count(covered, layer).to_string()})),
                "links": [],
                "showSubtechniques": true,
            })
        })
        .collect();
    let greatest = coverage.techniques.iter().map(score).max().unwrap_or(0).max(1);
    let (description, legend) = match chosen {
        Some(layer) => (format!("{}: how many of a technique", layer.name()), Json::Array(Vec::new())),
        None => {
            let labels = ["rules", "rules with data at hand", "rules with data and with passing tests"];
            let items = labels.iter().zip(&COLOURS[1..]).map(|(label, color)| json!({"label": label, "color": color}));
            ("1: rules, 2: rules with data at hand or with passing tests, 3: both".to_string(), items.collect())
        }
    };
    json!({
        "name": title,
        "versions": {"attack": coverage.version.number(), "navigator": NAVIGATOR, "layer": LAYER_FORMAT},
        "domain": "enterprise-attack",
        "description": description,
        "sorting": 0,
        "layout": {
            "layout": "side",
            "aggregateFunction": "average",
            "showID": true,
            "showName": true,
            "showAggregateScores": false,
            "countUnscored": false,
            "expandedSubtechniques": "annotated",
        },
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": {
            "colors": if chosen.is_none() { COLOURS.to_vec() } else { vec![COLOURS[0], COLOURS[3]] },
            "minValue": 0,
            "maxValue": if chosen.is_none() { 3 } else { greatest },
        },
        "legendItems": legend,
        "metadata": [
            {"name": "made by", "value": "Tidewatch"},
            {"name": "rules", "value": coverage.rules.len().to_string()},
        ],
        "links": [],
        "showTacticRowBackground": false,
        "tacticRowBackground": "#dddddd",
        "selectTechniquesAcrossTactics": true,
        "selectSubtechniquesWithParent": false,
        "selectVisibleTechniques": false,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

    use std::collections::BTreeSet;

    use super::*;
    use crate::attack::Version;
    use crate::tests::some;

    /// The fields of layer format 4.5 with the kind of their values, as the Navigator's repository specifies them.
    const FIELDS: &[(&str, &str)] = &[
        ("versions", "object"),
        ("name", "string"),
        ("domain", "string"),
        ("description", "string"),
        ("filters", "object"),
        ("sorting", "number"),
        ("layout", "object"),
        ("hideDisabled", "boolean"),
        ("techniques", "array"),
        ("gradient", "object"),
        ("legendItems", "array"),
        ("showTacticRowBackground", "boolean"),
        ("tacticRowBackground", "string"),
        ("selectTechniquesAcrossTactics", "boolean"),
        ("selectSubtechniquesWithParent", "boolean"),
        ("selectVisibleTechniques", "boolean"),
        ("metadata", "array"),
        ("links", "array"),
    ];

    const TECHNIQUE: &[(&str, &str)] = &[
        ("techniqueID", "string"),
        ("tactic", "string"),
        ("comment", "string"),
        ("showSubtechniques", "boolean"),
        ("score", "number"),
        ("color", "string"),
        ("enabled", "boolean"),
        ("links", "array"),
        ("metadata", "array"),
    ];

    fn kind(value: &Json) -> &'static str {
        match value {
            Json::Object(_) => "object",
            Json::Array(_) => "array",
            Json::String(_) => "string",
            Json::Number(_) => "number",
            Json::Bool(_) => "boolean",
            Json::Null => "null",
        }
    }

    fn conforms(value: &Json, fields: &[(&str, &str)]) {
        for (name, value) in value.as_object().unwrap() {
            let known = fields.iter().find(|(field, _)| field == name).unwrap_or_else(|| panic!("no field {name}"));
            assert_eq!(kind(value), known.1, "{name}");
        }
    }

    #[test]
    fn layers_have_the_fields_of_the_format() {
        for version in [Version::V16, Version::V19] {
            let coverage = Coverage::of(some(), version);
            for chosen in [None, Some(Layer::Rules), Some(Layer::Data), Some(Layer::Tested)] {
                let layer = layer(&coverage, chosen, "rules");
                conforms(&layer, FIELDS);
                assert!(["name", "versions", "domain"].iter().all(|field| !layer[field].is_null()));
                assert_eq!(layer["versions"]["layer"], "4.5");
                assert_eq!(layer["versions"]["attack"], version.number());
                let mut ids = BTreeSet::new();
                for technique in layer["techniques"].as_array().unwrap() {
                    conforms(technique, TECHNIQUE);
                    assert!(technique["score"].as_u64() <= layer["gradient"]["maxValue"].as_u64());
                    assert!(ids.insert(technique["techniqueID"].to_string()), "twice: {technique}");
                    let metadata = technique["metadata"].as_array().unwrap();
                    assert!(metadata.iter().all(|item| item["name"].is_string() && item["value"].is_string()));
                }
            }
        }
    }

    #[test]
    fn scores_are_counts_or_depths() {
        let coverage = Coverage::of(some(), Version::V16);
        let score = |chosen, id: &str| {
            let layer = layer(&coverage, chosen, "x");
            let found = layer["techniques"].as_array().unwrap().iter().find(|t| t["techniqueID"] == id).cloned();
            found.map(|technique| technique["score"].as_u64().unwrap())
        };
        assert_eq!(score(None, "T1578.002"), Some(3));
        assert_eq!((score(Some(Layer::Tested), "T1578.002"), score(Some(Layer::Tested), "T1496")), (Some(1), None));
        assert_eq!(score(Some(Layer::Rules), "T9999"), None, "no such technique");
    }
}
