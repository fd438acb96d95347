//! What a rule asks of an event: tests of fields, put together by `and`, `or`, `not`.
//!
//! [`Test`] is what detections become once modifiers are applied and the condition is read; it knows no tables.

use rule_forms::yaml::Position;

use crate::value::Pattern;

/// A condition on an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Always,
    Never,
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    /// At least so many of these.
    AtLeast(usize, Vec<Test>),
    Field(FieldTest),
}

/// One test of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldTest {
    /// None: anywhere in the event.
    pub field: Option<String>,
    pub predicate: Predicate,
    pub position: Position,
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Lt,
    Lte,
    Gt,
    Gte,
    Eq,
    Neq,
}

impl Order {
    /// The order of a modifier's or a condition's name.
    pub fn parse(name: &str) -> Option<Order> {
        Some(match name {
            "lt" => Order::Lt,
            "lte" => Order::Lte,
            "gt" => Order::Gt,
            "gte" => Order::Gte,
            "eq" => Order::Eq,
            "neq" => Order::Neq,
            _ => return None,
        })
    }

    /// KQL's operator.
    pub fn symbol(self) -> &'static str {
        match self {
            Order::Lt => "<",
            Order::Lte => "<=",
            Order::Gt => ">",
            Order::Gte => ">=",
            Order::Eq => "==",
            Order::Neq => "!=",
        }
    }
}

/// How another field's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    Equal,
    StartsWith,
    EndsWith,
    Contains,
}

/// A part of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimePart {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl TimePart {
    pub fn parse(name: &str) -> Option<TimePart> {
        Some(match name {
            "minute" => TimePart::Minute,
            "hour" => TimePart::Hour,
            "day" => TimePart::Day,
            "week" => TimePart::Week,
            "month" => TimePart::Month,
            "year" => TimePart::Year,
            _ => return None,
        })
    }

    /// The name in `datetime_part`.
    pub fn kql_name(self) -> &'static str {
        match self {
            TimePart::Minute => "minute",
            TimePart::Hour => "hour",
            TimePart::Day => "day",
            TimePart::Week => "week_of_year",
            TimePart::Month => "month",
            TimePart::Year => "year",
        }
    }
}

/// What is asked of a field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    Pattern {
        pattern: Pattern,
        cased: bool,
    },
    /// Found anywhere in the value; flags of `ims`.
    Regex {
        source: String,
        flags: String,
    },
    Cidr(String),
    Compare {
        order: Order,
        number: String,
    },
    Time {
        part: TimePart,
        order: Order,
        number: String,
    },
    /// Equal to a number.
    Number(String),
    Bool(bool),
    /// The field has no value.
    Null,
    /// The field is there.
    Exists,
    OtherField {
        field: String,
        likeness: Likeness,
        cased: bool,
    },
}

impl Test {
    /// All of these, simplified.
    pub fn all(tests: Vec<Test>) -> Test {
        Test::joined(tests, true)
    }

    /// Any of these, simplified.
    pub fn any(tests: Vec<Test>) -> Test {
        Test::joined(tests, false)
    }

    fn joined(tests: Vec<Test>, all: bool) -> Test {
        let (neutral, ends) = if all { (Test::Always, Test::Never) } else { (Test::Never, Test::Always) };
        let mut kept = Vec::new();
        for test in tests {
            match test {
                test if test == ends => return ends,
                test if test == neutral => {}
                Test::All(inner) if all => kept.extend(inner),
                Test::Any(inner) if !all => kept.extend(inner),
                test => kept.push(test),
            }
        }
        match kept.len() {
            0 => neutral,
            1 => kept.remove(0),
            _ if all => Test::All(kept),
            _ => Test::Any(kept),
        }
    }

    /// The opposite, simplified.
    pub fn negated(self) -> Test {
        match self {
            Test::Always => Test::Never,
            Test::Never => Test::Always,
            Test::Not(inner) => *inner,
            test => Test::Not(Box::new(test)),
        }
    }

    /// At least so many of these, simplified.
    pub fn at_least(count: usize, tests: Vec<Test>) -> Test {
        let certain = tests.iter().filter(|test| **test == Test::Always).count();
        let open: Vec<Test> = tests.into_iter().filter(|t| !matches!(t, Test::Always | Test::Never)).collect();
        match count.saturating_sub(certain) {
            0 => Test::Always,
            1 => Test::any(open),
            n if n > open.len() => Test::Never,
            n if n == open.len() => Test::all(open),
            n => Test::AtLeast(n, open),
        }
    }

    /// Every test of a field, with whether an odd number of `not` stands over it.
    pub fn fields(&self) -> Vec<(&FieldTest, bool)> {
        let mut found = Vec::new();
        self.collect(false, &mut found);
        found
    }

    fn collect<'a>(&'a self, negated: bool, found: &mut Vec<(&'a FieldTest, bool)>) {
        match self {
            Test::Always | Test::Never => {}
            Test::All(tests) | Test::Any(tests) | Test::AtLeast(_, tests) => {
                tests.iter().for_each(|test| test.collect(negated, found));
            }
            Test::Not(test) => test.collect(!negated, found),
            Test::Field(test) => found.push((test, negated)),
        }
    }

    /// The same with each test of a field replaced, and simplified.
    pub fn map(&self, replace: &mut dyn FnMut(&FieldTest) -> Test) -> Test {
        match self {
            Test::Always | Test::Never => self.clone(),
            Test::All(tests) => Test::all(tests.iter().map(|test| test.map(replace)).collect()),
            Test::Any(tests) => Test::any(tests.iter().map(|test| test.map(replace)).collect()),
            Test::AtLeast(n, tests) => Test::at_least(*n, tests.iter().map(|test| test.map(replace)).collect()),
            Test::Not(test) => test.map(replace).negated(),
            Test::Field(test) => replace(test),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_parts_fall_away() {
        let field = || Test::Field(FieldTest { field: None, predicate: Predicate::Null, position: Position::START });
        assert_eq!(Test::all(vec![Test::Always, field()]), field());
        assert_eq!(Test::all(vec![Test::Never, field()]), Test::Never);
        assert_eq!(Test::any(vec![Test::Never]), Test::Never);
        assert_eq!(Test::all(vec![Test::all(vec![field(), field()]), field()]), Test::All(vec![field(); 3]));
        assert_eq!(Test::Never.negated(), Test::Always);
        assert_eq!(Test::at_least(2, vec![Test::Always, field(), Test::Never]), field());
        assert_eq!(Test::at_least(2, vec![field(), Test::Never]), Test::Never);
        assert!(
            matches!(Test::at_least(2, vec![field(), field(), field()]), Test::AtLeast(2, tests) if tests.len() == 3)
        );
    }
}
