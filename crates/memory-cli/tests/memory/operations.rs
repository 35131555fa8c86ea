//! The commands that keep a store in order.

use std::path::Path;
use std::process::{Child, Stdio};

use memory_core::{NewMessage, NewSession};
use serde_json::Value;

use crate::conversation::{erase, say, with_tenant};
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, ask, tamper};
use crate::sources::{flux_rag, jarvis};

/// A store, `a.db`, with everything of two old files.
fn filled() -> Sandbox {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    sandbox.carry("flux.db", "a.db", &[]);
    sandbox
}

/// The library runs in the tests' own folder.
fn absolute(sandbox: &Sandbox, url: &str) -> String {
    if url.contains("://") {
        url.to_owned()
    } else {
        sandbox.path(url).to_string_lossy().into_owned()
    }
}

fn rows(document: &Value, table: &str) -> u64 {
    let tables = document["stats"]["tables"].as_array().unwrap();
    let table = tables.iter().find(|row| row["table"] == table).unwrap();
    assert!(table["bytes"].as_u64().unwrap() > 0, "{table}");
    assert!(table["index_bytes"].as_u64().unwrap() > 0, "{table}");
    table["rows"].as_u64().unwrap()
}

#[test]
fn a_store_that_answers_is_in_order_and_a_whole_round_leaves_nothing_behind() {
    let sandbox = filled();
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("a.db", &postgres.url(), &[]);
    for url in ["a.db", &postgres.url()] {
        let (status, document) = sandbox.json(&["check", "--url", url]);
        assert_eq!(status, 0, "{document:#}");
        assert_eq!(document["check"]["round"], Value::Null);
        let (status, document) = sandbox.json(&["check", "--full", "--url", url]);
        assert_eq!(status, 0, "{document:#}");
        let steps = document["check"]["round"]["steps"].as_array().unwrap();
        assert!(steps.len() > 10, "{steps:?}");
        let said = sandbox.run(&["check", "--full", "--url", url]);
        assert!(said.out.contains("the whole round is in order"), "{said:?}");
    }
    sandbox.assert_equal("a.db", &postgres.url());
    assert_eq!(
        ask(&sandbox.path("a.db"), "select count(*) from tenants"),
        "3"
    );
}

#[test]
fn a_store_that_is_not_in_order_is_found() {
    let sandbox = filled();
    let said = sandbox.run(&["check", "--url", "none.db"]);
    said.assert_failed(3, &["none.db", "is not there"]);
    let url = "postgres://ada:s3cret@127.0.0.1:9/mind?connect_timeout=2";
    let said = sandbox.run(&["check", "--url", url]);
    said.assert_failed(3, &["127.0.0.1"]);
    assert!(!said.err.contains("s3cret"), "{said:?}");
    let postgres = Postgres::new();
    let (status, document) = sandbox.json(&["check", "--full", "--url", &postgres.url()]);
    assert_eq!(status, 1, "{document:#}");
    assert!(!document["check"]["pending"].as_array().unwrap().is_empty());
    // A table that refuses: the round names the step that failed, and goes away all the same.
    let sql =
        "create trigger refuse before insert on messages begin select raise(abort, 'no'); end";
    rusqlite::Connection::open(sandbox.path("a.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    let said = sandbox.run(&["check", "--full", "--url", "a.db"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("appending a message failed"), "{said:?}");
    assert_eq!(
        ask(&sandbox.path("a.db"), "select count(*) from tenants"),
        "3"
    );
}

#[test]
fn stats_count_rows_sizes_and_what_tenants_have() {
    let sandbox = filled();
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("a.db", &postgres.url(), &[]);
    for url in ["a.db", &postgres.url()] {
        say(&absolute(&sandbox, url), "ada", None);
        let (status, document) = sandbox.json(&["stats", "--tenants", "2", "--url", url]);
        assert_eq!(status, 0, "{document:#}");
        assert_eq!(rows(&document, "nodes"), 5);
        assert_eq!(rows(&document, "relationships"), 4);
        assert_eq!(rows(&document, "sessions"), 4);
        let tenants = document["stats"]["tenants"].as_array().unwrap();
        assert_eq!(tenants.len(), 2);
        assert_eq!(tenants[0]["tenant"]["id"], "ada");
        assert_eq!(tenants[0]["active_sessions"], 1);
        let said = sandbox.run(&["stats", "--url", url]);
        assert!(said.out.contains("relationships"), "{said:?}");
        assert!(said.out.contains("in all"), "{said:?}");
    }
}

#[test]
fn missing_and_invalid_indexes_are_made() {
    let sandbox = filled();
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("a.db", &postgres.url(), &[]);
    let file = rusqlite::Connection::open(sandbox.path("a.db")).unwrap();
    let drop_one = "drop index sessions_by_update";
    file.execute_batch(drop_one).unwrap();
    drop(file);
    postgres.execute(drop_one);
    let there = "select count(*) from pg_indexes \
                 where indexname = 'sessions_by_update' and schemaname = current_schema()";
    for url in ["a.db", &postgres.url()] {
        let (status, document) = sandbox.json(&["optimize", "--dry-run", "--url", url]);
        assert_eq!(status, 0, "{document:#}");
        let first = &document["optimize"]["steps"][0];
        assert_eq!(first["step"], "make the index sessions_by_update");
    }
    assert_eq!(postgres.ask(there), "0");
    let invalid = "update pg_index set indisvalid = false \
                   where indexrelid = 'messages_by_time'::regclass";
    postgres.execute(invalid);
    for url in ["a.db", &postgres.url()] {
        let said = sandbox.run(&["optimize", "--url", url]);
        assert_eq!(said.status, 0, "{said:?}");
        assert!(said.out.contains("sessions_by_update"), "{said:?}");
    }
    assert_eq!(postgres.ask(there), "1");
    let count = "select count(*) from sqlite_schema where name = 'sessions_by_update'";
    assert_eq!(ask(&sandbox.path("a.db"), count), "1");
    let valid = "select indisvalid from pg_index \
                 where indexrelid = 'messages_by_time'::regclass";
    assert_eq!(postgres.ask(valid), "true");
    for url in ["a.db", &postgres.url()] {
        let (_, document) = sandbox.json(&["optimize", "--dry-run", "--url", url]);
        let text = document.to_string();
        assert!(!text.contains("make the index"), "{text}");
        assert!(!text.contains("anew"), "{text}");
    }
    sandbox.assert_equal("a.db", &postgres.url());
}

/// Another process that writes to a store until it is killed.
struct Writing(Child);

impl Writing {
    fn to(sandbox: &Sandbox, url: &str) -> Writing {
        let script =
            format!("while true; do memory check --full --url {url} > said 2>&1 || true; done");
        let mut command = sandbox.shell_command(&script);
        Writing(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_backup_of_a_file_is_taken_while_others_write_and_put_back() {
    let sandbox = filled();
    let writing = Writing::to(&sandbox, "a.db");
    for copy in ["one.bak", "two.bak"] {
        let (status, document) = sandbox.json(&["backup", copy, "--url", "a.db"]);
        assert_eq!(status, 0, "{document:#}");
        assert_eq!(document["backup"]["format"], "sqlite");
    }
    drop(writing);
    let said = sandbox.run(&["backup", "one.bak", "--url", "a.db"]);
    said.assert_failed(3, &["one.bak exists already", "--force"]);
    let forced = ["backup", "one.bak", "--url", "a.db", "--force"];
    assert_eq!(sandbox.run(&forced).status, 0);

    let said = sandbox.run(&["restore", "one.bak", "--url", "b.db"]);
    assert_eq!(said.status, 0, "{said:?}");
    let count = "select count(*) from messages";
    assert_eq!(ask(&sandbox.path("b.db"), count), "4");
    // What stands is replaced only with --force, and not while somebody has it open.
    let again = sandbox.run(&["restore", "one.bak", "--url", "b.db"]);
    again.assert_failed(1, &["b.db is there already", "--force"]);
    assert_eq!(sandbox.run(&["check", "--url", "b.db"]).status, 0);
    let user = rusqlite::Connection::open(sandbox.path("b.db")).unwrap();
    let found: i64 = user.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(found, 4);
    let forced = ["restore", "one.bak", "--url", "b.db", "--force"];
    sandbox.run(&forced).assert_failed(3, &["b.db is in use"]);
    drop(user);
    assert_eq!(sandbox.run(&forced).status, 0);
    sandbox.assert_equal("one.bak", "b.db");
    let check = ["check", "--full", "--url", "b.db"];
    assert_eq!(sandbox.run(&check).status, 0);
}

#[test]
fn no_new_file_takes_the_place_of_a_database_that_is_in_use() {
    let sandbox = filled();
    let postgres = Postgres::migrated(&sandbox);
    std::fs::hard_link(sandbox.path("a.db"), sandbox.path("linked.db")).unwrap();
    std::os::unix::fs::symlink("a.db", sandbox.path("also.db")).unwrap();
    let before = std::fs::read(sandbox.path("a.db")).unwrap();
    for to in ["a.db", "linked.db", "also.db"] {
        let backup = ["backup", to, "--url", "a.db", "--force"];
        sandbox.run(&backup).assert_failed(3, &["the store itself"]);
        let export = ["export", "--to", to, "--url", "a.db", "--force"];
        sandbox.run(&export).assert_failed(3, &["the store itself"]);
    }
    assert_eq!(std::fs::read(sandbox.path("a.db")).unwrap(), before);

    sandbox.carry("a.db", "b.db", &[]);
    let user = rusqlite::Connection::open(sandbox.path("b.db")).unwrap();
    let count = || {
        let sql = "select count(*) from messages";
        user.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(count(), 4);
    for url in ["a.db", &postgres.url()] {
        let backup = ["backup", "b.db", "--url", url, "--force"];
        sandbox.run(&backup).assert_failed(3, &["is in use"]);
        let export = ["export", "--to", "b.db", "--url", url, "--force"];
        sandbox.run(&export).assert_failed(3, &["is in use"]);
    }
    assert_eq!(count(), 4);
    drop(user);
    let backup = ["backup", "b.db", "--url", "a.db", "--force"];
    assert_eq!(sandbox.run(&backup).status, 0);
    sandbox
        .run(&["backup", "jarvis.db", "--url", "a.db", "--force"])
        .assert_failed(3, &["another program's file"]);
    // Nothing is left of what was begun.
    let hidden = "ls -A | grep '^\\.' || true";
    assert_eq!(sandbox.shell(hidden).out, "");
}

#[test]
fn a_backup_is_not_mixed_with_the_log_of_the_one_that_it_replaces() {
    let sandbox = filled();
    assert_eq!(
        sandbox.run(&["backup", "old.bak", "--url", "a.db"]).status,
        0
    );
    // What somebody leaves who had it open and was killed.
    let user = rusqlite::Connection::open(sandbox.path("old.bak")).unwrap();
    let mode = "pragma journal_mode = wal";
    let mode: String = user.query_row(mode, [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    user.execute_batch("update nodes set summary = 'old'; update messages set content = 'old'")
        .unwrap();
    for (from, to) in [("old.bak", "monday.bak"), ("old.bak-wal", "monday.bak-wal")] {
        std::fs::copy(sandbox.path(from), sandbox.path(to)).unwrap();
    }
    let backup = ["backup", "monday.bak", "--url", "a.db", "--force"];
    let said = sandbox.run(&backup);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(!sandbox.has("monday.bak-wal"));
    assert_eq!(
        ask(&sandbox.path("monday.bak"), "pragma integrity_check"),
        "ok"
    );
    sandbox.assert_equal("a.db", "monday.bak");
}

#[test]
fn a_restored_store_has_the_mode_and_the_owner_of_the_one_that_it_replaces() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    /// A user without rights; every Unix has it, under whatever name.
    const NOBODY: u32 = 65_534;
    let sandbox = filled();
    let store = sandbox.path("a.db");
    let backup = ["backup", "good.bak", "--url", "a.db"];
    assert_eq!(sandbox.run(&backup).status, 0);
    std::fs::set_permissions(&store, PermissionsExt::from_mode(0o664)).unwrap();
    // Only root can give a file away; of anybody else it is the mode that is looked at.
    let _ = chown(&store, Some(NOBODY), Some(NOBODY));
    let before = store.metadata().unwrap();
    let forced = ["restore", "good.bak", "--url", "a.db", "--force"];
    let said = sandbox.run(&forced);
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{said:?}");
    let after = store.metadata().unwrap();
    assert_eq!(after.mode() & 0o7777, 0o664);
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    // A new store is its owner's alone.
    let new = ["restore", "good.bak", "--url", "new.db"];
    assert_eq!(sandbox.run(&new).status, 0);
    let mode = sandbox.path("new.db").metadata().unwrap().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn what_is_no_sound_backup_is_not_put_back() {
    let sandbox = filled();
    assert_eq!(
        sandbox.run(&["backup", "good.bak", "--url", "a.db"]).status,
        0
    );
    let good = std::fs::read(sandbox.path("good.bak")).unwrap();
    std::fs::write(sandbox.path("cut.bak"), &good[..good.len() / 2]).unwrap();
    std::fs::write(sandbox.path("text.bak"), "no database ".repeat(99)).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle..middle + 4096].fill(0x5a);
    std::fs::write(sandbox.path("bad.bak"), bad).unwrap();
    sandbox.run(&["export", "--url", "a.db", "--to", "export.bak"]);
    let before = std::fs::read(sandbox.path("a.db")).unwrap();
    for (backup, word) in [
        ("cut.bak", "cut.bak cannot be restored"),
        ("text.bak", "text.bak cannot be restored"),
        ("bad.bak", "bad.bak cannot be restored"),
        ("jarvis.db", "no store of memory"),
        ("export.bak", "memory import"),
        ("none.bak", "is not there"),
        ("a.db", "the store itself"),
    ] {
        let said = sandbox.run(&["restore", backup, "--url", "a.db", "--force"]);
        said.assert_failed(3, &[word]);
    }
    assert_eq!(std::fs::read(sandbox.path("a.db")).unwrap(), before);
    // A damaged store is what a backup is for.
    std::fs::write(sandbox.path("a.db"), "damaged").unwrap();
    let forced = ["restore", "good.bak", "--url", "a.db", "--force"];
    let said = sandbox.run(&forced);
    assert_eq!(said.status, 0, "{said:?}");
    sandbox.assert_equal("a.db", "good.bak");
}

#[test]
fn a_backup_of_postgres_is_portable_and_put_into_an_empty_store() {
    let sandbox = filled();
    let (postgres, other) = (Postgres::migrated(&sandbox), Postgres::new());
    sandbox.carry("a.db", &postgres.url(), &[]);
    let said = sandbox.run(&["backup", "pg.bak", "--url", &postgres.url()]);
    assert_eq!(said.status, 0, "{said:?}");
    let restore = [
        "restore",
        "pg.bak",
        "--url",
        &other.url(),
        "--create-schema",
    ];
    let said = sandbox.run(&restore);
    assert_eq!(said.status, 0, "{said:?}");
    sandbox.assert_equal(&postgres.url(), &other.url());
    let again = sandbox.run(&restore);
    again.assert_failed(1, &["holds something already", "memory import"]);
}

#[test]
fn a_command_that_is_stopped_leaves_nothing_behind() {
    let sandbox = filled();
    // So much that it is noticed before it is written: four times 20 MB.
    let large = "update messages set content = hex(randomblob(10000000))";
    tamper(&sandbox.path("a.db"), large);
    let files = || sandbox.shell("ls -A | grep new || true").out;
    for (command, signal, status) in [
        ("backup new --url a.db", "INT", 130),
        ("export --to new --url a.db", "TERM", 143),
        ("restore a.db --url new", "INT", 130),
    ] {
        let mut command = sandbox.shell_command(&format!("exec memory {command}"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = command.spawn().unwrap();
        while !files().contains(".new.") {
            assert_eq!(running.try_wait().unwrap(), None);
        }
        let kill = format!("kill -s {signal} {}", running.id());
        assert_eq!(sandbox.shell(&kill).status, 0);
        assert_eq!(running.wait().unwrap().code(), Some(status));
        assert_eq!(files(), "");
    }
}

/// How often a text stands in a file; a file that is not there has none.
fn found(path: &Path, text: &str) -> usize {
    let bytes = std::fs::read(path).unwrap_or_default();
    let needle = text.as_bytes();
    bytes
        .windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}

#[test]
fn nothing_of_an_erased_tenant_is_left_once_the_store_is_cleaned_up() {
    const MARK: &str = "Zyzzyva-4711";
    let sandbox = filled();
    let postgres = Postgres::migrated(&sandbox);
    tamper(
        &sandbox.path("a.db"),
        &format!("update nodes set summary = '{MARK} s', metadata = '{{\"m\":\"{MARK}\"}}'"),
    );
    for sql in [
        "update nodes set content = '{\"c\":\"MARK\"}', name = 'MARK', tags = '[\"MARK\"]'",
        "update relationships set metadata = '{\"c\":\"MARK\"}', label = 'MARK' || hex(id)",
        "update sessions set title = 'MARK', metadata = '{\"c\":\"MARK\"}'",
        "update messages set content = 'MARK', metadata = '{\"c\":\"MARK\"}'",
        "update tenants set metadata = '{\"c\":\"MARK\"}'",
    ] {
        tamper(&sandbox.path("a.db"), &sql.replace("MARK", MARK));
    }
    sandbox.carry("a.db", &postgres.url(), &[]);
    let wal = || sandbox.path("a.db-wal");
    assert!(found(&sandbox.path("a.db"), MARK) + found(&wal(), MARK) > 9);
    for url in ["a.db", &postgres.url()] {
        for tenant in ["ada", "bob", "default"] {
            erase(&absolute(&sandbox, url), tenant);
        }
        assert_eq!(sandbox.run(&["optimize", "--url", url]).status, 0);
    }
    assert_eq!(found(&sandbox.path("a.db"), MARK), 0);
    assert_eq!(found(&wal(), MARK), 0);
    let dump = postgres.dump();
    assert!(dump.contains("CREATE TABLE"), "{dump}");
    assert!(!dump.contains(MARK), "pg_dump still has it");
}

#[test]
fn the_words_of_an_erased_tenant_are_not_left_in_the_index_for_search() {
    let sandbox = Sandbox::new();
    let url = absolute(&sandbox, "a.db");
    let optimize = ["optimize", "--url", "a.db"];
    // Among so many of others that the index does not tidy itself.
    for (tenant, word, count) in [
        ("others", "granite", 5_000),
        ("zyzzyva", "quixotry", 20),
        ("others", "feldspar", 5_000),
    ] {
        with_tenant(&url, tenant, async |tenant| {
            let session = tenant.create_session(NewSession::new("")).await.unwrap();
            for batch in 0..count / 20 {
                let text = |n: usize| NewMessage::user(format!("{word} {batch} {n}"));
                let messages = (0..20).map(text).collect();
                tenant.append_many(session.id, messages).await.unwrap();
            }
        });
    }
    // So that the planner's samples have its name.
    assert_eq!(sandbox.run(&optimize).status, 0);
    assert!(found(&sandbox.path("a.db"), "quixotry") > 0);
    assert!(found(&sandbox.path("a.db"), "zyzzyva") > 0);
    erase(&url, "zyzzyva");
    assert_eq!(sandbox.run(&optimize).status, 0);
    for word in ["quixotry", "zyzzyva"] {
        assert_eq!(found(&sandbox.path("a.db"), word), 0, "{word}");
        assert_eq!(found(&sandbox.path("a.db-wal"), word), 0, "{word}");
    }
}

#[test]
fn what_was_deleted_is_only_said_to_be_gone_when_it_is() {
    const MARK: &str = "Zyzzyva-4711";
    let sandbox = filled();
    let set = format!("update messages set content = '{MARK}'");
    tamper(&sandbox.path("a.db"), &set);
    let reader = rusqlite::Connection::open(sandbox.path("a.db")).unwrap();
    reader.execute_batch("begin").unwrap();
    let messages = "select count(*) from messages";
    let count: i64 = reader.query_row(messages, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 4);
    for tenant in ["ada", "bob", "default"] {
        erase(&absolute(&sandbox, "a.db"), tenant);
    }
    let optimize = ["optimize", "--url", "sqlite://a.db?busy_timeout=100ms"];
    let said = sandbox.run(&optimize);
    said.assert_failed(1, &["is in use", "may still stand", "run it again"]);
    assert!(!said.out.contains("done"), "{said:?}");
    assert!(found(&sandbox.path("a.db"), MARK) > 0);
    drop(reader);
    assert_eq!(sandbox.run(&optimize).status, 0);
    assert_eq!(found(&sandbox.path("a.db"), MARK), 0);
    assert_eq!(found(&sandbox.path("a.db-wal"), MARK), 0);
}
