//! The syntax errors, with the official parser's codes and wording, all in one place.
//!
//! The wording is kept as the official parser has it, because tools and people match on it.

use crate::SyntaxError;
use crate::ast::Span;

fn error(code: &'static str, message: String, span: Span) -> SyntaxError {
    SyntaxError { code, message, span }
}

/// `print "abc`: the token has no end.
pub(crate) fn missing_text(text: &str, span: Span) -> SyntaxError {
    error("KS001", format!("Missing: {text}"), span)
}

/// ``print ^``: a character that is not part of the language.
pub(crate) fn unexpected_character(text: &str, span: Span) -> SyntaxError {
    error("KS002", format!("Unexpected: {text}"), span)
}

/// `print (1`: one of these tokens had to stand here.
pub(crate) fn expected(texts: &[&str], span: Span) -> SyntaxError {
    let message = match texts {
        [one] => format!("Expected: {one}"),
        many => format!("Expected one of: {}", many.join(", ")),
    };
    error("KS005", message, span)
}

/// `print x =`: an element is missing (`expression`, `name`, `value`...).
pub(crate) fn missing_element(element: &str, span: Span) -> SyntaxError {
    error("KS006", format!("Missing {element}"), span)
}

/// `print x = has`: an expression is missing and a keyword stands in its place.
pub(crate) fn missing_expression_at_keyword(keyword: &str, span: Span) -> SyntaxError {
    let message = format!(
        "Missing expression: If the keyword '{keyword}' is intended to be part of an expression it needs to be \
         bracketted as ['{keyword}']."
    );
    error("KS006", message, span)
}

/// `T | foo`: no operator of that name.
pub(crate) fn operator_expected(span: Span) -> SyntaxError {
    error("KS176", "Query operator expected.".to_owned(), span)
}

/// `T | where x) | take 1`: the rest of the text could not be read.
pub(crate) fn incomplete_fragment(span: Span) -> SyntaxError {
    error("KS198", "The incomplete fragment is unexpected.".to_owned(), span)
}

/// `print 12345678-1234-1234-1234-123456789012`.
pub(crate) fn raw_guid(span: Span) -> SyntaxError {
    error("KS214", "Raw guid literals are not allowed in this context, use guid(...) instead.".to_owned(), span)
}

/// `extend first = 1`: a keyword where only a name may stand.
pub(crate) fn name_needs_brackets(name: &str, span: Span) -> SyntaxError {
    error("KS228", format!("The name '{name}' needs to be bracketed as ['{name}'] to be used in this context."), span)
}

/// Brackets, calls or subqueries inside each other more often than the parser follows.
pub(crate) fn too_deep(span: Span) -> SyntaxError {
    let message = "Query syntax depth exceeds maximum safe limit. Semantic analysis not performed.";
    error("KS245", message.to_owned(), span)
}

/// `range where from 1 to 2 step 1`: a name is missing and a keyword stands in its place.
pub(crate) fn missing_name_at_keyword(keyword: &str, span: Span) -> SyntaxError {
    let message = format!(
        "Missing name: If the keyword '{keyword}' is intended be used as the name, it needs to be bracketted as \
         ['{keyword}']."
    );
    error("KS006", message, span)
}

/// `datatable (a:strin) [...]`.
pub(crate) fn invalid_type(name: &str, span: Span) -> SyntaxError {
    error("KS160", format!("The name '{name}' is not a valid type name that can be used here."), span)
}

/// `G | graph-match where true`.
pub(crate) fn missing_graph_pattern(span: Span) -> SyntaxError {
    error("KS217", "Missing graph-match pattern.".to_owned(), span)
}

/// `G | graph-to-table x`.
pub(crate) fn graph_to_table_entities(span: Span) -> SyntaxError {
    error("KS230", "The graph-to-table operator requires 1-2 arguments (nodes, edges).".to_owned(), span)
}

/// `inline_external_table (a:long) kind=storage (...)`.
pub(crate) fn missing_data_format(span: Span) -> SyntaxError {
    error("KS253", "DataFormat definition is expected.".to_owned(), span)
}

/// `inline_external_table (a:long) dataformat=csv (...)`.
pub(crate) fn missing_external_table_kind(span: Span) -> SyntaxError {
    error("KS254", "External Table Kind definition is expected.".to_owned(), span)
}

/// `inline_external_table (a:long) kind=storage dataformat=csv`.
pub(crate) fn missing_connection_strings(span: Span) -> SyntaxError {
    error("KS256", "Connection strings definition is expected.".to_owned(), span)
}

/// A management command with an unknown verb.
pub(crate) fn missing_command(span: Span) -> SyntaxError {
    error("KS300", "Missing command.".to_owned(), span)
}
