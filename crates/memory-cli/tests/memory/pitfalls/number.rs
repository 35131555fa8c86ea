//! Numbers, by what stands in the row and not by what the column was declared as.

use serde_json::{Value, json};

use super::trial::Ends::{Carried, Changed, Quarantined};
use super::trial::{AT, Ends, Trial};
use crate::sources::JARVIS;

/// A file of missions called by their ids: `(cost_usd, iterations)` as SQL has them.
fn missions(schema: &str, values: &[(&str, &str)]) -> Trial {
    let trial = Trial::new(&[schema]);
    for (id, (cost, iterations)) in (1..).zip(values) {
        trial.change(&[&format!(
            "insert into mission_history values ({id}, '{id}', 'success', null, {cost},
                {iterations}, null, null, '{{}}', '2024-03-01T10:00:00Z')"
        )]);
    }
    trial
}

/// Holds what becomes of the missions, and what stands of them in a field.
fn assert_missions(mut trial: Trial, status: i32, ends: &[Ends], field: &str, stands: &[Value]) {
    let keys: Vec<String> = (1..=ends.len()).map(|id| format!("id={id}")).collect();
    let rows: Vec<_> = keys
        .iter()
        .map(String::as_str)
        .zip(ends.iter().copied())
        .collect();
    trial.ends(status, &[("mission_history", &rows)]);
    assert_eq!(trial.stands("mission", &["key", field]), stands);
}

#[test]
fn infinities_are_quarantined_and_1e308_is_carried() {
    let trial = missions(
        JARVIS,
        &[
            ("9e999", "1"),
            ("-9e999", "1"),
            ("1e308", "1"),
            ("-1.7976931348623157e308", "1"),
            ("5e-324", "1"),
        ],
    );
    let ends = [
        Quarantined("give a finite number"),
        Quarantined("give a finite number"),
        Carried,
        Carried,
        Carried,
    ];
    let stands = [
        json!(["3", 1e308]),
        json!(["4", -1.797_693_134_862_315_7e308]),
        json!(["5", 5e-324]),
    ];
    assert_missions(trial, 1, &ends, "cost_usd", &stands);
}

#[test]
fn an_infinity_is_named_in_the_quarantine() {
    let mut trial = missions(JARVIS, &[("9e999", "1"), ("-9e999", "2")]);
    trial.ends(
        1,
        &[(
            "mission_history",
            &[
                ("id=1", Quarantined("finite")),
                ("id=2", Quarantined("finite")),
            ],
        )],
    );
    let left = |key| trial.left("mission_history", key)["values"]["cost_usd"].clone();
    assert_eq!(left("id=1"), json!({"real": "inf"}));
    assert_eq!(left("id=2"), json!({"real": "-inf"}));
    assert_eq!(trial.stands("mission", &["key"]), [] as [Value; 0]);
}

#[test]
fn minus_zero_becomes_zero_by_a_rule() {
    let trial = missions(
        &JARVIS.replace("cost_usd real", "cost_usd"),
        &[("0.0", "1"), ("1.5", "1")],
    );
    // SQL has no word for it.
    let sql = "update mission_history set cost_usd = ?1 where id = 2";
    trial.source().execute(sql, [-0.0_f64]).unwrap();
    let sql =
        format!("insert into entities values (1, 'file', 'a', '{{\"n\": [-0.0, -0]}}', {AT})");
    trial.change(&[&sql]);
    let mut trial = trial;
    trial.ends(
        0,
        &[
            (
                "entities",
                &[("id=1", Changed(&["integral-double-became-integer"]))],
            ),
            (
                "mission_history",
                &[
                    ("id=1", Carried),
                    ("id=2", Changed(&["negative-zero-became-zero"])),
                ],
            ),
        ],
    );
    // As text: as numbers the two zeros are equal.
    let text = |kind, field| format!("{:?}", trial.stands(kind, &[field]));
    assert_eq!(
        text("node", "content"),
        r#"[Array [Object {"n": Array [Number(0), Number(0)]}]]"#
    );
    assert_eq!(
        text("mission", "cost_usd"),
        "[Array [Number(0.0)], Array [Number(0.0)]]"
    );
}

#[test]
fn a_text_in_an_integer_column_is_quarantined() {
    let values = [
        ("1.0", "3"),
        ("1.0", "'three'"),
        ("'cheap'", "3"),
        ("1.0", "'4'"),
    ];
    let ends = [
        Carried,
        Quarantined("invalid iterations \"three\": give an integer"),
        Quarantined("invalid cost_usd \"cheap\": give a number"),
        // The column's affinity made it a number when it was written.
        Carried,
    ];
    let stands = [json!(["1", 3]), json!(["4", 4])];
    assert_missions(missions(JARVIS, &values), 1, &ends, "iterations", &stands);
}

#[test]
fn a_fraction_in_an_integer_column_is_quarantined() {
    let values = [
        ("1.0", "3"),
        ("1.0", "3.5"),
        ("1.0", "3.0"),
        ("1.0", "1e19"),
    ];
    let ends = [
        Carried,
        Quarantined("the real 3.5"),
        Carried,
        Quarantined("the real 1e19"),
    ];
    let stands = [json!(["1", 3]), json!(["3", 3])];
    assert_missions(missions(JARVIS, &values), 1, &ends, "iterations", &stands);
}

#[test]
fn two_to_the_40th_in_a_column_declared_int_is_carried() {
    let schema = JARVIS.replace("iterations integer", "iterations int");
    let trial = missions(&schema, &[("1.0", "1099511627776"), ("1.0", "-2147483649")]);
    let stands = [
        json!(["1", 1_099_511_627_776_i64]),
        json!(["2", -2_147_483_649_i64]),
    ];
    assert_missions(trial, 0, &[Carried, Carried], "iterations", &stands);
}

#[test]
fn two_to_the_62nd_is_carried_and_what_64_bits_do_not_hold_is_quarantined() {
    let values = [
        ("1.0", "4611686018427387904"),
        ("1.0", "9223372036854775807"),
        ("1.0", "-9223372036854775807 - 1"),
        // One more than 64 bits hold, so SQLite itself makes a real of it.
        ("1.0", "9223372036854775808"),
    ];
    let mut trial = missions(JARVIS, &values);
    let entity = |id: u32, json: &str| {
        format!("insert into entities values ({id}, 'file', '{id}', '{json}', {AT});")
    };
    trial.change(&[
        &entity(
            1,
            r#"{"n": [4611686018427387905, 18446744073709551615, -9223372036854775808]}"#,
        ),
        &entity(2, r#"{"n": 18446744073709551616}"#),
        &entity(3, r#"{"n": 9007199254740993}"#),
    ]);
    trial.ends(
        1,
        &[
            (
                "entities",
                &[
                    ("id=1", Carried),
                    ("id=2", Quarantined("more than 64 bits")),
                    ("id=3", Carried),
                ],
            ),
            (
                "mission_history",
                &[
                    ("id=1", Carried),
                    ("id=2", Carried),
                    ("id=3", Carried),
                    ("id=4", Quarantined("the real 9.223372036854776e18")),
                ],
            ),
        ],
    );
    assert_eq!(
        trial.stands("mission", &["key", "iterations"]),
        [
            json!(["1", 4_611_686_018_427_387_904_i64]),
            json!(["2", i64::MAX]),
            json!(["3", i64::MIN]),
        ]
    );
    assert_eq!(
        trial.stands("node", &["name", "content"]),
        [
            json!(["1", {"n": [4_611_686_018_427_387_905_i64, u64::MAX, i64::MIN]}]),
            json!(["3", {"n": 9_007_199_254_740_993_i64}]),
        ]
    );
}

#[test]
fn a_decimal_with_more_digits_than_declared_keeps_them() {
    let schema = JARVIS.replace("cost_usd real", "cost_usd decimal(6, 2)");
    let mut trial = missions(
        &schema,
        &[
            ("0.1", "1"),
            ("12345678.901234", "1"),
            ("'0.30000000000000004'", "1"),
        ],
    );
    let json = r#"{"n": [0.1000000000000000055511151231257827, 0.30000000000000004]}"#;
    trial.change(&[&format!(
        "insert into entities values (1, 'file', 'a', '{json}', {AT})"
    )]);
    trial.ends(
        0,
        &[
            (
                "entities",
                &[("id=1", Changed(&["json-number-rounded-to-double"]))],
            ),
            (
                "mission_history",
                &[("id=1", Carried), ("id=2", Carried), ("id=3", Carried)],
            ),
        ],
    );
    assert_eq!(
        trial.stands("mission", &["key", "cost_usd"]),
        [
            json!(["1", 0.1]),
            json!(["2", 12_345_678.901_234]),
            json!(["3", 0.300_000_000_000_000_04]),
        ]
    );
    assert_eq!(
        trial.stands("node", &["content"]),
        [json!([{"n": [0.1, 0.300_000_000_000_000_04]}])]
    );
    let rule = &trial.documents()[0]["report"]["rules"][0]["examples"][0];
    assert_eq!(rule["from"], "0.1000000000000000055511151231257827");
    assert_eq!(rule["to"], "1e-1");
}
