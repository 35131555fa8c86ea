//! Two commands with one transfer that are started at the same moment.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::faults::big;
use crate::interrupted::{Target, kill, resumable, started};
use crate::postgres::Postgres;
use crate::sandbox::{Said, Sandbox, quarantine_lines};

/// Starts a command twice while the target is held, and lets go once both wait for it, so that
/// neither is ahead.
fn twice(sandbox: &Sandbox, target: &Target<'_>, args: &[&str]) -> [Said; 2] {
    let start = || [sandbox.start(args), sandbox.start(args)];
    let children: [Child; 2] = match target {
        Target::Sqlite(_, name) => {
            let file = rusqlite::Connection::open(sandbox.path(name)).unwrap();
            file.execute_batch("begin immediate").unwrap();
            let children = start();
            // Nobody tells who waits for a file; they come there in much less.
            sleep(Duration::from_millis(500));
            children
        }
        Target::Postgres(postgres) => postgres.while_held("transfer_runs", 2, start),
    };
    children.map(Said::of)
}

/// Holds that of two commands one has ended the run, and that the other ended too, saying of which run
/// it left off or that nothing is left; and that all is there once.
fn assert_one_ended_it(sandbox: &Sandbox, target: &Target<'_>, ends: &[Said]) {
    let runs = target.ask("select count(*) from transfer_runs where status = 'completed'");
    assert_eq!(runs, "1", "{ends:?}");
    assert_eq!(target.ask("select count(*) from transfer_runs"), "1");
    let (_, document) = sandbox.json(&["migrate", "runs", "--url", &target.url()]);
    let run = document["runs"][0]["id"].as_str().unwrap();
    assert!(ends.iter().any(|said| said.status == 0), "{ends:?}");
    for said in ends.iter().filter(|said| said.status != 0) {
        assert_eq!(said.status, 3, "{said:?}");
        let document: Value = serde_json::from_str(&said.out).unwrap();
        assert!(
            document["error"].as_str().unwrap().contains(run),
            "{said:?}"
        );
        assert!(document["what_to_do"].is_string(), "{said:?}");
    }
    sandbox.assert_equal("whole.db", &target.url());
    // Every record is in the ledger of the run, and so was carried by it.
    let records = "select (select count(*) from tenants) + (select count(*) from nodes)
        + (select count(*) from relationships)";
    let ledger = "select count(*) from transfer_ledger";
    assert_eq!(target.ask(ledger), target.ask(records));
    // The rows that were not carried are there once too; a command that came when all was done has
    // them in a file of its own.
    let has_all = |said: &&Said| said.status == 0;
    let files = sandbox.quarantine_files();
    assert_eq!(
        files.len(),
        ends.iter().filter(has_all).count(),
        "{files:?}"
    );
    for file in files {
        let whole = quarantine_lines(&sandbox.path("whole.jsonl"));
        assert_eq!(quarantine_lines(&file), whole);
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn of_two_first_commands_at_once_one_begins_the_run() {
    let sandbox = big();
    for target in [Target::new_sqlite(&sandbox), Target::postgres(&sandbox)] {
        let to = target.url();
        let ends = twice(&sandbox, &target, &resumable("big.db", &to));
        assert_one_ended_it(&sandbox, &target, &ends);
    }
}

#[test]
fn two_first_commands_at_once_make_one_store() {
    let sandbox = big();
    for target in [
        Target::Sqlite(&sandbox, "new.db".to_owned()),
        Target::Postgres(Postgres::new()),
    ] {
        let to = target.url();
        let args = [&resumable("big.db", &to)[..], &["--create-schema"]].concat();
        let children = [sandbox.start(&args), sandbox.start(&args)];
        assert_one_ended_it(&sandbox, &target, &children.map(Said::of));
    }
}

#[test]
fn of_two_commands_at_once_that_resume_a_run_one_ends_it() {
    let sandbox = big();
    for target in [Target::new_sqlite(&sandbox), Target::postgres(&sandbox)] {
        let to = target.url();
        kill(
            &sandbox,
            &target,
            &resumable("big.db", &to),
            200,
            Duration::ZERO,
        )
        .unwrap();
        let (_, document) = sandbox.json(&["migrate", "runs", "--url", &to]);
        let run = document["runs"][0]["id"].as_str().unwrap();
        let args = [&resumable("big.db", &to)[..], &["--resume", run]].concat();
        let ends = twice(&sandbox, &target, &args);
        assert_one_ended_it(&sandbox, &target, &ends);
    }
}

#[test]
fn the_quarantine_that_another_command_writes_is_left_alone() {
    let sandbox = big();
    let target = Target::postgres(&sandbox);
    let to = target.url();
    let args = resumable("big.db", &to);
    let first = started(&sandbox, &target, &args, 200).unwrap();
    // So that it is surely still there, and has the file further than its checkpoint tells.
    signal(&first, "STOP");
    let second = sandbox.json(&args[..args.len() - 1]);
    signal(&first, "CONT");
    let (status, document) = second;
    assert_eq!(status, 3, "{document:#}");
    let error = document["error"].as_str().unwrap();
    assert!(error.contains("by another command"), "{document:#}");
    assert_one_ended_it(&sandbox, &target, &[Said::of(first)]);
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status();
    assert!(sent.unwrap().success());
}
