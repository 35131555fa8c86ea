//! Rows in the binary form that COPY takes.
//!
//! Source: PostgreSQL documentation, "COPY", "Binary Format"; the forms of the types are those of
//! the `…recv` functions of the server.

use memory_diesel::sql_types::{
    AnyJsonValue, IdValue, IdsValue, InstantValue, JsonValue, TagsValue,
};
use uuid::Uuid;

use crate::tsvector::Lexemes;

/// The signature, no flags, and no extension of the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of the number of columns of a further row.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// In place of a value's length.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// Rows of one table.
#[derive(Debug, Default)]
pub(crate) struct CopyRows(Vec<u8>);

impl CopyRows {
    /// Begins the next row.
    pub(crate) fn begin(&mut self, columns: usize) {
        if self.0.is_empty() {
            self.0.extend_from_slice(HEADER);
        }
        let columns = i16::try_from(columns).expect("a table has few columns");
        self.0.extend_from_slice(&columns.to_be_bytes());
    }

    /// Adds the next value of the row.
    pub(crate) fn value(&mut self, value: &(impl CopyValue + ?Sized)) {
        framed(&mut self.0, value);
    }

    /// How many bytes they have.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes what a COPY takes, if there is a row.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.extend_from_slice(&TRAILER);
        Some(std::mem::take(&mut self.0))
    }
}

/// A value behind its length.
fn framed(out: &mut Vec<u8>, value: &(impl CopyValue + ?Sized)) {
    let at = out.len();
    out.extend_from_slice(&NULL);
    if value.write(out) {
        let length = i32::try_from(out.len() - at - NULL.len());
        let length = length.expect("a value has at most 64 MiB");
        out[at..at + NULL.len()].copy_from_slice(&length.to_be_bytes());
    }
}

/// A value of a column.
pub(crate) trait CopyValue {
    /// Writes its binary form, or says that it is null.
    fn write(&self, out: &mut Vec<u8>) -> bool;
}

impl<V: CopyValue> CopyValue for Option<V> {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.as_ref().is_some_and(|value| value.write(out))
    }
}

/// Implements it for values whose bytes are at hand.
macro_rules! bytes {
    ($($value:ty: $self:ident => $bytes:expr;)*) => {
        $(
            impl CopyValue for $value {
                fn write(&$self, out: &mut Vec<u8>) -> bool {
                    out.extend_from_slice($bytes.as_ref());
                    true
                }
            }
        )*
    };
}

bytes! {
    str: self => self.as_bytes();
    String: self => self.as_bytes();
    Vec<u8>: self => self;
    [u8; 32]: self => self;
    Uuid: self => self.as_bytes();
    IdValue: self => self.0.as_bytes();
    i16: self => self.to_be_bytes();
    i32: self => self.to_be_bytes();
    i64: self => self.to_be_bytes();
    f64: self => self.to_be_bytes();
    bool: self => [u8::from(*self)];
}

/// 2000-01-01T00:00:00Z in microseconds since 1970: where `timestamptz` counts from.
/// Source: PostgreSQL, `POSTGRES_EPOCH_JDATE` in `datatype/timestamp.h`.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl CopyValue for InstantValue {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        (self.0.micros() - POSTGRES_EPOCH).write(out)
    }
}

/// The version of jsonb's binary form, which is a text behind this byte.
/// Source: PostgreSQL, `jsonb_recv` in `jsonb.c`.
const JSONB_VERSION: u8 = 1;

/// Why writing JSON does not fail.
const WRITTEN: &str = "JSON can be written to memory";

impl CopyValue for JsonValue {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        out.push(JSONB_VERSION);
        serde_json::to_writer(out, &self.0).expect(WRITTEN);
        true
    }
}

impl CopyValue for AnyJsonValue {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        out.push(JSONB_VERSION);
        serde_json::to_writer(out, &self.0).expect(WRITTEN);
        true
    }
}

/// Object ids of the types that arrays are of.
const UUID: i32 = 2950;
const TEXT: i32 = 25;
const INTEGER: i32 = 23;

/// An array of one dimension, or of none where it is empty, without nulls.
fn array<'v, V>(out: &mut Vec<u8>, of: i32, values: &'v [V]) -> bool
where
    V: CopyValue + 'v,
{
    let dimensions = i32::from(!values.is_empty());
    out.extend([dimensions, 0, of].iter().flat_map(|n| n.to_be_bytes()));
    if !values.is_empty() {
        let length = i32::try_from(values.len()).expect("a value has at most 64 MiB");
        // Counted from 1.
        out.extend([length, 1].iter().flat_map(|n| n.to_be_bytes()));
    }
    for value in values {
        framed(out, value);
    }
    true
}

impl CopyValue for TagsValue {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        let tags: Vec<String> = self.0.iter().cloned().collect();
        array(out, TEXT, &tags)
    }
}

impl CopyValue for IdsValue {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        array(out, UUID, &self.0)
    }
}

impl CopyValue for [i32] {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        array(out, INTEGER, self)
    }
}

impl CopyValue for Lexemes<'_> {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.encode(out)
            .expect("a chunk is bounded, and memory takes everything");
        true
    }
}
