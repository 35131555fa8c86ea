//! What a file can be, or come to while it is read.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::trial::AT;
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, ask, class};
use crate::sources::{JARVIS, execute, jarvis};

/// Holds that a file is refused with these words, and that nothing is made for it.
fn assert_refused(sandbox: &Sandbox, bytes: &[u8], words: &str) {
    fs::write(sandbox.path("bad.db"), bytes).unwrap();
    let said = sandbox.run(&["migrate", "--from", "bad.db", "--to", "a.db"]);
    said.assert_failed(3, &["bad.db", words]);
    assert!(!sandbox.has("a.db"));
    assert_eq!(fs::read(sandbox.path("bad.db")).unwrap(), bytes);
}

/// The bytes of a JARVIS file.
fn sound(sandbox: &Sandbox) -> Vec<u8> {
    jarvis(&sandbox.path("sound.db"));
    fs::read(sandbox.path("sound.db")).unwrap()
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let sandbox = Sandbox::new();
    assert_refused(
        &sandbox,
        b"id,type,name\n1,concept,Go\n",
        "neither JSON Lines nor a SQLite database",
    );
}

#[test]
fn an_empty_file_is_refused() {
    assert_refused(&Sandbox::new(), b"", "it is empty");
}

#[test]
fn an_encrypted_file_is_refused() {
    let sandbox = Sandbox::new();
    let length = sound(&sandbox).len();
    let noise: Vec<u8> = (0..=u8::MAX).cycle().skip(1).take(length).collect();
    assert_refused(&sandbox, &noise, "is encrypted");
}

#[test]
fn a_truncated_file_is_refused() {
    let sandbox = Sandbox::new();
    let whole = sound(&sandbox);
    for length in [50, 4096, whole.len() - 4096, whole.len() - 1] {
        assert_refused(&sandbox, &whole[..length], "its end is missing");
    }
}

#[test]
fn a_damage_that_is_met_in_the_middle_undoes_the_run() {
    let sandbox = Sandbox::new();
    sound(&sandbox);
    execute(&sandbox.path("sound.db"), &many(2_000));
    let mut bytes = fs::read(sandbox.path("sound.db")).unwrap();
    let page = bytes.len() / 4096 / 2;
    bytes[page * 4096..(page + 1) * 4096].fill(0);
    fs::write(sandbox.path("bad.db"), &bytes).unwrap();
    let postgres = Postgres::migrated(&sandbox);
    assert_eq!(sandbox.run(&["migrate", "--url", "a.db"]).status, 0);
    for to in ["a.db".to_owned(), postgres.url()] {
        let args = [
            "migrate",
            "--from",
            "bad.db",
            "--to",
            &to,
            "--batch-size",
            "10",
        ];
        sandbox
            .run(&args)
            .assert_failed(3, &["it is damaged or truncated"]);
        let (_, runs) = sandbox.json(&["migrate", "runs", "--url", &to]);
        assert_eq!(runs["runs"], json!([]));
        let (_, verified) = sandbox.verify(&to, &to);
        for table in verified["verify"]["tables"].as_array().unwrap() {
            assert_eq!(table["equal"], 0, "{table:#}");
        }
    }
}

#[test]
fn what_stands_only_in_the_write_ahead_log_is_carried() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("live.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("pragma journal_mode = wal; pragma wal_autocheckpoint = 0")
        .unwrap();
    connection
        .execute_batch(&[JARVIS, &many(3)].concat())
        .unwrap();
    assert!(
        fs::metadata(&path).unwrap().len() <= 4096,
        "it is in the log only"
    );
    // Open elsewhere, and as a kill leaves it.
    fs::copy(&path, sandbox.path("left.db")).unwrap();
    fs::copy(sandbox.path("live.db-wal"), sandbox.path("left.db-wal")).unwrap();
    for from in ["live.db", "left.db"] {
        let document = sandbox.carry(from, &format!("to-{from}"), &[]);
        assert_eq!(class(&document, "entities", "carried"), 3, "{from}");
    }
    sandbox.assert_equal("to-live.db", "to-left.db");
    // Of a copy without its log there is nothing to be read, which is no empty memory.
    fs::copy(&path, sandbox.path("torn.db")).unwrap();
    let said = sandbox.run(&["migrate", "--from", "torn.db", "--to", "a.db"]);
    said.assert_failed(3, &["torn.db", "it holds no tables"]);
    assert!(!sandbox.has("a.db"));
}

#[test]
fn a_read_only_file_is_carried_and_stays_as_it_is() {
    let sandbox = Sandbox::new();
    let bytes = sound(&sandbox);
    let path = sandbox.path("sound.db");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let document = sandbox.carry("sound.db", "a.db", &[]);
    assert_eq!(class(&document, "entities", "carried"), 5);
    assert_eq!(class(&document, "relationships", "carried"), 4);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert!(!sandbox.has("sound.db-wal") && !sandbox.has("sound.db-journal"));
}

#[test]
fn a_source_that_is_written_to_during_the_run_is_carried_in_one_state() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("live.db");
    execute(
        &path,
        &["pragma journal_mode = wal;", JARVIS, &many(2_000)].concat(),
    );
    // Every transaction adds a mission and its entity, so that any state but a committed one shows.
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer.busy_timeout(Duration::from_secs(30)).unwrap();
    let write = |round: u32| {
        let sql = format!(
            "begin immediate;
            insert into entities values ({id}, 'mission', 'live-{round}', '{{}}', {AT});
            insert into mission_history (mission_id, status, created_at)
                values ('live-{round}', 'success', '2024-03-01T10:00:00Z');
            commit;",
            id = 10_000 + round,
        );
        writer.execute_batch(&sql).unwrap();
    };
    write(0);
    let (mut rounds, ended) = (1, AtomicBool::new(false));
    let document = std::thread::scope(|scope| {
        let carrying = scope.spawn(|| {
            let document = sandbox.carry("live.db", "a.db", &["--batch-size", "10"]);
            ended.store(true, Ordering::SeqCst);
            document
        });
        while !ended.load(Ordering::SeqCst) && !carrying.is_finished() {
            write(rounds);
            rounds += 1;
        }
        carrying.join().unwrap()
    });
    let missions = class(&document, "mission_history", "carried");
    assert_eq!(class(&document, "entities", "carried"), 2_000 + missions);
    assert!(
        missions >= 1 && missions < u64::from(rounds),
        "{missions} of {rounds} rounds"
    );
    let pairs = "select count(*) from missions m join nodes n on n.name = m.key";
    assert_eq!(ask(&sandbox.path("a.db"), pairs), missions.to_string());
    // The rest comes with the next run.
    let document = sandbox.carry("live.db", "a.db", &[]);
    assert_eq!(
        class(&document, "mission_history", "already_there"),
        missions
    );
    let rest = u64::from(rounds) - missions;
    assert_eq!(class(&document, "mission_history", "carried"), rest);
}

/// Adds entities that are called by their number.
fn many(count: u32) -> String {
    format!(
        "with recursive number(n) as (select 1 union all select n + 1 from number where n < {count})
        insert into entities (type, name, metadata, created_at, updated_at)
        select 'file', n, '{{}}', {AT} from number;"
    )
}
