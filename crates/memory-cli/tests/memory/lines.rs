//! Files of JSON Lines that older systems left behind, carried to both backends.

use std::fs;

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class, quarantine_lines};
use crate::sources::{audit, feedback, flux_rag};

#[test]
fn feedback_and_an_audit_log_are_carried_whole_to_both_backends() {
    let sandbox = Sandbox::new();
    feedback(&sandbox.path("feedback"));
    audit(&sandbox.path("monday"));
    let postgres = Postgres::migrated(&sandbox);
    for to in ["a.db".to_owned(), postgres.url()] {
        let document = sandbox.carry("feedback", &to, &[]);
        assert_eq!(document["report"]["source"]["kind"], "flux-rag-feedback");
        assert_eq!(document["report"]["source"]["name"], "flux-rag");
        assert_eq!(class(&document, "feedback", "carried"), 2);
        assert_eq!(class(&document, "feedback", "changed"), 1);
        let document = sandbox.carry("monday", &to, &[]);
        assert_eq!(document["report"]["source"]["kind"], "ai-pal-audit");
        assert_eq!(class(&document, "audit", "carried"), 1);
        assert_eq!(class(&document, "audit", "changed"), 2);
        for (file, table) in [("feedback", "feedback"), ("monday", "audit")] {
            let again = sandbox.carry(file, &to, &[]);
            assert_eq!(again["report"]["outcome"], "nothing_to_carry");
            assert_eq!(class(&again, table, "already_there"), 3);
        }
    }
    sandbox.assert_equal("a.db", &postgres.url());
}

#[test]
fn a_log_that_has_grown_and_that_of_another_day_go_into_the_same_store() {
    let sandbox = Sandbox::new();
    audit(&sandbox.path("monday"));
    sandbox.carry("monday", "a.db", &[]);
    let line = r#"{"event_type": "x", "severity": "info", "timestamp": "2026-02-06T00:00:00Z"}"#;
    let monday = fs::read_to_string(sandbox.path("monday")).unwrap();
    fs::write(sandbox.path("monday"), format!("{monday}{line}\n")).unwrap();
    let document = sandbox.carry("monday", "a.db", &[]);
    assert_eq!(class(&document, "audit", "already_there"), 3);
    assert_eq!(class(&document, "audit", "changed"), 1);
    let line = line.replace("06T", "07T");
    fs::write(sandbox.path("tuesday"), format!("{line}\n")).unwrap();
    let document = sandbox.carry("tuesday", "a.db", &[]);
    assert_eq!(class(&document, "audit", "changed"), 1);
}

#[test]
fn a_line_that_is_mended_and_replayed_is_what_a_mended_file_gives() {
    let sandbox = Sandbox::new();
    feedback(&sandbox.path("sound"));
    // Neither line that is broken is the tenant's first or last, which keeps its times once it stands.
    let more = r#"{"id": "0878908c-bb74-444f-9223-fe76db91f193", "message_id": null, "session_id": null, "rating": 5, "comment": null, "corrected_answer": null, "created_at": "2026-02-05T15:17:55.5"}"#;
    let sound = fs::read_to_string(sandbox.path("sound")).unwrap() + more;
    fs::write(sandbox.path("sound"), &sound).unwrap();
    let broken = sound
        .replacen("\"rating\": 1,", "\"rating\": NaN,", 1)
        .replace("2026-02-05T15:17:55.5", "yesterday");
    fs::write(sandbox.path("broken"), broken).unwrap();
    sandbox.carry("sound", "wanted.db", &[]);
    let postgres = Postgres::migrated(&sandbox);
    for to in ["a.db".to_owned(), postgres.url()] {
        let named = ["--quarantine-file", "q.jsonl"];
        let (status, document) = sandbox.transfer("broken", &to, &named);
        assert_eq!(status, 1, "{document:#}");
        let file = sandbox.path("q.jsonl");
        let lines = quarantine_lines(&file);
        assert_eq!(
            (&lines[0]["key"], &lines[1]["key"]),
            (&"line=1".into(), &"line=4".into())
        );
        let text = fs::read_to_string(&file).unwrap();
        let mended = text
            .replace(r#"\"rating\": NaN"#, r#"\"rating\": 1"#)
            .replace("\"yesterday\"", "\"2026-02-05T15:17:55.5\"");
        fs::write(&file, mended).unwrap();
        let replay = ["migrate", "--replay", "q.jsonl", "--to", &to];
        let (status, document) = sandbox.json(&replay);
        assert_eq!(status, 0, "{document:#}");
        assert_eq!(class(&document, "feedback", "carried"), 2);
        sandbox.assert_equal("wanted.db", &to);
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn keys_without_a_place_must_be_allowed_by_name() {
    let sandbox = Sandbox::new();
    feedback(&sandbox.path("feedback"));
    let text = fs::read_to_string(sandbox.path("feedback")).unwrap();
    let text = text.replacen('{', "{\"username\": \"ada\", ", 1);
    fs::write(sandbox.path("feedback"), text).unwrap();
    let (status, document) = sandbox.transfer("feedback", "a.db", &["--dry-run"]);
    assert_eq!(status, 1, "{document:#}");
    sandbox.carry(
        "feedback",
        "a.db",
        &["--allow-unmapped", "feedback.username"],
    );
}

#[test]
fn each_file_is_pointed_to_the_command_that_reads_it() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "a.db", &[]);
    let said = sandbox.run(&["export", "--url", "a.db", "--to", "all.jsonl"]);
    assert_eq!(said.status, 0, "{said:?}");
    let said = sandbox.run(&["migrate", "--from", "all.jsonl", "--to", "b.db"]);
    said.assert_failed(
        3,
        &["a file of `memory export`", "`memory import all.jsonl`"],
    );
    feedback(&sandbox.path("f.jsonl"));
    let said = sandbox.run(&["import", "f.jsonl", "--url", "b.db"]);
    said.assert_failed(3, &["flux-rag-feedback", "`memory migrate --from f.jsonl"]);
    let said = sandbox.run(&["import", "flux.db", "--url", "b.db"]);
    said.assert_failed(3, &["flux-rag", "`memory migrate --from flux.db"]);
    let quarantine = "{\"memory_quarantine\": 1}\n";
    fs::write(sandbox.path("q.jsonl"), quarantine).unwrap();
    for args in [
        &["import", "q.jsonl"][..],
        &["migrate", "--from", "q.jsonl", "--to", "b.db"],
    ] {
        sandbox.run(args).assert_failed(3, &["--replay q.jsonl"]);
    }
    assert!(!sandbox.has("b.db"));
}
