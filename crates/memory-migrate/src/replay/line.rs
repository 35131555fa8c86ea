use std::collections::BTreeMap;

use memory_storage::RawValue;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A row of a quarantine file, of which only what a replay needs is read.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) table: String,
    #[serde(default)]
    pub(super) key: String,
    #[serde(default)]
    values: Map<String, Value>,
    #[serde(default)]
    pub(super) context: BTreeMap<String, String>,
    pub(super) record: Option<Value>,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(text: &str) -> Result<Line, String> {
        serde_json::from_str(text).map_err(|error| format!("it is no row of a quarantine: {error}"))
    }

    /// The row's values by storage class.
    ///
    /// # Errors
    /// Names the column whose value is none.
    pub(super) fn values(&self) -> Result<Vec<(String, RawValue)>, String> {
        let read = |(column, value): (&String, &Value)| match raw_value(value) {
            Some(value) => Ok((column.clone(), value)),
            None => Err(format!(
                "the value of {column} is none: give null, a number of 64 bits, a text, or an \
                object such as {{\"text_hex\": \"ff\"}}, {{\"blob_hex\": \"00\"}} or \
                {{\"real\": \"inf\"}}"
            )),
        };
        self.values.iter().map(read).collect()
    }
}

/// A value as the quarantine spells it.
fn raw_value(value: &Value) -> Option<RawValue> {
    match value {
        Value::Null => Some(RawValue::Null),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Some(RawValue::Integer(integer)),
            None if number.is_f64() => number.as_f64().map(RawValue::Real),
            None => None,
        },
        Value::String(text) => Some(RawValue::Text(text.clone().into_bytes())),
        Value::Object(object) => {
            let (class, value) = object.iter().next().filter(|_| object.len() == 1)?;
            let value = value.as_str()?;
            match class.as_str() {
                "text_hex" => bytes(value).map(RawValue::Text),
                "blob_hex" => bytes(value).map(RawValue::Blob),
                "real" => value.parse().ok().map(RawValue::Real),
                _ => None,
            }
        }
        Value::Bool(_) | Value::Array(_) => None,
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use memory_storage::RawValue;
    use serde_json::json;

    use super::Line;

    #[test]
    fn every_storage_class_reads_back() {
        let line = Line::read(
            r#"{"class": "quarantined", "table": "t", "key": "id=1", "reason": "x", "values": {
                "a": null, "b": -9223372036854775808, "c": 1.0, "d": {"real": "inf"},
                "e": {"text_hex": "6100ff"}, "f": {"blob_hex": "00FF"}, "g": "한"},
                "context": {"tenant": "ada"}}"#,
        )
        .unwrap();
        assert_eq!(line.context["tenant"], "ada");
        let values: Vec<RawValue> = line
            .values()
            .unwrap()
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        assert_eq!(
            values,
            [
                RawValue::Null,
                RawValue::Integer(i64::MIN),
                RawValue::Real(1.0),
                RawValue::Real(f64::INFINITY),
                RawValue::Text(b"a\0\xff".to_vec()),
                RawValue::Blob(vec![0, 255]),
                RawValue::Text("한".into()),
            ]
        );
    }

    #[test]
    fn what_is_no_value_is_named_by_its_column() {
        for value in [
            json!(true),
            json!([1]),
            json!({"text_hex": "f"}),
            json!({"text_hex": "zz"}),
            json!({"text_hex": "é"}),
            json!({"real": "much"}),
            json!({"real": "1", "more": "2"}),
            json!({"other": "1"}),
            json!(18_446_744_073_709_551_615_u64),
        ] {
            let text = json!({"table": "t", "values": {"title": value}}).to_string();
            let problem = Line::read(&text).unwrap().values().unwrap_err();
            assert!(problem.starts_with("the value of title"), "{problem}");
        }
    }
}
