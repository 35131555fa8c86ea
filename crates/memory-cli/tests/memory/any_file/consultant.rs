//! How seeds become rows of consultant, and what is to stand for them.

use std::path::Path;

use serde_json::json;

use super::seed::{Cell, Seed};
use super::tables::{Made, Row, Sound, integer, real, referring, texts};

const TABLES: &str = "
    create table memory_threads (thread_id, created_at, last_activity, agent_name, task_id,
      metadata);
    create table memory_nodes (node_id, thread_id, content, context_type, summary, created_at,
      last_accessed, access_count, base_relevance, tags, metadata, entity_id, entity_type,
      entity_system);
    create table memory_relationships (id, from_node_id, to_node_id, relationship_type, strength,
      created_at, metadata);";

pub(super) fn make(path: &Path, seeds: &[Vec<Seed>; 4]) -> Made {
    let [threads, nodes, relationships, _] = seeds;
    let mut made = Made::tables(path, TABLES);
    let there = made.table("memory_threads", threads, |number, seed| {
        let [created, active] = &seed.times;
        let mut metadata = seed.json.stands.clone();
        metadata["agent_name"] = json!(seed.text);
        let thread = format!("thread {number}");
        let mut values = texts(&[&thread, &created.written, &active.written, &seed.text]);
        values.push(Cell::Value(rusqlite::types::Value::Null));
        values.extend(texts(&[&seed.json.written]));
        Row {
            cells: values,
            sound: Sound {
                kind: "tenant",
                fields: vec![
                    ("id", json!(thread)),
                    ("created_at", json!(created.stands)),
                    ("last_active_at", json!(active.stands)),
                    ("metadata", metadata),
                ],
                is_ruled: seed.json.is_ruled || created.is_ruled || active.is_ruled,
            },
        }
    });
    // A thread that a hostile row names keeps its nodes back, so sound ones are of sound threads.
    let thread = there
        .first()
        .map_or("alone".to_owned(), |number| format!("thread {number}"));
    let id = |number: usize| format!("90de0000-0000-4000-8000-{number:012}");
    let there = made.table("memory_nodes", nodes, |number, seed| {
        let [created, accessed] = &seed.times;
        let share = f64::from(u32::try_from(seed.pick % 1_001).unwrap()) / 1_000.0;
        let mut values = texts(&[
            &id(number),
            &thread,
            &seed.json.written,
            "tool_output",
            &seed.text,
            &created.written,
            &accessed.written,
        ]);
        values.extend([integer(seed.integer), real(share)]);
        let key = number.to_string();
        values.extend(texts(&[
            "[\"a\", \"\\u00e9\"]",
            "{}",
            &key,
            "Account",
            "crm",
        ]));
        Row {
            cells: values,
            sound: Sound {
                kind: "node",
                fields: vec![
                    ("id", json!(id(number))),
                    ("tenant_id", json!(thread)),
                    ("content", seed.json.stands.clone()),
                    ("summary", json!(seed.text)),
                    ("created_at", json!(created.stands)),
                    ("last_accessed_at", json!(accessed.stands)),
                    ("access_count", json!(seed.integer)),
                    ("base_relevance", json!(share)),
                    ("tags", json!(["a", "é"])),
                    ("key", json!({"system": "crm", "id": key})),
                ],
                is_ruled: seed.json.is_ruled || created.is_ruled || accessed.is_ruled,
            },
        }
    });
    made.table(
        "memory_relationships",
        referring(relationships, &there),
        |number, seed| {
            let from = there[seed.pick % there.len()];
            let to = there[seed.pick / 7 % there.len()];
            let kind = format!("kind {number}");
            let at = &seed.times[0];
            let mut values = vec![integer(1_000 + i64::try_from(number).unwrap())];
            values.extend(texts(&[&id(from), &id(to), &kind]));
            values.push(real(0.25));
            values.extend(texts(&[&at.written, &seed.json.written]));
            Row {
                cells: values,
                sound: Sound {
                    kind: "relationship",
                    fields: vec![
                        ("kind", json!(kind)),
                        ("from", json!(id(from))),
                        ("to", json!(id(to))),
                        ("strength", json!(0.25)),
                        ("metadata", seed.json.stands.clone()),
                        ("created_at", json!(at.stands)),
                    ],
                    is_ruled: seed.json.is_ruled || at.is_ruled,
                },
            }
        },
    );
    made
}
