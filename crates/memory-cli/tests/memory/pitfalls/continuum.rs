//! What only CONTINUUM's files have.

use serde_json::json;

use super::trial::Ends::{Carried, Changed, Merged, Quarantined};
use super::trial::Trial;
use crate::sources::CONTINUUM;

/// As v0.2.0 makes them: links do not say when they were used, and turns are not kept.
const FIRST: &str = "
    create table entities (
        id integer primary key autoincrement, name text not null, entity_type text not null,
        description text, created_at text not null, tenant_id text default 'default'
    );
    create table auto_messages (
        id integer primary key autoincrement, instance_id text not null, timestamp real not null,
        message_number integer not null, role text not null, content text not null, metadata text,
        tenant_id text default 'default'
    );
    create table decisions (
        id integer primary key autoincrement, instance_id text not null, timestamp real not null,
        decision_text text not null, context text, extracted_from text,
        tenant_id text default 'default'
    );
    create table attention_links (
        id integer primary key autoincrement, concept_a text not null, concept_b text not null,
        link_type text not null, strength real default 0.5, created_at text not null,
        tenant_id text default 'default'
    );
    create table compound_concepts (
        id integer primary key autoincrement, compound_name text not null,
        component_concepts text not null, co_occurrence_count integer default 1,
        last_seen text not null, tenant_id text default 'default'
    );";

/// As the separate writer `extraction` makes them, which knows no tenants.
const EXTRACTION: &str = "
    create table entities (
        id integer primary key autoincrement, name text not null, entity_type text not null,
        description text, first_seen text, last_seen text, mention_count integer default 1,
        metadata text, unique (name, entity_type)
    );
    create table auto_messages (
        id integer primary key autoincrement, instance_id text not null, timestamp real not null,
        message_number integer not null, role text not null, content text not null, metadata text
    );
    create table decisions (
        id integer primary key autoincrement, instance_id text not null, timestamp real not null,
        decision_text text not null, context text, extracted_from text
    );
    create table attention_links (
        id integer primary key autoincrement, concept_a text not null, concept_b text not null,
        link_type text not null, strength real not null, context text, instance_id text,
        timestamp real not null, unique (concept_a, concept_b, link_type)
    );
    create table compound_concepts (
        id integer primary key autoincrement, compound_name text unique not null,
        component_concepts text not null, co_occurrence_count integer default 1,
        first_seen text, last_seen text
    );";

/// Adds messages, numbered from 1, that were said at these times.
fn said_at(times: &[&str]) -> String {
    let row = |(number, time): (i64, &&str)| {
        format!(
            "insert into auto_messages values
                ({number}, 'ada-1', {time}, {number}, 'user', '{time}', '{{}}', 'ada');"
        )
    };
    (1..).zip(times).map(row).collect::<Vec<_>>().concat()
}

#[test]
fn real_epochs_a_millisecond_apart_stay_apart() {
    let mut trial = Trial::new(&[
        CONTINUUM,
        &said_at(&[
            "1765015872.123",
            "1765015872.124",
            "1765015872.124001",
            "1765015872",
        ]),
    ]);
    let rows = [
        ("id=1", Carried),
        ("id=2", Carried),
        ("id=3", Carried),
        ("id=4", Carried),
    ];
    trial.ends(0, &[("auto_messages", &rows)]);
    assert_eq!(
        trial.stands("message", &["number", "created_at"]),
        [
            json!([1, "2025-12-06T10:11:12.123000Z"]),
            json!([2, "2025-12-06T10:11:12.124000Z"]),
            json!([3, "2025-12-06T10:11:12.124001Z"]),
            json!([4, "2025-12-06T10:11:12.000000Z"]),
        ]
    );
}

#[test]
fn an_epoch_that_is_not_in_seconds_is_quarantined() {
    let mut trial = Trial::new(&[
        CONTINUUM,
        &said_at(&["1765015872.5", "1765015872123", "9e999", "-9e999"]),
        "insert into auto_messages values
            (5, 'ada-1', '2025-12-06T10:11:12Z', 5, 'user', '', '{}', 'ada')",
    ]);
    trial.ends(
        1,
        &[(
            "auto_messages",
            &[
                ("id=1", Carried),
                (
                    "id=2",
                    Quarantined("give the seconds since 1970, not milliseconds"),
                ),
                ("id=3", Quarantined("the real inf")),
                ("id=4", Quarantined("the real -inf")),
                ("id=5", Quarantined("give the seconds since 1970, a number")),
            ],
        )],
    );
    assert_eq!(
        trial.stands("message", &["created_at"]),
        [json!(["2025-12-06T10:11:12.500000Z"])]
    );
}

#[test]
fn an_epoch_of_minus_zero_is_zero_by_a_rule() {
    // A column of reals would make an integer of it.
    let untyped = CONTINUUM.replace("timestamp real", "timestamp");
    let mut trial = Trial::new(&[&untyped, &said_at(&["0.0", "0", "1.5"])]);
    // SQL has no word for it.
    let sql = "update auto_messages set timestamp = ?1 where id = 3";
    trial.source().execute(sql, [-0.0_f64]).unwrap();
    let rows = [
        ("id=1", Carried),
        ("id=2", Carried),
        ("id=3", Changed(&["negative-zero-became-zero"])),
    ];
    trial.ends(0, &[("auto_messages", &rows)]);
    let beginning = json!(["1970-01-01T00:00:00.000000Z"]);
    let stands = trial.stands("message", &["created_at"]);
    assert_eq!(stands, vec![beginning; 3]);
}

#[test]
fn milliseconds_of_1978_are_quarantined_and_those_of_a_moment_before_are_seconds() {
    // 1978-01-11T21:31:40.799Z and 1978-01-11T21:31:40.8Z.
    let times = ["253402300799", "253402300800"];
    let mut trial = Trial::new(&[CONTINUUM, &said_at(&times)]);
    let rows = [
        ("id=1", Carried),
        (
            "id=2",
            Quarantined("give the seconds since 1970, not milliseconds"),
        ),
    ];
    trial.ends(1, &[("auto_messages", &rows)]);
    assert_eq!(
        trial.stands("message", &["created_at"]),
        [json!(["9999-12-31T23:59:59.000000Z"])]
    );
}

#[test]
fn the_same_tables_are_read_in_three_shapes() {
    let rows = "insert into entities (id, name, entity_type, description, SINCE) values
            (1, 'Rust', 'concept', 'a language', '2025-12-01T00:00:00Z'),
            (2, 'Tokio', 'concept', '', '2025-12-01T00:00:01Z');
        insert into auto_messages (id, instance_id, timestamp, message_number, role, content, metadata)
            values (1, 'ada-1', 1765015872.5, 1, 'user', 'Rust?', '{}');
        insert into attention_links (id, concept_a, concept_b, link_type, strength, AT)
            values (1, 'Rust', 'Tokio', 'co_occurrence', 0.25, WHEN);";
    for (shape, schema, since, at, when) in [
        (
            "v0.2.0",
            FIRST,
            "created_at",
            "created_at",
            "'2025-12-06T10:11:12.5Z'",
        ),
        (
            "later",
            CONTINUUM,
            "created_at",
            "created_at",
            "'2025-12-06T10:11:12.5Z'",
        ),
        (
            "extraction",
            EXTRACTION,
            "first_seen",
            "timestamp",
            "1765015872.5",
        ),
    ] {
        let rows = rows
            .replace("SINCE", since)
            .replace("AT)", &format!("{at})"));
        let mut trial = Trial::new(&[schema, &rows.replace("WHEN", when)]);
        // The other two say less about when, of which each has a rule.
        let (entity, link) = match shape {
            "v0.2.0" => (Carried, Carried),
            "later" => (Carried, Changed(&["null-time-became-other-time"])),
            _ => (
                Changed(&[
                    "null-time-became-other-time",
                    "null-metadata-became-empty-object",
                ]),
                Carried,
            ),
        };
        trial.ends(
            0,
            &[
                ("entities", &[("id=1", entity), ("id=2", entity)]),
                ("auto_messages", &[("id=1", Carried)]),
                ("attention_links", &[("id=1", link)]),
            ],
        );
        for document in trial.documents() {
            let source = &document["report"]["source"];
            assert_eq!(source["kind"], "continuum");
            assert_eq!(source["settings"]["shape"], shape);
        }
        assert_eq!(
            trial.stands("node", &["name", "summary", "tenant_id", "created_at"]),
            [
                json!([
                    "Rust",
                    "a language",
                    "default",
                    "2025-12-01T00:00:00.000000Z"
                ]),
                json!(["Tokio", "", "default", "2025-12-01T00:00:01.000000Z"]),
            ]
        );
        assert_eq!(
            trial.stands(
                "relationship",
                &["strength", "created_at", "last_reinforced_at"]
            ),
            [json!([
                0.25,
                "2025-12-06T10:11:12.500000Z",
                "2025-12-06T10:11:12.500000Z"
            ])]
        );
        assert_eq!(trial.stands("message", &["content"]), [json!(["Rust?"])]);
    }
}

#[test]
fn concepts_whose_names_differ_only_in_case_are_one_that_keeps_both() {
    let mut trial = Trial::new(&[
        CONTINUUM,
        "insert into entities values
            (1, 'Rust', 'concept', 'a language', '2025-12-06T10:11:12Z', 'ada'),
            (2, 'RUST', 'concept', 'loud', '2025-12-07T10:11:12Z', 'ada'),
            (3, 'rust', 'metal', '', '2025-12-06T10:11:12Z', 'ada')",
    ]);
    trial.ends(
        0,
        &[(
            "entities",
            &[
                ("id=1", Carried),
                ("id=2", Merged("concept-of-same-name-merged")),
                ("id=3", Carried),
            ],
        )],
    );
    let merged = json!({"merged": [{
        "id": 2, "name": "RUST", "description": "loud", "created_at": "2025-12-07T10:11:12Z",
    }]});
    assert_eq!(
        trial.stands("node", &["name", "content"]),
        [json!(["Rust", merged]), json!(["rust", {}])]
    );
}
