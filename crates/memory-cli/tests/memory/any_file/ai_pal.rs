//! How seeds become rows of AI-PAL, and what is to stand for them.

use std::path::Path;

use serde_json::{Value, json};

use super::seed::{Cell, Seed};
use super::tables::{Made, Row, Sound, integer, null, real, texts};

const TABLES: &str = "
    create table ari_snapshots (snapshot_id, user_id, timestamp, decision_quality,
      skill_development, ai_reliance, bottleneck_resolution, user_confidence, engagement,
      autonomy_perception, autonomy_retention, delta_agency, task_description, task_complexity);
    create table ffe_goals (goal_id, user_id, created_at, description, importance,
      complexity_level, estimated_value, status, completed_at, deadline);
    create table background_tasks (task_id, task_name, user_id, task_type, status, priority,
      created_at, started_at, completed_at, result, error_message, error_traceback, attempts,
      max_retries, args, kwargs, celery_task_id);
    create table patch_requests (request_id, created_at, target_file, reasoning, diff,
      new_code_blob, component, improvement_type, confidence, status, reviewed_at, reviewed_by,
      review_comment, applied_at, application_error, feedback_ids, metrics);";

pub(super) fn make(path: &Path, [snapshots, goals, tasks, patches]: &[Vec<Seed>; 4]) -> Made {
    let mut made = Made::tables(path, TABLES);
    made.table("ari_snapshots", snapshots, snapshot);
    made.table("ffe_goals", goals, goal);
    made.table("background_tasks", tasks, task);
    made.table("patch_requests", patches, patch);
    made
}

fn id(table: u8, number: usize) -> String {
    format!("a1{table:06}-0000-4000-8000-{number:012}")
}

/// A user, and the tenant that it becomes.
pub(super) fn user(number: usize) -> (Cell, &'static str) {
    match number % 3 {
        0 => (null(), "default"),
        1 => (Cell::Value("ada".to_owned().into()), "ada"),
        _ => (Cell::Value("김 家".to_owned().into()), "김 家"),
    }
}

fn snapshot(number: usize, seed: &Seed) -> Row {
    let (user, tenant) = user(number);
    let at = &seed.times[0];
    let mut cells = texts(&[&id(1, number)]);
    cells.push(user);
    cells.extend(texts(&[&at.written]));
    cells.extend([real(seed.real), real(0.25)]);
    // Whole numbers too, as the system's columns give them back.
    cells.extend([3, 0, -7, 4, 5, 6].map(integer));
    cells.push(real(-0.5));
    cells.extend(texts(&[&seed.text, "high"]));
    Row {
        cells,
        sound: Sound {
            kind: "agency_snapshot",
            fields: vec![
                ("id", json!(id(1, number))),
                ("tenant_id", json!(tenant)),
                ("decision_quality", json!(seed.real)),
                ("skill_development", json!(0.25)),
                ("ai_reliance", json!(3.0)),
                ("user_confidence", json!(-7.0)),
                ("delta_agency", json!(-0.5)),
                ("task_description", json!(seed.text)),
                ("task_complexity", json!("high")),
                ("taken_at", json!(at.stands)),
            ],
            is_ruled: at.is_ruled,
        },
    }
}

fn goal(number: usize, seed: &Seed) -> Row {
    let (user, tenant) = user(number);
    let [created, deadline] = &seed.times;
    let mut cells = texts(&[&id(2, number)]);
    cells.push(user);
    cells.extend(texts(&[&created.written, &seed.text]));
    cells.push(integer(seed.integer));
    cells.extend(texts(&["complex"]));
    cells.push(real(seed.real));
    cells.extend(texts(&["in_progress"]));
    cells.push(null());
    cells.extend(texts(&[&deadline.written]));
    Row {
        cells,
        sound: Sound {
            kind: "goal",
            fields: vec![
                ("id", json!(id(2, number))),
                ("tenant_id", json!(tenant)),
                ("description", json!(seed.text)),
                ("importance", json!(seed.integer)),
                ("complexity", json!("complex")),
                ("estimated_value", json!(seed.real)),
                ("status", json!("in_progress")),
                ("deadline", json!(deadline.stands)),
                ("created_at", json!(created.stands)),
                ("completed_at", Value::Null),
            ],
            is_ruled: created.is_ruled || deadline.is_ruled,
        },
    }
}

fn task(number: usize, seed: &Seed) -> Row {
    let (user, tenant) = user(number);
    let [created, started] = &seed.times;
    // A text that is no JSON, or JSON.
    let is_plain = number.is_multiple_of(2);
    let result = format!("done: {}", seed.text);
    let mut cells = texts(&[&id(3, number), "index"]);
    cells.push(user);
    cells.extend(texts(&["batch", "running"]));
    cells.push(integer(seed.integer));
    cells.extend(texts(&[&created.written, &started.written]));
    cells.push(null());
    cells.extend(texts(&[
        if is_plain {
            &result
        } else {
            &seed.json.written
        },
        &seed.text,
        "",
    ]));
    cells.extend([integer(0), integer(i64::MAX)]);
    cells.extend(texts(&["[1, \"\\u00e9\"]", &seed.json.written, "celery"]));
    Row {
        cells,
        sound: Sound {
            kind: "task",
            fields: vec![
                ("id", json!(id(3, number))),
                ("tenant_id", json!(tenant)),
                ("name", json!("index")),
                ("task_type", json!("batch")),
                ("status", json!("running")),
                ("priority", json!(seed.integer)),
                ("attempts", json!(0)),
                ("max_retries", json!(i64::MAX)),
                (
                    "arguments",
                    json!({"args": [1, "é"], "kwargs": seed.json.stands}),
                ),
                (
                    "result",
                    if is_plain {
                        json!(result)
                    } else {
                        seed.json.stands.clone()
                    },
                ),
                ("error", json!(seed.text)),
                ("traceback", json!("")),
                ("external_id", json!("celery")),
                ("claimed_by", Value::Null),
                ("created_at", json!(created.stands)),
                ("started_at", json!(started.stands)),
                ("completed_at", Value::Null),
            ],
            is_ruled: is_plain || seed.json.is_ruled || created.is_ruled || started.is_ruled,
        },
    }
}

fn patch(number: usize, seed: &Seed) -> Row {
    let [created, reviewed] = &seed.times;
    let mut cells = texts(&[
        &id(4, number),
        &created.written,
        "src/김.rs",
        &seed.text,
        "--- a\n+++ b\n",
        &seed.text,
        "core",
        "speed",
    ]);
    cells.push(real(seed.real));
    cells.extend(texts(&["approved", &reviewed.written, "bea", &seed.text]));
    cells.extend([null(), null()]);
    cells.extend(texts(&["[\"f-1\", \"\\u00e9\"]", &seed.json.written]));
    Row {
        cells,
        sound: Sound {
            kind: "patch_request",
            fields: vec![
                ("id", json!(id(4, number))),
                ("tenant_id", json!("default")),
                ("target_file", json!("src/김.rs")),
                ("reasoning", json!(seed.text)),
                ("diff", json!("--- a\n+++ b\n")),
                ("new_code", json!(seed.text)),
                ("component", json!("core")),
                ("improvement_type", json!("speed")),
                ("confidence", json!(seed.real)),
                ("status", json!("approved")),
                ("reviewed_by", json!("bea")),
                ("review_comment", json!(seed.text)),
                ("application_error", Value::Null),
                ("feedback_ids", json!(["f-1", "é"])),
                ("metrics", seed.json.stands.clone()),
                ("created_at", json!(created.stands)),
                ("reviewed_at", json!(reviewed.stands)),
                ("applied_at", Value::Null),
            ],
            is_ruled: seed.json.is_ruled || created.is_ruled || reviewed.is_ruled,
        },
    }
}
