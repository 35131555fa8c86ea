//! A store whose schema is newer than the program, or older.

use serde_json::{Value, json};

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, tamper};
use crate::sources::jarvis;

const NEWER: &str = "insert into __diesel_schema_migrations (version) values ('29990101000001')";

/// `a.db`, and a schema of a server, both brought up by a program of the future.
fn newer() -> (Sandbox, Postgres) {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["migrate", "--url", "a.db"]).status, 0);
    tamper(&sandbox.path("a.db"), NEWER);
    let postgres = Postgres::migrated(&sandbox);
    postgres.execute(NEWER);
    (sandbox, postgres)
}

#[test]
fn a_newer_schema_is_a_finding_and_nothing_is_written() {
    let (sandbox, postgres) = newer();
    for url in ["a.db", &postgres.url()] {
        let (status, document) = sandbox.json(&["check", "--full", "--url", url]);
        assert_eq!(status, 1, "{document:#}");
        assert_eq!(document["check"]["unknown"], json!(["29990101000001"]));
        assert_eq!(document["check"]["pending"], json!([]));
        assert_eq!(document["check"]["round"], Value::Null);
        let said = sandbox.run(&["check", "--full", "--url", url]);
        assert!(said.out.contains("use a newer program"), "{said:?}");
        assert!(said.out.contains("the round was left out"), "{said:?}");
        assert!(!said.out.contains("is the newest"), "{said:?}");
        let said = sandbox.run(&["optimize", "--url", url]);
        said.assert_failed(3, &["29990101000001", "use a newer program"]);
    }
}

#[test]
fn for_a_newer_schema_nobody_is_told_to_bring_it_up() {
    let (sandbox, postgres) = newer();
    jarvis(&sandbox.path("jarvis.db"));
    for url in ["a.db", &postgres.url()] {
        for args in [
            &["migrate", "up", "--url", url][..],
            &["migrate", "--from", "jarvis.db", "--to", url],
            &[
                "migrate",
                "--from",
                "jarvis.db",
                "--to",
                url,
                "--create-schema",
            ],
            &["migrate", "--from", "jarvis.db", "--to", url, "--dry-run"],
        ] {
            let said = sandbox.run(args);
            said.assert_failed(3, &["newer"]);
            assert!(!said.err.contains("migrate up"), "{args:?}: {said:?}");
            assert!(!said.err.contains("--create-schema"), "{args:?}: {said:?}");
        }
    }
}

/// A store that lacks its last migration.
fn older(sandbox: &Sandbox, url: &str) {
    assert_eq!(sandbox.run(&["migrate", "--url", url]).status, 0);
    assert_eq!(sandbox.run(&["migrate", "down", "--url", url]).status, 0);
}

#[test]
fn what_is_to_be_typed_names_the_store() {
    let sandbox = Sandbox::new();
    older(&sandbox, "./o l.db");
    let up = "`memory migrate up --url sqlite://./o%20l.db`";
    for args in [
        &["check", "--url", "./o l.db"][..],
        &["migrate", "status", "--url", "./o l.db"],
    ] {
        let said = sandbox.run(args);
        assert_eq!(said.status, 1, "{said:?}");
        assert!(said.out.contains(up), "{said:?}");
    }
    let said = sandbox.run(&["optimize", "--url", "./o l.db"]);
    said.assert_failed(3, &[up]);
    let said = sandbox.run(&["check", "--url", "none.db"]);
    said.assert_failed(3, &["`memory migrate --url sqlite://none.db`"]);
    let typed = ["migrate", "up", "--url", "sqlite://./o%20l.db"];
    assert_eq!(sandbox.run(&typed).status, 0);
    assert_eq!(sandbox.run(&["check", "--url", "./o l.db"]).status, 0);
    assert!(!sandbox.has("memory.db"));
}

#[test]
fn what_is_carried_into_a_store_brings_its_schema_up_only_if_asked() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    sandbox.carry("jarvis.db", "new.db", &[]);
    let export = ["export", "--url", "new.db", "--to", "new.jsonl"];
    assert_eq!(sandbox.run(&export).status, 0);
    for args in [
        &["migrate", "--from", "jarvis.db", "--to", "old.db"][..],
        &["import", "new.jsonl", "--url", "old.db"],
    ] {
        older(&sandbox, "old.db");
        sandbox.run(args).assert_failed(3, &["--create-schema"]);
        let status = ["migrate", "status", "--url", "old.db"];
        assert_eq!(sandbox.run(&status).status, 1, "{args:?}");
        let asked = sandbox.run(&[args, &["--create-schema"]].concat());
        assert_eq!(asked.status, 0, "{asked:?}");
        assert_eq!(sandbox.run(&status).status, 0);
    }
}
