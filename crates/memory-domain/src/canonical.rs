use std::fmt::{Display, Write};

use serde_json::Value;

use crate::JsonObject;

/// Writes one object of the canonical encoding: like JSON without spaces, its keys sorted, texts
/// with only `"` and `\` escaped, doubles spelled as `d` and the 16 hexadecimal digits of their
/// bits. It depends on no feature of serde_json and on no way of printing floats.
pub(crate) struct ObjectEncoder<'a> {
    out: &'a mut String,
    last_key: &'static str,
}

impl<'a> ObjectEncoder<'a> {
    pub(crate) fn begin(out: &'a mut String) -> Self {
        out.push('{');
        ObjectEncoder { out, last_key: "" }
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }

    fn key(&mut self, key: &'static str) -> &mut String {
        debug_assert!(
            self.last_key < key,
            "{key} must come before {}",
            self.last_key
        );
        if !self.last_key.is_empty() {
            self.out.push(',');
        }
        self.last_key = key;
        encode_text(self.out, key);
        self.out.push(':');
        self.out
    }

    pub(crate) fn text(&mut self, key: &'static str, text: &str) {
        encode_text(self.key(key), text);
    }

    /// An id, a time or a word, whose text needs no escape.
    pub(crate) fn plain(&mut self, key: &'static str, value: impl Display) {
        write!(self.key(key), "\"{value}\"").expect("a String takes everything");
    }

    pub(crate) fn integer(&mut self, key: &'static str, integer: impl Into<i128>) {
        write!(self.key(key), "{}", integer.into()).expect("a String takes everything");
    }

    pub(crate) fn boolean(&mut self, key: &'static str, boolean: bool) {
        self.key(key)
            .push_str(if boolean { "true" } else { "false" });
    }

    pub(crate) fn double(&mut self, key: &'static str, double: f64) {
        encode_double(self.key(key), double);
    }

    pub(crate) fn json(&mut self, key: &'static str, object: &JsonObject) {
        encode_object(self.key(key), object);
    }

    pub(crate) fn texts<'t>(&mut self, key: &'static str, texts: impl Iterator<Item = &'t str>) {
        encode_sequence(self.key(key), texts, encode_text);
    }

    /// Ids, whose texts need no escape.
    pub(crate) fn ids(&mut self, key: &'static str, ids: impl Iterator<Item = impl Display>) {
        encode_sequence(self.key(key), ids, |out, id| {
            write!(out, "\"{id}\"").expect("a String takes everything");
        });
    }

    /// An id or a time that may be absent.
    pub(crate) fn optional_plain(&mut self, key: &'static str, value: Option<impl Display>) {
        match value {
            Some(value) => self.plain(key, value),
            None => self.key(key).push_str("null"),
        }
    }

    /// A text that may be absent. Absent is `null`, which no text is.
    pub(crate) fn optional_text(&mut self, key: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.key(key).push_str("null"),
        }
    }

    /// An integer that may be absent.
    pub(crate) fn optional_integer(&mut self, key: &'static str, integer: Option<i64>) {
        match integer {
            Some(integer) => self.integer(key, integer),
            None => self.key(key).push_str("null"),
        }
    }

    /// A double that may be absent.
    pub(crate) fn optional_double(&mut self, key: &'static str, double: Option<f64>) {
        match double {
            Some(double) => self.double(key, double),
            None => self.key(key).push_str("null"),
        }
    }

    /// A value of JSON that may be absent, and is never the value null.
    pub(crate) fn optional_json(&mut self, key: &'static str, value: Option<&Value>) {
        encode_value(self.key(key), value.unwrap_or(&Value::Null));
    }
}

fn encode_text(out: &mut String, text: &str) {
    out.push('"');
    for piece in text.split_inclusive(['"', '\\']) {
        match piece.char_indices().next_back() {
            Some((at, last @ ('"' | '\\'))) => {
                out.push_str(&piece[..at]);
                out.push('\\');
                out.push(last);
            }
            _ => out.push_str(piece),
        }
    }
    out.push('"');
}

fn encode_double(out: &mut String, double: f64) {
    write!(out, "d{:016x}", double.to_bits()).expect("a String takes everything");
}

fn encode_sequence<T>(
    out: &mut String,
    items: impl Iterator<Item = T>,
    encode: impl Fn(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        encode(out, item);
    }
    out.push(']');
}

fn encode_object(out: &mut String, object: &JsonObject) {
    // Sorted here, because with serde_json's `preserve_order` a map is not.
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        encode_text(out, key);
        out.push(':');
        encode_value(out, value);
    }
    out.push('}');
}

fn encode_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(boolean) => out.push_str(if *boolean { "true" } else { "false" }),
        Value::Number(number) => {
            if number.is_i64() || number.is_u64() {
                write!(out, "{number}").expect("a String takes everything");
            } else {
                encode_double(out, number.as_f64().unwrap_or(f64::NAN));
            }
        }
        Value::String(text) => encode_text(out, text),
        Value::Array(values) => encode_sequence(out, values.iter(), encode_value),
        Value::Object(object) => encode_object(out, object),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::ObjectEncoder;

    #[test]
    fn the_encoding_is_this_text() {
        let Value::Object(object) = json!({"b": [1, 1.5, null, true], "a": {"x\"y\\": "z\n"}})
        else {
            unreachable!("it is written as an object")
        };
        let mut out = String::new();
        let mut encoder = ObjectEncoder::begin(&mut out);
        encoder.double("double", 0.5);
        encoder.integer("integer", -3);
        encoder.json("json", &object);
        encoder.optional_text("none", None);
        encoder.texts("texts", ["a", "b\""].into_iter());
        encoder.end();
        assert_eq!(
            out,
            concat!(
                r#"{"double":d3fe0000000000000,"integer":-3,"#,
                r#""json":{"a":{"x\"y\\":"z"#,
                "\n",
                r#""},"b":[1,d3ff8000000000000,null,true]},"#,
                r#""none":null,"texts":["a","b\""]}"#
            )
        );
    }
}
