//! Which tables a log source is, and which column or expression a field of it.
//!
//! The registry is data: [`SOURCES`] says which [`Target`]s a log source has, a target says what its fields are. A field that no
//! entry names is a column of the same name (case and underscores aside), then whatever the target's [`Rest`] says. Start at
//! [`targets`] and [`Target::resolve`].

mod cloud;
mod device;
mod linux;
mod network;
mod windows;

use kql_types::ScalarType;
use tables::{SchemaSet, TableSchema};

use crate::document::LogSource;
use crate::value::Pattern;

pub(crate) use cloud::AUDIT as AUDIT_LOG;

/// Where a field's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Column(&'static str),
    /// A column that only some exports have, as text.
    Optional(&'static str),
    /// A member of a column that holds an object: column, path.
    Json(&'static str, &'static str),
    /// For a field that ends in `.*`: what is behind the prefix is the path in the column's object.
    Under(&'static str),
    /// A member of any object of a list in the column: column, name.
    InList(&'static str, &'static str),
    /// For a field that ends in `.*`: the last name of the field, in any object of a list in the column.
    UnderList(&'static str),
    /// KQL of a text.
    Kql(&'static str),
}

/// What a field is that nothing names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Not there.
    Nothing,
    /// `<Data Name="field">` of the XML in the column.
    Xml(&'static str),
    /// A member of the object in the column.
    Member(&'static str),
    /// `field=value` in the text of the column.
    KeyValue(&'static str),
    /// A column of a custom table: dots as underscores, with `_s`, that only some exports have.
    Suffixed,
    /// The value of the parameter of that name, in a list of names and values.
    NamedValue(&'static str),
}

/// An entity that a target's rows name: entity type, identifier, column. The column may be one that [`Target::shown`] makes.
pub type Entity = (&'static str, &'static str, &'static str);

/// One table as a log source.
#[derive(Debug, PartialEq)]
pub struct Target {
    pub table: &'static str,
    /// The rows of the log source, in KQL; empty: all.
    pub rows: &'static str,
    pub fields: &'static [(&'static str, Place)],
    pub rest: Rest,
    /// Columns that a search of the whole event reads; none: all columns.
    pub keywords: &'static [&'static str],
    pub entities: &'static [Entity],
    /// Columns made for entities: KQL behind `extend`.
    pub shown: &'static str,
    /// Sentinel's connector id.
    pub connector: &'static str,
}

/// A log source with its tables. Empty texts fit anything that the rule leaves out or says.
#[derive(Debug)]
pub struct Source {
    pub product: &'static str,
    pub category: &'static str,
    pub service: &'static str,
    pub targets: &'static [&'static Target],
    /// What a user should know.
    pub note: &'static str,
}

/// Every log source, those that say more before those that say less.
pub fn sources() -> impl Iterator<Item = &'static Source> {
    [cloud::SOURCES, windows::SOURCES, linux::SOURCES, network::SOURCES].into_iter().flatten()
}

/// The tables of a log source; None for one that no table is known for.
pub fn source_of(wanted: &LogSource) -> Option<&'static Source> {
    let fits = |have: &str, wanted: &str| have == wanted;
    let exact = sources().find(|source| {
        fits(source.product, &wanted.product)
            && fits(source.category, &wanted.category)
            && fits(source.service, &wanted.service)
    });
    // A rule that says more than the registry knows: what it says besides does not choose a table.
    exact.or_else(|| {
        sources().find(|source| {
            let known = [
                (source.product, &wanted.product),
                (source.category, &wanted.category),
                (source.service, &wanted.service),
            ];
            known.iter().all(|(have, wanted)| have.is_empty() || have == wanted)
                && known.iter().any(|(have, _)| !have.is_empty())
                // A product alone is no table when the rule asks for a part of it.
                && !(source.category.is_empty() && source.service.is_empty()
                    && !(wanted.category.is_empty() && wanted.service.is_empty()))
        })
    })
}

/// A field as KQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The value, or what `extend` names it.
    pub expr: String,
    pub ty: ScalarType,
    /// An expression too long to stand in each test: made a column named [`Resolved::expr`] first.
    pub made: Option<String>,
    /// The value is looked for as this member in JSON text that [`Resolved::expr`] gives.
    pub member: Option<ListMember>,
    /// Whether the field is there at all, in KQL; None: it is there when it is not empty.
    pub exists: Option<String>,
}

/// How the members of a list's objects are found in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListMember {
    /// `"name":value`.
    Named(String),
    /// `"name":"name","value":value`.
    Parameter(String),
}

impl ListMember {
    /// The regular expression that finds a member with this value; None: any value.
    pub fn regex(&self, pattern: Option<&Pattern>) -> String {
        let in_json = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let value = pattern.map_or_else(|| r#"[^"]+"#.to_string(), |p| p.regex(r#"[^"]*"#, &in_json));
        match self {
            ListMember::Named(name) => format!(r#""{}":\s*"?{value}["\],}}]"#, regex_syntax::escape(name)),
            ListMember::Parameter(name) => {
                format!(r#""name":\s*"{}",\s*"[A-Za-z]*value":\s*"?{value}["\],}}]"#, regex_syntax::escape(name))
            }
        }
    }
}

impl Target {
    /// The table's columns.
    pub fn schema(&self) -> Option<&'static TableSchema> {
        use std::sync::OnceLock;
        static ALL: OnceLock<SchemaSet> = OnceLock::new();
        ALL.get_or_init(SchemaSet::builtin).get(self.table)
    }

    /// The field as KQL; None where the table has nothing of that name.
    pub fn resolve(&self, field: &str) -> Option<Resolved> {
        let named = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
        if let Some((_, place)) = named {
            return self.at(*place, "");
        }
        let below = self.fields.iter().find_map(|(name, place)| {
            let prefix = name.strip_suffix('*')?;
            let start = field.get(..prefix.len())?;
            start.eq_ignore_ascii_case(prefix).then(|| (place, field.get(prefix.len()..).unwrap_or_default()))
        });
        if let Some((place, path)) = below {
            return self.at(*place, path);
        }
        // Columns of an envelope say where an event came from: its own fields are in the message.
        let envelope = matches!(self.table, "Event" | "WindowsEvent" | "Syslog");
        if let Some(column) = self.schema().filter(|_| !envelope).and_then(|schema| same_name(schema, field)) {
            return self.at_column(column);
        }
        if let Some(inner) = field.strip_prefix("properties.") {
            return self.resolve(inner);
        }
        let made = |kql: String| Resolved {
            expr: column_name(field),
            ty: ScalarType::String,
            made: Some(kql),
            member: None,
            exists: None,
        };
        match self.rest {
            Rest::Nothing => None,
            Rest::Xml(column) => Some(made(xml_value(column, field))),
            Rest::KeyValue(column) => Some(made(key_value(column, field))),
            Rest::Member(column) => Some(self.in_object(column, field)),
            Rest::Suffixed => Some(optional(&format!("{}_s", field.replace('.', "_")))),
            Rest::NamedValue(column) => Some(Resolved {
                expr: format!("tostring({column})"),
                ty: ScalarType::String,
                made: None,
                member: Some(ListMember::Parameter(field.to_string())),
                exists: None,
            }),
        }
    }

    fn at(&self, place: Place, path: &str) -> Option<Resolved> {
        Some(match place {
            Place::Column(column) => return self.at_column(column),
            Place::Optional(column) => optional(column),
            Place::Json(column, path) => self.in_object(column, path),
            // AWS wraps lists as {"items":[...]}: no path leads through them.
            Place::Under(column) => match path.split_once(".items.") {
                Some((list, member)) => self.in_list_of(column, list, member),
                None => self.in_object(column, path),
            },
            Place::InList(column, member) => self.in_list(column, member),
            Place::UnderList(column) => self.in_list(column, path.rsplit('.').next().unwrap_or(path)),
            Place::Kql(kql) => {
                Resolved { expr: format!("({kql})"), ty: ScalarType::String, made: None, member: None, exists: None }
            }
        })
    }

    fn at_column(&self, name: &str) -> Option<Resolved> {
        let column = self.schema()?.column(name)?;
        Some(match column.ty {
            ScalarType::Dynamic => {
                Resolved { exists: Some(format!("isnotnull({name})")), ..text(format!("tostring({name})")) }
            }
            ty => Resolved { expr: kql_name(name), ty, made: None, member: None, exists: None },
        })
    }

    /// The column's object, parsed.
    fn object(&self, column: &str) -> String {
        let dynamic = self.schema().and_then(|s| s.column(column)).is_some_and(|c| c.ty == ScalarType::Dynamic);
        if dynamic { column.to_string() } else { format!("parse_json({column})") }
    }

    fn in_object(&self, column: &str, path: &str) -> Resolved {
        let member = format!("{}{}", self.object(column), member_path(path));
        Resolved { exists: Some(format!("isnotnull({member})")), ..text(format!("tostring({member})")) }
    }

    fn in_list(&self, column: &str, member: &str) -> Resolved {
        Resolved { member: Some(ListMember::Named(member.to_string())), ..text(format!("tostring({column})")) }
    }

    fn in_list_of(&self, column: &str, list: &str, member: &str) -> Resolved {
        let name = member.rsplit('.').next().unwrap_or(member).to_string();
        let list = format!("tostring({}{})", self.object(column), member_path(list));
        Resolved { member: Some(ListMember::Named(name)), ..text(list) }
    }

    /// The column that a field is, where it is one and nothing has to be worked out.
    pub fn column_of(&self, field: &str) -> Option<String> {
        let resolved = self.resolve(field)?;
        let plain = resolved.made.is_none() && self.schema().is_some_and(|s| s.column(&resolved.expr).is_some());
        plain.then_some(resolved.expr)
    }

    /// The field that a column is: the registry read backwards.
    pub fn field_of(&self, column: &str) -> Option<&'static str> {
        self.fields
            .iter()
            .find(|(name, place)| !name.contains('*') && *place == Place::Column(find(column, place)))
            .map(|(name, _)| *name)
    }

    /// The prefix of fields that a column's object holds: `requestParameters.`.
    pub fn prefix_of(&self, column: &str) -> Option<&'static str> {
        self.fields.iter().find_map(|(name, place)| match place {
            Place::Under(under) if *under == column => name.strip_suffix('*'),
            _ => None,
        })
    }
}

/// The static spelling of a column when a place is that column.
fn find(column: &str, place: &Place) -> &'static str {
    match place {
        Place::Column(name) if *name == column => name,
        _ => "",
    }
}

fn text(expr: String) -> Resolved {
    Resolved { expr, ty: ScalarType::String, made: None, member: None, exists: None }
}

fn optional(column: &str) -> Resolved {
    text(format!("column_ifexists(\"{}\", \"\")", column.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The column that a field names, underscores and case aside; hidden columns and those of every table do not count.
fn same_name<'a>(schema: &'a TableSchema, field: &str) -> Option<&'a str> {
    const EVERYWHERE: &[&str] = &["Type", "TenantId", "SourceSystem"];
    let folded = |name: &str| name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect::<String>();
    let wanted = folded(field);
    let open = || {
        let columns = schema.columns.iter();
        columns.filter(|column| !column.name.starts_with('_') && !EVERYWHERE.contains(&column.name.as_str()))
    };
    let exact = open().find(|column| column.name == field);
    exact.or_else(|| open().find(|column| folded(&column.name) == wanted)).map(|column| column.name.as_str())
}

/// `.a["b c"].d` of `a.b c.d`.
pub fn member_path(path: &str) -> String {
    path.split('.')
        .filter(|name| !name.is_empty())
        .map(|name| {
            let name = name.trim_end_matches("{}").trim_end_matches("[]");
            if is_plain(name) { format!(".{name}") } else { format!("[{}]", crate::kql::quoted(name)) }
        })
        .collect()
}

fn is_plain(name: &str) -> bool {
    name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && kql_name(name) == name
}

/// A name as KQL takes it for a column: bracketed where it is no plain one.
pub fn kql_name(name: &str) -> String {
    let parse = kql_syntax::parse(&format!("T | project {name}"));
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && parse.errors.is_empty();
    if plain { name.to_string() } else { format!("[{}]", crate::kql::quoted(name)) }
}

/// A field's name as the name of a column that is made for it.
pub fn column_name(field: &str) -> String {
    let mut name: String = field.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if !name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    if kql_name(&name) == name { name } else { format!("{name}_") }
}

/// The text of `<Data Name="field">`, with its entities resolved.
fn xml_value(column: &str, field: &str) -> String {
    let pattern = format!(r#"Name=["']{}["'][^>]*>([^<]*)<"#, regex_syntax::escape(field));
    let mut value = format!("extract({}, 1, {column})", crate::kql::quoted(&pattern));
    for (entity, plain) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
        value = format!("replace_string({value}, {}, {})", crate::kql::quoted(entity), crate::kql::quoted(plain));
    }
    value
}

/// The value of `field=value` or `field="value"`.
fn key_value(column: &str, field: &str) -> String {
    let pattern = format!(r#"(?:^|[\s,;]){}=(?:"([^"]*)"|([^\s"]*))"#, regex_syntax::escape(field));
    let pattern = crate::kql::quoted(&pattern);
    format!("strcat(extract({pattern}, 1, {column}), extract({pattern}, 2, {column}))")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(product: &str, category: &str, service: &str) -> LogSource {
        LogSource { product: product.into(), category: category.into(), service: service.into() }
    }

    #[test]
    fn every_table_and_column_of_the_registry_is_known() {
        let mut places = 0;
        for source in sources() {
            for target in source.targets {
                let schema = target.schema().unwrap_or_else(|| panic!("no table {}", target.table));
                for (field, place) in target.fields {
                    places += 1;
                    let column = match place {
                        Place::Column(c)
                        | Place::Json(c, _)
                        | Place::Under(c)
                        | Place::InList(c, _)
                        | Place::UnderList(c) => c,
                        Place::Optional(_) | Place::Kql(_) => continue,
                    };
                    // Columns of custom tables are those of the export.
                    let custom = target.table.ends_with("_CL");
                    assert!(custom || schema.column(column).is_some(), "{}: {field} is {column}", target.table);
                }
                for keyword in target.keywords {
                    assert!(schema.column(keyword).is_some(), "{}: {keyword}", target.table);
                }
                for (kind, _, column) in target.entities {
                    let made = target.shown.contains(&format!("{column} ="));
                    assert!(made || schema.column(column).is_some(), "{}: {kind} {column}", target.table);
                }
                for (operator, text) in [("where", target.rows), ("extend", target.shown)] {
                    let parse = kql_syntax::parse(&format!("T | {operator} {text}"));
                    assert!(text.is_empty() || parse.errors.is_empty(), "{text}");
                }
            }
        }
        assert!(places > 300, "{places}");
    }

    #[test]
    fn a_log_source_is_found_by_what_it_says() {
        let tables = |product: &str, category: &str, service: &str| -> Vec<&str> {
            source_of(&source(product, category, service))
                .map_or(Vec::new(), |s| s.targets.iter().map(|t| t.table).collect())
        };
        assert_eq!(tables("aws", "", "cloudtrail"), ["AWSCloudTrail"]);
        assert_eq!(tables("azure", "", "signinlogs"), ["SigninLogs"]);
        assert!(tables("windows", "process_creation", "").contains(&"DeviceProcessEvents"));
        assert!(tables("windows", "", "security").contains(&"SecurityEvent"));
        assert!(tables("linux", "", "sshd").contains(&"Syslog"));
        assert_eq!(tables("django", "application", ""), Vec::<&str>::new());
        assert_eq!(tables("", "", ""), Vec::<&str>::new());
    }

    #[test]
    fn fields_are_columns_members_or_list_members() {
        let trail = source_of(&source("aws", "", "cloudtrail")).unwrap().targets[0];
        let expr = |field: &str| trail.resolve(field).map(|r| r.expr);
        assert_eq!(expr("eventName").as_deref(), Some("EventName"));
        assert_eq!(expr("userIdentity.sessionContext.sessionIssuer.type").as_deref(), Some("SessionIssuerType"));
        assert_eq!(
            expr("requestParameters.a.x-b").as_deref(),
            Some(r#"tostring(parse_json(RequestParameters).a["x-b"])"#)
        );
        assert_eq!(
            expr("requestParameters.ipPermissions.items.ipRanges.items.cidrIp").as_deref(),
            Some("tostring(parse_json(RequestParameters).ipPermissions)")
        );
        assert_eq!(expr("noSuchField"), None);
        assert_eq!(trail.column_of("awsRegion").as_deref(), Some("AWSRegion"));
    }

    #[test]
    fn list_members_are_found_in_json() {
        let member = ListMember::Named("cidrIp".to_string());
        let regex = member.regex(Some(&Pattern::parse("0.0.0.0/0")));
        assert!(regex_syntax::parse(&regex).is_ok());
        assert_eq!(regex, r#""cidrIp":\s*"?0\.0\.0\.0/0["\],}]"#);
    }
}
