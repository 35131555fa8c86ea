//! JSON in text columns.

use serde_json::json;

use super::trial::Ends::{Carried, Changed, Quarantined};
use super::trial::{AT, Trial};

/// A JARVIS file with a sound entity and one for each further metadata.
fn entities(metadata: &[&str]) -> Trial {
    let trial = Trial::jarvis(&format!(
        r#"insert into entities values (1, 'file', 'sound', '{{"a": [1, "\u0001", "한"]}}', {AT});"#
    ));
    let sql = format!("insert into entities values (?1, 'file', 'row ' || ?1, ?2, {AT})");
    for (id, text) in (2..).zip(metadata) {
        trial.source().execute(&sql, (id, text)).unwrap();
    }
    trial
}

#[test]
fn u0000_in_json_is_quarantined() {
    let mut trial = entities(&[
        r#"{"a": "x\u0000y"}"#,
        r#"{"\u0000": 1}"#,
        r#"{"a": "\\u0000"}"#,
    ]);
    trial.ends(
        1,
        &[(
            "entities",
            &[
                ("id=1", Carried),
                ("id=2", Quarantined("remove the character U+0000")),
                (
                    "id=3",
                    Quarantined("remove the character U+0000 from the key"),
                ),
                // A backslash and letters.
                ("id=4", Carried),
            ],
        )],
    );
    assert_eq!(
        trial.left("entities", "id=2")["values"]["metadata"],
        r#"{"a": "x\u0000y"}"#
    );
    assert_eq!(
        trial.stands("node", &["name", "content"]),
        [
            json!(["row 4", {"a": "\\u0000"}]),
            json!(["sound", {"a": [1, "\u{1}", "한"]}]),
        ]
    );
}

#[test]
fn a_lone_surrogate_in_json_is_quarantined() {
    let mut trial = entities(&[
        r#"{"a": "\ud83d"}"#,
        r#"{"a": "\ude00 \ud83d"}"#,
        r#"{"a": "\ud83d\ude00"}"#,
    ]);
    trial.ends(
        1,
        &[(
            "entities",
            &[
                ("id=1", Carried),
                ("id=2", Quarantined("no sound JSON")),
                ("id=3", Quarantined("no sound JSON")),
                ("id=4", Carried),
            ],
        )],
    );
    assert_eq!(
        trial.left("entities", "id=2")["values"]["metadata"],
        r#"{"a": "\ud83d"}"#
    );
    assert_eq!(
        trial.stands("node", &["name", "content"]),
        [
            json!(["row 4", {"a": "😀"}]),
            json!(["sound", {"a": [1, "\u{1}", "한"]}]),
        ]
    );
}

#[test]
fn nan_and_infinity_in_json_are_quarantined() {
    let mut trial = entities(&[
        r#"{"a": NaN}"#,
        r#"{"a": [Infinity]}"#,
        r#"{"a": -Infinity}"#,
        r#"{"a": 1e400}"#,
        r#"{"a": "NaN"}"#,
    ]);
    trial.ends(
        1,
        &[(
            "entities",
            &[
                ("id=1", Carried),
                ("id=2", Quarantined("NaN and infinities are not JSON")),
                ("id=3", Quarantined("NaN and infinities are not JSON")),
                ("id=4", Quarantined("NaN and infinities are not JSON")),
                ("id=5", Quarantined("number out of range")),
                ("id=6", Carried),
            ],
        )],
    );
    assert_eq!(
        trial.left("entities", "id=3")["values"]["metadata"],
        r#"{"a": [Infinity]}"#
    );
    assert_eq!(
        trial.stands("node", &["name", "content"]),
        [
            json!(["row 6", {"a": "NaN"}]),
            json!(["sound", {"a": [1, "\u{1}", "한"]}]),
        ]
    );
}

#[test]
fn an_empty_text_in_a_json_column_becomes_an_empty_object_by_a_rule() {
    let mut trial = entities(&["", " ", "null"]);
    trial.change(&[&format!(
        "insert into entities values (5, 'file', 'null', null, {AT})"
    )]);
    trial.ends(
        1,
        &[(
            "entities",
            &[
                ("id=1", Carried),
                ("id=2", Changed(&["empty-text-became-empty-object"])),
                ("id=3", Quarantined("it is blank")),
                ("id=4", Changed(&["json-null-became-empty-object"])),
                ("id=5", Carried),
            ],
        )],
    );
    // NULL stays told from what became empty.
    assert_eq!(
        trial.stands("node", &["name", "content", "metadata"]),
        [
            json!(["null", {}, {"source_null": true}]),
            json!(["row 2", {}, {}]),
            json!(["row 4", {}, {}]),
            json!(["sound", {"a": [1, "\u{1}", "한"]}, {}]),
        ]
    );
}
