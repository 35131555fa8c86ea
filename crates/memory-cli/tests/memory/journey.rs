//! The whole way: old files into SQLite, on to PostgreSQL, and back.

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, ask, class};
use crate::sources::{flux_rag, jarvis};

/// Both old files, carried into one SQLite store, `a.db`.
fn filled() -> Sandbox {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    sandbox.carry("flux.db", "a.db", &[]);
    sandbox
}

#[test]
fn old_files_go_to_sqlite_to_postgres_and_back_unchanged() {
    let sandbox = filled();
    let postgres = Postgres::new();
    let document = sandbox.carry("a.db", &postgres.url(), &["--create-schema"]);
    assert_eq!(class(&document, "nodes", "carried"), 5);
    assert_eq!(class(&document, "relationships", "carried"), 4);
    assert_eq!(class(&document, "missions", "carried"), 1);
    assert_eq!(class(&document, "file_snapshots", "carried"), 1);
    assert_eq!(class(&document, "sessions", "carried"), 3);
    assert_eq!(class(&document, "messages", "carried"), 4);
    assert_eq!(document["report"]["verification"]["records"], 21);
    sandbox.carry(&postgres.url(), "sqlite://b.db", &[]);
    sandbox.assert_equal("a.db", &postgres.url());
    sandbox.assert_equal(&postgres.url(), "b.db");
    sandbox.assert_equal("a.db", "b.db");

    // What the values are, and not only that they are equal to each other.
    let node = "from nodes where key_system = 'file' and key_id = 'src/main.rs'";
    for ask in [&|sql: &str| postgres.ask(sql), &|sql: &str| {
        ask(&sandbox.path("b.db"), sql)
    }] as [&dyn Fn(&str) -> String; 2]
    {
        assert_eq!(ask(&format!("select content->>'lines' {node}")), "10");
        assert_eq!(ask(&format!("select content->>'ratio' {node}")), "0.1");
        let big = "select content->>'big' from nodes where key_id = 'A + B + C'";
        assert_eq!(ask(big), "9007199254740993");
        let parallel = "select count(*) from relationships where kind = 'worked_on'";
        assert_eq!(ask(parallel), "2");
        assert_eq!(
            ask("select cost_usd from missions where key = 'm-1'"),
            "0.1234"
        );
        let size = "select size_bytes from file_snapshots where mission_key = 'm-1'";
        assert_eq!(ask(size), "4294967296");
        let text = "select content from messages where number = 3";
        assert_eq!(ask(text), "tab\tand \\N and \\\\");
        let tenants = "select count(*) from tenants where id in ('ada', 'bob', 'default')";
        assert_eq!(ask(tenants), "3");
    }
    let micros = "select created_at from nodes where key_id = 'src/main.rs'";
    assert_eq!(ask(&sandbox.path("b.db"), micros), "1709287200123456");
    let micros = "select (extract(epoch from created_at) * 1000000)::bigint from nodes \
                  where key_id = 'src/main.rs'";
    assert_eq!(postgres.ask(micros), "1709287200123456");
}

#[test]
fn old_files_go_to_postgres_at_once() {
    let sandbox = filled();
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("flux.db", &postgres.url(), &[]);
    sandbox.carry("jarvis.db", &postgres.url(), &[]);
    sandbox.assert_equal("a.db", &postgres.url());
}

#[test]
fn a_second_run_carries_nothing_says_so_and_leaves_no_run() {
    let sandbox = filled();
    let postgres = Postgres::migrated(&sandbox);
    for (from, to) in [
        ("jarvis.db", "a.db".to_owned()),
        ("flux.db", "a.db".to_owned()),
        ("a.db", postgres.url()),
    ] {
        sandbox.transfer(from, &to, &[]);
        let runs = || sandbox.json(&["migrate", "runs", "--url", &to]).1["runs"].clone();
        let before = runs();
        let document = sandbox.carry(from, &to, &[]);
        assert_eq!(document["report"]["outcome"], "nothing_to_carry");
        for table in document["report"]["tables"].as_array().unwrap() {
            let classes = &table["classes"];
            let rows = table["rows"].as_u64().unwrap();
            let left = classes["unmapped"].as_u64().unwrap();
            assert_eq!(
                classes["already_there"].as_u64().unwrap(),
                rows - left,
                "{table:#}"
            );
        }
        assert_eq!(runs(), before);
        let said = sandbox.run(&["migrate", "--from", from, "--to", &to]);
        assert!(said.out.contains("carried nothing"), "{}", said.out);
    }
    assert!(sandbox.quarantine_files().is_empty());
}

#[test]
fn the_size_of_the_batches_makes_no_difference() {
    let sandbox = filled();
    for size in ["1", "2", "10000"] {
        let to = format!("size-{size}.db");
        sandbox.carry("a.db", &to, &["--batch-size", size]);
        sandbox.assert_equal("a.db", &to);
    }
}

#[test]
fn the_source_is_never_changed() {
    let sandbox = filled();
    for source in ["jarvis.db", "flux.db", "a.db"] {
        let before = std::fs::read(sandbox.path(source)).unwrap();
        let (status, _) = sandbox.transfer(source, &format!("to-{source}"), &[]);
        assert!(status < 2);
        assert_eq!(
            std::fs::read(sandbox.path(source)).unwrap(),
            before,
            "{source}"
        );
    }
}
