//! What programs and people read.

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::sources::{execute, flux_rag, jarvis};

#[test]
fn json_is_one_document_on_standard_output_and_progress_lines_on_standard_error() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    let said = sandbox.run(&["--json", "migrate", "--from", "flux.db", "--to", "a.db"]);
    assert_eq!(said.status, 0, "{said:?}");
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["exit_status"], 0);
    assert_eq!(document["report"]["source"]["kind"], "flux-rag");
    let lines: Vec<Value> = said
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!lines.is_empty());
    for field in [
        "phase",
        "table",
        "done",
        "total",
        "rows_per_second",
        "eta_seconds",
    ] {
        assert!(lines[0].get(field).is_some(), "{field}: {}", lines[0]);
    }
}

#[test]
fn a_failure_is_a_document_too() {
    let sandbox = Sandbox::new();
    let (status, document) = sandbox.transfer("none.db", "a.db", &[]);
    assert_eq!(status, 3);
    assert_eq!(document["exit_status"], 3);
    assert!(document["error"].as_str().unwrap().contains("none.db"));
    assert!(document["what_to_do"].is_string());
}

#[test]
fn the_text_accounts_for_every_table_and_says_what_was_verified() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    execute(
        &sandbox.path("jarvis.db"),
        "create table moods (mood text); insert into moods values ('good')",
    );
    let args = ["migrate", "--from", "jarvis.db", "--to", "a.db"];
    let said = sandbox.run(&args);
    assert_eq!(said.status, 1);
    for words in [
        "jarvis.db (jarvis, ids under the name \"jarvis\")",
        "entities",
        "12 records were read back from the target and compared: all equal",
        "carried 11 rows",
        "--allow-unmapped moods",
    ] {
        assert!(
            said.out.contains(words),
            "{words:?} is not in\n{}",
            said.out
        );
    }
    // No bar where nobody looks.
    assert_eq!(said.err, "");
}

#[test]
fn a_run_without_verification_says_so() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    let args = [
        "migrate",
        "--from",
        "jarvis.db",
        "--to",
        "a.db",
        "--no-verify",
    ];
    let said = sandbox.run(&args);
    assert_eq!(said.status, 0);
    assert!(said.out.contains("NOT VERIFIED"), "{}", said.out);
}

#[test]
fn a_typo_gets_a_suggestion() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["migrate", "statsu"])
        .assert_failed(2, &["'status'"]);
    sandbox
        .run(&["migrate", "--form", "a"])
        .assert_failed(2, &["--from"]);
}
