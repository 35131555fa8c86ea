//! flux-rag files, with literal expected values.

use crate::made::{FLUX_RAG, FLUX_RAG_WITHOUT_USERS, LOOSE_FLUX_RAG, made, read, read_with};
use memory_legacy::{Options, rules};
use memory_storage::{Conversion, RawValue};
use rusqlite::types::Value as Sql;
use serde_json::json;

const S1: &str = "11111111-1111-4111-8111-111111111111";
const S2: &str = "22222222-2222-4222-8222-222222222222";
const S3: &str = "33333333-3333-4333-8333-333333333333";

fn id(n: u32) -> String {
    format!("aaaaaaaa-0000-4000-8000-{n:012}")
}

#[test]
fn a_file_with_users_is_carried_identically() {
    let made = made(&[
        FLUX_RAG,
        &format!(
            "insert into sessions values
            ('{S1}', 'ada', '테스트 세션 😀', '2026-02-05T15:17:45.407069',
                '2026-02-14T09:00:00.500000+00:00', '{{\"a\": [1, 2.5, null], \"\\ud55c\": \"\\\\N\"}}'),
            ('{S2}', '', '', '2026-02-05T16:00:00+09:00', '2026-02-05T16:00:00Z', '{{}}');
            insert into messages values
            ('{}', '{S1}', 'user', 'a\tb\nc\\N', '{{\"k\": \"v\"}}', '2026-02-05T15:17:45.425366');",
            id(1)
        ),
    ]);
    let read = read(&made.path);
    assert_eq!(
        read.identical("sessions", &format!("id={S1}")),
        json!({
            "record": "session",
            "tenant_id": "ada",
            "id": S1,
            "title": "테스트 세션 😀",
            "metadata": {"a": [1, 2.5, null], "한": "\\N"},
            "created_at": "2026-02-05T15:17:45.407069Z",
            "updated_at": "2026-02-14T09:00:00.500000Z",
            "message_count": 1,
        })
    );
    assert_eq!(
        read.identical("sessions", &format!("id={S2}")),
        json!({
            "record": "session",
            "tenant_id": "default",
            "id": S2,
            "title": "",
            "metadata": {},
            "created_at": "2026-02-05T07:00:00.000000Z",
            "updated_at": "2026-02-05T16:00:00.000000Z",
            "message_count": 0,
        })
    );
    assert_eq!(
        read.identical("messages", &format!("id={}", id(1))),
        json!({
            "record": "message",
            "tenant_id": "ada",
            "id": id(1),
            "session_id": S1,
            "number": 1,
            "role": "user",
            "content": "a\tb\nc\\N",
            "metadata": {"k": "v"},
            "created_at": "2026-02-05T15:17:45.425366Z",
        })
    );
}

#[test]
fn a_file_without_users_belongs_to_the_tenant_that_is_asked_for() {
    let made = made(&[
        FLUX_RAG_WITHOUT_USERS,
        &format!(
            "insert into sessions values ('{S1}', 't', '2026-02-05T15:17:45.407069',
                '2026-02-05T15:17:46.407069', '{{}}');"
        ),
    ]);
    let whose = |options| {
        let read = read_with(&made.path, options);
        let record = read.identical("sessions", &format!("id={S1}"));
        record["tenant_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(whose(Options::default()), "default");
    let tenant = Some("ada".parse().unwrap());
    assert_eq!(
        whose(Options {
            tenant,
            ..Options::default()
        }),
        "ada"
    );
}

#[test]
fn each_tenant_is_made_once_from_its_first_to_its_last_change() {
    let made = made(&[
        FLUX_RAG,
        &format!(
            "insert into sessions values
            ('{S1}', 'ada', '', '2026-02-03T00:00:00', '2026-02-03T00:00:00', '{{}}'),
            ('{S2}', 'ada', '', '2026-02-02T00:00:00', '2026-02-09T00:00:00', '{{}}'),
            ('{S3}', 'bob', '', '2026-02-01T00:00:00', '2026-02-01T00:00:01', '{{}}'),
            ('x', 'ada', '', '2020-01-01T00:00:00', 'never', '{{}}');"
        ),
    ]);
    assert_eq!(
        read(&made.path).beyond(),
        [
            json!({"record": "tenant", "id": "ada", "metadata": {},
                "created_at": "2026-02-02T00:00:00.000000Z",
                "last_active_at": "2026-02-09T00:00:00.000000Z"}),
            json!({"record": "tenant", "id": "bob", "metadata": {},
                "created_at": "2026-02-01T00:00:00.000000Z",
                "last_active_at": "2026-02-01T00:00:01.000000Z"}),
        ]
    );
}

#[test]
fn messages_are_numbered_by_moment_and_then_by_row() {
    // As text these times stand in another order than as moments.
    let times = [
        (1, "2026-02-05T15:00:00.000002", S1),
        (2, "2026-02-05T16:00:00.000001+01:00", S1),
        (3, "2026-02-05T15:00:00Z", S1),
        (4, "2026-02-05T15:00:00.000002+00:00", S1),
        (5, "2026-02-05T15:00:00", S2),
        (6, "2026-13-05T15:00:00", S1),
    ];
    let made = made(&[FLUX_RAG]);
    for session in [S1, S2] {
        let sql = "insert into sessions values (?1, '', '', '2026-02-05T00:00:00Z', '2026-02-05T00:00:00Z', '{}')";
        made.connection.execute(sql, [session]).unwrap();
    }
    for (n, time, session) in times {
        let sql = "insert into messages values (?1, ?2, 'user', 'x', '{}', ?3)";
        made.connection
            .execute(sql, [&id(n), session, time])
            .unwrap();
    }
    let read = read(&made.path);
    let number = |n: u32| {
        let record = read.identical("messages", &format!("id={}", id(n)));
        record["number"].as_i64().unwrap()
    };
    assert_eq!([1, 2, 3, 4, 5].map(number), [3, 2, 1, 4, 1]);
    let reason = read.reason("messages", &format!("id={}", id(6)));
    assert!(
        reason.starts_with("invalid created_at \"2026-13-05T15:00:00\""),
        "{reason}"
    );
    let count = |session: &str| {
        let record = read.identical("sessions", &format!("id={session}"));
        record["message_count"].as_i64().unwrap()
    };
    assert_eq!([S1, S2].map(count), [4, 1]);
}

#[test]
fn sessions_come_before_messages_and_messages_in_order() {
    let made = made(&[FLUX_RAG]);
    for session in [S2, S1] {
        let sql = "insert into sessions values (?1, '', '', '2026-02-05T00:00:00Z', '2026-02-05T00:00:00Z', '{}')";
        made.connection.execute(sql, [session]).unwrap();
    }
    for n in 0..50 {
        let session = if n % 2 == 0 { S1 } else { S2 };
        let time = format!("2026-02-05T00:00:{:02}Z", 59 - n);
        let sql = "insert into messages values (?1, ?2, 'user', 'x', '{}', ?3)";
        made.connection
            .execute(sql, [&id(n), session, &time])
            .unwrap();
    }
    let options = Options {
        batch_size: 7,
        ..Options::default()
    };
    let read = read_with(&made.path, options);
    let tables: Vec<usize> = read.rows.iter().map(|row| row.table).collect();
    assert!(tables.is_sorted());
    let order: Vec<(String, i64)> = read.rows[2..]
        .iter()
        .map(|row| {
            let record = read.identical("messages", &row.key);
            let session = record["session_id"].as_str().unwrap().to_owned();
            (session, record["number"].as_i64().unwrap())
        })
        .collect();
    let wanted: Vec<(String, i64)> = [S2, S1]
        .iter()
        .flat_map(|session| (1..=25).map(|number| ((*session).to_owned(), number)))
        .collect();
    assert_eq!(order, wanted);
}

#[test]
fn a_message_without_a_carried_session_is_quarantined() {
    let made = made(&[
        FLUX_RAG,
        &format!(
            "insert into sessions values
            ('{S1}', '', '', '0000-00-00', '2026-02-05T15:17:45', '{{}}');
            insert into messages values
            ('{}', '{S1}', 'user', 'x', '{{}}', '2026-02-05T15:17:45'),
            ('{}', '{S2}', 'user', 'x', '{{}}', '2026-02-05T15:17:45');",
            id(1),
            id(2)
        ),
    ]);
    let read = read(&made.path);
    assert_eq!(
        read.reason("messages", &format!("id={}", id(1))),
        format!("invalid session_id {S1:?}: its session is quarantined; mend that first")
    );
    assert_eq!(
        read.reason("messages", &format!("id={}", id(2))),
        format!(
            "invalid session_id {S2:?}: no session of this id is in the file; add it or drop the message"
        )
    );
    assert_eq!(read.beyond(), [] as [serde_json::Value; 0]);
}

#[test]
fn ids_that_are_no_uuids_are_made_into_some_and_references_stay_true() {
    let made = made(&[
        FLUX_RAG,
        "insert into sessions values
        ('chat-1', '', '', '2026-02-05T15:17:45Z', '2026-02-05T15:17:45Z', '{}'),
        ('ABCDEF00-0000-4000-8000-000000000001', '', '', '2026-02-05T15:17:45Z',
            '2026-02-05T15:17:45Z', '{}'),
        ('abcdef00-0000-4000-8000-000000000001', '', '', '2026-02-05T15:17:45Z',
            '2026-02-05T15:17:45Z', '{}'),
        ('', '', '', '2026-02-05T15:17:45Z', '2026-02-05T15:17:45Z', '{}'),
        (null, '', '', '2026-02-05T15:17:45Z', '2026-02-05T15:17:45Z', '{}');
        insert into messages values
        ('m1', 'chat-1', 'user', 'x', '{}', '2026-02-05T15:17:45Z');",
    ]);
    let read = read(&made.path);
    // Computed with Python's uuid.uuid5.
    let session = "a9fcbdd5-48f6-57e4-907d-0fd21ede0a40";
    let (record, used) = read.changed("sessions", "id=chat-1");
    assert_eq!(record["id"], session);
    assert_eq!(used, [rules::ID_HASHED]);
    let (record, used) = read.changed("messages", "id=m1");
    assert_eq!(record["id"], "50f264d3-fb45-5d4b-837b-2618d6f95880");
    assert_eq!(record["session_id"], session);
    assert_eq!(used, [rules::ID_HASHED, rules::ID_HASHED]);
    let (record, used) = read.changed("sessions", "id=ABCDEF00-0000-4000-8000-000000000001");
    assert_eq!(record["id"], "abcdef00-0000-4000-8000-000000000001");
    assert_eq!(used, [rules::ID_RESPELLED]);
    let reason = read.reason("sessions", "id=abcdef00-0000-4000-8000-000000000001");
    assert!(reason.contains("same UUID in another spelling"), "{reason}");
    assert!(read.reason("sessions", "id=").contains("give a UUID"));
    assert!(
        read.reason("sessions", "rowid=5")
            .starts_with("invalid id \"NULL\"")
    );
}

/// What becomes of a session of which one column holds another value.
fn session_with(column: &str, value: Sql) -> crate::made::Read {
    let made = made(&[LOOSE_FLUX_RAG]);
    let time = "2026-02-05T15:17:45.407069";
    let insert = "insert into sessions values (?1, 'ada', 't', ?2, ?2, '{}')";
    made.connection.execute(insert, [S1, time]).unwrap();
    let update = format!("update sessions set {column} = ?1");
    made.connection.execute(&update, [value]).unwrap();
    read(&made.path)
}

fn text(text: &str) -> Sql {
    Sql::Text(text.to_owned())
}

#[test]
fn every_pitfall_of_a_value_ends_in_its_class() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
    let long = "x".repeat(256);
    for (column, value, class) in [
        ("id", Sql::Integer(1), "quarantined"),
        ("id", Sql::Blob(S1.into()), "quarantined"),
        ("user_id", text("김 家"), "identical"),
        ("user_id", text(""), "identical"),
        ("user_id", Sql::Null, rules::NULL_USER),
        ("user_id", text("default"), rules::USER_SHARES_UNNAMED),
        ("user_id", text("a\nb"), "quarantined"),
        ("user_id", text(&long), "quarantined"),
        ("user_id", Sql::Integer(7), "quarantined"),
        ("title", Sql::Null, rules::NULL_TITLE),
        ("title", text("a\0b"), "quarantined"),
        ("title", Sql::Integer(1), "quarantined"),
        ("title", Sql::Real(1.5), "quarantined"),
        ("title", Sql::Blob(b"bytes".to_vec()), "quarantined"),
        (
            "created_at",
            text("2026-02-05 15:17:45.407069"),
            "identical",
        ),
        (
            "created_at",
            text("2026-02-05T15:17:45.407069000+00:00"),
            "identical",
        ),
        (
            "created_at",
            text("2026-02-05T15:17:45.407069123"),
            rules::TIME_ROUNDED,
        ),
        ("created_at", text(""), "quarantined"),
        ("created_at", Sql::Null, "quarantined"),
        ("created_at", text("0000-00-00 00:00:00"), "quarantined"),
        ("created_at", text("2026-02-30T00:00:00Z"), "quarantined"),
        ("created_at", text("2026-02-05"), "quarantined"),
        ("created_at", text("1770304665"), "quarantined"),
        ("created_at", Sql::Integer(1_770_304_665), "quarantined"),
        ("created_at", Sql::Integer(1_770_304_665_407), "quarantined"),
        ("created_at", Sql::Real(1_770_304_665.407), "quarantined"),
        ("updated_at", Sql::Integer(1 << 62), "quarantined"),
        ("metadata", Sql::Null, rules::NULL_METADATA),
        ("metadata", text(""), rules::EMPTY_METADATA),
        ("metadata", text("null"), rules::JSON_NULL_METADATA),
        ("metadata", text(" {\"a\" : 0.10} "), "identical"),
        ("metadata", text(r#"{"a": "\ud83d\ude00"}"#), "identical"),
        (
            "metadata",
            text(r#"{"a": 18446744073709551615}"#),
            "identical",
        ),
        ("metadata", text(r#"{"a": 1.0}"#), rules::INTEGRAL_DOUBLE),
        (
            "metadata",
            text(r#"{"a": 0.1000000000000000000001}"#),
            rules::JSON_NUMBER_ROUNDED,
        ),
        ("metadata", text(" "), "quarantined"),
        ("metadata", text("[]"), "quarantined"),
        ("metadata", text("1"), "quarantined"),
        ("metadata", text("{'a': 1}"), "quarantined"),
        ("metadata", text(r#"{"a": NaN}"#), "quarantined"),
        ("metadata", text(r#"{"a": Infinity}"#), "quarantined"),
        ("metadata", text(r#"{"a": "\ud83d"}"#), "quarantined"),
        ("metadata", text(r#"{"a": "\u0000"}"#), "quarantined"),
        ("metadata", text(r#"{"a": 1, "a": 2}"#), "quarantined"),
        (
            "metadata",
            text(r#"{"a": 18446744073709551616}"#),
            "quarantined",
        ),
        ("metadata", text(&deep), "quarantined"),
        ("metadata", Sql::Integer(1), "quarantined"),
        ("metadata", Sql::Blob(b"{}".to_vec()), "quarantined"),
    ] {
        let read = session_with(column, value.clone());
        assert_eq!(read.class("sessions"), class, "{column} {value:?}");
        if class == "quarantined" {
            let reason = match &read.rows[0].conversion {
                Conversion::Quarantined { reason } => reason,
                other => panic!("{other:?}"),
            };
            assert!(reason.starts_with(&format!("invalid {column}")), "{reason}");
        }
    }
}

#[test]
fn a_rule_says_what_it_changed() {
    let read = session_with("metadata", text(r#"{"a": {"b": 1.0}}"#));
    let Conversion::Record { record, rules, .. } = &read.rows[0].conversion else {
        panic!("{:?}", read.rows[0]);
    };
    let memory_domain::Record::Session(session) = &**record else {
        panic!("{record:?}");
    };
    assert_eq!(
        serde_json::to_string(&session.metadata).unwrap(),
        r#"{"a":{"b":1}}"#
    );
    assert_eq!(rules.len(), 1);
    let rule = &rules[0];
    assert_eq!(
        (
            rule.rule,
            rule.column.as_str(),
            rule.from.as_str(),
            rule.to.as_str()
        ),
        ("integral-double-became-integer", "metadata", "1.0", "1")
    );
}

#[test]
fn the_raw_values_of_a_quarantined_row_are_all_there() {
    let made = made(&[LOOSE_FLUX_RAG]);
    let insert = "insert into sessions values (?1, cast(x'61ff62' as text), 1.5, x'00ff', null, 9)";
    made.connection.execute(insert, [S1]).unwrap();
    let read = read(&made.path);
    assert_eq!(
        read.rows[0].raw,
        [
            RawValue::Text(S1.into()),
            RawValue::Text(b"a\xffb".to_vec()),
            RawValue::Real(1.5),
            RawValue::Blob(vec![0, 0xff]),
            RawValue::Null,
            RawValue::Integer(9),
        ]
    );
    let reason = read.reason("sessions", &format!("id={S1}"));
    assert!(reason.contains("not UTF-8 from byte 1 on"), "{reason}");
}

#[test]
fn times_without_a_zone_can_be_read_in_another_by_a_rule() {
    let made = made(&[
        FLUX_RAG,
        &format!(
            "insert into sessions values
            ('{S1}', '', '', '2026-07-05T15:00:00', '2026-07-05T15:00:00Z', '{{}}'),
            ('{S2}', '', '', '2026-10-25T02:30:00', '2026-10-25T03:30:00', '{{}}');"
        ),
    ]);
    let options = Options {
        timezone: Some("Europe/Berlin".parse().unwrap()),
        ..Options::default()
    };
    let read = read_with(&made.path, options);
    let (record, used) = read.changed("sessions", &format!("id={S1}"));
    assert_eq!(record["created_at"], "2026-07-05T13:00:00.000000Z");
    assert_eq!(record["updated_at"], "2026-07-05T15:00:00.000000Z");
    assert_eq!(used, [rules::NAIVE_AS_GIVEN]);
    let reason = read.reason("sessions", &format!("id={S2}"));
    assert!(reason.contains("showed it twice"), "{reason}");
    // UTC is what is documented, so asking for it assumes nothing.
    let options = Options {
        timezone: Some("UTC".parse().unwrap()),
        ..Options::default()
    };
    let read = read_with(&made.path, options);
    read.identical("sessions", &format!("id={S2}"));
}

#[test]
fn rows_with_one_id_are_carried_once() {
    let made = made(&[
        LOOSE_FLUX_RAG,
        &format!(
            "insert into sessions values
            ('{S1}', '', 'first', '2026-02-05T15:17:45', '2026-02-05T15:17:45', '{{}}'),
            ('{S1}', '', 'second', '2026-02-05T15:17:45', '2026-02-05T15:17:45', '{{}}');
            insert into messages values
            ('{id}', '{S1}', 'user', 'first', '{{}}', '2026-02-05T15:17:46'),
            ('{id}', '{S1}', 'user', 'second', '{{}}', '2026-02-05T15:17:45');",
            id = id(1)
        ),
    ]);
    let read = read(&made.path);
    let carried: Vec<bool> = read
        .rows
        .iter()
        .map(|row| matches!(row.conversion, Conversion::Record { .. }))
        .collect();
    assert_eq!(carried, [true, false, true, false]);
    assert_eq!(
        read.identical("sessions", &format!("id={S1}"))["message_count"],
        1
    );
    assert_eq!(
        read.identical("messages", &format!("id={}", id(1)))["content"],
        "first"
    );
}
