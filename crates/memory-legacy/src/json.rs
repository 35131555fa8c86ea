//! JSON objects as texts, read without losing anything silently.

use std::borrow::Cow;
use std::collections::HashSet;

use memory_domain::{InvalidInput, JsonObject, normalise_json};
use serde_json::Value;

use crate::rules;

/// What a JSON text holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    /// An object, with the numbers that had to be changed.
    Object(JsonObject, Vec<NumberChange>),
    /// `null`.
    Null,
}

/// A number that stands for another one than the text spells.
#[derive(Debug, PartialEq)]
pub(crate) struct NumberChange {
    pub(crate) rule: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Reads a text that is to hold an object.
///
/// # Errors
/// What is not JSON, no object, or would not come out of a store as it is: NaN and infinities,
/// lone surrogates, U+0000, a key that stands twice, integers beyond 64 bits, nesting over the
/// domain's limit.
pub(crate) fn read(column: &str, text: &str) -> Result<Json, InvalidInput> {
    let refuse = |problem: String| InvalidInput::new(column, text, problem);
    let value = serde_json::from_str(text).map_err(|error| refuse(explain(text, &error)))?;
    let changes = inspect(text).map_err(refuse)?;
    match value {
        Value::Null => Ok(Json::Null),
        Value::Object(mut object) => {
            normalise_json(column, &mut object)?;
            Ok(Json::Object(object, changes))
        }
        Value::Array(_) => Err(refuse("it is an array; give an object".to_owned())),
        _ => Err(refuse("it is a single value; give an object".to_owned())),
    }
}

/// Reads a text that may hold any value; see [`read`].
///
/// # Errors
/// As [`read`], except that it need be no object.
pub(crate) fn read_any(
    column: &str,
    text: &str,
) -> Result<(Value, Vec<NumberChange>), InvalidInput> {
    let refuse = |problem: String| InvalidInput::new(column, text, problem);
    let value = serde_json::from_str(text).map_err(|error| refuse(explain(text, &error)))?;
    let changes = inspect(text).map_err(refuse)?;
    // Objects are what can be normalised.
    let mut object = JsonObject::from_iter([("value".to_owned(), value)]);
    normalise_json(column, &mut object)?;
    Ok((object.remove("value").unwrap_or_default(), changes))
}

/// The keys of a sound JSON object with the spelling of their values, in their order.
pub(crate) fn members(text: &str) -> Vec<(Cow<'_, str>, &str)> {
    let mut tokens = Tokens::new(text);
    let (mut members, mut depth, mut key, mut start) = (Vec::new(), 0_usize, None, 0);
    while let Some(token) = tokens.next() {
        let (is_end, opens) = match token {
            Token::Mark(b'{' | b'[') => (false, 1),
            Token::Mark(b'}' | b']') => {
                depth -= 1;
                (depth == 0, 0)
            }
            Token::Mark(b',') => (depth == 1, 0),
            Token::Mark(b':') if depth == 1 => {
                start = tokens.at;
                (false, 0)
            }
            Token::Text(literal) if depth == 1 && key.is_none() => {
                key = Some(unescape(literal));
                (false, 0)
            }
            _ => (false, 0),
        };
        depth += opens;
        if is_end && let Some(key) = key.take() {
            members.push((key, text[start..tokens.at - 1].trim_ascii()));
        }
    }
    members
}

/// Whether a text holds this value, compared by value.
pub(crate) fn holds_any(text: &str, value: &Value) -> bool {
    serde_json::from_str(text).is_ok_and(|other: Value| same(&other, value))
}

/// Whether a text holds this object, compared by value.
pub(crate) fn holds(text: &str, object: &JsonObject) -> bool {
    serde_json::from_str(text).is_ok_and(|value: Value| match value {
        Value::Object(other) => same_object(&other, object),
        _ => false,
    })
}

fn same_object(a: &JsonObject, b: &JsonObject) -> bool {
    a.len() == b.len()
        && a.iter()
            .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
}

/// Written out, because with serde_json's `arbitrary_precision`, which another crate may switch
/// on, `0.10` and `0.1` are not equal.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => same_object(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() && b.is_f64() && a.as_f64() == b.as_f64())
        }
        _ => a == b,
    }
}

/// Says what is wrong with a text that is no JSON.
fn explain(text: &str, error: &serde_json::Error) -> String {
    if text.trim_matches([' ', '\t', '\n', '\r']).is_empty() {
        return "it is blank; give an object such as {}".to_owned();
    }
    let mut tokens = Tokens::new(text);
    let not_a_number = tokens.any(|token| {
        matches!(token, Token::Word(word) if word.contains("NaN") || word.contains("Infinity"))
    });
    if not_a_number {
        return "NaN and infinities are not JSON; give a number or null".to_owned();
    }
    format!("it is no sound JSON: {error}")
}

/// Looks through a sound JSON text for what a parsed value no longer shows: doubled keys and the
/// spelling of numbers.
fn inspect(text: &str) -> Result<Vec<NumberChange>, String> {
    let mut changes = Vec::new();
    // The keys seen in each object that is open; `None` for an array.
    let mut open: Vec<Option<HashSet<Cow<'_, str>>>> = Vec::new();
    let mut at_key = false;
    for token in Tokens::new(text) {
        match token {
            Token::Mark(b'{') => {
                open.push(Some(HashSet::new()));
                at_key = true;
            }
            Token::Mark(b'[') => {
                open.push(None);
                at_key = false;
            }
            Token::Mark(b'}' | b']') => {
                open.pop();
            }
            Token::Mark(b',') => at_key = matches!(open.last(), Some(Some(_))),
            Token::Text(literal) if at_key => {
                at_key = false;
                let key = unescape(literal);
                if let Some(Some(keys)) = open.last_mut()
                    && let Some(key) = keys.replace(key)
                {
                    return Err(format!("the key {key:?} stands twice; keep one"));
                }
            }
            Token::Word(word) if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                changes.extend(inspect_number(word)?);
            }
            Token::Mark(_) | Token::Text(_) | Token::Word(_) => {}
        }
    }
    Ok(changes)
}

/// The text of a literal, which is given without its quotes.
pub(crate) fn unescape(literal: &str) -> Cow<'_, str> {
    if !literal.contains('\\') {
        return Cow::Borrowed(literal);
    }
    serde_json::from_str(&format!("\"{literal}\"")).map_or(Cow::Borrowed(literal), Cow::Owned)
}

/// 2⁶³ and 2⁶⁴ as doubles: the ends of what 64 bits hold.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

/// Says how a number is changed when it is stored, if it is.
fn inspect_number(word: &str) -> Result<Option<NumberChange>, String> {
    let change = |rule, to: String| {
        let from = word.to_owned();
        Ok(Some(NumberChange { rule, from, to }))
    };
    if !word.contains(['.', 'e', 'E']) {
        if word == "-0" {
            return change(rules::INTEGRAL_DOUBLE, "0".to_owned());
        }
        if word.parse::<i64>().is_err() && word.parse::<u64>().is_err() {
            return Err(format!(
                "the integer {word} has more than 64 bits; give it as a text"
            ));
        }
        return Ok(None);
    }
    let double: f64 = word
        .parse()
        .ok()
        .filter(|double: &f64| double.is_finite())
        .ok_or_else(|| format!("the number {word} is too great for a double"))?;
    let shortest = format!("{double:e}");
    if decimal(word) != decimal(&shortest) {
        return change(rules::JSON_NUMBER_ROUNDED, shortest);
    }
    if double.fract() == 0.0 && (-TWO_TO_63..TWO_TO_64).contains(&double) {
        return change(rules::INTEGRAL_DOUBLE, format!("{:.0}", double + 0.0));
    }
    Ok(None)
}

/// The significant digits of a number and the power of ten that they are multiplied with; `None`
/// if that power is beyond all bounds.
fn decimal(word: &str) -> Option<(String, i64)> {
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (word, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((String::new(), 0));
    }
    let exponent = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(i64::try_from(digits.len() - significant.len()).ok()?)?;
    Some((significant.to_owned(), exponent))
}

/// A piece of a JSON text.
enum Token<'a> {
    /// A text, without its quotes.
    Text(&'a str),
    /// A number or a word.
    Word(&'a str),
    /// A bracket, comma or colon.
    Mark(u8),
}

/// Splits a JSON text; what is no JSON comes out as words.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Tokens { text, at: 0 }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let first = *bytes.get(self.at)?;
        let start = self.at;
        self.at += 1;
        match first {
            b'"' => {
                while let Some(byte) = bytes.get(self.at) {
                    match byte {
                        b'"' => break,
                        b'\\' => self.at += 2,
                        _ => self.at += 1,
                    }
                }
                let end = self.at.min(bytes.len());
                self.at = end + 1;
                // In a text that is no JSON a backslash may stand before half a character.
                Some(Token::Text(self.text.get(start + 1..end).unwrap_or("")))
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => Some(Token::Mark(first)),
            _ => {
                while bytes.get(self.at).is_some_and(|byte| {
                    !matches!(
                        byte,
                        b' ' | b'\t'
                            | b'\n'
                            | b'\r'
                            | b'"'
                            | b'{'
                            | b'}'
                            | b'['
                            | b']'
                            | b','
                            | b':'
                    )
                }) {
                    self.at += 1;
                }
                Some(Token::Word(&self.text[start..self.at]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Json, holds, members, read, read_any};
    use crate::rules;

    fn object(text: &str) -> (Value, Vec<(&'static str, String, String)>) {
        match read("metadata", text).unwrap_or_else(|error| panic!("{error}")) {
            Json::Object(object, changes) => (
                Value::Object(object),
                changes
                    .into_iter()
                    .map(|change| (change.rule, change.from, change.to))
                    .collect(),
            ),
            Json::Null => panic!("{text} is null"),
        }
    }

    #[test]
    fn what_is_stored_as_it_is_meets_no_rule() {
        let text = r#" { "a": [1, -2.5, 0.10, 1e300, 18446744073709551615, null, true],
            "b\u0041": {"\ud55c": "\ud83d\ude00 \\N", "": {}}, "c": {"a": 1}} "#;
        let (value, changes) = object(text);
        assert_eq!(changes, []);
        let wanted = json!({
            "a": [1, -2.5, 0.1, 1e300, u64::MAX, null, true],
            "bA": {"한": "😀 \\N", "": {}},
            "c": {"a": 1}
        });
        assert_eq!(value, wanted);
        assert!(holds(text, wanted.as_object().unwrap()));
    }

    #[test]
    fn a_number_that_is_stored_as_another_meets_a_rule() {
        for (number, rule, stored) in [
            ("1.0", rules::INTEGRAL_DOUBLE, json!(1)),
            ("-0.0", rules::INTEGRAL_DOUBLE, json!(0)),
            ("-0", rules::INTEGRAL_DOUBLE, json!(0)),
            ("1e2", rules::INTEGRAL_DOUBLE, json!(100)),
            (
                "1.8E19",
                rules::INTEGRAL_DOUBLE,
                json!(18_000_000_000_000_000_000_u64),
            ),
            (
                "2.50000000000000000001",
                rules::JSON_NUMBER_ROUNDED,
                json!(2.5),
            ),
            (
                "9007199254740993.0",
                rules::JSON_NUMBER_ROUNDED,
                json!(9_007_199_254_740_992_i64),
            ),
            ("1e-400", rules::JSON_NUMBER_ROUNDED, json!(0)),
        ] {
            let (value, changes) = object(&format!(r#"{{"a": {number}}}"#));
            assert_eq!(value, json!({ "a": stored }), "{number}");
            assert_eq!(changes.len(), 1, "{number}");
            assert_eq!((changes[0].0, changes[0].1.as_str()), (rule, number));
        }
    }

    #[test]
    fn what_would_be_lost_is_refused_and_said() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
        let deeper = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for (text, problem) in [
            ("", "blank"),
            (" \n", "blank"),
            ("{", "no sound JSON"),
            ("{'a': 1}", "no sound JSON"),
            (r#"{"a": 1} x"#, "no sound JSON"),
            (r#"{"a": NaN}"#, "NaN and infinities"),
            (r#"{"a": -Infinity}"#, "NaN and infinities"),
            (r#"{"a": 1e400}"#, "number out of range"),
            (r#"{"a": "\ud83d"}"#, "no sound JSON"),
            (r#"{"a": "\ude00"}"#, "no sound JSON"),
            (r#"{"a": "\u0000"}"#, "U+0000"),
            (r#"{"a": 18446744073709551616}"#, "64 bits"),
            (r#"{"a": -9223372036854775809}"#, "64 bits"),
            (r#"{"a": 1, "b": 2, "\u0061": 3}"#, "stands twice"),
            (r#"{"x": [{"a": 1, "a": 1}]}"#, "stands twice"),
            ("[1]", "array"),
            ("1", "single value"),
            (r#""{}""#, "single value"),
            (&deep, "64"),
            (&deeper, "recursion limit"),
        ] {
            let error = read("metadata", text).unwrap_err();
            assert!(error.problem.contains(problem), "{text}: {error}");
            assert!(error.field.starts_with("metadata"), "{text}: {error}");
        }
    }

    #[test]
    fn the_members_of_an_object_are_as_they_are_spelled() {
        let text = r#" {"a": [1, {"b": 2}], "\u0062" : 1.50 ,"c":"x\",:{", "d":{"e": null}} "#;
        let found = members(text);
        let found: Vec<(&str, &str)> = found.iter().map(|(key, value)| (&**key, *value)).collect();
        let wanted = [
            ("a", r#"[1, {"b": 2}]"#),
            ("b", "1.50"),
            ("c", r#""x\",:{""#),
            ("d", r#"{"e": null}"#),
        ];
        assert_eq!(found, wanted);
        assert!(members("{ }").is_empty());
    }

    #[test]
    fn any_value_is_read_alike() {
        assert_eq!(read_any("result", "null").unwrap().0, Value::Null);
        let (value, changes) = read_any("result", "[1.0, \"x\"]").unwrap();
        assert_eq!(value, json!([1, "x"]));
        assert_eq!(changes[0].rule, rules::INTEGRAL_DOUBLE);
        for text in ["", "NaN", "[\"\\u0000\"]", "{\"a\": 1, \"a\": 1}"] {
            assert!(read_any("result", text).is_err(), "{text}");
        }
    }

    #[test]
    fn null_is_told_from_an_object() {
        assert_eq!(read("metadata", "null").unwrap(), Json::Null);
    }

    #[test]
    fn another_value_is_not_the_same() {
        let one = json!({"a": [1, {"b": 0.5}]});
        let one = one.as_object().unwrap();
        assert!(holds(r#"{"a":[1,{"b":0.50}]}"#, one));
        for other in [
            r#"{"a":[1,{"b":0.5}],"c":1}"#,
            r#"{"a":[1,{"b":0.25}]}"#,
            r#"{"a":[{"b":0.5},1]}"#,
            r#"{"a":[1.0,{"b":0.5}]}"#,
            "[]",
            "",
        ] {
            assert!(!holds(other, one), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"(\PC|[\\"{}\[\],:0-9eE.+-]|null|NaN){0,40}"#) {
            let _ = read("metadata", &text);
        }

        #[test]
        fn a_double_in_its_shortest_spelling_is_carried(double in proptest::num::f64::NORMAL) {
            let text = format!(r#"{{"a": {double:e}}}"#);
            let (_, changes) = object(&text);
            let integral = double.fract() == 0.0 && double.abs() < 9.3e18;
            prop_assert!(changes.iter().all(|change| change.0 == rules::INTEGRAL_DOUBLE));
            prop_assert!(integral || changes.is_empty() || double.abs() >= 9.2e18);
        }
    }
}
