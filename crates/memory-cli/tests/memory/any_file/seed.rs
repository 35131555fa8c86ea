//! What rows are made of: mostly sound values, each with what is to stand for it, and hostile ones of
//! every storage class.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use serde_json::{Map, Value, json};

/// What one row of any table is made of.
#[derive(Debug, Clone)]
pub(super) struct Seed {
    /// Any text without NUL.
    pub(super) text: String,
    pub(super) json: Spelled<Value>,
    pub(super) times: [Spelled<String>; 2],
    pub(super) integer: i64,
    /// Finite, and not −0.0.
    pub(super) real: f64,
    /// Chooses among what is there.
    pub(super) pick: usize,
    /// Hostile values, and the columns that they come into; in most rows none.
    pub(super) hostile: Vec<(usize, Cell)>,
}

/// How a value is written in a source, and what is to stand for it.
#[derive(Debug, Clone)]
pub(super) struct Spelled<T> {
    pub(super) written: String,
    pub(super) stands: T,
    /// Whether a named rule changes it on its way.
    pub(super) is_ruled: bool,
}

/// A value as it comes into a row.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Value(Sql),
    /// Text that need not be UTF-8.
    Bytes(Vec<u8>),
    /// JSON, which in JSON Lines is no text.
    Json(String),
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Value(value) => ToSqlOutput::Borrowed(value.into()),
            Cell::Json(text) => ToSqlOutput::Borrowed(text.as_str().into()),
            Cell::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Text(bytes)),
        })
    }
}

pub(super) fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    vec(seed(), 0..10)
}

fn seed() -> impl Strategy<Value = Seed> {
    let hostile = prop_oneof![
        3 => Just(Vec::new()),
        1 => vec((any::<usize>(), hostile_cell()), 1..3),
    ];
    let numbers = (any::<i64>(), real(), any::<usize>());
    (text(), object(), [time(), time()], numbers, hostile).prop_map(
        |(text, json, times, (integer, real, pick), hostile)| Seed {
            text,
            json,
            times,
            integer,
            real,
            pick,
            hostile,
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[^\0]{0,20}", 1 => Just("\\N\t\\\\\r\n'\"%".to_owned())]
}

fn real() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NORMAL, SUBNORMAL};
    prop_oneof![3 => NORMAL, 1 => SUBNORMAL, 1 => Just(0.0), 1 => Just(1e308), 1 => Just(0.1)]
}

/// A moment, written in one of the forms that name it.
fn time() -> impl Strategy<Value = Spelled<String>> {
    let date = (1970..2100_u32, 1..13_u32, 1..29_u32);
    let clock = (0..24_u32, 0..60_u32, 0..60_u32);
    let finer = prop_oneof![3 => Just(None), 1 => (0..500_u32).prop_map(Some)];
    (date, clock, 0..1_000_000_u32, finer, 0..3_usize).prop_map(
        |(date, clock, micros, finer, zone)| {
            let ((year, month, day), (hour, minute, second)) = (date, clock);
            let date = format!("{year}-{month:02}-{day:02}");
            let clock = format!("{hour:02}:{minute:02}:{second:02}.{micros:06}");
            // Nine digits; what is beyond the sixth is less than half a microsecond.
            let nanos = finer.map_or(String::new(), |nanos| format!("{nanos:03}"));
            let (separator, zone) = [("T", "Z"), ("T", "+00:00"), (" ", "-00:00")][zone];
            Spelled {
                written: format!("{date}{separator}{clock}{nanos}{zone}"),
                stands: format!("{date}T{clock}Z"),
                is_ruled: finer.is_some_and(|nanos| nanos > 0),
            }
        },
    )
}

/// An object in Python's spelling; now and then with a number that a rule changes.
fn object() -> impl Strategy<Value = Spelled<Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        real().prop_map(|real| json!(if becomes_integer(real) { 0.25 } else { real })),
        text().prop_map(Value::from),
        vec(any::<i64>(), 0..3).prop_map(Value::from),
    ];
    let members = proptest::collection::btree_map("[^\0]{0,4}", leaf, 0..4);
    (members, 0..5_u8).prop_map(|(members, ruled)| {
        let mut object = Map::from_iter(members);
        // How NULL is carried; a value of its own would be ruled.
        object.remove("source_null");
        let mut written = String::new();
        python(&Value::Object(object.clone()), &mut written);
        let is_ruled = ruled == 0 && !object.contains_key("ruled");
        if is_ruled {
            let joint = if object.is_empty() { "" } else { ", " };
            written.truncate(written.len() - 1);
            write!(written, "{joint}\"ruled\": 12.0}}").unwrap();
            object.insert("ruled".to_owned(), json!(12));
        }
        Spelled {
            written,
            stands: Value::Object(object),
            is_ruled,
        }
    })
}

/// Whether a rule makes an integer of a number in JSON.
fn becomes_integer(real: f64) -> bool {
    real.fract() == 0.0 && real.abs() < 2_f64.powi(64)
}

/// Writes a value as Python's `json.dumps` does: in ASCII, with a space after commas and colons.
fn python(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => quote(text, out),
        Value::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                python(value, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                quote(key, out);
                out.push_str(": ");
                python(value, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ (b' '..=b'!' | b'#'..=b'[' | b']'..=b'~')) => out.push(char::from(byte)),
            _ => write!(out, "\\u{unit:04x}").unwrap(),
        }
    }
    out.push('"');
}

/// A value of any storage class, which is sound in a column only by chance.
fn hostile_cell() -> impl Strategy<Value = Cell> {
    let json = "(\\{|\\[|)(\"(a|\\\\u0000|\\\\ud83d)\": )?(1\\.0|-0|1e400|NaN|null|\"x\"|[0-9]{1,25}|)(\\}|\\]|)";
    let time = "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|[+-][0-2][0-9]:?[0-6][0-9])?";
    let value = |value: Sql| Cell::Value(value);
    prop_oneof![
        1 => Just(value(Sql::Null)),
        // None is the id of a sound row.
        1 => prop_oneof![0..8_i64, i64::MIN..-8].prop_map(move |integer| value(integer.into())),
        1 => proptest::num::f64::ANY.prop_map(move |real| value(real.into())),
        1 => vec(any::<u8>(), 0..8).prop_map(move |bytes| value(bytes.into())),
        1 => vec(any::<u8>(), 0..8).prop_map(Cell::Bytes),
        1 => "\\PC{0,12}".prop_map(move |text| value(text.into())),
        2 => json.prop_map(move |text| value(text.into())),
        1 => time.prop_map(move |text| value(text.into())),
    ]
}
