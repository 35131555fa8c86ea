//! What is not carried, and how it is told.

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class, quarantine_lines, tamper};
use crate::sources::{execute, flux_rag, jarvis};

#[test]
fn tables_without_a_place_are_findings_unless_allowed_by_name() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    execute(
        &sandbox.path("flux.db"),
        "create table moods (mood text); insert into moods values ('good');
        create table notes (note text); insert into notes values ('a'), ('b');",
    );
    let (status, document) = sandbox.transfer("flux.db", "a.db", &[]);
    assert_eq!(status, 1);
    assert_eq!(class(&document, "moods", "unmapped"), 1);
    assert_eq!(class(&document, "notes", "unmapped"), 2);
    assert_eq!(document["problems"].as_array().unwrap().len(), 2);
    // What has a place was carried all the same.
    assert_eq!(document["report"]["outcome"], "committed");
    let one = ["--allow-unmapped", "moods"];
    assert_eq!(sandbox.transfer("flux.db", "b.db", &one).0, 1);
    let both = ["--allow-unmapped", "moods,notes"];
    assert_eq!(sandbox.transfer("flux.db", "c.db", &both).0, 0);
}

#[test]
fn a_name_that_nothing_unmapped_has_is_a_wrong_use_and_makes_no_rows() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    execute(&sandbox.path("flux.db"), "create table moods (mood text)");
    let args = ["migrate", "--from", "flux.db", "--to", "a.db"];
    let said = sandbox.run(&[&args[..], &["--allow-unmapped", "mood"]].concat());
    said.assert_failed(2, &["allow-unmapped", "\"mood\"", "without a place: moods"]);
    let document = sandbox.carry("flux.db", "a.db", &["--allow-unmapped", "moods"]);
    assert_eq!(class(&document, "sessions", "carried"), 3);
}

#[test]
fn a_column_without_a_place_is_a_finding_with_the_number_of_its_values() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    execute(
        &sandbox.path("flux.db"),
        "alter table messages add column mood text; alter table messages add column unused text;
        update messages set mood = 'good' where role = 'user'",
    );
    let (status, document) = sandbox.transfer("flux.db", "a.db", &[]);
    assert_eq!(status, 1);
    let problems = document["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0]["column"], "mood");
    assert_eq!(problems[0]["non_null"], 3);
    let allowed = ["--allow-unmapped", "messages.mood"];
    assert_eq!(sandbox.transfer("flux.db", "b.db", &allowed).0, 0);
}

#[test]
fn what_cannot_be_carried_goes_to_the_quarantine_with_its_raw_values() {
    let sandbox = Sandbox::new();
    let source = sandbox.path("jarvis.db");
    jarvis(&source);
    tamper(
        &source,
        "update entities set name = cast(x'ff41' as text) where id = 9",
    );
    tamper(
        &source,
        "update relationships set to_id = 4711 where id = 5",
    );
    let (status, document) = sandbox.transfer("jarvis.db", "a.db", &[]);
    assert_eq!(status, 1);
    assert_eq!(class(&document, "entities", "quarantined"), 1);
    // One end is missing, and the other one's entity is in quarantine itself.
    assert_eq!(class(&document, "relationships", "quarantined"), 2);
    let files = sandbox.quarantine_files();
    assert_eq!(files.len(), 1, "{files:?}");
    let run = document["report"]["run"].as_str().unwrap();
    assert!(
        files[0].ends_with(format!("memory-quarantine-{run}.jsonl")),
        "{files:?}"
    );
    let lines = quarantine_lines(&files[0]);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["table"], "entities");
    assert_eq!(lines[0]["values"]["id"], 9);
    assert_eq!(lines[0]["values"]["name"]["text_hex"], "ff41");
    assert!(
        lines[0]["reason"].as_str().unwrap().contains("name"),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1]["values"]["to_id"], 4711);

    let allowed = ["--allow-quarantine", "--quarantine-file", "q.jsonl"];
    assert_eq!(sandbox.transfer("jarvis.db", "b.db", &allowed).0, 0);
    assert!(sandbox.has("q.jsonl"));
    // A file that is there is not overwritten, and that is said before anything is done.
    let said = sandbox.run(&[
        "migrate",
        "--from",
        "jarvis.db",
        "--to",
        "c.db",
        "--quarantine-file",
        "q.jsonl",
    ]);
    said.assert_failed(3, &["q.jsonl", "exists"]);
    assert!(!sandbox.has("c.db"));
}

#[test]
fn what_stands_with_other_content_is_a_conflict_and_is_never_overwritten() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("a.db", &postgres.url(), &[]);
    tamper(
        &sandbox.path("a.db"),
        "update nodes set summary = 'mine' where key_id = 'm-1'",
    );
    postgres.execute("update nodes set summary = 'mine' where key_id = 'm-1'");
    for to in ["a.db".to_owned(), postgres.url()] {
        let (status, document) = sandbox.transfer("jarvis.db", &to, &[]);
        assert_eq!(status, 1, "{to}: {document:#}");
        assert_eq!(class(&document, "entities", "conflict"), 1);
        assert_eq!(class(&document, "entities", "already_there"), 4);
        let file = sandbox.quarantine_files().pop().unwrap();
        let lines = quarantine_lines(&file);
        assert_eq!(lines[0]["class"], "conflict");
        assert_eq!(lines[0]["values"]["name"], "m-1");
        std::fs::remove_file(file).unwrap();

        let keep = ["--on-conflict", "keep"];
        let document = sandbox.carry("jarvis.db", &to, &keep);
        assert_eq!(class(&document, "entities", "conflict"), 1);
        assert!(sandbox.quarantine_files().is_empty());
    }
    sandbox.assert_equal("a.db", &postgres.url());
}

#[test]
fn a_second_file_under_the_same_name_ends_in_conflicts_and_the_report_says_why() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("one.db"));
    jarvis(&sandbox.path("two.db"));
    tamper(
        &sandbox.path("two.db"),
        "update entities set name = name || '!'",
    );
    tamper(
        &sandbox.path("two.db"),
        "update mission_history set mission_id = mission_id || '!'",
    );
    sandbox.carry("one.db", "a.db", &[]);
    let args = ["migrate", "--from", "two.db", "--to", "a.db"];
    let said = sandbox.run(&args);
    assert_eq!(said.status, 1);
    assert!(said.out.contains("--source-name"), "{}", said.out);
    let named = ["--source-name", "second"];
    let document = sandbox.carry("two.db", "a.db", &named);
    assert_eq!(class(&document, "entities", "carried"), 5);
}

#[test]
fn a_message_beyond_the_count_of_a_standing_session_is_not_squeezed_in() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "a.db", &[]);
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("flux.db", &postgres.url(), &[]);
    // The conversation went on after it was carried.
    execute(
        &sandbox.path("flux.db"),
        "insert into messages values ('aaaaaaaa-0000-4000-8000-000000000009',
            '11111111-1111-4111-8111-111111111111', 'user', 'more', '{}', '2024-01-01T00:00:09')",
    );
    for to in ["a.db".to_owned(), postgres.url()] {
        let (status, document) = sandbox.transfer("flux.db", &to, &[]);
        assert_eq!(status, 1);
        assert_eq!(document["report"]["outcome"], "nothing_to_carry");
        assert_eq!(class(&document, "sessions", "conflict"), 1);
        assert_eq!(class(&document, "messages", "already_there"), 4);
        assert_eq!(class(&document, "messages", "quarantined"), 1);
        let reason = document["report"]["quarantined"]["first"][0]["reason"]
            .as_str()
            .unwrap();
        assert!(reason.contains("message count 3"), "{reason}");
    }
}

#[test]
fn a_dry_run_reports_the_same_and_changes_nothing() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    flux_rag(&sandbox.path("flux.db"));
    // Into a file that is not there yet.
    let (status, dry) = sandbox.transfer("jarvis.db", "new.db", &["--dry-run"]);
    assert_eq!(status, 0);
    assert_eq!(dry["report"]["outcome"], "dry_run");
    assert!(
        dry["notes"][0].as_str().unwrap().contains("new.db"),
        "{dry:#}"
    );
    assert!(!sandbox.has("new.db"));
    // Into stores that hold something.
    let postgres = Postgres::migrated(&sandbox);
    sandbox.carry("flux.db", "a.db", &[]);
    sandbox.carry("flux.db", "copy.db", &[]);
    sandbox.carry("flux.db", &postgres.url(), &[]);
    for to in ["a.db".to_owned(), postgres.url()] {
        let (status, dry) = sandbox.transfer("jarvis.db", &to, &["--dry-run"]);
        assert_eq!(status, 0);
        assert_eq!(class(&dry, "entities", "carried"), 5);
        assert_eq!(dry["report"]["verification"]["records"], 12);
        sandbox.assert_equal(&to, "copy.db");
        let (_, runs) = sandbox.json(&["migrate", "runs", "--url", &to]);
        assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
        let (status, real) = sandbox.transfer("jarvis.db", &to, &[]);
        assert_eq!(status, 0);
        for part in [
            "tables",
            "rules",
            "conflicts",
            "quarantined",
            "verification",
        ] {
            assert_eq!(dry["report"][part], real["report"][part], "{part}");
        }
    }
}
