//! CONTINUUM files in their three shapes, with literal expected values.

use std::collections::BTreeMap;

use crate::made::{
    CONTINUUM_EXTRACTION, CONTINUUM_FIRST, CONTINUUM_LATER, LOOSE_CONTINUUM, Read, made, read,
    read_source, read_with, rules as used,
};
use memory_legacy::{Options, open, replay, rules};
use memory_storage::{Conversion, QuarantinedRow, RawValue};
use serde_json::{Value, json};

// Computed with Python's uuid.uuid5.
const ENTITY_1: &str = "9e007ba5-b2da-556e-8060-3b588149d8f0";
const ENTITY_2: &str = "c61b19b6-8a34-502f-ae99-e372a0924973";
const MESSAGE_1: &str = "fc1e604b-b4a9-5323-b3d2-c150a6964ff1";
const TURN_1: &str = "945dc25f-1b6f-5410-8f76-4b3bc9a7c48d";
const REPLY_1: &str = "3fb2acdc-f155-5d4c-ae92-77dc2886963e";
const SESSION: &str = "b511f1e7-e575-50c1-a18a-f806762f82a0";
const SESSION_2: &str = "76f7bec7-73df-5139-8246-387cca87db65";
const LINK_1: &str = "ef8cd412-6767-5dd8-abfc-12d77f623c46";
const ASYNC: &str = "b2763cf1-1667-5b67-86a6-461a059a81ab";
const COMPOUND_1: &str = "7db9b868-3b21-5d3e-a3bf-37529a712693";
const DECISION_1: &str = "eda771b4-fc03-5507-86ad-9be7e86b0121";

/// A file of a later version with these rows.
fn later(rows: &str) -> Read {
    read(&made(&[CONTINUUM_FIRST, CONTINUUM_LATER, rows]).path)
}

#[test]
fn an_entity_is_a_node_under_its_type_and_lower_cased_name() {
    let read = later(
        "insert into entities values
        (1, 'Rust 언어', 'concept', 'a language', '2025-12-06T10:11:12.000001+00:00', 'ada')",
    );
    assert_eq!(
        read.identical("entities", "id=1"),
        json!({
            "record": "node",
            "tenant_id": "ada",
            "id": ENTITY_1,
            "context_type": "domain_entity",
            "key": {"system": "concept", "id": "rust 언어"},
            "entity_type": "concept",
            "name": "Rust 언어",
            "content": {},
            "summary": "a language",
            "tags": [],
            "metadata": {},
            "base_relevance": 0.5,
            "created_at": "2025-12-06T10:11:12.000001Z",
            "updated_at": "2025-12-06T10:11:12.000001Z",
            "last_accessed_at": "2025-12-06T10:11:12.000001Z",
            "access_count": 1,
            "update_count": 0,
        })
    );
    assert_eq!(
        read.beyond(),
        [json!({
            "record": "tenant",
            "id": "ada",
            "created_at": "2025-12-06T10:11:12.000001Z",
            "last_active_at": "2025-12-06T10:11:12.000001Z",
            "metadata": {},
        })]
    );
}

#[test]
fn local_times_are_utc_by_a_named_rule_or_of_the_zone_that_is_given() {
    let made = made(&[
        CONTINUUM_FIRST,
        "insert into entities values
        (1, 'a', 'concept', '', '2025-12-06T10:11:12.000001', 'default')",
    ]);
    let (node, used) = read(&made.path).changed("entities", "id=1");
    assert_eq!(node["created_at"], "2025-12-06T10:11:12.000001Z");
    assert_eq!(used, [rules::NAIVE_AS_UTC]);
    let options = Options {
        timezone: Some("Asia/Seoul".parse().unwrap()),
        ..Options::default()
    };
    let (node, used) = read_with(&made.path, options).changed("entities", "id=1");
    assert_eq!(node["created_at"], "2025-12-06T01:11:12.000001Z");
    assert_eq!(used, [rules::NAIVE_AS_GIVEN]);
}

#[test]
fn the_older_shape_of_an_entity_has_its_columns_carried_too() {
    let made = made(&[
        CONTINUUM_EXTRACTION,
        r#"insert into entities values
        (1, 'Rust', 'concept', 'a language', '2025-12-01T00:00:00Z', '2025-12-06T00:00:00Z', 4,
            '{"from": ["chat"]}'),
        (2, 'Go', 'concept', 'x', '2025-12-01T00:00:00Z', null, 1, '{}'),
        (3, 'C', 'concept', 'x', null, null, 1, '{}')"#,
    ]);
    let read = read(&made.path);
    let node = read.identical("entities", "id=1");
    assert_eq!(node["content"], json!({"mention_count": 4}));
    assert_eq!(node["metadata"], json!({"from": ["chat"]}));
    assert_eq!(node["created_at"], "2025-12-01T00:00:00.000000Z");
    assert_eq!(node["updated_at"], "2025-12-06T00:00:00.000000Z");
    assert_eq!(node["tenant_id"], "default");
    let (node, used) = read.changed("entities", "id=2");
    assert_eq!(node["updated_at"], "2025-12-01T00:00:00.000000Z");
    assert_eq!(used, [rules::NULL_TIME]);
    assert!(
        read.reason("entities", "id=3")
            .starts_with("invalid first_seen \"NULL\": give a moment")
    );
}

#[test]
fn names_that_differ_only_in_case_are_one_concept_that_keeps_both() {
    let read = later(
        "insert into entities values
        (1, 'Rust', 'concept', 'a language', '2025-12-06T10:11:12Z', 'ada'),
        (2, 'RUST', 'concept', 'loud', '2025-12-07T10:11:12Z', 'ada'),
        (3, 'rust', 'metal', '', '2025-12-06T10:11:12Z', 'ada'),
        (4, 'rust', 'concept', '', '2025-12-06T10:11:12Z', 'bob')",
    );
    let node = read.identical("entities", "id=1");
    assert_eq!(
        (&node["name"], &node["summary"]),
        (&json!("Rust"), &json!("a language"))
    );
    assert_eq!(
        node["content"],
        json!({"merged": [{
            "id": 2, "name": "RUST", "description": "loud", "created_at": "2025-12-07T10:11:12Z",
        }]})
    );
    assert_eq!(
        read.merged("entities", "id=2"),
        (format!("nodes ada/{ENTITY_1}"), rules::CONCEPT_MERGED)
    );
    // Another type, and another tenant.
    assert_eq!(read.identical("entities", "id=3")["key"]["system"], "metal");
    assert_eq!(read.identical("entities", "id=4")["tenant_id"], "bob");
}

#[test]
fn a_concept_whose_first_row_is_refused_is_its_next_row() {
    let read = later(
        "insert into entities values
        (1, 'Rust', 'concept', '', 'yesterday', 'ada'),
        (2, 'RUST', 'concept', '', '2025-12-07T10:11:12Z', 'ada')",
    );
    assert!(
        read.reason("entities", "id=1")
            .starts_with("invalid created_at")
    );
    assert_eq!(read.identical("entities", "id=2")["id"], ENTITY_2);
}

/// Three messages of one conversation, in another order than that of their rows.
const CONVERSATION: &str = r#"insert into auto_messages values
    (1, 'ada-20251206-101112', 1765015872.123456, 1, 'user', 'Hello 👋', '{"a": 1}', 'ada'),
    (2, 'ada-20251206-101112', 1765015875.0, 3, 'assistant', 'Hi', '{}', 'ada'),
    (3, 'ada-20251206-101112', 1765015873.001, 2, 'thinking', 'A greeting', '{}', 'ada');"#;

#[test]
fn messages_are_numbered_as_they_were_and_their_instance_is_a_session() {
    let read = later(CONVERSATION);
    assert_eq!(
        read.identical("auto_messages", "id=1"),
        json!({
            "record": "message",
            "tenant_id": "ada",
            "id": MESSAGE_1,
            "session_id": SESSION,
            "number": 1,
            "role": "user",
            "content": "Hello 👋",
            "metadata": {"a": 1},
            "created_at": "2025-12-06T10:11:12.123456Z",
        })
    );
    let third = read.identical("auto_messages", "id=2");
    assert_eq!(
        (&third["number"], &third["role"]),
        (&json!(3), &json!("assistant"))
    );
    let second = read.identical("auto_messages", "id=3");
    assert_eq!(
        (&second["number"], &second["role"]),
        (&json!(2), &json!("thinking"))
    );
    assert_eq!(
        read.beyond_row("auto_messages", "id=1"),
        [json!({
            "record": "session",
            "id": SESSION,
            "tenant_id": "ada",
            "title": "ada-20251206-101112",
            "metadata": {},
            "created_at": "2025-12-06T10:11:12.123456Z",
            "updated_at": "2025-12-06T10:11:15.000000Z",
            "message_count": 3,
        })]
    );
    assert!(read.beyond_row("auto_messages", "id=2").is_empty());
}

#[test]
fn numbers_with_gaps_and_repeats_keep_their_order() {
    let read = later(
        "insert into auto_messages values
        (1, 's-2', 1765015872.0, 0, 'user', 'a', '{}', 'ada'),
        (2, 's-2', 1765015874.0, 7, 'user', 'c', '{}', 'ada'),
        (3, 's-2', 1765015873.0, 7, 'user', 'b', '{}', 'ada'),
        (4, 's-2', 1765015871.0, 4, 'user', 'not carried', '{', 'ada'),
        (5, 's-2', 1765015872.0, 1, 'user', 'of another tenant', '{}', 'bob')",
    );
    for (key, number) in [("id=1", 1), ("id=3", 2), ("id=2", 3)] {
        let (message, used) = read.changed("auto_messages", key);
        assert_eq!(
            (&message["number"], used),
            (&json!(number), vec![rules::MESSAGE_RENUMBERED])
        );
    }
    assert!(
        read.reason("auto_messages", "id=4")
            .starts_with("invalid metadata")
    );
    let other = read.identical("auto_messages", "id=5");
    assert_eq!(
        (&other["tenant_id"], &other["session_id"]),
        (&json!("bob"), &json!(SESSION_2))
    );
    let sessions = read.beyond_row("auto_messages", "id=5");
    assert_eq!(
        (&sessions[0]["tenant_id"], &sessions[0]["message_count"]),
        (&json!("bob"), &json!(1))
    );
}

#[test]
fn seconds_keep_every_microsecond_and_what_is_finer_is_rounded() {
    let read = later(
        "insert into auto_messages values
        (1, 's', 1765015872.123456, 1, 'user', '', '{}', 'ada'),
        (2, 's', 1765015872.124456, 2, 'user', '', '{}', 'ada'),
        (3, 's', 1765015872.1234567, 3, 'user', '', '{}', 'ada'),
        (4, 's', 1765015872123.0, 4, 'user', '', '{}', 'ada'),
        (5, 's', 'now', 5, 'user', '', '{}', 'ada')",
    );
    let at = |key: &str| read.changed("auto_messages", key).0["created_at"].clone();
    assert_eq!(at("id=1"), "2025-12-06T10:11:12.123456Z");
    assert_eq!(at("id=2"), "2025-12-06T10:11:12.124456Z");
    assert_eq!(at("id=3"), "2025-12-06T10:11:12.123457Z");
    assert!(used(read.row("auto_messages", "id=1")).is_empty());
    assert_eq!(
        used(read.row("auto_messages", "id=3")),
        [rules::TIME_ROUNDED]
    );
    assert!(
        read.reason("auto_messages", "id=4")
            .contains("not milliseconds")
    );
    assert!(
        read.reason("auto_messages", "id=5")
            .contains("give the seconds since 1970")
    );
}

#[test]
fn a_turn_that_stands_in_auto_messages_is_not_carried_twice() {
    let read = later(
        r#"insert into auto_messages values
        (1, 'ada-20251206-101112', 1765015872.0, 1, 'user', 'Hello', '{"a": 1}', 'ada'),
        (2, 'ada-20251206-101112', 1765015872.5, 2, 'assistant', 'Hi', '{"a": 1}', 'ada');
        insert into messages values
        (1, 'Hello', 'Hi', 'ada-20251206-101112', '2025-12-06T10:11:14Z', 'ada', '{"a": 1}'),
        -- the same texts once more, later, and of another tenant
        (2, 'Hello', 'Hi', 'ada-20251206-101112', '2025-12-06T10:11:14Z', 'ada', '{}'),
        (3, 'Hello', 'Hi', 'ada-20251206-101112', '2025-12-06T10:11:14.500001Z', 'ada', '{}'),
        (4, 'Hello', 'Hi', 'ada-20251206-101112', '2025-12-06T10:11:12Z', 'bob', '{}')"#,
    );
    assert_eq!(
        read.merged("messages", "id=1"),
        (format!("messages ada/{MESSAGE_1}"), rules::TURN_STANDS)
    );
    read.identical("auto_messages", "id=1");
    for (key, number) in [("id=2", 3), ("id=3", 5), ("id=4", 1)] {
        let message = read.identical("messages", key);
        assert_eq!(message["number"], number, "{key}");
    }
    assert_eq!(
        read.beyond_row("auto_messages", "id=1")[0]["message_count"],
        6
    );
}

#[test]
fn what_a_merged_turn_says_of_its_own_is_kept_in_the_message() {
    let read = later(
        r#"insert into auto_messages values
        (1, 'ada-20251206-101112', 1765015872.0, 1, 'user', 'Hello', '{"a": 1}', 'ada'),
        (2, 'ada-20251206-101112', 1765015872.5, 2, 'assistant', 'Hi', '{}', 'ada');
        insert into messages values
        (1, 'Hello', 'Hi', 's-2', '2025-12-06T10:11:13Z', 'ada', '{"model": "x"}')"#,
    );
    let (message, used) = read.changed("auto_messages", "id=1");
    assert_eq!(
        message["metadata"],
        json!({"a": 1, "turn": {"session_id": "s-2", "metadata": {"model": "x"}}})
    );
    assert_eq!(used, [rules::TURN_KEPT]);
    assert_eq!(read.merged("messages", "id=1").1, rules::TURN_STANDS);
}

#[test]
fn another_turn_is_two_messages_of_its_session() {
    let read = later(
        r#"insert into messages values
        (1, 'Hello', 'Hi', 's-2', '2025-12-06T10:11:12Z', 'ada', '{"model": "x"}'),
        (2, null, 'And?', 's-2', '2025-12-06T10:11:13Z', 'ada', '{}'),
        (3, null, null, 's-2', '2025-12-06T10:11:13Z', 'ada', '{}'),
        (4, 'Alone', 'Yes', null, '2025-12-06T10:11:14Z', null, null)"#,
    );
    let message = |id: &str, number: u32, role: &str, content: &str, metadata: Value| {
        json!({
            "record": "message",
            "tenant_id": "ada",
            "id": id,
            "session_id": SESSION_2,
            "number": number,
            "role": role,
            "content": content,
            "metadata": metadata,
            "created_at": "2025-12-06T10:11:12.000000Z",
        })
    };
    assert_eq!(
        read.identical("messages", "id=1"),
        message(TURN_1, 1, "user", "Hello", json!({"model": "x"}))
    );
    let beyond = read.beyond_row("messages", "id=1");
    assert_eq!(beyond[0], message(REPLY_1, 2, "assistant", "Hi", json!({})));
    assert_eq!(
        (&beyond[1]["title"], &beyond[1]["message_count"]),
        (&json!("s-2"), &json!(3))
    );
    let reply = read.identical("messages", "id=2");
    assert_eq!(
        (&reply["number"], &reply["role"]),
        (&json!(3), &json!("assistant"))
    );
    assert!(
        read.reason("messages", "id=3")
            .contains("neither a text nor a reply")
    );
    let (alone, used) = read.changed("messages", "id=4");
    assert_eq!(alone["tenant_id"], "default");
    assert_eq!(
        used,
        [
            rules::NULL_SESSION,
            rules::NULL_METADATA,
            rules::NULL_TENANT
        ]
    );
    assert_eq!(read.beyond_row("messages", "id=4")[1]["title"], "");
}

#[test]
fn turns_come_among_the_messages_of_their_session_by_time() {
    let read = later(
        "insert into auto_messages values
        (1, 's', 1765015872.0, 1, 'user', 'first', '{}', 'ada'),
        (2, 's', 1765015880.0, 2, 'user', 'last', '{}', 'ada');
        insert into messages values
        (1, 'between', 'them', 's', '2025-12-06T10:11:15Z', 'ada', '{}')",
    );
    assert_eq!(read.identical("auto_messages", "id=1")["number"], 1);
    assert_eq!(read.identical("messages", "id=1")["number"], 2);
    assert_eq!(read.changed("auto_messages", "id=2").0["number"], 4);
}

const CONCEPTS: &str = "insert into entities values
    (1, 'Rust', 'concept', '', '2025-12-06T10:11:12Z', 'ada'),
    (2, 'Tokio', 'library', '', '2025-12-06T10:11:12Z', 'ada');";

#[test]
fn a_link_leads_both_ways_between_the_concepts_of_two_names() {
    let read = later(&format!(
        "{CONCEPTS}
        insert into attention_links values
        (1, 'Tokio', 'Rust', 'co_occurrence', 0.25, '2025-12-06T10:11:12Z', 'ada',
            '2025-12-07T10:11:12Z')"
    ));
    assert_eq!(
        read.identical("attention_links", "id=1"),
        json!({
            "tenant_id": "ada",
            "id": LINK_1,
            "from": ENTITY_1,
            "to": ENTITY_2,
            "kind": "co_occurrence",
            "label": "",
            "directed": false,
            "strength": 0.25,
            "metadata": {},
            "created_at": "2025-12-06T10:11:12.000000Z",
            "last_reinforced_at": "2025-12-07T10:11:12.000000Z",
        })
    );
    assert!(read.beyond_row("attention_links", "id=1").is_empty());
}

#[test]
fn a_concept_that_is_only_named_is_made_once() {
    let read = later(&format!(
        "{CONCEPTS}
        insert into attention_links values
        (1, 'rust', 'Async', 'co_occurrence', null, '2025-12-06T10:11:12Z', 'ada', null),
        (2, 'ASYNC', 'Tokio', 'co_occurrence', 0.5, '2025-12-08T10:11:12Z', 'ada',
            '2025-12-08T10:11:12Z')"
    ));
    let (link, used) = read.changed("attention_links", "id=1");
    assert_eq!(
        (&link["strength"], &link["to"]),
        (&json!(0.5), &json!(ASYNC))
    );
    assert_eq!(
        used,
        [
            rules::NULL_TIME,
            rules::CONCEPT_RESPELLED,
            rules::CONCEPT_MADE,
            rules::NULL_DEFAULT
        ]
    );
    let made = json!({
        "record": "node",
        "tenant_id": "ada",
        "id": ASYNC,
        "context_type": "domain_entity",
        "key": {"system": "concept", "id": "async"},
        "entity_type": "concept",
        "name": "Async",
        "content": {},
        "summary": "",
        "tags": [],
        "metadata": {},
        "base_relevance": 0.5,
        "created_at": "2025-12-06T10:11:12.000000Z",
        "updated_at": "2025-12-06T10:11:12.000000Z",
        "last_accessed_at": "2025-12-06T10:11:12.000000Z",
        "access_count": 1,
        "update_count": 0,
    });
    for key in ["id=1", "id=2"] {
        assert_eq!(
            read.beyond_row("attention_links", key).as_slice(),
            std::slice::from_ref(&made)
        );
    }
    assert_eq!(
        read.changed("attention_links", "id=2").1,
        [rules::CONCEPT_MADE]
    );
}

#[test]
fn a_link_waits_for_an_entity_that_is_quarantined_and_finds_none_of_another_tenant() {
    let read = later(
        "insert into entities values
        (1, 'Rust', 'concept', '', 'yesterday', 'ada'),
        (2, 'Tokio', 'concept', '', '2025-12-06T10:11:12Z', 'bob');
        insert into attention_links values
        (1, 'Rust', 'Async', 'x', 0.5, '2025-12-06T10:11:12Z', 'ada', '2025-12-06T10:11:12Z'),
        (2, 'Async', 'Tokio', 'x', 0.5, '2025-12-06T10:11:12Z', 'ada', '2025-12-06T10:11:12Z')",
    );
    assert!(
        read.reason("attention_links", "id=1")
            .contains("the entity of this name is quarantined")
    );
    let (link, _) = read.changed("attention_links", "id=2");
    assert!(link["from"] != ENTITY_2 && link["to"] != ENTITY_2);
    assert_eq!(read.beyond_row("attention_links", "id=2").len(), 2);
}

#[test]
fn parallel_links_are_told_apart_by_their_source_ids() {
    let read = later(&format!(
        "{CONCEPTS}
        insert into attention_links values
        (1, 'Rust', 'Tokio', 'x', 0.5, '2025-12-06T10:11:12Z', 'ada', '2025-12-06T10:11:12Z'),
        (2, 'Tokio', 'Rust', 'x', 0.5, '2025-12-06T10:11:12Z', 'ada', '2025-12-06T10:11:12Z'),
        (3, 'Tokio', 'Rust', 'y', 0.5, '2025-12-06T10:11:12Z', 'ada', '2025-12-06T10:11:12Z')"
    ));
    let label = |key: &str| read.identical("attention_links", key)["label"].clone();
    assert_eq!(
        [label("id=1"), label("id=2"), label("id=3")],
        ["1", "2", ""]
    );
}

#[test]
fn the_older_shape_of_a_link_has_its_columns_carried_too() {
    let made = made(&[
        CONTINUUM_EXTRACTION,
        "insert into entities values
        (1, 'Rust', 'concept', '', '2025-12-01T00:00:00Z', '2025-12-01T00:00:00Z', 1, '{}');
        insert into attention_links values
        (1, 'Rust', 'Rust', 'x', 1, 'said so', 'ada-1', 1765015872.5),
        (2, 'Rust', 'Rust', 'y', 1.5, null, null, 1765015872.5)",
    ]);
    let read = read(&made.path);
    let link = read.identical("attention_links", "id=1");
    assert_eq!(
        link["metadata"],
        json!({"context": "said so", "instance_id": "ada-1"})
    );
    assert_eq!(link["created_at"], "2025-12-06T10:11:12.500000Z");
    assert_eq!(link["last_reinforced_at"], "2025-12-06T10:11:12.500000Z");
    assert!(
        read.reason("attention_links", "id=2")
            .starts_with("invalid strength")
    );
}

#[test]
fn a_compound_joins_concepts_by_name() {
    let read = later(&format!(
        r#"{CONCEPTS}
        insert into compound_concepts values
        (1, 'Rust + Tokio', '["Tokio", "Rust"]', 3, '2025-12-06T10:11:12Z', 'ada'),
        (2, 'Rust + Async', '["RUST", "Rust", "Async"]', null, '2025-12-06T10:11:12Z', 'ada'),
        (3, 'alone', '["Rust", "rust"]', 1, '2025-12-06T10:11:12Z', 'ada'),
        (4, 'odd', '[1, 2]', 1, '2025-12-06T10:11:12Z', 'ada'),
        (5, 'none', '["Rust", "Tokio"]', 0, '2025-12-06T10:11:12Z', 'ada')"#
    ));
    assert_eq!(
        read.identical("compound_concepts", "id=1"),
        json!({
            "record": "compound",
            "tenant_id": "ada",
            "id": COMPOUND_1,
            "name": "Rust + Tokio",
            "members": [ENTITY_1, ENTITY_2],
            "occurrences": 3,
            "last_seen_at": "2025-12-06T10:11:12.000000Z",
        })
    );
    let (compound, used) = read.changed("compound_concepts", "id=2");
    assert_eq!(compound["members"], json!([ENTITY_1, ASYNC]));
    assert_eq!(
        used,
        [
            rules::CONCEPT_RESPELLED,
            rules::COMPONENT_REPEATED,
            rules::CONCEPT_MADE,
            rules::NULL_DEFAULT
        ]
    );
    assert_eq!(read.beyond_row("compound_concepts", "id=2")[0]["id"], ASYNC);
    for (key, problem) in [
        ("id=3", "fewer than two concepts"),
        ("id=4", "a JSON array of names"),
        ("id=5", "at least once"),
    ] {
        let reason = read.reason("compound_concepts", key);
        assert!(reason.contains(problem), "{reason}");
    }
}

#[test]
fn compounds_of_one_name_are_counted_together() {
    let read = later(&format!(
        r#"{CONCEPTS}
        insert into compound_concepts values
        (1, 'c', '["Tokio", "Rust"]', 3, '2025-12-06T10:11:12Z', 'ada'),
        (2, 'c', '["Tokio", "Rust", "Async"]', 2, '2025-12-07T10:11:12Z', 'ada'),
        (3, 'C', '["Tokio", "Rust"]', 2, '2025-12-07T10:11:12Z', 'ada')"#
    ));
    let (compound, used) = read.changed("compound_concepts", "id=1");
    assert_eq!(compound["occurrences"], 5);
    assert_eq!(
        compound["members"],
        json!([ENTITY_1, ASYNC, ENTITY_2].map(str::to_owned))
    );
    assert_eq!(compound["last_seen_at"], "2025-12-07T10:11:12.000000Z");
    assert_eq!(used, [rules::COMPOUND_MERGED; 3]);
    assert_eq!(
        read.merged("compound_concepts", "id=2"),
        (
            format!("compounds ada/{COMPOUND_1}"),
            rules::COMPOUND_MERGED
        )
    );
    read.identical("compound_concepts", "id=3");
}

#[test]
fn a_decision_is_carried_whole() {
    let read = later(
        "insert into decisions values
        (1, 'ada-20251206-101112', 1765015872.5, 'Use Rust', 'speed', 'I will use Rust', 'ada')",
    );
    assert_eq!(
        read.identical("decisions", "id=1"),
        json!({
            "record": "decision",
            "tenant_id": "ada",
            "id": DECISION_1,
            "session_id": "ada-20251206-101112",
            "text": "Use Rust",
            "context": "speed",
            "extracted_from": "I will use Rust",
            "decided_at": "2025-12-06T10:11:12.500000Z",
        })
    );
}

#[test]
fn a_tenant_without_a_row_lasts_as_long_as_its_rows() {
    let read = later(
        r#"insert into tenants values
        ('ada', '2025-12-01T00:00:00Z', '2025-12-31T00:00:00Z', '{"plan": "x"}'),
        ('eve', '2025-12-01T00:00:00Z', null, '{}'),
        ('bob', 'yesterday', null, '{}');
        insert into entities values
        (1, 'a', 'concept', '', '2025-12-06T10:11:12Z', 'ada'),
        (2, 'a', 'concept', '', '2025-12-06T10:11:12Z', 'bob'),
        (3, 'a', 'concept', '', '2025-12-06T10:11:12Z', null);
        insert into decisions values
        (1, 's', 1765015900.0, 'x', null, null, 'default'),
        (2, 's', 1765015901.0, 'x', null, null, 'bob')"#,
    );
    assert_eq!(
        read.identical("tenants", "tenant_id=ada"),
        json!({
            "record": "tenant",
            "id": "ada",
            "created_at": "2025-12-01T00:00:00.000000Z",
            "last_active_at": "2025-12-31T00:00:00.000000Z",
            "metadata": {"plan": "x"},
        })
    );
    let (eve, used) = read.changed("tenants", "tenant_id=eve");
    assert_eq!(eve["last_active_at"], "2025-12-01T00:00:00.000000Z");
    assert_eq!(used, [rules::NULL_TIME]);
    for (table, key) in [("entities", "id=2"), ("decisions", "id=2")] {
        assert!(
            read.reason(table, key)
                .contains("the row of its tenant bob is quarantined")
        );
    }
    let default = json!({
        "record": "tenant",
        "id": "default",
        "created_at": "2025-12-06T10:11:12.000000Z",
        "last_active_at": "2025-12-06T10:11:40.000000Z",
        "metadata": {},
    });
    // With each of its rows, so that it is there whichever tables are carried.
    assert_eq!(read.beyond(), [default.clone(), default]);
    assert_eq!(read.changed("entities", "id=3").1, [rules::NULL_TENANT]);
}

#[test]
fn a_repeated_id_is_quarantined() {
    let made = made(&[
        LOOSE_CONTINUUM,
        "insert into auto_messages values
        (7, 's', 1765015872.0, 1, 'user', 'a', '{', 'ada'),
        (7, 's', 1765015873.0, 1, 'user', 'b', '{}', 'ada'),
        (7, 's', 1765015874.0, 2, 'user', 'c', '{}', 'ada')",
    ]);
    let read = read(&made.path);
    let classes: Vec<bool> = read
        .rows
        .iter()
        .map(|row| matches!(row.conversion, Conversion::Record { .. }))
        .collect();
    assert_eq!(classes, [false, true, false]);
    assert_eq!(read.beyond()[1]["message_count"], 1);
}

#[test]
fn tables_and_columns_that_came_later_have_no_place() {
    let made = made(&[
        CONTINUUM_FIRST,
        CONTINUUM_LATER,
        "alter table messages add column thinking text;
        insert into beliefs values (1, 'x');
        insert into messages values (1, 'a', 'b', 's', '2025-12-06T10:11:15Z', 'ada', '{}', 'hm')",
    ]);
    let read = read(&made.path);
    let table = |name: &str| read.tables.iter().find(|table| table.name == name).unwrap();
    assert_eq!((table("beliefs").mapped, table("beliefs").rows), (false, 1));
    let columns = &table("messages").columns;
    let thinking = columns
        .iter()
        .find(|column| column.name == "thinking")
        .unwrap();
    assert_eq!((thinking.target.as_deref(), thinking.non_null), (None, 1));
    let mapped = columns.iter().filter(|column| column.target.is_some());
    assert_eq!(mapped.count(), 7);
}

#[test]
fn what_the_row_alone_does_not_say_goes_along_for_a_replay() {
    let read = later(&format!(
        "{CONCEPTS} {CONVERSATION}
        insert into attention_links values
        (1, 'RUST', 'Nowhere', 'x', 7, '2025-12-06T10:11:12Z', 'ada', '2025-12-06T10:11:12Z')"
    ));
    let concepts = format!(r#"{{"rust":["Rust","{ENTITY_1}"]}}"#);
    assert_eq!(
        read.row("attention_links", "id=1").context,
        [("concepts", concepts)]
    );
    assert_eq!(
        read.row("auto_messages", "id=3").context,
        [("session", "ada-20251206-101112".to_owned())]
    );
}

#[test]
fn rows_of_every_shape_are_replayed_with_what_was_known_of_them() {
    for (schema, shape, at) in [
        (
            CONTINUUM_FIRST,
            "v0.2.0",
            ("created_at", text("2025-12-06T10:11:12Z")),
        ),
        (
            CONTINUUM_EXTRACTION,
            "extraction",
            ("timestamp", RawValue::Real(1_765_015_872.0)),
        ),
    ] {
        let file = made(&[schema]);
        let source = open(&file.path, Options::default()).unwrap();
        let source = source.description().clone();
        assert_eq!(source.settings["shape"], shape);
        let values = [
            ("id", RawValue::Integer(1)),
            ("concept_a", text("RUST")),
            ("concept_b", text("Async")),
            ("link_type", text("x")),
            ("strength", RawValue::Real(0.25)),
            at,
        ];
        let known = format!(r#"{{"rust":["Rust","{ENTITY_1}"]}}"#);
        let link = QuarantinedRow {
            line: 2,
            table: "attention_links".to_owned(),
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
            context: BTreeMap::from([("concepts".to_owned(), known)]),
        };
        let message = QuarantinedRow {
            line: 3,
            table: "auto_messages".to_owned(),
            values: vec![("instance_id".to_owned(), text("s-2"))],
            context: BTreeMap::from([("session".to_owned(), "s-2".to_owned())]),
        };
        let rows = [Ok(link), Ok(message)];
        let replayed = replay(&source, "q.jsonl".to_owned(), rows, 10).unwrap();
        let read = read_source(replayed).unwrap();
        let (link, used) = read.changed("attention_links", "id=1");
        assert_eq!(used, [rules::CONCEPT_RESPELLED, rules::CONCEPT_MADE]);
        assert_eq!(
            (&link["from"], &link["to"]),
            (&json!(ENTITY_1), &json!(ASYNC))
        );
        assert_eq!(link["created_at"], "2025-12-06T10:11:12.000000Z");
        let reason = read.reason("auto_messages", "rowid=1");
        assert!(
            reason.contains("never changes a session that stands"),
            "{reason}"
        );
    }
}

fn text(text: &str) -> RawValue {
    RawValue::Text(text.into())
}
