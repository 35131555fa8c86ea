//! Whatever is changed in a store after it was carried, `verify` finds it and names it.

use serde_json::Value;

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, tamper};
use crate::sources::{flux_rag, jarvis};

/// Two equal stores, `a.db` and a PostgreSQL.
fn twins() -> (Sandbox, Postgres) {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    sandbox.carry("flux.db", "a.db", &[]);
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("a.db", &postgres.url(), &[]);
    sandbox.assert_equal("a.db", &postgres.url());
    (sandbox, postgres)
}

/// The one difference, and the names of its fields.
fn difference(sandbox: &Sandbox, postgres: &Postgres) -> (Value, Vec<String>) {
    let (status, document) = sandbox.verify("a.db", &postgres.url());
    assert_eq!(status, 1);
    let found = document["verify"]["differences"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{document:#}");
    let fields = found[0]["fields"].as_array().cloned().unwrap_or_default();
    let names = fields
        .iter()
        .map(|field| field["field"].as_str().unwrap().to_owned());
    (found[0].clone(), names.collect())
}

#[test]
fn a_changed_value_is_found_on_either_side() {
    let (sandbox, postgres) = twins();
    postgres.execute(
        "update nodes set content = '{\"lines\": 11, \"ratio\": 0.1}' where key_id = 'src/main.rs'",
    );
    let (found, fields) = difference(&sandbox, &postgres);
    assert_eq!(found["difference"], "fields");
    assert_eq!(found["key"]["kind"], "node");
    assert_eq!(fields, ["content.lines"]);
    assert_eq!(
        (&found["fields"][0]["a"], &found["fields"][0]["b"]),
        (&"10".into(), &"11".into())
    );
    let change =
        "update nodes set content = '{\"lines\":11,\"ratio\":0.1}' where key_id = 'src/main.rs'";
    tamper(&sandbox.path("a.db"), change);
    sandbox.assert_equal("a.db", &postgres.url());
}

#[test]
fn swapped_ends_are_found() {
    let (sandbox, postgres) = twins();
    postgres.execute(
        "update relationships set from_id = to_id, to_id = from_id where kind = 'caused_bug'",
    );
    let (found, fields) = difference(&sandbox, &postgres);
    assert_eq!(found["key"]["kind"], "relationship");
    assert_eq!(fields, ["from", "to"]);
}

#[test]
fn a_microsecond_is_found() {
    let (sandbox, postgres) = twins();
    tamper(
        &sandbox.path("a.db"),
        "update messages set created_at = created_at + 1 where number = 2",
    );
    let (found, fields) = difference(&sandbox, &postgres);
    assert_eq!(fields, ["created_at"]);
    assert_eq!(found["fields"][0]["a"], "2024-01-01T00:00:02.500001Z");
    assert_eq!(found["fields"][0]["b"], "2024-01-01T00:00:02.500000Z");
}

#[test]
fn a_lost_and_an_added_record_are_found() {
    let (sandbox, postgres) = twins();
    postgres.execute("delete from relationships where kind = 'relates_to'");
    let (found, _) = difference(&sandbox, &postgres);
    assert_eq!(found["difference"], "missing_in_b");
    tamper(
        &sandbox.path("a.db"),
        "delete from relationships where kind = 'relates_to'",
    );
    sandbox.assert_equal("a.db", &postgres.url());
    tamper(
        &sandbox.path("a.db"),
        "delete from sessions where title = 'empty'",
    );
    let (found, _) = difference(&sandbox, &postgres);
    assert_eq!(found["difference"], "missing_in_a");
    assert_eq!(found["key"]["id"], "33333333-3333-4333-8333-333333333333");
}

#[test]
fn the_text_names_the_record_the_field_and_both_values() {
    let (sandbox, postgres) = twins();
    postgres.execute("update sessions set title = 'Bahn' where title = '기차'");
    let said = sandbox.run(&["verify", "a.db", &postgres.url()]);
    assert_eq!(said.status, 1);
    let named =
        "sessions ada/11111111-1111-4111-8111-111111111111:\n  title: a has 기차, b has Bahn";
    assert!(said.out.contains(named), "{}", said.out);
    assert!(said.out.contains("1 difference\n"), "{}", said.out);
}
