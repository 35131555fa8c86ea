//! What holds for the fields of every kind of record.

use serde_json::Value;

use super::Record;
use crate::{InvalidInput, JsonObject, free_text, normalise_json};

/// Texts can be stored, and objects are normalised.
pub(super) fn check_fields(record: &Record) -> Result<(), InvalidInput> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields
            .iter()
            .try_for_each(|(field, value)| check_value(field, value)),
        _ => Ok(()),
    }
}

fn check_value(field: &str, value: &Value) -> Result<(), InvalidInput> {
    match value {
        Value::String(text) => free_text(field, text),
        Value::Array(values) => values
            .iter()
            .try_for_each(|value| check_value(field, value)),
        Value::Object(object) => {
            let mut normal: JsonObject = object.clone();
            normalise_json(field, &mut normal)?;
            if normal == *object {
                return Ok(());
            }
            let shown = Value::Object(object.clone());
            let problem = "it has numbers that are spelled otherwise where they are stored";
            Err(InvalidInput::new(field, shown, problem))
        }
        _ => Ok(()),
    }
}

/// Refuses a number under `least`.
pub(super) fn at_least(field: &str, number: i64, least: i64) -> Result<(), InvalidInput> {
    if number >= least {
        return Ok(());
    }
    let problem = format!("give at least {least}");
    Err(InvalidInput::new(field, number, problem))
}
