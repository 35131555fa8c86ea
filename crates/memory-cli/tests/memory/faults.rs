//! What becomes of a transfer that is cut off at any moment, and what of a source that is written to.

use std::time::Duration;

use serde_json::Value;

use crate::interrupted::{BATCH, Target, any_moment, kill, kill_atomic, random, resumable};
use crate::sandbox::{Sandbox, class, quarantine_lines, tamper};
use crate::sources::{execute, flux_rag};

/// How many entities the file has, and as many relationships.
const ENTITIES: u64 = 1_200;
const ROWS: u64 = 2 * ENTITIES;

/// A JARVIS file, `big.db`, whose rows are carried, changed by a rule and quarantined, and what an
/// undisturbed transfer makes of it, `whole.db`.
fn big() -> Sandbox {
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
    let mut rounds = 0;
    while hits < kills {
        rounds += 1;
        let target = Target::sqlite(&sandbox, &format!("target-{rounds}.db"));
        hits += round(&sandbox, "big.db", &target);
        // Also the rows that were not carried are there once, in their order.
        let mut files = sandbox.quarantine_files();
        let file = files.pop().unwrap();
        assert_eq!(files, [] as [std::path::PathBuf; 0]);
        let whole = quarantine_lines(&sandbox.path("whole.jsonl"));
        assert_eq!(quarantine_lines(&file), whole);
        std::fs::remove_file(file).unwrap();
    }
    let mut hits = 0;
    while hits < kills {
        hits += round(&sandbox, "whole.db", &Target::postgres(&sandbox));
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
