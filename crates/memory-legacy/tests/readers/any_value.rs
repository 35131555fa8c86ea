//! Whatever stands in a file, every row comes out once and nothing panics.

use crate::made::{
    LOOSE_CONSULTANT, LOOSE_CONTINUUM, LOOSE_FLUX_RAG, LOOSE_JARVIS, LOOSE_MISSIONS, made, read,
};
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

/// Rows, of which those values that are `Sound` take what `sound` says.
fn insert(connection: &rusqlite::Connection, table: &str, rows: &[Vec<Any>], sound: &[&str]) {
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

fn rows(columns: usize) -> impl Strategy<Value = Vec<Vec<Any>>> {
    vec(vec(any_cell(), columns), 0..8)
}

const TIME: &str = "'2026-02-05T15:17:45.407069'";

/// Holds that a record gives back every mapped column's name, and a reason names one.
fn check(read: &crate::made::Read, kind: LegacyKind) {
    let unnamed = "default".parse().unwrap();
    for row in &read.rows {
        match &row.conversion {
            Conversion::Record { record, .. } => {
                let columns = match row.table {
                    2 if kind == LegacyKind::Jarvis => 10,
                    3 if kind == LegacyKind::Jarvis => 8,
                    table if kind == LegacyKind::Continuum => match (table, record.kind()) {
                        (0, _) => 4,
                        (1, _) => 10,
                        // A reply has its own column too.
                        (2 | 3, _) => {
                            let values = inverse(kind, record, &unnamed);
                            11 + usize::from(values.last().unwrap().0 == "ai_response")
                        }
                        (4, _) => 9,
                        (5, _) => 5,
                        _ => 7,
                    },
                    _ if kind != LegacyKind::Consultant => 6,
                    // One more than the columns: a server calls the tenant otherwise.
                    0 => 7,
                    1 => 15,
                    _ => 8,
                };
                assert_eq!(inverse(kind, record, &unnamed).len(), columns);
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
            Conversion::Merged { .. } => {
                assert_eq!(
                    kind,
                    LegacyKind::Continuum,
                    "nothing is merged here: {row:?}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_row_of_flux_rag_comes_out_once(sessions in rows(6), messages in rows(6)) {
        let made = made(&[LOOSE_FLUX_RAG]);
        let session = ["'5e551000-0000-4000-8000-00000000000$n'", "''", "'t'", TIME, TIME, "'{}'"];
        insert(&made.connection, "sessions", &sessions, &session);
        let message = ["'me55a9e$n'", session[0], "'user'", "'x'", "'{}'", TIME];
        insert(&made.connection, "messages", &messages, &message);
        let read = read(&made.path);
        prop_assert_eq!(read.rows.len(), sessions.len() + messages.len());
        check(&read, LegacyKind::FluxRag);
    }

    #[test]
    fn every_row_of_jarvis_comes_out_once(entities in rows(6), relationships in rows(6)) {
        let made = made(&[LOOSE_JARVIS]);
        insert(&made.connection, "entities", &entities, &["$n", "'a'", "'n$n'", "'{}'", TIME, TIME]);
        insert(&made.connection, "relationships", &relationships, &["$n", "$n", "0", "'a'", "null", TIME]);
        let read = read(&made.path);
        prop_assert_eq!(read.rows.len(), entities.len() + relationships.len());
        check(&read, LegacyKind::Jarvis);
    }

    #[test]
    fn every_mission_and_snapshot_of_jarvis_comes_out_once(
        missions in rows(10), snapshots in rows(8),
    ) {
        let made = made(&[LOOSE_JARVIS, LOOSE_MISSIONS]);
        let mission = ["$n", "'m-$n'", "'failed'", "'d'", "0.1", "3", "1.5", "2", "'{}'", TIME];
        insert(&made.connection, "mission_history", &missions, &mission);
        let snapshot = ["$n", "'p'", "'m-$n'", "5000000000", "7", "'abc'", TIME, "null"];
        insert(&made.connection, "file_snapshots", &snapshots, &snapshot);
        let read = read(&made.path);
        prop_assert_eq!(read.rows.len(), missions.len() + snapshots.len());
        check(&read, LegacyKind::Jarvis);
    }

    #[test]
    fn every_row_of_consultant_comes_out_once(
        threads in rows(6), nodes in rows(14), relationships in rows(7),
    ) {
        let made = made(&[LOOSE_CONSULTANT]);
        let thread = ["'t$n'", TIME, TIME, "null", "'task'", "'{}'"];
        insert(&made.connection, "memory_threads", &threads, &thread);
        let node = [
            "'n$n'", "'t$n'", "'{}'", "'tool_output'", "'s'", TIME, TIME, "1", "0.5", "'[\"a\"]'",
            "'{}'", "'e$n'", "'type'", "'system'",
        ];
        insert(&made.connection, "memory_nodes", &nodes, &node);
        let relationship = ["$n", "'n$n'", "'n0'", "'led_to'", "0.5", TIME, "'{}'"];
        insert(&made.connection, "memory_relationships", &relationships, &relationship);
        let read = read(&made.path);
        prop_assert_eq!(read.rows.len(), threads.len() + nodes.len() + relationships.len());
        check(&read, LegacyKind::Consultant);
    }
}

proptest! {
    // Of seven tables at once, each case takes seven times as long.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_row_of_continuum_comes_out_once(
        tenants in rows(4), entities in rows(9), messages in rows(8), turns in rows(7),
        links in rows(10), compounds in rows(6), decisions in rows(7),
    ) {
        let made = made(&[LOOSE_CONTINUUM]);
        insert(&made.connection, "tenants", &tenants, &["'t$n'", TIME, TIME, "'{}'"]);
        let entity =
            ["$n", "'n' || ($n / 2)", "'concept'", "'d'", TIME, TIME, "1", "'{}'", "'t' || ($n / 3)"];
        insert(&made.connection, "entities", &entities, &entity);
        let message = ["$n", "'s'", "1765015872.5", "$n", "'user'", "'x'", "'{}'", "'t' || ($n / 3)"];
        insert(&made.connection, "auto_messages", &messages, &message);
        let at = "'2025-12-06T10:11:12.500000'";
        let turn = ["$n", "'x'", "null", "'s'", at, "'t' || ($n / 3)", "'{}'"];
        insert(&made.connection, "messages", &turns, &turn);
        let link = ["$n", "'n0'", "'n$n'", "'relates'", "0.5", TIME, TIME, "null", "null", "'t0'"];
        insert(&made.connection, "attention_links", &links, &link);
        let compound = ["$n", "'c' || ($n / 2)", "'[\"n0\", \"n1\"]'", "2", TIME, "'t0'"];
        insert(&made.connection, "compound_concepts", &compounds, &compound);
        let decision = ["$n", "'s'", "1765015872.5", "'d'", "null", "null", "'t0'"];
        insert(&made.connection, "decisions", &decisions, &decision);
        let read = read(&made.path);
        let all = [&tenants, &entities, &messages, &turns, &links, &compounds, &decisions];
        prop_assert_eq!(read.rows.len(), all.iter().map(|rows| rows.len()).sum::<usize>());
        check(&read, LegacyKind::Continuum);
    }
}
