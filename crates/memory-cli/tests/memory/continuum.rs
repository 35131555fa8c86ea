//! What CONTINUUM left behind, carried to both backends, looked at, and taken back.

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, ask, class, quarantine_lines, tamper};
use crate::sources::continuum;

/// The one table without a place may stay behind.
const ALLOWED: [&str; 2] = ["--allow-unmapped", "beliefs"];

/// The source, and both targets with the newest schema.
fn targets() -> (Sandbox, Postgres) {
    let sandbox = Sandbox::new();
    continuum(&sandbox.path("old.db"));
    assert_eq!(sandbox.run(&["migrate", "up", "--url", "a.db"]).status, 0);
    let postgres = Postgres::migrated(&sandbox);
    (sandbox, postgres)
}

#[test]
fn a_continuum_file_is_carried_whole_to_both_backends() {
    let (sandbox, postgres) = targets();
    for to in ["a.db".to_owned(), postgres.url()] {
        let document = sandbox.carry("old.db", &to, &ALLOWED);
        assert_eq!(document["report"]["source"]["kind"], "continuum");
        assert_eq!(document["report"]["source"]["settings"]["shape"], "later");
        for (table, classed, rows) in [
            ("tenants", "changed", 1),
            ("entities", "changed", 3),
            ("entities", "merged", 1),
            ("auto_messages", "carried", 3),
            ("messages", "merged", 1),
            ("messages", "changed", 1),
            ("attention_links", "changed", 2),
            ("compound_concepts", "changed", 1),
            ("decisions", "carried", 1),
            ("beliefs", "unmapped", 1),
        ] {
            assert_eq!(class(&document, table, classed), rows, "{table} {classed}");
        }
        let beyond: Vec<(&str, String)> = document["report"]["tables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|table| {
                (
                    table["table"].as_str().unwrap(),
                    table["beyond"].to_string(),
                )
            })
            .filter(|(_, beyond)| beyond != "{}")
            .collect();
        assert_eq!(
            beyond,
            [
                ("entities", r#"{"tenants":1}"#.to_owned()),
                ("auto_messages", r#"{"sessions":1}"#.to_owned()),
                ("messages", r#"{"messages":1}"#.to_owned()),
                ("attention_links", r#"{"nodes":1}"#.to_owned()),
            ]
        );
        let rules = document["report"]["rules"].as_array().unwrap();
        let mut rules: Vec<&str> = rules
            .iter()
            .map(|rule| rule["rule"].as_str().unwrap())
            .collect();
        rules.dedup();
        assert_eq!(
            rules,
            [
                "concept-of-same-name-merged",
                "missing-concept-made",
                "naive-time-read-as-utc",
                "null-tenant-became-unnamed-tenant",
                "turn-stands-in-auto-messages",
            ]
        );

        let again = sandbox.carry("old.db", &to, &ALLOWED);
        assert_eq!(again["report"]["outcome"], "nothing_to_carry");
        assert_eq!(class(&again, "auto_messages", "already_there"), 3);
        assert_eq!(class(&again, "messages", "already_there"), 1);
    }
    sandbox.assert_equal("a.db", &postgres.url());

    // What the values are, and not only that they are equal to each other.
    for ask in [&|sql: &str| postgres.ask(sql), &|sql: &str| {
        ask(&sandbox.path("a.db"), sql)
    }] as [&dyn Fn(&str) -> String; 2]
    {
        for (sql, wanted) in [
            ("select count(*) from messages", "5"),
            ("select message_count from sessions", "5"),
            ("select title from sessions", "ada-20251206-101112"),
            ("select content from messages where number = 1", "Rust 🦀?"),
            ("select content from messages where number = 5", "Too"),
            ("select role from messages where number = 2", "thinking"),
            ("select name from nodes where key_id = 'rust'", "Rust"),
            (
                "select content->'merged'->0->>'name' from nodes where key_id = 'rust'",
                "RUST",
            ),
            ("select name from nodes where key_id = 'async'", "Async"),
            ("select tenant_id from nodes where key_id = 'go'", "default"),
            (
                "select count(*) from relationships where strength = 0.25",
                "1",
            ),
            ("select occurrences from compounds", "3"),
            ("select text from decisions", "Use Rust"),
        ] {
            assert_eq!(ask(sql), wanted, "{sql}");
        }
    }
    let at = "select created_at from messages where number = 1";
    assert_eq!(ask(&sandbox.path("a.db"), at), "1765015872123456");
}

#[test]
fn what_was_carried_is_taken_back_exactly() {
    let (sandbox, postgres) = targets();
    sandbox.run(&["migrate", "up", "--url", "empty.db"]);
    for to in ["a.db".to_owned(), postgres.url()] {
        sandbox.carry("old.db", &to, &ALLOWED);
        let (_, runs) = sandbox.json(&["migrate", "runs", "--url", &to]);
        let run = runs["runs"][0]["id"].as_str().unwrap();
        let (status, document) = sandbox.json(&["migrate", "rollback", run, "--url", &to]);
        assert_eq!(status, 0, "{document:#}");
        let removed = &document["rollback"]["removed"];
        assert_eq!(
            (&removed["messages"], &removed["nodes"]),
            (&5.into(), &4.into())
        );
        sandbox.assert_equal("empty.db", &to);
    }
}

#[test]
fn one_tenant_is_carried_and_the_others_are_counted() {
    let (sandbox, postgres) = targets();
    for to in ["a.db".to_owned(), postgres.url()] {
        let options = [&ALLOWED[..], &["--tenant", "default"]].concat();
        let document = sandbox.carry("old.db", &to, &options);
        assert_eq!(class(&document, "entities", "changed"), 1);
        assert_eq!(class(&document, "entities", "not_selected"), 3);
        assert_eq!(class(&document, "messages", "not_selected"), 2);
        assert_eq!(document["report"]["verification"]["records"], 2);
        let options = [&ALLOWED[..], &["--tenant", "ada"]].concat();
        let document = sandbox.carry("old.db", &to, &options);
        assert_eq!(class(&document, "entities", "changed"), 2);
    }
    sandbox.carry("old.db", "all.db", &ALLOWED);
    sandbox.assert_equal("all.db", "a.db");
    sandbox.assert_equal("all.db", &postgres.url());
}

#[test]
fn tables_are_carried_one_after_the_other() {
    let (sandbox, _postgres) = targets();
    for table in [
        "entities",
        "auto_messages,messages",
        "attention_links",
        "compound_concepts",
        "decisions",
    ] {
        sandbox.carry("old.db", "a.db", &["--table", table]);
    }
    sandbox.carry("old.db", "all.db", &ALLOWED);
    sandbox.assert_equal("all.db", "a.db");
}

#[test]
fn a_turn_of_a_session_that_stands_is_quarantined_with_its_reply_and_stays_so() {
    let (sandbox, postgres) = targets();
    for to in ["a.db".to_owned(), postgres.url()] {
        sandbox.carry("old.db", &to, &ALLOWED);
    }
    tamper(
        &sandbox.path("old.db"),
        "insert into messages values
        (3, 'And now?', 'Later', 'ada-20251206-101112', '2025-12-06T10:13:00', 'ada', '{}')",
    );
    for to in ["a.db".to_owned(), postgres.url()] {
        let file = sandbox.path("q.jsonl");
        let options = [&ALLOWED[..], &["--quarantine-file", "q.jsonl"]].concat();
        let (status, document) = sandbox.transfer("old.db", &to, &options);
        assert_eq!(status, 1, "{document:#}");
        assert_eq!(document["report"]["outcome"], "nothing_to_carry");
        assert_eq!(class(&document, "messages", "quarantined"), 1);
        let line = &quarantine_lines(&file)[0];
        let reason = line["reason"].as_str().unwrap();
        assert!(
            reason.contains("number 7 lies beyond the message count 5"),
            "{reason}"
        );
        let (status, document) = sandbox.json(&["migrate", "--replay", "q.jsonl", "--to", &to]);
        assert_eq!(status, 1, "{document:#}");
        let reason = &document["report"]["quarantined"]["first"][0]["reason"];
        let reason = reason.as_str().unwrap();
        assert!(
            reason.contains("never changes a session that stands"),
            "{reason}"
        );
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(
        ask(&sandbox.path("a.db"), "select count(*) from messages"),
        "5"
    );
    assert_eq!(postgres.ask("select count(*) from messages"), "5");
}

#[test]
fn a_zone_that_is_given_decides_which_turns_stand_already() {
    let (sandbox, _postgres) = targets();
    let options = [&ALLOWED[..], &["--source-timezone", "Europe/Berlin"]].concat();
    let document = sandbox.carry("old.db", "a.db", &options);
    // An hour earlier the texts were not yet said.
    assert_eq!(class(&document, "messages", "merged"), 0);
    assert_eq!(class(&document, "messages", "changed"), 2);
    let at = "select created_at from nodes where key_id = 'go'";
    assert_eq!(ask(&sandbox.path("a.db"), at), "1765012275000000");
}
