//! AI-PAL files, with literal expected values.

use crate::made::{
    AI_PAL_GOALS, AI_PAL_PATCHES, AI_PAL_SNAPSHOTS, AI_PAL_TASKS, Read, made, read, read_with,
};
use memory_legacy::{LegacyKind, Options, Recognised, recognise, rules};
use serde_json::{Value, json};

const TASK: &str = "3c9cbe6c-7f10-4d43-a4a4-f48b8b3c2f01";
const PATCH: &str = "5a2b8e9e-9c52-4c8d-8f5e-2d6f6c1e7a02";

/// One task with every column.
const TASKS: &str = r#"insert into background_tasks values
    (7, '3c9cbe6c-7f10-4d43-a4a4-f48b8b3c2f01', 'dream', 'ada', 'analysis', 'completed', 8,
        '2026-02-05 15:17:45.407069', '2026-02-05 15:17:46', '2026-02-05 15:17:47.5',
        '{"found": 3, "이름": "x"}', 'first try failed', 'Traceback …', 2, 3, '[1, "a"]',
        '{"deep": {"a": null}}', 1.5, 'celery-1');"#;

const PATCHES: &str = r#"insert into patch_requests values
    (3, '5a2b8e9e-9c52-4c8d-8f5e-2d6f6c1e7a02', '2026-02-05 15:17:45.407069', 'src/a.py', 'faster',
        '--- a', 'def f(): ...', 'core', 'performance', 0.1, 'applied', '2026-02-05 16:00:00',
        'bea', 'fine', '2026-02-05 17:00:00.000001', null, '["f-2", "f-1"]', '{"gain": 0.25}');"#;

/// The file as it is, with times that are UTC for whoever asks.
fn read_utc(sql: &[&str]) -> Read {
    read(&made(sql).path)
}

#[test]
fn a_background_task_becomes_a_task() {
    let (record, used) = read_utc(&[AI_PAL_TASKS, TASKS]).changed(
        "background_tasks",
        "task_id=3c9cbe6c-7f10-4d43-a4a4-f48b8b3c2f01",
    );
    assert_eq!(
        record,
        json!({
            "record": "task",
            "tenant_id": "ada",
            "id": TASK,
            "name": "dream",
            "task_type": "analysis",
            "status": "completed",
            "priority": 8,
            "attempts": 2,
            "max_retries": 3,
            "arguments": {"args": [1, "a"], "kwargs": {"deep": {"a": null}}},
            "result": {"found": 3, "이름": "x"},
            "error": "first try failed",
            "traceback": "Traceback …",
            "external_id": "celery-1",
            "claimed_by": null,
            "claimed_until": null,
            "created_at": "2026-02-05T15:17:45.407069Z",
            "started_at": "2026-02-05T15:17:46.000000Z",
            "completed_at": "2026-02-05T15:17:47.500000Z",
        })
    );
    assert_eq!(used, [rules::NAIVE_AS_UTC; 3]);
}

#[test]
fn a_patch_request_stays_one() {
    let read = read_utc(&[AI_PAL_PATCHES, PATCHES]);
    let (record, used) = read.changed("patch_requests", &format!("request_id={PATCH}"));
    assert_eq!(
        record,
        json!({
            "record": "patch_request",
            "tenant_id": "default",
            "id": PATCH,
            "target_file": "src/a.py",
            "reasoning": "faster",
            "diff": "--- a",
            "new_code": "def f(): ...",
            "component": "core",
            "improvement_type": "performance",
            "confidence": 0.1,
            "status": "applied",
            "reviewed_by": "bea",
            "review_comment": "fine",
            "application_error": null,
            "feedback_ids": ["f-2", "f-1"],
            "metrics": {"gain": 0.25},
            "created_at": "2026-02-05T15:17:45.407069Z",
            "reviewed_at": "2026-02-05T16:00:00.000000Z",
            "applied_at": "2026-02-05T17:00:00.000001Z",
        })
    );
    assert_eq!(used, [rules::NAIVE_AS_UTC; 3]);
}

const SNAPSHOTS: &str = "insert into ari_snapshots values
    (2, '7d3f0a1c-3f5e-4b8e-8a43-0c4d5e6f7a03', 'ada', '2026-02-05 15:17:45.407069', 0.1, 0.2, 0.3,
        0.4, 0.5, 0.6, 0.7, 1, -0.25, '한국어', 'high');";

const GOALS: &str = "insert into ffe_goals values
    (5, '9e8d7c6b-5a49-4837-a625-140312f1e0d4', 'ada', '2026-02-05 15:17:45.407069', 'learn Rust', 9,
        'complex', 0.75, 'in_progress', null, '2026-12-31 00:00:00');";

#[test]
fn a_measurement_becomes_an_agency_snapshot() {
    let read = read_utc(&[AI_PAL_SNAPSHOTS, SNAPSHOTS]);
    let key = "snapshot_id=7d3f0a1c-3f5e-4b8e-8a43-0c4d5e6f7a03";
    let (record, used) = read.changed("ari_snapshots", key);
    assert_eq!(
        record,
        json!({
            "record": "agency_snapshot",
            "tenant_id": "ada",
            "id": "7d3f0a1c-3f5e-4b8e-8a43-0c4d5e6f7a03",
            "decision_quality": 0.1,
            "skill_development": 0.2,
            "ai_reliance": 0.3,
            "bottleneck_resolution": 0.4,
            "user_confidence": 0.5,
            "engagement": 0.6,
            "autonomy_perception": 0.7,
            "autonomy_retention": 1.0,
            "delta_agency": -0.25,
            "task_description": "한국어",
            "task_complexity": "high",
            "taken_at": "2026-02-05T15:17:45.407069Z",
        })
    );
    assert_eq!(used, [rules::NAIVE_AS_UTC]);
    for (value, problem) in [("9e999", "invalid engagement"), ("'much'", "give a number")] {
        let sql = format!("update ari_snapshots set engagement = {value}");
        let read = read_utc(&[AI_PAL_SNAPSHOTS, SNAPSHOTS, &sql]);
        let reason = read.reason("ari_snapshots", key);
        assert!(reason.contains(problem), "{reason}");
    }
}

#[test]
fn a_goal_stays_one() {
    let read = read_utc(&[AI_PAL_GOALS, GOALS]);
    let key = "goal_id=9e8d7c6b-5a49-4837-a625-140312f1e0d4";
    let (record, used) = read.changed("ffe_goals", key);
    assert_eq!(
        record,
        json!({
            "record": "goal",
            "tenant_id": "ada",
            "id": "9e8d7c6b-5a49-4837-a625-140312f1e0d4",
            "description": "learn Rust",
            "importance": 9,
            "complexity": "complex",
            "estimated_value": 0.75,
            "status": "in_progress",
            "deadline": "2026-12-31T00:00:00.000000Z",
            "created_at": "2026-02-05T15:17:45.407069Z",
            "completed_at": null,
        })
    );
    assert_eq!(used, [rules::NAIVE_AS_UTC; 2]);
    // The deadline is no moment at which the tenant was there.
    assert_eq!(
        read.beyond()[0]["last_active_at"],
        "2026-02-05T15:17:45.407069Z"
    );
    let sql = "update ffe_goals set status = null, estimated_value = null, deadline = null";
    let (record, used) = read_utc(&[AI_PAL_GOALS, GOALS, sql]).changed("ffe_goals", key);
    assert_eq!(record["status"], "active");
    assert_eq!(
        (&record["estimated_value"], &record["deadline"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(used, [rules::NULL_DEFAULT, rules::NAIVE_AS_UTC]);
    for (column, value) in [
        ("status", "'dreamt'"),
        ("importance", "1.5"),
        ("complexity_level", "''"),
    ] {
        let sql = format!("update ffe_goals set {column} = {value}");
        let read = read_utc(&[AI_PAL_GOALS, GOALS, &sql]);
        let reason = read.reason("ffe_goals", key);
        assert!(reason.starts_with(&format!("invalid {column}")), "{reason}");
    }
}

#[test]
fn times_are_of_the_zone_that_is_given() {
    let made = made(&[AI_PAL_TASKS, TASKS]);
    let options = Options {
        timezone: Some("Asia/Seoul".parse().unwrap()),
        ..Options::default()
    };
    let key = format!("task_id={TASK}");
    let (record, used) = read_with(&made.path, options).changed("background_tasks", &key);
    assert_eq!(record["created_at"], "2026-02-05T06:17:45.407069Z");
    assert_eq!(used, [rules::NAIVE_AS_GIVEN; 3]);
}

#[test]
fn a_file_may_have_any_of_the_tables() {
    for (sql, tables) in [
        (&[AI_PAL_TASKS][..], &["background_tasks"][..]),
        (&[AI_PAL_PATCHES], &["patch_requests"]),
        (&[AI_PAL_GOALS], &["ffe_goals"]),
        (
            &[AI_PAL_TASKS, AI_PAL_SNAPSHOTS],
            &["ari_snapshots", "background_tasks"],
        ),
        (
            &[AI_PAL_PATCHES, AI_PAL_TASKS],
            &["background_tasks", "patch_requests"],
        ),
    ] {
        let made = made(sql);
        let recognised = recognise(&made.path).unwrap();
        assert_eq!(recognised, Recognised::Legacy(LegacyKind::AiPal));
        let read = read(&made.path);
        let names: Vec<&str> = read
            .tables
            .iter()
            .map(|table| table.name.as_str())
            .collect();
        assert_eq!(names, tables);
    }
    let made = made(&["create table background_tasks (id integer primary key, name text)"]);
    let error = recognise(&made.path).unwrap_err().to_string();
    assert!(error.contains("it is of no known system"), "{error}");
    let made = crate::made::made(&["create table edm_debts (id integer primary key)"]);
    let options = Options {
        kind: Some(LegacyKind::AiPal),
        ..Options::default()
    };
    let error = memory_legacy::open(&made.path, options).err().unwrap();
    assert!(
        error.to_string().contains("it lacks one of the tables"),
        "{error}"
    );
}

#[test]
fn tables_and_columns_without_a_place_are_told_from_those_that_need_none() {
    let read = read_utc(&[
        AI_PAL_TASKS,
        TASKS,
        "create table edm_debts (id integer primary key, resolved boolean);
        insert into edm_debts values (1, null), (2, 0), (3, 1);
        alter table background_tasks add column queue text;
        update background_tasks set queue = 'q';",
    ]);
    let unmapped: Vec<(&str, &str, u64)> = read
        .tables
        .iter()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .filter(|(_, column)| column.target.is_none())
        .map(|(table, column)| (table.name.as_str(), column.name.as_str(), column.non_null))
        .collect();
    assert_eq!(
        unmapped,
        [
            ("background_tasks", "queue", 1),
            ("edm_debts", "id", 3),
            ("edm_debts", "resolved", 2),
        ]
    );
    let debts = &read.tables[1];
    assert_eq!((debts.rows, debts.mapped), (3, false));
}

/// A table of one task, of which one column is set to something.
fn task_with(column: &str, value: &str) -> Read {
    let sql = format!("update background_tasks set {column} = {value}");
    read_utc(&[AI_PAL_TASKS, TASKS, &sql])
}

fn only(read: &Read) -> (Value, Vec<&'static str>) {
    let key = read.rows[0].key.clone();
    let (record, used) = read.changed("background_tasks", &key);
    let used = used.into_iter().filter(|rule| *rule != rules::NAIVE_AS_UTC);
    (record, used.collect())
}

#[test]
fn what_a_task_may_leave_out_is_left_out() {
    for (column, field) in [
        ("result", "result"),
        ("error_message", "error"),
        ("error_traceback", "traceback"),
        ("celery_task_id", "external_id"),
        ("started_at", "started_at"),
        ("completed_at", "completed_at"),
    ] {
        let (record, used) = only(&task_with(column, "null"));
        assert_eq!(record[field], Value::Null);
        assert_eq!(used, [""; 0], "{column}");
    }
    let (record, used) = only(&task_with("user_id", "null"));
    assert_eq!((&record["tenant_id"], used), (&json!("default"), vec![]));
    let (record, used) = only(&task_with("args", "null"));
    assert_eq!(
        record["arguments"],
        json!({"kwargs": {"deep": {"a": null}}})
    );
    assert_eq!(used, [""; 0]);
    let (record, used) = only(&task_with("kwargs", "'null'"));
    assert_eq!(
        record["arguments"],
        json!({"args": [1, "a"], "kwargs": null})
    );
    assert_eq!(used, [""; 0]);
}

#[test]
fn a_result_is_json_or_a_text_of_its_own() {
    for (sql, result, rule) in [
        ("'[1.5]'", json!([1.5]), None),
        ("'\"x\"'", json!("x"), None),
        ("'true'", json!(true), None),
        ("'1.0'", json!(1), Some(rules::INTEGRAL_DOUBLE)),
        ("'null'", Value::Null, Some(rules::NULL_RESULT)),
        ("'all done'", json!("all done"), Some(rules::PLAIN_RESULT)),
        ("''", json!(""), Some(rules::PLAIN_RESULT)),
    ] {
        let (record, used) = only(&task_with("result", sql));
        assert_eq!(record["result"], result, "{sql}");
        assert_eq!(used, rule.into_iter().collect::<Vec<_>>(), "{sql}");
    }
}

#[test]
fn ids_and_users_meet_their_rules() {
    let (record, used) = only(&task_with("task_id", "'t-2'"));
    // Computed with Python's uuid.uuid5.
    assert_eq!(record["id"], "a3ce4cc8-a06c-5083-8233-e076b4932dfa");
    assert_eq!(used, [rules::ID_HASHED]);
    let (record, used) = only(&task_with("user_id", "''"));
    assert_eq!(record["tenant_id"], "default");
    assert_eq!(used, [rules::EMPTY_USER]);
    let (_, used) = only(&task_with("user_id", "'default'"));
    assert_eq!(used, [rules::USER_SHARES_UNNAMED]);
    let sql = "update patch_requests set request_id = 'p-2', feedback_ids = null, metrics = null";
    let read = read_utc(&[AI_PAL_PATCHES, PATCHES, sql]);
    let (record, mut used) = read.changed("patch_requests", "request_id=p-2");
    used.retain(|rule| *rule != rules::NAIVE_AS_UTC);
    assert_eq!(record["id"], "86b3896f-6d0c-5f25-8e02-7ded56874b52");
    assert_eq!(
        (&record["feedback_ids"], &record["metrics"]),
        (&json!([]), &json!({}))
    );
    assert_eq!(
        used,
        [rules::ID_HASHED, rules::NULL_LIST, rules::NULL_METADATA]
    );
}

#[test]
fn what_cannot_be_carried_is_quarantined_by_its_column() {
    for (column, value, problem) in [
        ("status", "'asleep'", "give one of pending, running"),
        ("priority", "3.5", "give an integer"),
        ("attempts", "-1", "give at least 0"),
        ("max_retries", "'many'", "give an integer"),
        ("args", "'(1,)'", "no sound JSON"),
        ("kwargs", "'{\"a\": NaN}'", "NaN and infinities"),
        ("result", "'{\"a\": NaN}'", "NaN and infinities"),
        ("result", "'NaN'", "NaN and infinities"),
        ("result", "'[\"\\u0000\"]'", "U+0000"),
        ("result", "x'00'", "give a text"),
        (
            "created_at",
            "1770304665",
            "the unit of the number is not known",
        ),
        ("started_at", "'0000-00-00 00:00:00'", ""),
        ("task_name", "''", ""),
        ("celery_task_id", "''", ""),
        (
            "error_message",
            "cast(x'ff' as text)",
            "it is not UTF-8 from byte 0 on",
        ),
    ] {
        let read = task_with(column, value);
        let key = format!("task_id={TASK}");
        let reason = read.reason("background_tasks", &key);
        assert!(reason.starts_with(&format!("invalid {column}")), "{reason}");
        assert!(reason.contains(problem), "{reason}");
    }
    for (column, value, problem) in [
        ("status", "'maybe'", "give one of pending_approval"),
        ("confidence", "9e999", "invalid confidence"),
        ("confidence", "'high'", "give a number"),
        ("feedback_ids", "'[1]'", "give a JSON array of texts"),
        ("feedback_ids", "'[\"\"]'", "invalid feedback_ids"),
        ("metrics", "'[]'", "it is an array; give an object"),
        ("target_file", "''", "invalid target_file"),
        ("reviewed_at", "'soon'", "invalid reviewed_at"),
    ] {
        let sql = format!("update patch_requests set {column} = {value}");
        let read = read_utc(&[AI_PAL_PATCHES, PATCHES, &sql]);
        let reason = read.reason("patch_requests", &format!("request_id={PATCH}"));
        assert!(reason.contains(problem), "{column}: {reason}");
    }
}

#[test]
fn each_tenant_is_made_once_from_its_first_to_its_last_moment() {
    let read = read_utc(&[
        AI_PAL_TASKS,
        AI_PAL_PATCHES,
        TASKS,
        PATCHES,
        "insert into background_tasks (task_id, task_name, user_id, task_type, status, priority,
            created_at, attempts, max_retries)
        values ('a', 'n', 'ada', 't', 'pending', 5, '2026-02-01 00:00:00', 0, 3),
            ('b', 'n', 'bea', 't', 'nonsense', 5, '2026-02-01 00:00:00', 0, 3),
            ('c', 'n', null, 't', 'running', 5, '2026-02-03 00:00:00', 1, 3);",
    ]);
    let tenant = |id: &str, first: &str, last: &str| {
        json!({"record": "tenant", "id": id, "metadata": {},
            "created_at": first, "last_active_at": last})
    };
    assert_eq!(
        read.beyond(),
        [
            tenant(
                "ada",
                "2026-02-01T00:00:00.000000Z",
                "2026-02-05T15:17:47.500000Z"
            ),
            tenant(
                "default",
                "2026-02-03T00:00:00.000000Z",
                "2026-02-05T17:00:00.000001Z"
            ),
        ]
    );
}

#[test]
fn a_repeated_business_key_is_quarantined_where_it_comes_again() {
    let read = read_utc(&[
        "create table background_tasks (task_id, task_name, task_type, status, priority,
            created_at, attempts, max_retries);
        insert into background_tasks values
            ('a', 'n', 't', 'pending', 5, '2026-02-01 00:00:00', 0, 3),
            ('a', 'm', 't', 'pending', 5, '2026-02-01 00:00:00', 0, 3);",
    ]);
    let again = read.rows.iter().filter(|row| {
        matches!(&row.conversion, memory_storage::Conversion::Quarantined { reason }
            if reason.contains("a row before it has the same id"))
    });
    assert_eq!(again.count(), 1);
}
