//! How seeds become rows of flux-rag, and what is to stand for them.

use std::path::Path;

use serde_json::json;

use super::seed::Seed;
use super::tables::{Made, Row, Sound, referring, texts};

const TABLES: &str = "
    create table sessions (id, user_id, title, created_at, updated_at, metadata);
    create table messages (id, session_id, role, content, metadata, created_at);";

pub(super) fn make(path: &Path, [sessions, messages, ..]: &[Vec<Seed>; 4]) -> Made {
    let mut made = Made::tables(path, TABLES);
    let id = |number: usize| format!("5e551000-0000-4000-8000-{number:012}");
    let user = |number: usize| ["ada", "", "김 家"][number % 3];
    let tenant = |number: usize| ["ada", "default", "김 家"][number % 3];
    let there = made.table("sessions", sessions, |number, seed| {
        let [created, updated] = &seed.times;
        Row {
            cells: texts(&[
                &id(number),
                user(number),
                &seed.text,
                &created.written,
                &updated.written,
                &seed.json.written,
            ]),
            sound: Sound {
                kind: "session",
                fields: vec![
                    ("id", json!(id(number))),
                    ("tenant_id", json!(tenant(number))),
                    ("title", json!(seed.text)),
                    ("created_at", json!(created.stands)),
                    ("updated_at", json!(updated.stands)),
                    ("metadata", seed.json.stands.clone()),
                ],
                is_ruled: seed.json.is_ruled || created.is_ruled || updated.is_ruled,
            },
        }
    });
    made.table("messages", referring(messages, &there), |number, seed| {
        let of = there[seed.pick % there.len()];
        let message = format!("3e55a9e0-0000-4000-8000-{number:012}");
        let role = ["user", "assistant", "system"][seed.pick % 3];
        let at = &seed.times[0];
        Row {
            cells: texts(&[
                &message,
                &id(of),
                role,
                &seed.text,
                &seed.json.written,
                &at.written,
            ]),
            sound: Sound {
                kind: "message",
                fields: vec![
                    ("id", json!(message)),
                    ("session_id", json!(id(of))),
                    ("tenant_id", json!(tenant(of))),
                    ("role", json!(role)),
                    ("content", json!(seed.text)),
                    ("metadata", seed.json.stands.clone()),
                    ("created_at", json!(at.stands)),
                ],
                is_ruled: seed.json.is_ruled || at.is_ruled,
            },
        }
    });
    made
}
