use memory_domain::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// A value that goes into a statement, or comes out of it.
///
/// SQLite knows integers, doubles, text and bytes; there a boolean is 0 or 1, a moment its
/// microseconds since 1970, JSON its text and a UUID its 16 bytes, as in our tables.
/// [`SqlRow::get`](crate::SqlRow::get) reads both.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A double.
    Float(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A JSON value of any kind.
    Json(Value),
    /// A moment.
    Time(Timestamp),
    /// A UUID, such as an id of ours.
    Uuid(Uuid),
}

macro_rules! from {
    ($($type:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$type> for SqlValue {
            fn from(value: $type) -> SqlValue {
                SqlValue::$variant(value.into())
            }
        })+
    };
}

from! {
    bool => Bool, i32 => Int, u32 => Int, i64 => Int, f64 => Float, &str => Text, String => Text,
    Vec<u8> => Bytes, &[u8] => Bytes, Value => Json, Timestamp => Time, Uuid => Uuid,
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> SqlValue {
        value.map_or(SqlValue::Null, Into::into)
    }
}

/// What a column can be read as.
pub trait FromSqlValue: Sized {
    /// Reads a value; `None` if it is another kind of thing.
    fn from_sql_value(value: &SqlValue) -> Option<Self>;
}

impl FromSqlValue for SqlValue {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromSqlValue> FromSqlValue for Option<T> {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Null => Some(None),
            value => T::from_sql_value(value).map(Some),
        }
    }
}

impl FromSqlValue for bool {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Bool(value) => Some(*value),
            SqlValue::Int(value @ (0 | 1)) => Some(*value == 1),
            _ => None,
        }
    }
}

impl FromSqlValue for i64 {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Int(value) => Some(*value),
            _ => None,
        }
    }
}

impl FromSqlValue for f64 {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Float(value) => Some(*value),
            _ => None,
        }
    }
}

impl FromSqlValue for String {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Text(value) => Some(value.clone()),
            _ => None,
        }
    }
}

impl FromSqlValue for Vec<u8> {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Bytes(value) => Some(value.clone()),
            _ => None,
        }
    }
}

impl FromSqlValue for Value {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Json(value) => Some(value.clone()),
            SqlValue::Text(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}

impl FromSqlValue for Timestamp {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Time(value) => Some(*value),
            SqlValue::Int(micros) => Timestamp::from_micros(*micros).ok(),
            _ => None,
        }
    }
}

impl FromSqlValue for Uuid {
    fn from_sql_value(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Uuid(value) => Some(*value),
            SqlValue::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
            _ => None,
        }
    }
}
