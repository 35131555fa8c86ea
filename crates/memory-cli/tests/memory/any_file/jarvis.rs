//! How seeds become rows of JARVIS, and what is to stand for them.

use std::path::Path;

use serde_json::json;

use super::seed::Seed;
use super::tables::{Made, Row, Sound, integer, real, referring, texts};

const TABLES: &str = "
    create table entities (id, type, name, metadata, created_at, updated_at);
    create table relationships (id, from_id, to_id, type, metadata, created_at);
    create table mission_history (id, mission_id, status, domain, cost_usd, iterations,
      duration_seconds, files_modified, metadata, created_at);
    create table file_snapshots (id, file_path, mission_id, size_bytes, lines_of_code, hash,
      created_at, metadata);";

pub(super) fn make(path: &Path, seeds: &[Vec<Seed>; 4]) -> Made {
    let [entities, relationships, missions, snapshots] = seeds;
    let mut made = Made::tables(path, TABLES);
    let name = |number: usize| format!("{number} {}", entities[number].text);
    let there = made.table("entities", entities, |number, seed| {
        let [created, updated] = &seed.times;
        let mut values = vec![integer(id(number))];
        values.extend(texts(&[
            "file",
            &name(number),
            &seed.json.written,
            &created.written,
            &updated.written,
        ]));
        Row {
            cells: values,
            sound: Sound {
                kind: "node",
                fields: vec![
                    ("name", json!(name(number))),
                    ("key", json!({"system": "file", "id": name(number)})),
                    ("content", seed.json.stands.clone()),
                    ("created_at", json!(created.stands)),
                    ("updated_at", json!(updated.stands)),
                ],
                is_ruled: seed.json.is_ruled || created.is_ruled || updated.is_ruled,
            },
        }
    });
    made.table(
        "relationships",
        referring(relationships, &there),
        |number, seed| {
            let from = there[seed.pick % there.len()];
            let to = there[seed.pick / 7 % there.len()];
            let kind = format!("kind {number}");
            let at = &seed.times[0];
            let mut values = vec![integer(id(number)), integer(id(from)), integer(id(to))];
            values.extend(texts(&[&kind, &seed.json.written, &at.written]));
            Row {
                cells: values,
                sound: Sound {
                    kind: "relationship",
                    fields: vec![
                        ("kind", json!(kind)),
                        // By the names of the nodes that its ends are.
                        ("from_name", json!(name(from))),
                        ("to_name", json!(name(to))),
                        ("metadata", seed.json.stands.clone()),
                        ("created_at", json!(at.stands)),
                    ],
                    is_ruled: seed.json.is_ruled || at.is_ruled,
                },
            }
        },
    );
    made.table("mission_history", missions, mission);
    made.table("file_snapshots", snapshots, snapshot);
    made
}

fn mission(number: usize, seed: &Seed) -> Row {
    let key = format!("{number} {}", seed.text);
    let at = &seed.times[0];
    let mut values = vec![integer(id(number))];
    values.extend(texts(&[&key, "success", &seed.text]));
    values.extend([
        real(seed.real),
        integer(seed.integer),
        real(0.5),
        integer(-1),
    ]);
    values.extend(texts(&[&seed.json.written, &at.written]));
    Row {
        cells: values,
        sound: Sound {
            kind: "mission",
            fields: vec![
                ("key", json!(key)),
                ("domain", json!(seed.text)),
                ("cost_usd", json!(seed.real)),
                ("iterations", json!(seed.integer)),
                ("duration_seconds", json!(0.5)),
                ("files_modified", json!(-1)),
                ("metadata", seed.json.stands.clone()),
                ("created_at", json!(at.stands)),
            ],
            is_ruled: seed.json.is_ruled || at.is_ruled,
        },
    }
}

fn snapshot(number: usize, seed: &Seed) -> Row {
    let path = format!("{number}/{}", seed.text);
    let at = &seed.times[0];
    let mut values = vec![integer(id(number))];
    values.extend(texts(&[&path, "m-1"]));
    values.extend([integer(seed.integer), integer(7)]);
    values.extend(texts(&[&seed.text, &at.written, &seed.json.written]));
    Row {
        cells: values,
        sound: Sound {
            kind: "file_snapshot",
            fields: vec![
                ("path", json!(path)),
                ("mission_key", json!("m-1")),
                ("size_bytes", json!(seed.integer)),
                ("lines_of_code", json!(7)),
                ("hash", json!(seed.text)),
                ("metadata", seed.json.stands.clone()),
                ("taken_at", json!(at.stands)),
            ],
            is_ruled: seed.json.is_ruled || at.is_ruled,
        },
    }
}

fn id(number: usize) -> i64 {
    1_000 + 7 * i64::try_from(number).unwrap()
}
