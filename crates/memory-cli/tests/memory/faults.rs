//! What becomes of a transfer that is cut off at any moment.

use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::conversation::erase;
use crate::interrupted::{
    BATCH, Target, any_moment, kill, kill_atomic, random, resumable, started, started_atomic,
};
use crate::postgres::Postgres;
use crate::sandbox::{Said, Sandbox, ask, class, quarantine_lines, tamper};
use crate::sources::{execute, flux_rag};

/// How many entities the file has, and as many relationships.
const ENTITIES: u64 = 1_200;
const ROWS: u64 = 2 * ENTITIES;

/// A JARVIS file, `big.db`, whose rows are carried, changed by a rule and quarantined, and what an
/// undisturbed transfer makes of it, `whole.db`.
pub(crate) fn big() -> Sandbox {
    let sandbox = Sandbox::new();
    execute(
        &sandbox.path("big.db"),
        &format!(
            r#"
            create table entities (
                id integer primary key autoincrement, type text not null, name text not null,
                metadata text, created_at text not null, updated_at text not null,
                unique (type, name)
            );
            create table relationships (
                id integer primary key autoincrement, from_id integer not null,
                to_id integer not null, type text not null, metadata text, created_at text not null
            );
            with recursive n (i) as (select 1 union all select i + 1 from n where i < {ENTITIES})
            insert into entities
            select i, 'file', 'src/' || i || '.rs',
                iif(i % 97 = 0, '{{bad', '{{"n": ' || i || '}}'),
                '2024-03-01T10:00:00Z', '2024-03-01T10:00:00.1234567Z'
            from n;
            insert into relationships
            select id, id, 1 + (id * 7) % {ENTITIES}, 'relates_to', '{{}}', '2024-03-01T11:00:00'
            from entities;
            "#
        ),
    );
    let options = ["--allow-quarantine", "--quarantine-file", "whole.jsonl"];
    let document = sandbox.carry("big.db", "whole.db", &options);
    assert_eq!(class(&document, "entities", "changed"), 1188);
    assert_eq!(class(&document, "entities", "quarantined"), 12);
    assert_eq!(class(&document, "relationships", "changed"), 1176);
    assert_eq!(class(&document, "relationships", "quarantined"), 24);
    sandbox
}

/// Kills a transfer into an empty store at a random moment, or several, and holds that the next
/// command ends it, and that the whole is what an undisturbed transfer makes. Returns how many kills
/// hit.
fn round(sandbox: &Sandbox, from: &str, target: &Target<'_>) -> u64 {
    let to = target.url();
    let args = resumable(from, &to);
    let mut hits = 0;
    let mut done = 0;
    let mut has_ended = false;
    while !has_ended && hits <= random(2) {
        let rows = done + 1 + random(ROWS - done);
        match kill(sandbox, target, &args, rows, any_moment()) {
            Some(reached) => (hits, done) = (hits + 1, reached.min(ROWS - 1)),
            None => has_ended = true,
        }
    }
    if !has_ended {
        let (status, document) = sandbox.json(&args[..args.len() - 1]);
        assert_eq!(status, 0, "{document:#}");
        let report = &document["report"];
        assert!(report["resumed"].as_u64().unwrap() >= done, "{document:#}");
        assert_eq!(report["outcome"], "committed");
    }
    assert_eq!(target.done(), None);
    assert_eq!(target.ask("select count(*) from transfer_runs"), "1");
    sandbox.assert_equal("whole.db", &to);
    hits
}

/// So many kills hit files that are carried to SQLite, and as many stores that are carried to
/// PostgreSQL.
fn kill_loop(kills: u64) {
    let sandbox = big();
    let mut hits = 0;
    while hits < kills {
        hits += round(&sandbox, "big.db", &Target::new_sqlite(&sandbox));
        // Also the rows that were not carried are there once, in their order.
        let mut files = sandbox.quarantine_files();
        let file = files.pop().unwrap();
        assert_eq!(files, [] as [std::path::PathBuf; 0]);
        let whole = quarantine_lines(&sandbox.path("whole.jsonl"));
        assert_eq!(quarantine_lines(&file), whole);
        std::fs::remove_file(file).unwrap();
        eprintln!("{hits} of {kills} kills into SQLite");
    }
    let mut hits = 0;
    while hits < kills {
        hits += round(&sandbox, "whole.db", &Target::postgres(&sandbox));
        eprintln!("{hits} of {kills} kills into PostgreSQL");
    }
}

#[test]
fn a_resumable_run_that_is_killed_at_any_moment_is_ended_by_the_next_command() {
    kill_loop(5);
}

#[test]
#[ignore = "takes minutes: `cargo xtask kill-loop`"]
fn fifty_kills_on_each_backend() {
    kill_loop(50);
}

/// Kills a transfer once it has carried some rows, one of them into the quarantine.
fn given_unfinished(sandbox: &Sandbox, from: &str, target: &Target<'_>) {
    let to = target.url();
    let args = resumable(from, &to);
    kill(sandbox, target, &args, 200, Duration::ZERO).unwrap();
}

#[test]
fn a_run_that_is_killed_while_it_verifies_is_verified_by_the_next_command() {
    let sandbox = big();
    let count = ask(&sandbox.path("whole.db"), ROWS_OF_THE_STORE);
    let rows: u64 = count.parse().unwrap();
    for make in [Target::new_sqlite, Target::postgres] {
        // Verifying is soon done, so it may take more than one attempt to hit it.
        let (target, done) = (0..20)
            .find_map(|_| {
                let target = make(&sandbox);
                let to = target.url();
                let args = resumable("whole.db", &to);
                let done = kill(&sandbox, &target, &args, rows, Duration::ZERO)?;
                Some((target, done))
            })
            .unwrap();
        assert_eq!(done, rows);
        let to = target.url();
        let document = sandbox.carry("whole.db", &to, &["--resumable"]);
        assert_eq!(document["report"]["resumed"], rows);
        assert_eq!(document["report"]["verification"]["records"], rows);
        assert_eq!(document["report"]["timings"]["rows_per_second"], 0.0);
        sandbox.assert_equal("whole.db", &to);
    }
}

/// The tenant, the nodes and the relationships.
const ROWS_OF_THE_STORE: &str = "select 1 + (select count(*) from nodes)
    + (select count(*) from relationships)";

#[test]
fn an_unfinished_run_is_listed_and_goes_on_only_as_it_was_begun() {
    let sandbox = big();
    let target = Target::sqlite(&sandbox, "target.db");
    given_unfinished(&sandbox, "big.db", &target);
    let runs = sandbox.run(&["migrate", "runs", "--url", "target.db"]);
    let done = target.done().unwrap();
    let listed = format!("unfinished, {done} of 2400 rows done  from big.db (jarvis)");
    assert!(runs.out.contains(&listed), "{}", runs.out);
    let run = target.ask("select lower(hex(id)) from transfer_runs");

    let transfer = |more: &[&str]| {
        let args = ["migrate", "--from", "big.db", "--to", "target.db"];
        sandbox.run(&[&args, more].concat())
    };
    transfer(&[]).assert_failed(3, &["unfinished", "--resumable", "memory migrate rollback"]);
    let said = transfer(&["--resumable", "--source-timezone", "Europe/Berlin"]);
    said.assert_failed(3, &["--source-timezone", "give the same"]);
    let said = transfer(&["--resumable", "--table", "entities"]);
    said.assert_failed(3, &["--table", "give the same"]);
    let said = transfer(&["--resumable", "--quarantine-file", "other.jsonl"]);
    said.assert_failed(3, &["memory-quarantine-", "--quarantine-file"]);
    let said = transfer(&["--resume", "0198c1a2-7b3c-7d4e-8f50-123456789abc"]);
    said.assert_failed(3, &["0198c1a2", "no unfinished run"]);
    transfer(&["--resumable", "--dry-run"]).assert_failed(2, &["--dry-run"]);
    assert_eq!(target.done(), Some(done));

    // By another name the source is another one, unless the run is named.
    std::fs::rename(sandbox.path("big.db"), sandbox.path("moved.db")).unwrap();
    let options = ["--resume", &run, "--allow-quarantine"];
    let document = sandbox.carry("moved.db", "target.db", &options);
    assert_eq!(document["report"]["resumed"], done);
    assert_eq!(class(&document, "entities", "quarantined"), 12);
    sandbox.assert_equal("whole.db", "target.db");
}

#[test]
fn an_unfinished_run_is_taken_back_like_any_other() {
    let sandbox = big();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "before.db", &[]);
    for target in [
        Target::sqlite(&sandbox, "target.db"),
        Target::postgres(&sandbox),
    ] {
        let to = target.url();
        sandbox.carry("before.db", &to, &[]);
        given_unfinished(&sandbox, "big.db", &target);
        let (_, document) = sandbox.json(&["migrate", "runs", "--url", &to]);
        let run = document["runs"][0]["id"].as_str().unwrap();
        let (status, document) = sandbox.json(&["migrate", "rollback", run, "--url", &to]);
        assert_eq!(status, 0, "{document:#}");
        sandbox.assert_equal("before.db", &to);
        assert_eq!(target.done(), None);
        // A new one begins from the beginning.
        let document = sandbox.carry("big.db", &to, &["--resumable", "--allow-quarantine"]);
        assert_eq!(document["report"]["resumed"], Value::Null);
    }
}

#[test]
fn a_source_of_which_carried_rows_changed_is_refused_and_named() {
    let sandbox = big();
    let target = Target::sqlite(&sandbox, "target.db");
    given_unfinished(&sandbox, "big.db", &target);
    let done = target.done();
    for (change, back) in [
        (
            "update entities set name = 'x' where id = 3",
            "update entities set name = 'src/3.rs' where id = 3",
        ),
        // Of a row that was not carried too.
        (
            "update entities set metadata = '{}' where id = 97",
            "update entities set metadata = '{bad' where id = 97",
        ),
    ] {
        tamper(&sandbox.path("big.db"), change);
        let said = sandbox.run(&[
            "migrate",
            "--from",
            "big.db",
            "--to",
            "target.db",
            "--resumable",
        ]);
        said.assert_failed(3, &["table entities", "memory migrate rollback"]);
        tamper(&sandbox.path("big.db"), back);
    }
    tamper(
        &sandbox.path("big.db"),
        "delete from entities where id > 150",
    );
    let said = sandbox.run(&[
        "migrate",
        "--from",
        "big.db",
        "--to",
        "target.db",
        "--resumable",
    ]);
    said.assert_failed(3, &["table entities"]);
    assert_eq!(target.done(), done);
}

#[test]
fn what_changed_beyond_the_checkpoint_is_carried_as_it_is_now() {
    let sandbox = big();
    let target = Target::postgres(&sandbox);
    let to = target.url();
    let args = resumable("big.db", &to);
    // All entities, and some of the relationships.
    kill(&sandbox, &target, &args, ENTITIES + 50, Duration::ZERO).unwrap();
    execute(
        &sandbox.path("big.db"),
        "insert into entities values
            (5000, 'file', 'new', '{}', '2024-03-01T10:00:00Z', '2024-03-01T10:00:00Z');
        insert into relationships values
            (5000, 5000, 1, 'relates_to', '{}', '2024-03-01T11:00:00Z');
        delete from relationships where id = 1199;
        update relationships set type = 'worked_on' where id = 1198",
    );
    let options = ["--resumable", "--allow-quarantine"];
    let document = sandbox.carry("big.db", &to, &options);
    assert!(document["report"]["resumed"].as_u64().unwrap() > ENTITIES);
    let options = ["--allow-quarantine", "--quarantine-file", "new.jsonl"];
    sandbox.carry("big.db", "new.db", &options);
    sandbox.assert_equal("new.db", &to);
    let kind = "select kind from relationships where kind <> 'relates_to'";
    assert_eq!(target.ask(kind), "worked_on");
}

#[test]
fn a_resumable_run_that_has_nothing_to_carry_leaves_no_trace() {
    let sandbox = big();
    let options = ["--resumable", "--allow-quarantine"];
    let document = sandbox.carry("big.db", "whole.db", &options);
    assert_eq!(document["report"]["outcome"], "nothing_to_carry");
    let runs = ask(
        &sandbox.path("whole.db"),
        "select count(*) from transfer_runs",
    );
    assert_eq!(runs, "1");
}

#[test]
fn a_run_whose_quarantine_is_gone_does_not_go_on() {
    let sandbox = big();
    let target = Target::sqlite(&sandbox, "target.db");
    given_unfinished(&sandbox, "big.db", &target);
    let [partial] = sandbox.quarantine_files().try_into().unwrap();
    let text = std::fs::read(&partial).unwrap();
    let again = || {
        sandbox.run(&[
            "migrate",
            "--from",
            "big.db",
            "--to",
            "target.db",
            "--resumable",
        ])
    };
    std::fs::remove_file(&partial).unwrap();
    again().assert_failed(3, &["quarantine file", "put it back"]);
    std::fs::write(&partial, &text[..text.len() / 2]).unwrap();
    again().assert_failed(3, &["quarantine file", "bytes"]);
    // What came after the checkpoint comes again; and a command that is cut off just before its end
    // has given the file its name already.
    std::fs::remove_file(&partial).unwrap();
    let more = [&text[..], b"{\"half\": "].concat();
    std::fs::write(partial.with_extension(""), more).unwrap();
    assert_eq!(again().status, 1);
    let [file] = sandbox.quarantine_files().try_into().unwrap();
    let whole = quarantine_lines(&sandbox.path("whole.jsonl"));
    assert_eq!(quarantine_lines(&file), whole);
}

#[test]
fn a_transfer_that_is_killed_leaves_the_target_as_it_was() {
    let sandbox = big();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "before.db", &[]);
    for target in [
        Target::sqlite(&sandbox, "target.db"),
        Target::postgres(&sandbox),
    ] {
        let to = target.url();
        sandbox.carry("before.db", &to, &[]);
        let runs = target.ask("select count(*) from transfer_runs");
        for _ in 0..3 {
            let args = [
                "migrate",
                "--from",
                "whole.db",
                "--to",
                &to,
                "--batch-size",
                BATCH,
            ];
            kill_atomic(&sandbox, &[&args[..], &["--json"]].concat(), any_moment());
            sandbox.assert_equal("before.db", &to);
            assert_eq!(target.ask("select count(*) from transfer_runs"), runs);
        }
        sandbox.carry("whole.db", &to, &[]);
    }
}

#[test]
fn what_a_killed_run_left_before_its_first_checkpoint_is_no_obstacle() {
    let sandbox = big();
    let options = [
        "--resumable",
        "--allow-quarantine",
        "--quarantine-file",
        "q.jsonl",
    ];
    sandbox.carry("big.db", "target.db", &options);
    // As if nothing had been committed.
    std::fs::remove_file(sandbox.path("target.db")).unwrap();
    let left = || std::fs::rename(sandbox.path("q.jsonl"), sandbox.path("q.jsonl.partial"));
    left().unwrap();
    sandbox.carry("big.db", "target.db", &options);
    let whole = quarantine_lines(&sandbox.path("whole.jsonl"));
    assert_eq!(quarantine_lines(&sandbox.path("q.jsonl")), whole);
    // The file of another transfer is not touched.
    left().unwrap();
    let args = ["migrate", "--from", "big.db", "--to", "other.db"];
    let said = sandbox.run(&[&args[..], &options].concat());
    said.assert_failed(3, &["q.jsonl.partial", "remove it"]);
    assert!(sandbox.has("q.jsonl.partial"));
}

#[test]
fn a_server_that_is_restarted_in_the_middle_is_a_clear_error_and_loses_nothing() {
    let sandbox = big();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "before.db", &[]);
    let cluster = Cluster::start();
    let postgres = Postgres::on(cluster.url()).migrate(&sandbox);
    let target = Target::Postgres(postgres);
    let to = target.url();
    sandbox.carry("before.db", &to, &[]);

    let atomic = [
        "migrate",
        "--from",
        "whole.db",
        "--to",
        &to,
        "--batch-size",
        BATCH,
    ];
    let child = started_atomic(&sandbox, &[&atomic[..], &["--json"]].concat());
    cluster.stop();
    let error = failed(child);
    assert_eq!(error["what_to_do"], "run it again; nothing was changed");
    cluster.go_on();
    sandbox.assert_equal("before.db", &to);
    assert_eq!(target.ask("select count(*) from transfer_runs"), "1");

    let args = resumable("whole.db", &to);
    let child = started(&sandbox, &target, &args, 200).unwrap();
    cluster.stop();
    let error = failed(child);
    let message = error["error"].as_str().unwrap();
    assert!(
        message.contains("up to its last checkpoint stands"),
        "{error:#}"
    );
    let remedy = error["what_to_do"].as_str().unwrap();
    assert!(remedy.contains("run the same command again"), "{error:#}");
    cluster.go_on();
    let done = target.done().unwrap();
    assert!(done >= 200);
    let document = sandbox.carry("whole.db", &to, &["--resumable"]);
    assert_eq!(document["report"]["resumed"], done);
    let (_, document) = sandbox.json(&["migrate", "rollback", run_of(&document), "--url", &to]);
    assert_eq!(document["rollback"]["rolled_back"], true);
    sandbox.assert_equal("before.db", &to);
}

fn run_of(document: &Value) -> &str {
    document["report"]["run"].as_str().unwrap()
}

/// What a command says whose server went away, in its document.
fn failed(child: Child) -> Value {
    let said = Said::of(child);
    assert_eq!(said.status, 3, "{said:?}");
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_ne!(document["caused_by"], Value::Array(Vec::new()));
    document
}

#[test]
fn of_two_commands_that_go_on_with_one_run_one_ends_it() {
    let sandbox = big();
    for target in [
        Target::sqlite(&sandbox, "target.db"),
        Target::postgres(&sandbox),
    ] {
        let to = target.url();
        let args = resumable("whole.db", &to);
        let first = started(&sandbox, &target, &args, 1).unwrap();
        let second = sandbox.start(&args);
        let ends = [Said::of(first), Said::of(second)];
        assert!(ends.iter().any(|said| said.status == 0), "{ends:?}");
        for said in &ends {
            assert!([0, 3].contains(&said.status), "{said:?}");
        }
        assert_eq!(target.ask("select count(*) from transfer_runs"), "1");
        assert_eq!(target.done(), None);
        sandbox.assert_equal("whole.db", &to);
    }
}

#[test]
fn what_was_changed_in_the_target_meanwhile_keeps_a_run_from_its_end() {
    let sandbox = big();
    for target in [
        Target::sqlite(&sandbox, "target.db"),
        Target::postgres(&sandbox),
    ] {
        let to = target.url();
        given_unfinished(&sandbox, "whole.db", &target);
        let change = "update nodes set access_count = 7
            where id = (select id from nodes order by id limit 1)";
        match &target {
            Target::Sqlite(sandbox, name) => tamper(&sandbox.path(name), change),
            Target::Postgres(postgres) => postgres.execute(change),
        }
        let (status, document) = sandbox.transfer("whole.db", &to, &["--resumable"]);
        assert_eq!(status, 3, "{document:#}");
        let details = document["details"].as_array().unwrap();
        assert_eq!(details.len(), 1, "{document:#}");
        let found = details[0].as_str().unwrap();
        assert!(found.starts_with("nodes default/"), "{document:#}");
        let remedy = document["what_to_do"].as_str().unwrap();
        assert!(remedy.contains("memory migrate rollback"), "{document:#}");
        assert!(target.done().is_some());
    }
}

#[test]
fn a_run_of_which_a_tenant_was_erased_can_only_be_taken_back() {
    let sandbox = big();
    let target = Target::sqlite(&sandbox, "target.db");
    given_unfinished(&sandbox, "whole.db", &target);
    let path = sandbox.path("target.db");
    erase(path.to_str().unwrap(), "default");
    let args = [
        "migrate",
        "--from",
        "whole.db",
        "--to",
        "target.db",
        "--resumable",
    ];
    sandbox
        .run(&args)
        .assert_failed(3, &["erased", "memory migrate rollback"]);
    let (_, document) = sandbox.json(&["migrate", "runs", "--url", "target.db"]);
    let run = document["runs"][0]["id"].as_str().unwrap();
    let (status, document) = sandbox.json(&["migrate", "rollback", run, "--url", "target.db"]);
    assert_eq!(status, 0, "{document:#}");
    sandbox.carry("whole.db", "target.db", &["--resumable"]);
    sandbox.assert_equal("whole.db", "target.db");
}
