//! Times: text with a zone is that instant, without one what the system wrote, and nothing is
//! guessed.

use serde_json::json;

use super::trial::Ends::{Carried, Changed, Quarantined};
use super::trial::{Ends, Trial};

/// A JARVIS file of entities called by their ids: their `created_at` as SQL has it.
fn entities(times: &[&str]) -> Trial {
    let trial = Trial::jarvis("");
    for (id, time) in (1..).zip(times) {
        trial.change(&[&format!(
            "insert into entities values ({id}, 'file', '{id}', '{{}}', {time},
                '2024-03-01T10:00:00Z')"
        )]);
    }
    trial
}

/// Holds what becomes of the entities, and when those that stand were created.
fn assert_entities(mut trial: Trial, status: i32, ends: &[Ends], stands: &[(&str, &str)]) {
    let keys: Vec<String> = (1..=ends.len()).map(|id| format!("id={id}")).collect();
    let rows: Vec<_> = keys
        .iter()
        .map(String::as_str)
        .zip(ends.iter().copied())
        .collect();
    trial.ends(status, &[("entities", &rows)]);
    let stands: Vec<_> = stands.iter().map(|(name, at)| json!([name, at])).collect();
    assert_eq!(trial.stands("node", &["name", "created_at"]), stands);
}

const SOUND: (&str, &str) = ("1", "2024-03-01T10:00:00.123000Z");

#[test]
fn an_epoch_in_seconds_or_milliseconds_is_quarantined_where_texts_are_written() {
    let schema = crate::sources::JARVIS.replace("created_at text", "created_at integer");
    let trial = Trial::new(&[
        &schema,
        "insert into entities values
            (1, 'file', '1', '{}', '2024-03-01T10:00:00.123Z', '2024-03-01T10:00:00Z'),
            (2, 'file', '2', '{}', 1709287200, '2024-03-01T10:00:00Z'),
            (3, 'file', '3', '{}', 1709287200123, '2024-03-01T10:00:00Z')",
    ]);
    let ends = [
        Carried,
        Quarantined("the integer 1709287200\": the unit of the number is not known"),
        Quarantined("the integer 1709287200123\": the unit of the number is not known"),
    ];
    assert_entities(trial, 1, &ends, &[SOUND]);
}

#[test]
fn a_float_epoch_is_quarantined_where_texts_are_written() {
    let schema = crate::sources::JARVIS.replace("created_at text", "created_at real");
    let trial = Trial::new(&[
        &schema,
        "insert into entities values
            (1, 'file', '1', '{}', '2024-03-01T10:00:00.123Z', '2024-03-01T10:00:00Z'),
            (2, 'file', '2', '{}', 1709287200.123, '2024-03-01T10:00:00Z')",
    ]);
    let ends = [
        Carried,
        Quarantined("the real 1709287200.123\": the unit of the number is not known"),
    ];
    assert_entities(trial, 1, &ends, &[SOUND]);
}

#[test]
fn empty_zero_and_impossible_dates_are_quarantined() {
    let times = [
        "'2024-03-01T10:00:00.123Z'",
        "''",
        "'0000-00-00 00:00:00'",
        "'2023-02-29T00:00:00Z'",
        "'2024-02-29T24:00:00Z'",
        "'2024-03-01'",
        "'2024-02-29T23:59:59Z'",
    ];
    let ends = [
        Carried,
        Quarantined("invalid created_at \"\": give a moment"),
        Quarantined("invalid created_at \"0000-00-00 00:00:00\": give a moment"),
        Quarantined("invalid created_at \"2023-02-29T00:00:00Z\": give a moment"),
        Quarantined("invalid created_at \"2024-02-29T24:00:00Z\": give a moment"),
        // Which moment of the day?
        Quarantined("invalid created_at \"2024-03-01\": give a moment"),
        Carried,
    ];
    let stands = [SOUND, ("7", "2024-02-29T23:59:59.000000Z")];
    assert_entities(entities(&times), 1, &ends, &stands);
}

#[test]
fn a_time_without_a_zone_is_what_the_system_wrote_and_otherwise_a_rule_says_so() {
    // JARVIS writes a zone, so that UTC is meant is an assumption.
    let trial = entities(&["'2024-03-01T10:00:00.123Z'", "'2024-03-01 10:00:00'"]);
    let ends = [Carried, Changed(&["naive-time-read-as-utc"])];
    let stands = [SOUND, ("2", "2024-03-01T10:00:00.000000Z")];
    assert_entities(trial, 0, &ends, &stands);
    // flux-rag writes none, and means UTC.
    let mut trial = Trial::flux_rag(
        "insert into sessions values ('11111111-1111-4111-8111-111111111111', 'ada', '',
            '2024-03-01T10:00:00', '2024-03-01T11:00:00.5', '{}')",
    );
    let row = "id=11111111-1111-4111-8111-111111111111";
    trial.ends(0, &[("sessions", &[(row, Carried)])]);
    assert_eq!(
        trial.stands("session", &["created_at", "updated_at"]),
        [json!([
            "2024-03-01T10:00:00.000000Z",
            "2024-03-01T11:00:00.500000Z"
        ])]
    );
}

#[test]
fn a_time_without_a_zone_can_be_read_in_another_zone() {
    let mut trial = entities(&[
        "'2024-03-01T10:00:00.123Z'",
        "'2024-03-01T10:00:00'",
        "'2024-10-27T02:30:00'",
    ]);
    trial.ends_with(
        &["--source-timezone", "Europe/Berlin"],
        1,
        &[(
            "entities",
            &[
                ("id=1", Carried),
                ("id=2", Changed(&["naive-time-read-as-source-timezone"])),
                (
                    "id=3",
                    Quarantined("the clocks of Europe/Berlin showed it twice"),
                ),
            ],
        )],
    );
    assert_eq!(
        trial.stands("node", &["name", "created_at"]),
        [
            json!(["1", "2024-03-01T10:00:00.123000Z"]),
            json!(["2", "2024-03-01T09:00:00.000000Z"]),
        ]
    );
}

#[test]
fn nine_digit_fractions_are_rounded_to_microseconds_by_a_rule() {
    let times = [
        "'2024-03-01T10:00:00.123000000Z'",
        "'2024-03-01T10:00:00.123456499Z'",
        "'2024-03-01T10:00:00.1234565Z'",
        "'2024-12-31T23:59:59.999999999Z'",
        "'2024-03-01T10:00:00.1234567891Z'",
    ];
    let ends = [
        // Nothing is lost.
        Carried,
        Changed(&["time-rounded-to-microseconds"]),
        Changed(&["time-rounded-to-microseconds"]),
        Changed(&["time-rounded-to-microseconds"]),
        Quarantined("give a moment"),
    ];
    let stands = [
        SOUND,
        ("2", "2024-03-01T10:00:00.123456Z"),
        ("3", "2024-03-01T10:00:00.123457Z"),
        ("4", "2025-01-01T00:00:00.000000Z"),
    ];
    assert_entities(entities(&times), 1, &ends, &stands);
}

#[test]
fn times_with_and_without_a_zone_in_one_column_are_ordered_as_moments() {
    // As texts these would stand in another order.
    let mut trial = Trial::flux_rag(
        "insert into sessions values ('11111111-1111-4111-8111-111111111111', 'ada', '',
            '2024-01-01T00:00:00', '2024-01-01T00:00:00+00:00', '{}');
        insert into messages values
            ('aaaaaaaa-0000-4000-8000-000000000001', '11111111-1111-4111-8111-111111111111', 'user',
                'third', '{}', '2024-01-01T15:00:00.000002'),
            ('aaaaaaaa-0000-4000-8000-000000000002', '11111111-1111-4111-8111-111111111111', 'user',
                'second', '{}', '2024-01-01T16:00:00.000001+01:00'),
            ('aaaaaaaa-0000-4000-8000-000000000003', '11111111-1111-4111-8111-111111111111', 'user',
                'first', '{}', '2024-01-01T15:00:00+00:00'),
            ('aaaaaaaa-0000-4000-8000-000000000004', '11111111-1111-4111-8111-111111111111', 'user',
                'nowhere', '{}', '2024-01-01T15:00:00 Moon');",
    );
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
                    ("id=aaaaaaaa-0000-4000-8000-000000000002", Carried),
                    ("id=aaaaaaaa-0000-4000-8000-000000000003", Carried),
                    (
                        "id=aaaaaaaa-0000-4000-8000-000000000004",
                        Quarantined("give a moment"),
                    ),
                ],
            ),
        ],
    );
    assert_eq!(
        trial.stands("message", &["number", "content", "created_at"]),
        [
            json!([1, "first", "2024-01-01T15:00:00.000000Z"]),
            json!([2, "second", "2024-01-01T15:00:00.000001Z"]),
            json!([3, "third", "2024-01-01T15:00:00.000002Z"]),
        ]
    );
}
