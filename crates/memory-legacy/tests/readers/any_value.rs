//! Whatever stands in a file, every row comes out once and nothing panics.

use crate::made::{LOOSE_FLUX_RAG, LOOSE_JARVIS, made, read};
use memory_legacy::{LegacyKind, inverse};
use memory_storage::Conversion;
use proptest::collection::vec;
use proptest::prelude::*;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// A value of any storage class, some of them sound.
#[derive(Debug, Clone)]
enum Any {
    Sound,
    Value(Value),
    /// Text that need not be UTF-8.
    Bytes(Vec<u8>),
}

impl ToSql for Any {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Any::Sound => ToSqlOutput::Owned(Value::Null),
            Any::Value(value) => ToSqlOutput::Borrowed(value.into()),
            Any::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Text(bytes)),
        })
    }
}

fn any_cell() -> impl Strategy<Value = Any> {
    prop_oneof![
        6 => Just(Any::Sound),
        1 => Just(Any::Value(Value::Null)),
        1 => any_integer().prop_map(|integer| Any::Value(Value::Integer(integer))),
        1 => proptest::num::f64::ANY.prop_map(|real| Any::Value(Value::Real(real))),
        1 => vec(any::<u8>(), 0..8).prop_map(|bytes| Any::Value(Value::Blob(bytes))),
        1 => vec(any::<u8>(), 0..8).prop_map(Any::Bytes),
        1 => "\\PC{0,12}".prop_map(|text| Any::Value(Value::Text(text))),
        2 => any_json().prop_map(|text| Any::Value(Value::Text(text))),
        2 => any_time().prop_map(|text| Any::Value(Value::Text(text))),
    ]
}

fn any_integer() -> impl Strategy<Value = i64> {
    prop_oneof![0_i64..8, any::<i64>()]
}

fn any_json() -> impl Strategy<Value = String> {
    "(\\{|\\[|)(\"(a|\\\\u0000|\\\\ud83d)\": )?(1\\.0|-0|1e400|NaN|null|\"x\"|[0-9]{1,25}|)(\\}|\\]|)"
}

fn any_time() -> impl Strategy<Value = String> {
    "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|[+-][0-2][0-9]:?[0-6][0-9])?"
}

/// Rows of six columns, of which those that are `Sound` take what `sound` says.
fn insert(connection: &rusqlite::Connection, table: &str, rows: &[Vec<Any>], sound: [&str; 6]) {
    for (number, row) in rows.iter().enumerate() {
        let values: Vec<String> = row
            .iter()
            .zip(sound)
            .enumerate()
            .map(|(at, (value, sound))| match value {
                Any::Sound => sound.replace("$n", &number.to_string()),
                Any::Value(_) | Any::Bytes(_) => format!("?{}", at + 1),
            })
            .collect();
        let sql = format!("insert into {table} values ({})", values.join(", "));
        let mut statement = connection.prepare(&sql).unwrap();
        for (at, value) in row.iter().enumerate().take(statement.parameter_count()) {
            statement.raw_bind_parameter(at + 1, value).unwrap();
        }
        statement.raw_execute().unwrap();
    }
}

fn rows() -> impl Strategy<Value = Vec<Vec<Any>>> {
    vec(vec(any_cell(), 6), 0..8)
}

const TIME: &str = "'2026-02-05T15:17:45.407069'";

/// Holds that a record gives back every mapped column's name, and a reason names one.
fn check(read: &crate::made::Read, kind: LegacyKind) {
    let unnamed = "default".parse().unwrap();
    for row in &read.rows {
        match &row.conversion {
            Conversion::Record { record, .. } => {
                assert_eq!(inverse(kind, record, &unnamed).len(), 6);
            }
            Conversion::Quarantined { reason } => {
                assert!(!reason.contains("defect of the reader"), "{reason}");
                let table = &read.tables[row.table];
                let named = |name: &str| reason.starts_with(&format!("invalid {name}"));
                assert!(
                    table.columns.iter().any(|column| named(&column.name)),
                    "{reason}"
                );
            }
            Conversion::Merged { .. } => panic!("nothing is merged here: {row:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_row_of_flux_rag_comes_out_once(sessions in rows(), messages in rows()) {
        let made = made(&[LOOSE_FLUX_RAG]);
        let session = ["'5e551000-0000-4000-8000-00000000000$n'", "''", "'t'", TIME, TIME, "'{}'"];
        insert(&made.connection, "sessions", &sessions, session);
        let message = ["'me55a9e$n'", session[0], "'user'", "'x'", "'{}'", TIME];
        insert(&made.connection, "messages", &messages, message);
        let read = read(&made.path);
        prop_assert_eq!(read.rows.len(), sessions.len() + messages.len());
        check(&read, LegacyKind::FluxRag);
    }

    #[test]
    fn every_row_of_jarvis_comes_out_once(entities in rows(), relationships in rows()) {
        let made = made(&[LOOSE_JARVIS]);
        insert(&made.connection, "entities", &entities, ["$n", "'a'", "'n$n'", "'{}'", TIME, TIME]);
        insert(&made.connection, "relationships", &relationships, ["$n", "$n", "0", "'a'", "null", TIME]);
        let read = read(&made.path);
        prop_assert_eq!(read.rows.len(), entities.len() + relationships.len());
        check(&read, LegacyKind::Jarvis);
    }
}
