//! JARVIS files, with literal expected values.

use crate::made::{JARVIS, LOOSE_JARVIS, LOOSE_MISSIONS, Read, made, read, read_with};
use memory_legacy::{Options, rules};
use memory_storage::Conversion;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

// Computed with Python's uuid.uuid5.
const ENTITY_1: &str = "fb067c58-a8cf-55af-891a-3b070a810700";
const ENTITY_2: &str = "63fb99d8-e06c-5b8f-ab27-70a634e5bcc3";
const ENTITY_7: &str = "b162c348-ee27-5164-bc35-f2f4ebcf162d";
const MISSION_4: &str = "63faeba9-1e2a-5a66-9d8d-80f68b5c4c05";
const SNAPSHOT_2: &str = "7ee2f09d-328d-53c2-a2e8-bf2cc5d8706b";
const RELATIONSHIP_3: &str = "0bd803d7-5d28-55be-9e90-b764b4e33ad9";

/// Three entities with a gap in their ids.
const ENTITIES: &str = r#"
    insert into entities values
    (1, 'file', 'src/lib.rs', '{"lines": 12, "owner": {"name": "Ada"}}',
        '2015-08-29T21:59:17Z', '2018-05-23T15:27:21.5Z'),
    (2, 'bug', 'A + B + C', '{}', '2015-08-29T22:00:00Z', '2015-08-29T22:00:00Z'),
    (7, 'concept', '한국어 😀', null, '2015-08-29T22:00:01Z', '2015-08-29T22:00:01Z');"#;

#[test]
fn an_entity_becomes_a_node() {
    let made = made(&[JARVIS, ENTITIES]);
    let read = read(&made.path);
    assert_eq!(
        read.identical("entities", "id=1"),
        json!({
            "record": "node",
            "tenant_id": "default",
            "id": ENTITY_1,
            "context_type": "domain_entity",
            "key": {"system": "file", "id": "src/lib.rs"},
            "entity_type": "file",
            "name": "src/lib.rs",
            "content": {"lines": 12, "owner": {"name": "Ada"}},
            "summary": "",
            "tags": [],
            "metadata": {},
            "base_relevance": 0.5,
            "created_at": "2015-08-29T21:59:17.000000Z",
            "updated_at": "2018-05-23T15:27:21.500000Z",
            "last_accessed_at": "2018-05-23T15:27:21.500000Z",
            "access_count": 1,
            "update_count": 0,
        })
    );
}

#[test]
fn no_metadata_is_told_from_empty_metadata() {
    let made = made(&[
        JARVIS,
        ENTITIES,
        r#"insert into relationships values
        (1, 1, 2, 'a', null, '2015-08-29T21:59:17Z'),
        (2, 1, 2, 'b', '{}', '2015-08-29T21:59:17Z'),
        (3, 1, 2, 'c', '{"source_null": true}', '2015-08-29T21:59:17Z'),
        (4, 1, 2, 'd', '{"source_null": true, "x": 1}', '2015-08-29T21:59:17Z');"#,
    ]);
    let read = read(&made.path);
    let both = |record: &Value| (record["content"].clone(), record["metadata"].clone());
    let null = read.identical("entities", "id=7");
    assert_eq!(both(&null), (json!({}), json!({"source_null": true})));
    let empty = read.identical("entities", "id=2");
    assert_eq!(both(&empty), (json!({}), json!({})));
    let metadata = |key| read.identical("relationships", key)["metadata"].clone();
    assert_eq!(metadata("id=1"), json!({"source_null": true}));
    assert_eq!(metadata("id=2"), json!({}));
    assert_eq!(metadata("id=4"), json!({"source_null": true, "x": 1}));
    let (marked, used) = read.changed("relationships", "id=3");
    assert_eq!(marked["metadata"], json!({"source_null": true}));
    assert_eq!(used, [rules::NULL_MARKER_IN_SOURCE]);
}

#[test]
fn a_relationship_joins_the_nodes_that_its_entities_became() {
    let made = made(&[
        JARVIS,
        ENTITIES,
        r#"insert into relationships values
        (3, 7, 1, 'worked_on', '{"added": 2}', '2015-08-29T21:59:17.000001Z');"#,
    ]);
    assert_eq!(
        read(&made.path).identical("relationships", "id=3"),
        json!({
            "tenant_id": "default",
            "id": RELATIONSHIP_3,
            "from": ENTITY_7,
            "to": ENTITY_1,
            "kind": "worked_on",
            "label": "",
            "directed": true,
            "strength": 1.0,
            "metadata": {"added": 2},
            "created_at": "2015-08-29T21:59:17.000001Z",
            "last_reinforced_at": "2015-08-29T21:59:17.000001Z",
        })
    );
}

#[test]
fn parallel_relationships_have_their_source_id_as_label() {
    let made = made(&[
        JARVIS,
        ENTITIES,
        "insert into relationships values
        (1, 1, 2, 'fixed_bug', '{}', '2015-08-29T21:59:17Z'),
        (2, 1, 2, 'caused_bug', '{}', '2015-08-29T21:59:17Z'),
        (5, 1, 2, 'fixed_bug', '{}', '2015-08-29T21:59:17Z'),
        (6, 2, 1, 'fixed_bug', '{}', '2015-08-29T21:59:17Z'),
        (7, 1, 2, 'Fixed_bug', '{}', '2015-08-29T21:59:17Z'),
        (8, 1, 1, 'self', '{}', '2015-08-29T21:59:17Z'),
        (9, 1, 1, 'self', 'broken', '2015-08-29T21:59:17Z');",
    ]);
    let read = read(&made.path);
    let label = |key| {
        let record = read.identical("relationships", key);
        record["label"].as_str().unwrap().to_owned()
    };
    let keys = ["id=1", "id=2", "id=5", "id=6", "id=7", "id=8"];
    assert_eq!(keys.map(label), ["1", "", "5", "", "", "8"]);
}

#[test]
fn an_end_that_is_not_carried_quarantines_the_relationship() {
    let made = made(&[
        JARVIS,
        ENTITIES,
        "insert into entities values
            (9, 'file', 'broken', '{', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z');
        insert into relationships values
        (1, 1, 3, 'a', '{}', '2015-08-29T21:59:17Z'),
        (2, 9, 1, 'a', '{}', '2015-08-29T21:59:17Z'),
        (4, -1, 1, 'a', '{}', '2015-08-29T21:59:17Z');",
    ]);
    let read = read(&made.path);
    assert_eq!(
        read.reason("relationships", "id=1"),
        "invalid to_id \"3\": no entity of this id is in the file; add it or drop the relationship"
    );
    assert_eq!(
        read.reason("relationships", "id=2"),
        "invalid from_id \"9\": the entity of this id is quarantined; mend that first"
    );
    assert!(read.reason("relationships", "id=4").contains("\"-1\""));
}

#[test]
fn the_tenant_is_made_once_from_the_first_to_the_last_change() {
    let made = made(&[
        JARVIS,
        "insert into entities values
            (1, '', 'x', '{}', '2015-01-01T00:00:00Z', '2015-01-01T00:00:00Z'),
            (2, 'a', 'x', '{}', 'never', '2030-01-01T00:00:00Z'),
            (3, 'a', 'y', '{}', '2016-01-01T00:00:00Z', '2017-01-01T00:00:00Z'),
            (4, 'a', 'z', '{}', '2015-06-01T00:00:00Z', '2016-01-01T00:00:00Z');",
    ]);
    let options = Options {
        tenant: Some("ada".parse().unwrap()),
        ..Options::default()
    };
    assert_eq!(
        read_with(&made.path, options).beyond(),
        [json!({"record": "tenant", "id": "ada", "metadata": {},
            "created_at": "2015-01-01T00:00:00.000000Z",
            "last_active_at": "2017-01-01T00:00:00.000000Z"})]
    );
}

#[test]
fn the_source_name_goes_into_the_ids() {
    let made = made(&[JARVIS, ENTITIES]);
    let options = Options {
        name: Some("other".to_owned()),
        ..Options::default()
    };
    let record = read_with(&made.path, options).identical("entities", "id=1");
    assert_eq!(record["id"], "a18c4098-9fc7-5dac-86ac-7b07a6b18c6c");
    assert_eq!(
        read(&made.path).identical("entities", "id=2")["id"],
        ENTITY_2
    );
}

const MISSIONS: &str = r#"
    insert into mission_history values
    (4, 'm-1', 'failed', 'coding', 0.1, 3, 1.0, 2, '{"subject": "é"}',
        '2015-08-29T21:59:16.000001Z'),
    (9, 'm-2', 'success', null, null, null, null, null, null, '2015-08-29T21:59:17Z');
    insert into file_snapshots values
    (2, 'src/lib.rs', 'm-1', 5000000000, 12, 'abc', '2019-01-01T00:00:00Z', '{"a": 1}'),
    (3, 'src/lib.rs', null, null, null, null, '2015-08-29T21:59:18Z', null);"#;

#[test]
fn a_mission_keeps_its_cost_to_the_bit() {
    let made = made(&[JARVIS, ENTITIES, MISSIONS]);
    let read = read(&made.path);
    let mission = read.identical("mission_history", "id=4");
    assert_eq!(
        mission,
        json!({
            "record": "mission",
            "tenant_id": "default",
            "id": MISSION_4,
            "key": "m-1",
            "status": "failed",
            "domain": "coding",
            "cost_usd": 0.1,
            "iterations": 3,
            "duration_seconds": 1.0,
            "files_modified": 2,
            "metadata": {"subject": "é"},
            "created_at": "2015-08-29T21:59:16.000001Z",
        })
    );
    let bare = read.identical("mission_history", "id=9");
    assert_eq!(bare["cost_usd"], json!(null));
    assert_eq!(bare["domain"], json!(null));
    assert_eq!(bare["metadata"], json!({"source_null": true}));
}

#[test]
fn a_snapshot_may_be_larger_than_2_gib() {
    let made = made(&[JARVIS, ENTITIES, MISSIONS]);
    let read = read(&made.path);
    assert_eq!(
        read.identical("file_snapshots", "id=2"),
        json!({
            "record": "file_snapshot",
            "tenant_id": "default",
            "id": SNAPSHOT_2,
            "path": "src/lib.rs",
            "mission_key": "m-1",
            "size_bytes": 5_000_000_000_i64,
            "lines_of_code": 12,
            "hash": "abc",
            "metadata": {"a": 1},
            "taken_at": "2019-01-01T00:00:00.000000Z",
        })
    );
    let bare = read.identical("file_snapshots", "id=3");
    assert_eq!(bare["mission_key"], json!(null));
    assert_eq!(bare["metadata"], json!({"source_null": true}));
}

#[test]
fn every_column_of_missions_and_snapshots_has_a_place() {
    let made = made(&[JARVIS, ENTITIES, MISSIONS]);
    let read = read(&made.path);
    let shown: Vec<(&str, u64, bool)> = read
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.rows, table.mapped))
        .collect();
    assert_eq!(
        shown,
        [
            ("entities", 3, true),
            ("relationships", 0, true),
            ("mission_history", 2, true),
            ("file_snapshots", 2, true),
        ]
    );
    for table in &read.tables {
        for column in &table.columns {
            assert!(column.target.is_some(), "{}.{}", table.name, column.name);
        }
    }
    let non_null: Vec<u64> = read.tables[2]
        .columns
        .iter()
        .map(|column| column.non_null)
        .collect();
    assert_eq!(non_null, [2, 2, 2, 1, 1, 1, 1, 1, 1, 2]);
}

#[test]
fn a_mission_that_breaks_a_rule_is_quarantined_by_its_column() {
    for (column, value) in [
        ("mission_id", Sql::Text(String::new())),
        ("mission_id", Sql::Null),
        ("status", Sql::Text(String::new())),
        ("domain", Sql::Text("x".repeat(513))),
        ("cost_usd", Sql::Text("1.5".into())),
        ("cost_usd", Sql::Real(f64::INFINITY)),
        ("iterations", Sql::Real(1.5)),
        ("metadata", Sql::Text("[]".into())),
        ("created_at", Sql::Integer(1)),
    ] {
        let made = made(&[LOOSE_JARVIS, LOOSE_MISSIONS, MISSIONS]);
        let sql = format!("update mission_history set {column} = ?1 where id = 9");
        made.connection.execute(&sql, [&value]).unwrap();
        let read = read(&made.path);
        let reason = read.reason("mission_history", "id=9");
        assert!(
            reason.starts_with(&format!("invalid {column}")),
            "{value:?}: {reason}"
        );
    }
}

#[test]
fn a_file_of_missions_alone_has_a_tenant() {
    let made = made(&[JARVIS, MISSIONS]);
    let read = read(&made.path);
    let beyond: Vec<&memory_domain::Record> = read
        .rows
        .iter()
        .flat_map(|row| match &row.conversion {
            Conversion::Record { beyond, .. } => beyond.iter(),
            _ => [].iter(),
        })
        .collect();
    let [memory_domain::Record::Tenant(tenant)] = beyond[..] else {
        panic!("{beyond:?}");
    };
    assert_eq!(tenant.created_at.to_string(), "2015-08-29T21:59:16.000001Z");
    assert_eq!(
        tenant.last_active_at.to_string(),
        "2019-01-01T00:00:00.000000Z"
    );
}

#[test]
fn an_id_that_repeats_in_another_table_is_no_repetition() {
    let made = made(&[
        LOOSE_JARVIS,
        LOOSE_MISSIONS,
        MISSIONS,
        "insert into mission_history (id, mission_id, status, created_at) values
            (2, 'm-3', 'x', '2015-08-29T21:59:17Z'),
            (4, 'm-4', 'x', '2015-08-29T21:59:17Z');",
    ]);
    let read = read(&made.path);
    read.identical("mission_history", "id=2");
    read.identical("file_snapshots", "id=2");
    let quarantined = read
        .rows
        .iter()
        .filter(|row| matches!(row.conversion, Conversion::Quarantined { .. }));
    assert_eq!(quarantined.count(), 1);
}

/// What becomes of an entity of which one column holds another value.
fn entity_with(column: &str, value: &Sql) -> Read {
    let made = made(&[LOOSE_JARVIS]);
    let sql = "insert into entities values (1, 'file', 'a', '{}', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z')";
    made.connection.execute(sql, []).unwrap();
    let sql = format!("update entities set {column} = ?1");
    made.connection.execute(&sql, [value]).unwrap();
    read(&made.path)
}

/// What becomes of a relationship of which one column holds another value.
fn relationship_with(column: &str, value: &Sql) -> Read {
    let made = made(&[LOOSE_JARVIS, ENTITIES]);
    let sql = "insert into relationships values (1, 1, 2, 'a', '{}', '2015-08-29T21:59:17Z')";
    made.connection.execute(sql, []).unwrap();
    let sql = format!("update relationships set {column} = ?1");
    made.connection.execute(&sql, [value]).unwrap();
    read(&made.path)
}

fn text(text: &str) -> Sql {
    Sql::Text(text.to_owned())
}

#[test]
fn every_pitfall_of_a_value_ends_in_its_class() {
    let (at_limit, beyond) = ("é".repeat(256), "x".repeat(513));
    for (column, value, class) in [
        ("id", Sql::Integer(-5), "identical"),
        ("id", Sql::Integer(1 << 62), "identical"),
        ("id", Sql::Null, "quarantined"),
        ("id", text("1"), "quarantined"),
        ("id", Sql::Real(3.5), "quarantined"),
        ("id", Sql::Real(f64::INFINITY), "quarantined"),
        ("type", text(""), "quarantined"),
        ("type", text(&beyond), "quarantined"),
        ("type", Sql::Blob(b"file".to_vec()), "quarantined"),
        ("name", text(&at_limit), "identical"),
        ("name", text(&beyond), "quarantined"),
        ("name", text("a\0b"), "quarantined"),
        ("name", text(" \t"), "identical"),
        ("name", text("aGVsbG8="), "identical"),
        ("name", Sql::Integer(5), "quarantined"),
        ("metadata", Sql::Null, "identical"),
        ("metadata", text(r#"{"source_null": true}"#), "identical"),
        ("metadata", text(""), rules::EMPTY_METADATA),
        ("metadata", text("null"), rules::JSON_NULL_METADATA),
        (
            "metadata",
            text(r#"{"a": 1e308, "b": [-0.0]}"#),
            rules::INTEGRAL_DOUBLE,
        ),
        ("metadata", text("[1]"), "quarantined"),
        ("metadata", text(r#"{"a": Infinity}"#), "quarantined"),
        (
            "created_at",
            text("2015-08-29T21:59:17"),
            rules::NAIVE_AS_UTC,
        ),
        ("created_at", text("2015-08-29T21:59:17+02:00"), "identical"),
        (
            "created_at",
            text("2015-08-29T21:59:17.1234565Z"),
            rules::TIME_ROUNDED,
        ),
        ("created_at", Sql::Real(1_440_885_557.001), "quarantined"),
        ("updated_at", text("2015-08-29"), "quarantined"),
        ("updated_at", Sql::Null, "quarantined"),
    ] {
        let read = entity_with(column, &value);
        assert_eq!(read.class("entities"), class, "{column} {value:?}");
    }
    for (column, value, class) in [
        ("id", Sql::Blob(vec![1]), "quarantined"),
        ("from_id", Sql::Real(1.0), "quarantined"),
        ("from_id", text("1"), "quarantined"),
        ("from_id", Sql::Null, "quarantined"),
        ("to_id", Sql::Integer(1 << 40), "quarantined"),
        ("to_id", Sql::Integer(i64::MIN), "quarantined"),
        ("type", text(""), "quarantined"),
        ("type", Sql::Null, "quarantined"),
        ("metadata", Sql::Null, "identical"),
        ("metadata", text(""), rules::EMPTY_METADATA),
        ("metadata", text("{"), "quarantined"),
        ("created_at", Sql::Integer(0), "quarantined"),
    ] {
        let read = relationship_with(column, &value);
        assert_eq!(read.class("relationships"), class, "{column} {value:?}");
    }
}

#[test]
fn a_time_can_fall_under_two_rules() {
    let read = entity_with("created_at", &text("2015-08-29 21:59:17.123456789"));
    let Conversion::Record { rules, .. } = &read.rows[0].conversion else {
        panic!("{:?}", read.rows[0]);
    };
    let shown: Vec<(&str, &str, &str)> = rules
        .iter()
        .map(|rule| (rule.rule, rule.from.as_str(), rule.to.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (
                "naive-time-read-as-utc",
                "2015-08-29 21:59:17.123456789 (UTC)",
                "2015-08-29T21:59:17.123457Z"
            ),
            (
                "time-rounded-to-microseconds",
                "2015-08-29 21:59:17.123456789",
                "2015-08-29T21:59:17.123457Z"
            ),
        ]
    );
}

#[test]
fn rows_with_one_id_are_carried_once() {
    let made = made(&[
        LOOSE_JARVIS,
        "insert into entities values
        (5, 'file', 'a', '{}', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z'),
        (5, 'file', 'b', '{}', '2015-08-29T21:59:17Z', '2015-08-29T21:59:17Z');
        insert into relationships values
        (1, 5, 5, 'a', '{}', '2015-08-29T21:59:17Z'),
        (1, 5, 5, 'b', '{}', '2015-08-29T21:59:17Z');",
    ]);
    let read = read(&made.path);
    let carried: Vec<bool> = read
        .rows
        .iter()
        .map(|row| matches!(row.conversion, Conversion::Record { .. }))
        .collect();
    assert_eq!(carried, [true, false, true, false]);
    assert!(matches!(&read.rows[1].conversion,
        Conversion::Quarantined { reason } if reason.contains("a row before it has the same id")));
}
