//! What tables are made of.

use memory_core::SearchQuery;
use serde_json::{Value, json};

use super::trial::Ends::{AlreadyThere, Carried, Merged, Quarantined};
use super::trial::{AT, Trial, entity, relationship};
use crate::conversation::with_tenant;

#[test]
fn a_generated_column_is_reported_as_one_without_a_place() {
    let mut trial = Trial::jarvis(&[entity(1, "a"), entity(2, "b")].concat());
    trial.change(&[
        "alter table entities add column twice text generated always as (name || name) virtual",
    ]);
    let rows = [("entities", &[("id=1", Carried), ("id=2", Carried)][..])];
    trial.ends(1, &rows);
    for document in trial.documents() {
        let problem = json!(
            [{"problem": "unmapped_column", "table": "entities", "column": "twice", "non_null": 2}]
        );
        let mut problems = document["problems"].clone();
        if let Some(problem) = problems[0].as_object_mut() {
            problem.remove("what_to_do");
        }
        assert_eq!(problems, problem);
    }
    assert_eq!(
        trial.stands("node", &["name", "content"]),
        [json!(["a", {}]), json!(["b", {}])]
    );
    trial.ends_with(
        &["--allow-unmapped", "entities.twice"],
        0,
        &[(
            "entities",
            &[("id=1", AlreadyThere), ("id=2", AlreadyThere)],
        )],
    );
}

#[test]
fn booleans_in_every_spelling_are_counted_with_their_column() {
    let ids = [1, 2, 3, 4, 5, 6];
    let names = ["a", "b", "c", "d", "e", "f"];
    let made: String = ids
        .iter()
        .zip(names)
        .map(|(id, name)| entity(*id, name))
        .collect();
    let mut trial = Trial::jarvis(&made);
    trial.change(&["alter table entities add column resolved boolean"]);
    for (id, value) in ids
        .iter()
        .zip(["0", "1", "'true'", "'False'", "'yes'", "2"])
    {
        trial.change(&[&format!(
            "update entities set resolved = {value} where id = {id}"
        )]);
    }
    let keys = ids.map(|id| format!("id={id}"));
    let carried: Vec<_> = keys.iter().map(|key| (key.as_str(), Carried)).collect();
    trial.ends(1, &[("entities", &carried)]);
    for document in trial.documents() {
        let problem = &document["problems"][0];
        assert_eq!(problem["problem"], "unmapped_column");
        assert_eq!(
            (&problem["column"], &problem["non_null"]),
            (&json!("resolved"), &json!(6))
        );
    }
    let stands = names.map(|name| json!([name]));
    assert_eq!(trial.stands("node", &["name"]), stands);
}

#[test]
fn partial_and_expression_indexes_stand_in_nobodys_way() {
    let mut trial = Trial::jarvis(&[entity(1, "a"), entity(2, "A")].concat());
    trial.change(&[
        "create unique index one_mission on entities (type) where type = 'mission'",
        "create unique index lowered on entities (type, hex(name), lower(name))",
        "create index spare on entities (created_at desc) where metadata is not null",
    ]);
    trial.ends(0, &[("entities", &[("id=1", Carried), ("id=2", Carried)])]);
    assert_eq!(
        trial.stands("node", &["name"]),
        [json!(["A"]), json!(["a"])]
    );
}

#[test]
fn full_text_tables_are_rebuilt_and_those_of_sqlite_are_no_tables() {
    let mut trial = Trial::consultant(
        "insert into memory_nodes values
            ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 't-1', '{}', 'tool_output', 'the summary',
                '2025-07-01T09:00:00Z', '2025-07-01T09:00:00Z', 1, 0.5, '[]', '{}',
                null, null, null);
        insert into memory_search (node_id, content, summary, tags)
            select node_id, content, summary, tags from memory_nodes;
        insert into memory_search (node_id, content) values ('gone', 'left over');",
    );
    trial.ends(
        1,
        &[
            (
                "memory_nodes",
                &[("node_id=0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01", Carried)],
            ),
            (
                "memory_search",
                &[
                    (
                        "node_id=0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01",
                        Merged("search-index-is-rebuilt"),
                    ),
                    ("node_id=gone", Quarantined("a node that is not carried")),
                ],
            ),
        ],
    );
    let tables = trial.documents()[0]["report"]["tables"].as_array().unwrap();
    let names: Vec<&Value> = tables.iter().map(|table| &table["table"]).collect();
    assert_eq!(
        names,
        [
            "memory_threads",
            "memory_nodes",
            "memory_relationships",
            "memory_search"
        ]
    );
    // What was rebuilt is found.
    for url in trial.urls() {
        with_tenant(&url, "t-1", async |tenant| {
            let hits = tenant
                .search(SearchQuery::words("summary"), 10)
                .await
                .unwrap();
            assert_eq!(hits.len(), 1, "{hits:?}");
        });
    }
}

#[test]
fn tables_and_columns_in_mixed_case_are_the_same_tables_and_columns() {
    let mut trial = Trial::new(&[
        "create table Entities (ID integer primary key, Type text, NAME text, MetaData text,
            Created_At text, UPDATED_AT text);
        create table RELATIONSHIPS (Id integer primary key, From_Id integer, TO_ID integer,
            TYPE text, metadata text, created_at text);",
        &entity(1, "a"),
        &relationship(1, 1, 1),
    ]);
    trial.ends(
        0,
        &[
            ("Entities", &[("id=1", Carried)]),
            ("RELATIONSHIPS", &[("id=1", Carried)]),
        ],
    );
    assert_eq!(trial.stands("node", &["name"]), [json!(["a"])]);
    assert_eq!(
        trial.stands("relationship", &["metadata"]),
        [json!([{"row": 1}])]
    );
}

#[test]
fn columns_without_a_type_hold_what_stands_in_them() {
    let mut trial = Trial::new(&[
        "create table entities (id, type, name, metadata, created_at, updated_at);
        create table relationships (id, from_id, to_id, type, metadata, created_at);",
        &entity(1, "a"),
        &relationship(1, 1, 1),
        // Without an affinity a text that looks like a number stays a text.
        &format!("insert into entities values ('2', 'file', 'b', '{{}}', {AT})"),
        "insert into relationships values (2, '1', 1, 'worked_on', null, '2024-03-01T10:00:00Z')",
    ]);
    trial.ends(
        1,
        &[
            (
                "entities",
                &[("id=1", Carried), ("id=2", Quarantined("give an integer"))],
            ),
            (
                "relationships",
                &[
                    ("id=1", Carried),
                    (
                        "id=2",
                        Quarantined("invalid from_id \"1\": give an integer"),
                    ),
                ],
            ),
        ],
    );
    assert_eq!(trial.left("entities", "id=2")["values"]["id"], "2");
    assert_eq!(trial.stands("node", &["name"]), [json!(["a"])]);
    assert_eq!(
        trial.stands("relationship", &["metadata"]),
        [json!([{"row": 1}])]
    );
}
