//! The schema up and down.

use crate::conversation::say;
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, tamper};
use crate::sources::{flux_rag, jarvis};

#[test]
fn migrate_alone_makes_the_default_store_and_prints_its_state() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["migrate"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("sqlite://memory.db"), "{}", said.out);
    assert!(said.out.contains("up to date"), "{}", said.out);
    assert!(sandbox.has("memory.db"));
    let again = sandbox.run(&["migrate"]);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
}

#[test]
fn memory_url_names_the_store() {
    let sandbox = Sandbox::new().with_variable("MEMORY_URL", "sqlite://mine.db");
    assert_eq!(sandbox.run(&["migrate"]).status, 0);
    assert!(sandbox.has("mine.db") && !sandbox.has("memory.db"));
    assert_eq!(sandbox.run(&["migrate", "status"]).status, 0);
}

#[test]
fn database_url_is_not_acted_on_and_that_is_said() {
    let sandbox = Sandbox::new().with_variable("DATABASE_URL", "sqlite://theirs.db");
    let said = sandbox.run(&["migrate"]);
    assert_eq!(said.status, 0);
    assert!(said.err.contains("DATABASE_URL"), "{}", said.err);
    assert!(sandbox.has("memory.db") && !sandbox.has("theirs.db"));
    let (_, document) = sandbox.json(&["migrate", "status"]);
    assert!(
        document["notes"][0]
            .as_str()
            .unwrap()
            .contains("DATABASE_URL")
    );
}

#[test]
fn looking_makes_no_store() {
    let sandbox = Sandbox::new();
    for command in ["status", "down", "redo", "runs"] {
        let said = sandbox.run(&["migrate", command, "--url", "none.db"]);
        said.assert_failed(3, &["none.db", "is not there"]);
    }
    sandbox
        .run(&["verify", "none.db", "none.db"])
        .assert_failed(3, &["none.db"]);
    assert!(!sandbox.has("none.db"));
}

#[test]
fn up_down_up_on_both_backends() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::new();
    for url in ["m.db".to_owned(), postgres.url()] {
        let migrate = |args: &[&str]| {
            let (status, document) = sandbox.json(&[&["migrate"], args, &["--url", &url]].concat());
            (status, document["schema"].clone())
        };
        let (status, up) = migrate(&["up"]);
        assert_eq!(status, 0, "{up:#}");
        let applied = up["applied"].as_array().unwrap().clone();
        assert!(!applied.is_empty());
        let (_, down) = migrate(&["down"]);
        assert_eq!(down["reverted"][0], *applied.last().unwrap());
        assert_eq!(migrate(&["status"]).0, 1);
        let (_, up) = migrate(&["up"]);
        assert_eq!(up["applied"].as_array().unwrap().len(), 1);
        assert_eq!(migrate(&["status"]).0, 0);
        let all = applied.len().to_string();
        let (_, redo) = migrate(&["redo", "--steps", &all]);
        assert_eq!(redo["reverted"].as_array().unwrap().len(), applied.len());
        assert_eq!(redo["applied"], serde_json::json!(applied));
        let (_, down) = migrate(&["down", "--steps", &all]);
        let left = down["migrations"].as_array().unwrap();
        assert!(left.iter().all(|state| state["applied"] == false));
    }
}

#[test]
fn rows_are_deleted_only_with_force() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    flux_rag(&sandbox.path("flux.db"));
    let postgres = Postgres::migrated(&sandbox);
    for url in ["m.db".to_owned(), postgres.url()] {
        sandbox.carry("jarvis.db", &url, &[]);
        sandbox.carry("flux.db", &url, &[]);
        // Conversations and the graph are the first two.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
        let later = (std::fs::read_dir(folder).unwrap().count() - 2).to_string();
        for command in ["down", "redo"] {
            let said = sandbox.run(&["migrate", command, "--steps", &later, "--url", &url]);
            let held = ["2 transfer runs", "1 mission", "1 file snapshot", "--force"];
            said.assert_failed(1, &held);
            let said = sandbox.run(&["migrate", command, "--steps", "99", "--url", &url]);
            let held = [
                "5 nodes",
                "4 relationships",
                "1 mission",
                "1 file snapshot",
                "3 sessions",
                "4 messages",
                "3 tenants",
            ];
            said.assert_failed(1, &held);
        }
        let (status, _) = sandbox.verify(&url, &url);
        assert_eq!(status, 0);
        let args = ["migrate", "redo", "--steps", "99", "--force", "--url", &url];
        assert_eq!(sandbox.run(&args).status, 0);
        let (_, verified) = sandbox.verify(&url, &url);
        for table in verified["verify"]["tables"].as_array().unwrap() {
            assert_eq!(table["equal"], 0);
        }
    }
}

/// `memory-migrate` counts what a migration's tables hold by the migration's name; one that it does
/// not know is taken to hold everything, which refuses more than it must.
#[test]
fn a_migration_without_rows_is_reverted_without_force() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::migrated(&sandbox);
    let file = sandbox.path("m.db").to_string_lossy().into_owned();
    for url in [file, postgres.url()] {
        assert_eq!(sandbox.run(&["migrate", "up", "--url", &url]).status, 0);
        say(&url, "ada", None);
        let down = |steps: &str| sandbox.run(&["migrate", "down", "--steps", steps, "--url", &url]);
        // Conversations, which are the first, hold something; nothing else does.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
        let migrations = std::fs::read_dir(folder).unwrap().count();
        let all = migrations.to_string();
        down(&all).assert_failed(1, &["1 session", "1 message", "1 tenant"]);
        assert_eq!(down("1").status, 0);
        assert_eq!(down(&(migrations - 2).to_string()).status, 0);
        down("1").assert_failed(1, &["1 session"]);
    }
}

#[test]
fn an_index_for_search_that_was_cut_off_is_told_until_it_is_made() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    let postgres = Postgres::migrated(&sandbox);
    // As it stands when `up` was cut off behind the first of four messages.
    let cut_off = "insert into search_backlog (owner, after_tenant, after_id)
        select 'messages', tenant_id, id from messages order by tenant_id, id limit 1";
    for url in ["a.db".to_owned(), postgres.url()] {
        sandbox.carry("flux.db", &url, &[]);
        if url == "a.db" {
            tamper(&sandbox.path("a.db"), cut_off);
        } else {
            postgres.execute(cut_off);
        }
        for command in [&["migrate", "status"][..], &["check"]] {
            let args = [command, &["--url", &url]].concat();
            let said = sandbox.run(&args);
            assert_eq!(said.status, 1, "{said:?}");
            assert!(said.out.contains("to be indexed for search: 3"), "{said:?}");
            assert!(said.out.contains("memory migrate up"), "{said:?}");
            let (status, document) = sandbox.json(&args);
            assert_eq!(status, 1, "{document:#}");
            let part = if command.len() == 2 {
                "schema"
            } else {
                "check"
            };
            assert_eq!(document[part]["unindexed"], 3, "{document:#}");
        }
        let whole = sandbox.run(&["check", "--full", "--url", &url]);
        assert!(whole.out.contains("round is in order"), "{whole:?}");
        assert_eq!(sandbox.run(&["migrate", "up", "--url", &url]).status, 0);
        let (status, document) = sandbox.json(&["migrate", "status", "--url", &url]);
        assert_eq!(status, 0, "{document:#}");
        assert_eq!(document["schema"]["unindexed"], 0);
        // Where there is no index yet, none of it is missing.
        let (_, down) = sandbox.json(&["migrate", "down", "--steps", "3", "--url", &url]);
        assert_eq!(down["schema"]["unindexed"], 0, "{down:#}");
    }
}
