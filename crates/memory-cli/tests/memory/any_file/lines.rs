//! How seeds become lines of AI-PAL's audit log and of flux-rag's feedback, and what is to stand for
//! them.

use std::path::Path;

use serde_json::{Value, json};

use super::ai_pal::user;
use super::seed::{Cell, Seed};
use super::tables::{Made, Row, Sound, integer, null, texts};

const AUDIT: &[&str] = &[
    "event_type",
    "severity",
    "timestamp",
    "user_id",
    "session_id",
    "component",
    "action",
    "details",
    "result",
    "ip_address",
    "resource",
];

const FEEDBACK: &[&str] = &[
    "id",
    "message_id",
    "session_id",
    "rating",
    "comment",
    "corrected_answer",
    "created_at",
];

pub(super) fn audit(path: &Path, seeds: &[Vec<Seed>; 4]) -> Made {
    let mut made = Made::lines(path, AUDIT);
    made.table("audit", &seeds.concat(), event);
    made
}

pub(super) fn feedback(path: &Path, seeds: &[Vec<Seed>; 4]) -> Made {
    let mut made = Made::lines(path, FEEDBACK);
    made.table("feedback", &seeds.concat(), answer);
    made
}

fn event(number: usize, seed: &Seed) -> Row {
    let (user, tenant) = user(number);
    let at = &seed.times[0];
    let severity = ["info", "warning", "CRITICAL"][seed.pick % 3];
    // By it one event is told from another.
    let resource = format!("{number} {}", seed.text);
    let mut cells = texts(&["gate", severity, &at.written]);
    cells.push(user);
    cells.extend(texts(&["s-1", &seed.text, ""]));
    cells.push(Cell::Json(seed.json.written.clone()));
    cells.extend([null(), null()]);
    cells.extend(texts(&[&resource]));
    Row {
        cells,
        sound: Sound {
            kind: "audit_event",
            fields: vec![
                ("resource", json!(resource)),
                ("tenant_id", json!(tenant)),
                ("event_type", json!("gate")),
                ("severity", json!(severity.to_lowercase())),
                ("session_id", json!("s-1")),
                ("actor", Value::Null),
                ("component", json!(seed.text)),
                ("action", json!("")),
                ("details", seed.json.stands.clone()),
                ("result", Value::Null),
                ("ip_address", Value::Null),
                ("at", json!(at.stands)),
            ],
            is_ruled: severity == "CRITICAL" || seed.json.is_ruled || at.is_ruled,
        },
    }
}

fn answer(number: usize, seed: &Seed) -> Row {
    let id = format!("feedbac0-0000-4000-8000-{number:012}");
    let message = "3e55a9e0-0000-4000-8000-000000000001";
    // The same UUID, spelled as a rule respells it.
    let is_upper = seed.pick.is_multiple_of(4);
    let at = &seed.times[0];
    let mut cells = texts(&[
        &id,
        &if is_upper {
            message.to_uppercase()
        } else {
            message.to_owned()
        },
    ]);
    cells.extend([null(), integer(seed.integer)]);
    cells.extend(texts(&[&seed.text, "", &at.written]));
    Row {
        cells,
        sound: Sound {
            kind: "feedback",
            fields: vec![
                ("id", json!(id)),
                ("tenant_id", json!("default")),
                ("message_id", json!(message)),
                ("session_id", Value::Null),
                ("rating", json!(seed.integer)),
                ("comment", json!(seed.text)),
                ("correction", json!("")),
                ("created_at", json!(at.stands)),
            ],
            is_ruled: is_upper || at.is_ruled,
        },
    }
}
