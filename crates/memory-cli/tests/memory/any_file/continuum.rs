//! How seeds become rows of CONTINUUM, and what is to stand for them.

use std::path::Path;

use serde_json::json;

use super::seed::{Cell, Seed};
use super::tables::{Made, Row, Sound, integer, real, referring, texts};

const TABLES: &str = "
    create table entities (id, name, entity_type, description, created_at, last_seen, metadata,
      tenant_id);
    create table auto_messages (id, instance_id, timestamp, message_number, role, content,
      metadata, tenant_id);
    create table decisions (id, instance_id, timestamp, decision_text, context, extracted_from,
      tenant_id);
    create table attention_links (id, concept_a, concept_b, link_type, strength, created_at,
      last_accessed, tenant_id);
    create table compound_concepts (id, compound_name, component_concepts, co_occurrence_count,
      last_seen, tenant_id);";

pub(super) fn make(path: &Path, seeds: &[Vec<Seed>; 4]) -> Made {
    let [entities, messages, decisions, links] = seeds;
    let mut made = Made::tables(path, TABLES);
    // Names of which none is another's in other letters.
    let name = |number: usize| format!("{number} {}", entities[number].text);
    let there = made.table("entities", entities, |number, seed| {
        let [created, seen] = &seed.times;
        let mut values = vec![id(number)];
        values.extend(texts(&[
            &name(number),
            "concept",
            &seed.text,
            &created.written,
            &seen.written,
            &seed.json.written,
            "ada",
        ]));
        Row {
            cells: values,
            sound: Sound {
                kind: "node",
                fields: vec![
                    ("name", json!(name(number))),
                    ("tenant_id", json!("ada")),
                    ("summary", json!(seed.text)),
                    ("metadata", seed.json.stands.clone()),
                    ("created_at", json!(created.stands)),
                    ("updated_at", json!(seen.stands)),
                ],
                is_ruled: seed.json.is_ruled || created.is_ruled || seen.is_ruled,
            },
        }
    });
    made.table("auto_messages", messages, message);
    made.table("decisions", decisions, decision);
    made.table(
        "attention_links",
        referring(links, &there),
        |number, seed| {
            let from = there[seed.pick % there.len()];
            let to = there[seed.pick / 7 % there.len()];
            let kind = format!("kind {number}");
            let [created, accessed] = &seed.times;
            let mut values = vec![id(number)];
            values.extend(texts(&[&name(from), &name(to), &kind]));
            values.push(real(0.25));
            values.extend(texts(&[&created.written, &accessed.written, "ada"]));
            Row {
                cells: values,
                sound: Sound {
                    kind: "relationship",
                    fields: vec![
                        ("kind", json!(kind)),
                        ("strength", json!(0.25)),
                        ("directed", json!(false)),
                        ("created_at", json!(created.stands)),
                        ("last_reinforced_at", json!(accessed.stands)),
                    ],
                    is_ruled: created.is_ruled || accessed.is_ruled,
                },
            }
        },
    );
    made
}

/// A message of a session of its own, so that no hostile one takes its number.
fn message(number: usize, seed: &Seed) -> Row {
    let session = format!("ada-{number}");
    let mut values = vec![id(number)];
    values.extend(texts(&[&session]));
    values.extend([epoch(seed), integer(1)]);
    values.extend(texts(&[
        "user",
        &format!("{number} {}", seed.text),
        &seed.json.written,
        "ada",
    ]));
    Row {
        cells: values,
        sound: Sound {
            kind: "message",
            fields: vec![
                ("content", json!(format!("{number} {}", seed.text))),
                ("number", json!(1)),
                ("role", json!("user")),
                ("metadata", seed.json.stands.clone()),
                ("created_at", json!(seed.times[0].stands)),
            ],
            is_ruled: seed.json.is_ruled,
        },
    }
}

fn decision(number: usize, seed: &Seed) -> Row {
    let text = format!("{number} {}", seed.text);
    let mut values = vec![id(number)];
    values.extend(texts(&["ada-1"]));
    values.push(epoch(seed));
    values.extend(texts(&[&text, &seed.text, "", "ada"]));
    Row {
        cells: values,
        sound: Sound {
            kind: "decision",
            fields: vec![
                ("text", json!(text)),
                ("session_id", json!("ada-1")),
                ("context", json!(seed.text)),
                ("extracted_from", json!("")),
                ("decided_at", json!(seed.times[0].stands)),
            ],
            is_ruled: false,
        },
    }
}

fn id(number: usize) -> Cell {
    integer(1_000 + i64::try_from(number).unwrap())
}

/// The first time as seconds since 1970.
#[expect(
    clippy::cast_precision_loss,
    reason = "up to the year 2100 the microseconds fit a double's 53 bits"
)]
fn epoch(seed: &Seed) -> Cell {
    let moment: memory_core::Timestamp = seed.times[0].stands.parse().unwrap();
    real(moment.micros() as f64 / 1e6)
}
