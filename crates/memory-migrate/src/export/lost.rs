//! What a line has beyond the record that it holds.

use memory_domain::Record;
use serde_json::Value;

use crate::text::shorten;

/// What of a line would be lost if its record were stored: a field that a record of its kind does
/// not have, or a value that is spelled otherwise. `None` if only spaces or the order differ.
pub(crate) fn lost(record: &Record, line: &[u8]) -> Option<String> {
    let Ok(Value::Object(given)) = serde_json::from_slice::<Value>(line) else {
        return Some("it is no object".to_owned());
    };
    let Ok(Value::Object(kept)) = serde_json::to_value(record) else {
        return Some("it cannot be written again".to_owned());
    };
    for (field, value) in &given {
        match kept.get(field) {
            None => {
                return Some(format!(
                    "it has a field {}, which has no place",
                    shorten(field)
                ));
            }
            Some(kept) if kept != value => {
                return Some(format!(
                    "its {field} would be kept as {} instead of {}",
                    shorten(&kept.to_string()),
                    shorten(&value.to_string())
                ));
            }
            Some(_) => {}
        }
    }
    None
}
