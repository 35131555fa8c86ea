use memory_domain::InvalidInput;
use memory_storage::RawValue;

use super::{Lines, WHOLE};
use crate::json::{self, Json};

/// A name for the row's number, which no key may take.
pub(super) const ROW: &str = "_rowid_";

impl Lines {
    /// Splits a line into its keys and values.
    ///
    /// # Errors
    /// What is no JSON object, or would not come out of a store as it is (see [`json::read`]); a
    /// value of another type than its key's; a key that is one of the known ones in another case.
    pub(super) fn split(&self, line: &[u8]) -> Result<Vec<(String, RawValue)>, InvalidInput> {
        let text = std::str::from_utf8(line).map_err(|error| {
            let at = error.valid_up_to();
            let problem = format!("it is not UTF-8 from byte {at} on; mend its encoding");
            InvalidInput::new(WHOLE, String::from_utf8_lossy(line), problem)
        })?;
        if json::read(WHOLE, text)? == Json::Null {
            return Err(InvalidInput::new(WHOLE, text, "it is null; give an object"));
        }
        let mut values: Vec<(String, RawValue)> = Vec::new();
        for (key, spelled) in json::members(text) {
            let is_taken = |(other, _): &(String, RawValue)| other.eq_ignore_ascii_case(&key);
            if values.iter().any(is_taken) {
                let problem = "another key differs only in case; keep one";
                return Err(InvalidInput::new(WHOLE, &key, problem));
            }
            if key == WHOLE || key.eq_ignore_ascii_case(ROW) {
                return Err(InvalidInput::new(WHOLE, &key, "no key may be called so"));
            }
            let value = self.value(&key, spelled)?;
            values.push((key.into_owned(), value));
        }
        Ok(values)
    }

    /// The value that a key's JSON text stands for, by storage class.
    fn value(&self, key: &str, spelled: &str) -> Result<RawValue, InvalidInput> {
        let columns = self.format.tables()[0].columns;
        let known = columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(key));
        let refuse = |problem: String| Err(InvalidInput::new(key, spelled, problem));
        if let Some(column) = known.filter(|column| column.name != key) {
            return refuse(format!("call the key {}", column.name));
        }
        let is_object = self.objects.contains(&key);
        let as_spelled = || Ok(RawValue::Text(spelled.into()));
        match spelled.as_bytes() {
            b"null" => Ok(RawValue::Null),
            [b'"', ..] if is_object => refuse("it is a text; give an object".to_owned()),
            [b'"', inner @ .., b'"'] => {
                let literal = std::str::from_utf8(inner).unwrap_or_default();
                Ok(RawValue::Text(json::unescape(literal).as_bytes().to_vec()))
            }
            [b'{', ..] if is_object => as_spelled(),
            [b'{' | b'[' | b't' | b'f', ..] if known.is_some() => refuse(if is_object {
                "give an object".to_owned()
            } else {
                "give a text or a number".to_owned()
            }),
            [b'{' | b'[' | b't' | b'f', ..] => as_spelled(),
            _ => Ok(match (spelled.parse(), spelled.parse()) {
                (Ok(integer), _) => RawValue::Integer(integer),
                (_, Ok(real)) => RawValue::Real(real),
                // JSON's numbers are Rust's.
                _ => return as_spelled(),
            }),
        }
    }
}
