//! consultant files, with literal expected values.

use crate::made::{CONSULTANT, LOOSE_CONSULTANT, made, read, rules as used};
use memory_legacy::rules;
use memory_storage::Conversion;
use rusqlite::params;
use serde_json::json;

const NODE_A: &str = "0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01";
const NODE_B: &str = "0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a02";
// Computed with Python's uuid.uuid5.
const NODE_1: &str = "1cf48e60-146c-5061-b300-53bb0829aed3";
const RELATIONSHIP_4: &str = "008e282e-5dea-53a7-8863-d7d2b1a7f7c3";

/// A thread with a row of its own and one without, two nodes in the first and one in the second.
const ROWS: &str = r#"
    insert into memory_threads values
    ('t-1', '2025-07-01T08:00:00Z', '2025-07-02T08:00:00.5Z', 'orchestrator', null,
        '{"locale": "ko"}');
    insert into memory_nodes values
    ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 't-1',
        '{"entity_data": {"Name": "Acme 한국"}, "n": 1}', 'domain_entity', 'Acme',
        '2025-07-01T09:00:00Z', '2025-07-01T10:00:00.25Z', 3, 0.7,
        '["crm", "account"]', '{"source": "crm"}', '001xx', 'Account', 'salesforce'),
    ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a02', 't-1', '{}', 'search_result', '',
        '2025-07-01T09:00:00Z', '2025-07-01T09:00:00Z', 1, 0.5, '[]', '{}', null, null, null),
    ('node-1', 't-2', '{}', 'tool_output', 'x',
        '2025-07-03T09:00:00Z', '2025-07-04T09:00:00Z', 1, 0.5, '[]', '{}', null, null, null);"#;

#[test]
fn a_node_keeps_everything_that_the_system_knew_of_it() {
    let made = made(&[CONSULTANT, ROWS]);
    assert_eq!(
        read(&made.path).identical("memory_nodes", &format!("node_id={NODE_A}")),
        json!({
            "record": "node",
            "tenant_id": "t-1",
            "id": NODE_A,
            "context_type": "domain_entity",
            "key": {"system": "salesforce", "id": "001xx"},
            "entity_type": "Account",
            "name": null,
            "content": {"entity_data": {"Name": "Acme 한국"}, "n": 1},
            "summary": "Acme",
            "tags": ["account", "crm"],
            "metadata": {"source": "crm"},
            "base_relevance": 0.7,
            "created_at": "2025-07-01T09:00:00.000000Z",
            "updated_at": "2025-07-01T09:00:00.000000Z",
            "last_accessed_at": "2025-07-01T10:00:00.250000Z",
            "access_count": 3,
            "update_count": 0,
        })
    );
}

#[test]
fn a_thread_is_a_tenant_and_its_agent_and_task_are_metadata() {
    let made = made(&[CONSULTANT, ROWS]);
    let read = read(&made.path);
    assert_eq!(
        read.identical("memory_threads", "thread_id=t-1"),
        json!({
            "record": "tenant",
            "id": "t-1",
            "created_at": "2025-07-01T08:00:00.000000Z",
            "last_active_at": "2025-07-02T08:00:00.500000Z",
            "metadata": {"agent_name": "orchestrator", "locale": "ko"},
        })
    );
    // The thread that only a node names, from its creation to its last access.
    assert_eq!(
        read.beyond(),
        [json!({
            "record": "tenant",
            "id": "t-2",
            "created_at": "2025-07-03T09:00:00.000000Z",
            "last_active_at": "2025-07-04T09:00:00.000000Z",
            "metadata": {},
        })]
    );
}

#[test]
fn an_id_that_is_no_uuid_becomes_one_by_a_named_rule() {
    let made = made(&[CONSULTANT, ROWS]);
    let (node, used) = read(&made.path).changed("memory_nodes", "node_id=node-1");
    assert_eq!(node["id"], NODE_1);
    assert_eq!(used, [rules::ID_HASHED]);
}

#[test]
fn a_relationship_is_of_the_tenant_of_its_ends() {
    let made = made(&[CONSULTANT, ROWS]);
    made.connection
        .execute(
            "insert into memory_relationships values
            (4, ?1, ?2, 'led_to', 0.25, '2025-07-01T11:00:00.000001Z', '{\"why\": \"said so\"}')",
            params![NODE_A, NODE_B],
        )
        .unwrap();
    assert_eq!(
        read(&made.path).identical("memory_relationships", "id=4"),
        json!({
            "tenant_id": "t-1",
            "id": RELATIONSHIP_4,
            "from": NODE_A,
            "to": NODE_B,
            "kind": "led_to",
            "label": "",
            "directed": true,
            "strength": 0.25,
            "metadata": {"why": "said so"},
            "created_at": "2025-07-01T11:00:00.000001Z",
            "last_reinforced_at": "2025-07-01T11:00:00.000001Z",
        })
    );
}

#[test]
fn a_relationship_across_tenants_or_to_nothing_is_quarantined() {
    let made = made(&[
        CONSULTANT,
        ROWS,
        "insert into memory_nodes values
            ('broken', 't-1', '[1]', 'tool_output', 'x', '2025-07-03T09:00:00Z',
                '2025-07-04T09:00:00Z', 1, 0.5, '[]', '{}', null, null, null);
        insert into memory_relationships values
            (1, 'node-1', '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 'led_to', 1.0,
                '2025-07-01T11:00:00Z', '{}'),
            (2, 'node-1', 'gone', 'led_to', 1.0, '2025-07-01T11:00:00Z', '{}'),
            (3, 'broken', 'node-1', 'led_to', 1.0, '2025-07-01T11:00:00Z', '{}');",
    ]);
    let read = read(&made.path);
    assert_eq!(
        read.reason("memory_relationships", "id=1"),
        format!(
            "invalid to_node_id \"{NODE_A}\": it leads from a node of t-2 to one of t-1; no \
            relationship leads from one tenant to another"
        )
    );
    assert_eq!(
        read.reason("memory_relationships", "id=2"),
        "invalid to_node_id \"gone\": no node of this id is in the file; add it or drop the \
        relationship"
    );
    assert_eq!(
        read.reason("memory_relationships", "id=3"),
        "invalid from_node_id \"broken\": the node of this id is quarantined; mend that first"
    );
    // What the row alone does not say goes along for a replay.
    let context = |key| read.row("memory_relationships", key).context.clone();
    let name = |name, tenant: &str| (name, tenant.to_owned());
    assert_eq!(
        context("id=1"),
        [name("from_tenant", "t-2"), name("to_tenant", "t-1")]
    );
    assert_eq!(context("id=2"), [name("from_tenant", "t-2")]);
}

#[test]
fn tags_are_lower_cased_and_stand_once() {
    let made = made(&[
        CONSULTANT,
        r#"insert into memory_nodes values
        ('a', 't', '{}', 'tool_output', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            '["CRM", "ÄRGER", "ok", "crm", "ok"]', '{}', null, null, null),
        ('b', 't', '{}', 'tool_output', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            null, '{}', null, null, null),
        ('c', 't', '{}', 'tool_output', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            '', '{}', null, null, null),
        ('d', 't', '{}', 'tool_output', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            '["a", 1]', '{}', null, null, null),
        ('e', 't', '{}', 'tool_output', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            '[""]', '{}', null, null, null);"#,
    ]);
    let read = read(&made.path);
    let (node, used) = read.changed("memory_nodes", "node_id=a");
    assert_eq!(node["tags"], json!(["crm", "ok", "ärger"]));
    assert_eq!(
        used,
        [
            rules::ID_HASHED,
            rules::TAG_LOWERED,
            rules::TAG_LOWERED,
            rules::TAG_REPEATED,
            rules::TAG_REPEATED,
        ]
    );
    for (key, rule) in [
        ("node_id=b", rules::NULL_TAGS),
        ("node_id=c", rules::EMPTY_TAGS),
    ] {
        let (node, used) = read.changed("memory_nodes", key);
        assert_eq!(node["tags"], json!([]));
        assert_eq!(used, [rules::ID_HASHED, rule]);
    }
    for key in ["node_id=d", "node_id=e"] {
        let reason = read.reason("memory_nodes", key);
        assert!(reason.starts_with("invalid tags"), "{reason}");
    }
}

#[test]
fn half_a_key_is_no_key_and_is_kept_in_the_metadata() {
    let made = made(&[
        CONSULTANT,
        r#"insert into memory_nodes values
        ('a', 't', '{}', 'domain_entity', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            '[]', '{"x": 1}', '001', 'Account', null),
        ('b', 't', '{}', 'domain_entity', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            '[]', '{}', null, 'Account', 'jira'),
        ('c', 't', '{}', 'domain_entity', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5,
            '[]', '{"entity_id": "other"}', '001', 'Account', null);"#,
    ]);
    let read = read(&made.path);
    let (node, used) = read.changed("memory_nodes", "node_id=a");
    assert_eq!(node["key"], json!(null));
    assert_eq!(node["metadata"], json!({"x": 1, "entity_id": "001"}));
    assert_eq!(used, [rules::ID_HASHED, rules::HALF_KEY, rules::HALF_KEY]);
    let (node, _) = read.changed("memory_nodes", "node_id=b");
    assert_eq!(node["metadata"], json!({"entity_system": "jira"}));
    assert!(read.reason("memory_nodes", "node_id=c").contains("taken"));
}

#[test]
fn what_is_null_becomes_the_default_by_named_rules() {
    let made = made(&[
        CONSULTANT,
        ROWS,
        "insert into memory_nodes values
        ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a09', 't-1', '{}', 'tool_output', null,
            '2025-07-03T09:00:00', '2025-07-03T09:00:00Z', null, null, '[]', null, null, null, null);
        insert into memory_relationships values
        (1, '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a09',
            'led_to', null, '2025-07-01T11:00:00Z', null);",
    ]);
    let read = read(&made.path);
    let (node, used) = read.changed(
        "memory_nodes",
        "node_id=0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a09",
    );
    assert_eq!(
        [
            &node["summary"],
            &node["access_count"],
            &node["base_relevance"],
            &node["metadata"]
        ],
        [&json!(""), &json!(1), &json!(0.5), &json!({})]
    );
    assert_eq!(
        used,
        [
            rules::NULL_METADATA,
            rules::NAIVE_AS_UTC,
            rules::NULL_SUMMARY,
            rules::NULL_DEFAULT,
            rules::NULL_DEFAULT,
        ]
    );
    let (relationship, used) = read.changed("memory_relationships", "id=1");
    assert_eq!(relationship["strength"], 1.0);
    assert_eq!(used, [rules::NULL_DEFAULT, rules::NULL_METADATA]);
}

#[test]
fn the_rows_of_the_search_table_are_merged_into_their_nodes() {
    let made = made(&[
        CONSULTANT,
        ROWS,
        "insert into memory_search (node_id, content) values ('gone', 'left over')",
    ]);
    let read = read(&made.path);
    let tables: Vec<&str> = read
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    // The tables in which SQLite keeps the index are its own.
    assert_eq!(
        tables,
        [
            "memory_threads",
            "memory_nodes",
            "memory_relationships",
            "memory_search"
        ]
    );
    let unmapped = |table: &&memory_storage::SourceTable| !table.mapped;
    assert_eq!(read.tables.iter().filter(unmapped).count(), 0);
    let row = read.row("memory_search", &format!("node_id={NODE_A}"));
    match &row.conversion {
        Conversion::Merged { into, rule } => {
            assert_eq!(into.to_string(), format!("nodes t-1/{NODE_A}"));
            assert_eq!(rule.rule, rules::SEARCH_REBUILT);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        read.reason("memory_search", "node_id=gone"),
        "invalid node_id \"gone\": it is searched for a node that is not carried; mend or drop that"
    );
}

#[test]
fn a_file_without_the_tables_beside_the_graph_is_read_all_the_same() {
    let made = made(&[
        LOOSE_CONSULTANT,
        "drop table memory_threads;
        create table memory_search (node_id, content);
        insert into memory_nodes values ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 't', '{}',
            'tool_output', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5, '[]', '{}',
            null, null, null);
        insert into memory_search values ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 'x');",
    ]);
    let read = read(&made.path);
    read.identical("memory_nodes", &format!("node_id={NODE_A}"));
    assert_eq!(read.class("memory_search"), "identical");
}

#[test]
fn a_quarantined_thread_keeps_its_nodes_back() {
    let made = made(&[
        CONSULTANT,
        ROWS,
        r#"update memory_threads set metadata = '{"task_id": "t"}'"#,
    ]);
    let read = read(&made.path);
    let reason = read.reason("memory_threads", "thread_id=t-1");
    assert!(reason.contains("a key task_id of its own"), "{reason}");
    assert_eq!(
        read.reason("memory_nodes", &format!("node_id={NODE_A}")),
        "invalid thread_id \"t-1\": the row of this tenant is quarantined; mend that first"
    );
    assert_eq!(
        used(read.row("memory_nodes", "node_id=node-1")),
        [rules::ID_HASHED]
    );
}

#[test]
fn a_value_out_of_its_range_is_quarantined_with_its_column() {
    let made = made(&[LOOSE_CONSULTANT]);
    let sound = [
        "'a'",
        "'t'",
        "'{}'",
        "'tool_output'",
        "''",
        "'2025-07-03T09:00:00Z'",
        "'2025-07-03T09:00:00Z'",
        "1",
        "0.5",
        "'[]'",
        "'{}'",
        "null",
        "null",
        "null",
    ];
    let cases = [
        (1, "''", "thread_id"),
        (1, "null", "thread_id"),
        (2, "null", "content"),
        (2, "'[]'", "content"),
        (3, "'opinion'", "context_type"),
        (4, "x'00'", "summary"),
        (5, "0", "created_at"),
        (6, "'yesterday'", "last_accessed"),
        (7, "1.5", "access_count"),
        (7, "'1'", "access_count"),
        (8, "1.5", "base_relevance"),
        (8, "-1", "base_relevance"),
        (8, "'0.5'", "base_relevance"),
        (8, "9e999", "base_relevance"),
        (9, "'crm'", "tags"),
        (10, "'{\"a\": NaN}'", "metadata"),
        (12, "''", "entity_type"),
    ];
    for (at, value, _) in cases {
        let mut values = sound;
        values[at] = value;
        let sql = format!("insert into memory_nodes values ({})", values.join(", "));
        made.connection.execute(&sql, []).unwrap();
    }
    let read = read(&made.path);
    for (row, (_, value, column)) in read.rows.iter().zip(cases) {
        match &row.conversion {
            Conversion::Quarantined { reason } => {
                assert!(reason.starts_with(&format!("invalid {column}")), "{reason}");
            }
            other => panic!("{value} in {column}: {other:?}"),
        }
    }
}

#[test]
fn an_integer_counts_as_the_number_that_it_is() {
    let made = made(&[
        LOOSE_CONSULTANT,
        "insert into memory_nodes values ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 't', '{}',
            'tool_output', '', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 1, '[]', '{}',
            null, null, null)",
    ]);
    let node = read(&made.path).identical("memory_nodes", &format!("node_id={NODE_A}"));
    assert_eq!(node["base_relevance"], 1.0);
}

#[test]
fn a_second_row_of_an_id_is_quarantined() {
    let made = made(&[LOOSE_CONSULTANT]);
    for id in [NODE_A, NODE_A, &NODE_A.to_uppercase()] {
        made.connection
            .execute(
                "insert into memory_nodes values (?1, 't', '{}', 'tool_output', '',
                '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', 1, 0.5, '[]', '{}', null, null, null)",
                [id],
            )
            .unwrap();
    }
    made.connection
        .execute_batch(
            "insert into memory_threads values
            ('h', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', null, null, '{}'),
            ('h', '2025-07-03T09:00:00Z', '2025-07-03T09:00:00Z', null, null, '{}')",
        )
        .unwrap();
    let read = read(&made.path);
    let is_carried: Vec<bool> = read
        .rows
        .iter()
        .map(|row| matches!(row.conversion, Conversion::Record { .. }))
        .collect();
    assert_eq!(is_carried, [true, false, true, false, false]);
}
