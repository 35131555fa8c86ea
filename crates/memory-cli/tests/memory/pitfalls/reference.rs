//! Ids, and what refers to them.

use serde_json::json;

use super::trial::Ends::{AlreadyThere, Carried, Conflict, Quarantined};
use super::trial::{AT, Trial, entity, relationship};
use crate::sources::JARVIS;

#[test]
fn after_autoincrement_a_deleted_id_comes_back_never() {
    let mut trial = Trial::jarvis(&[entity(1, "a"), entity(9, "last")].concat());
    trial.ends(0, &[("entities", &[("id=1", Carried), ("id=9", Carried)])]);
    // The system deletes its last row and goes on: the sequence gives 10.
    trial.change(&[&format!(
        "delete from entities where id = 9;
        insert into entities (type, name, created_at, updated_at) values ('file', 'new', {AT});"
    )]);
    trial.ends(
        0,
        &[("entities", &[("id=1", AlreadyThere), ("id=10", Carried)])],
    );
    // Transfers delete nothing.
    assert_eq!(
        trial.stands("node", &["name"]),
        [json!(["a"]), json!(["last"]), json!(["new"])]
    );
    let tables = trial.documents()[0]["report"]["tables"].as_array().unwrap();
    assert!(
        tables
            .iter()
            .all(|table| table["table"] != "sqlite_sequence")
    );
}

#[test]
fn without_autoincrement_an_id_that_was_given_again_is_a_conflict() {
    let schema = JARVIS.replace(" autoincrement", "");
    let mut trial = Trial::new(&[&schema, &entity(1, "a"), &entity(2, "old")]);
    trial.ends(0, &[("entities", &[("id=1", Carried), ("id=2", Carried)])]);
    trial.change(&[&format!(
        "delete from entities where id = 2;
        insert into entities (type, name, metadata, created_at, updated_at)
        values ('file', 'new', '{{}}', {AT});"
    )]);
    trial.ends(
        1,
        &[(
            "entities",
            &[("id=1", AlreadyThere), ("id=2", Conflict("other content"))],
        )],
    );
    assert_eq!(trial.left("entities", "id=2")["values"]["name"], "new");
    assert_eq!(
        trial.stands("node", &["name"]),
        [json!(["a"]), json!(["old"])]
    );
}

#[test]
fn orphaned_references_are_quarantined_where_they_must_lead_somewhere() {
    let mut trial = Trial::flux_rag(
        "insert into sessions values ('11111111-1111-4111-8111-111111111111', 'ada', '',
            '2024-01-01T00:00:00', '2024-01-01T00:00:00', '{}');
        insert into messages values
            ('aaaaaaaa-0000-4000-8000-000000000001', '11111111-1111-4111-8111-111111111111', 'user',
                'said', '{}', '2024-01-01T00:00:00'),
            ('aaaaaaaa-0000-4000-8000-000000000002', '99999999-9999-4999-8999-999999999999', 'user',
                'lost', '{}', '2024-01-01T00:00:00');",
    );
    let reason = "no session of this id is in the file; add it or drop the message";
    trial.ends(
        1,
        &[
            (
                "sessions",
                &[("id=11111111-1111-4111-8111-111111111111", Carried)],
            ),
            (
                "messages",
                &[
                    ("id=aaaaaaaa-0000-4000-8000-000000000001", Carried),
                    (
                        "id=aaaaaaaa-0000-4000-8000-000000000002",
                        Quarantined(reason),
                    ),
                ],
            ),
        ],
    );
    assert_eq!(trial.stands("message", &["content"]), [json!(["said"])]);
    assert_eq!(trial.stands("session", &["message_count"]), [json!([1])]);
    // The mission of a snapshot is a name, which may be of nothing that the file has.
    let mut trial = Trial::jarvis(
        "insert into file_snapshots values
            (1, 'a', 'gone', 1, 1, 'abc', '2024-03-01T10:00:00Z', '{}')",
    );
    trial.ends(0, &[("file_snapshots", &[("id=1", Carried)])]);
    assert_eq!(
        trial.stands("file_snapshot", &["mission_key"]),
        [json!(["gone"])]
    );
}

#[test]
fn an_edge_whose_end_was_deleted_is_quarantined() {
    let rows = [entity(1, "a"), entity(2, "b"), entity(3, "deleted")].concat();
    let edges = [
        relationship(1, 1, 2),
        relationship(2, 1, 3),
        relationship(3, 3, 2),
    ]
    .concat();
    let mut trial = Trial::jarvis(&[&rows, &edges, "delete from entities where id = 3"].concat());
    let reason = "no entity of this id is in the file; add it or drop the relationship";
    trial.ends(
        1,
        &[
            ("entities", &[("id=1", Carried), ("id=2", Carried)]),
            (
                "relationships",
                &[
                    ("id=1", Carried),
                    ("id=2", Quarantined(reason)),
                    ("id=3", Quarantined(reason)),
                ],
            ),
        ],
    );
    assert_eq!(trial.left("relationships", "id=2")["values"]["to_id"], 3);
    assert_eq!(
        trial.stands("relationship", &["metadata"]),
        [json!([{"row": 1}])]
    );
}

#[test]
fn names_that_differ_only_in_case_are_two_names() {
    let mut trial = Trial::jarvis(&[entity(1, "README"), entity(2, "readme")].concat());
    trial.ends(0, &[("entities", &[("id=1", Carried), ("id=2", Carried)])]);
    assert_eq!(
        trial.stands("node", &["name", "key"]),
        [
            json!(["README", {"system": "file", "id": "README"}]),
            json!(["readme", {"system": "file", "id": "readme"}]),
        ]
    );
}

#[test]
fn parallel_edges_are_kept_apart_by_their_ids() {
    let rows = [entity(1, "a"), entity(2, "b")].concat();
    let edges = [
        relationship(3, 1, 2),
        relationship(8, 1, 2),
        relationship(9, 2, 1),
    ]
    .concat();
    let mut trial = Trial::jarvis(&[rows, edges].concat());
    trial.ends(
        0,
        &[
            ("entities", &[("id=1", Carried), ("id=2", Carried)]),
            (
                "relationships",
                &[("id=3", Carried), ("id=8", Carried), ("id=9", Carried)],
            ),
        ],
    );
    assert_eq!(
        trial.stands("relationship", &["label", "metadata"]),
        [
            json!(["", {"row": 9}]),
            json!(["3", {"row": 3}]),
            json!(["8", {"row": 8}]),
        ]
    );
}

#[test]
fn ids_with_gaps_stay_true() {
    let rows = [
        entity(-5, "a"),
        entity(7, "b"),
        entity(4_611_686_018_427_387_904, "c"),
    ]
    .concat();
    let edges = [
        relationship(40, 4_611_686_018_427_387_904, -5),
        relationship(2, 7, 7),
    ]
    .concat();
    let mut trial = Trial::jarvis(&[rows, edges].concat());
    trial.ends(
        0,
        &[
            (
                "entities",
                &[
                    ("id=-5", Carried),
                    ("id=7", Carried),
                    ("id=4611686018427387904", Carried),
                ],
            ),
            ("relationships", &[("id=2", Carried), ("id=40", Carried)]),
        ],
    );
    // By our own joins, and not only by what the ids are made of.
    let sql = "select group_concat(f.name || ' > ' || t.name, ', ') from relationships r
        join nodes f on f.id = r.from_id join nodes t on t.id = r.to_id";
    let postgres = sql.replace("group_concat", "string_agg");
    let ways = trial.asked(
        &format!("{sql} where r.kind = 'worked_on' and f.name <> t.name"),
        &format!("{postgres} where r.kind = 'worked_on' and f.name <> t.name"),
    );
    assert_eq!(ways, ["c > a", "c > a"]);
    let rings = trial.asked(
        &format!("{sql} where f.name = t.name"),
        &format!("{postgres} where f.name = t.name"),
    );
    assert_eq!(rings, ["b > b", "b > b"]);
}
