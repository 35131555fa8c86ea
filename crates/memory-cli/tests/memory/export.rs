//! A store as a file of JSON Lines, and back.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class, quarantine_lines};
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

fn export(sandbox: &Sandbox, url: &str, file: &str, more: &[&str]) -> Value {
    let args = ["export", "--url", url, "--to", file, "--force"];
    let (status, document) = sandbox.json(&[&args, more].concat());
    assert_eq!(status, 0, "{document:#}");
    document
}

fn import(sandbox: &Sandbox, file: &str, url: &str, more: &[&str]) -> (i32, Value) {
    let args = ["import", file, "--url", url];
    sandbox.json(&[&args, more].concat())
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

/// The lines after the first, which says when the file was written.
fn body(path: &Path) -> Vec<String> {
    lines(path)[1..].to_vec()
}

/// Writes lines with a first and a last line that fit them, as a hostile hand can.
fn sealed(path: &Path, tenant: &Value, records: &[&str]) {
    let mut counts = json!({});
    let mut sums = json!({});
    for line in records {
        let kind = serde_json::from_str::<Value>(line).map(|line| line["record"].clone());
        let kind = kind.unwrap_or_default();
        let table = format!("{}s", kind.as_str().unwrap_or("node"));
        counts[&table] = json!(counts[&table].as_u64().unwrap_or(0) + 1);
        let bytes = sums[&table].as_str().unwrap_or_default().to_owned();
        sums[&table] = json!(format!("{bytes}{line}\n"));
    }
    for (_, sum) in sums.as_object_mut().unwrap() {
        let bytes = sum.as_str().unwrap().to_owned();
        let count = bytes.lines().count();
        let digest = blake3::hash(bytes.as_bytes()).to_hex().to_string();
        *sum = json!({"count": count, "digest": digest});
    }
    let header = json!({
        "format": "memory-export", "version": 1, "exported_at": "2026-11-21T03:41:19Z",
        "tenant": tenant, "records": counts,
    });
    let trailer = json!({"end": "memory-export", "records": sums});
    let mut text = format!("{header}\n");
    for line in records {
        writeln!(text, "{line}").unwrap();
    }
    std::fs::write(path, format!("{text}{trailer}\n")).unwrap();
}

const ADA: &str = r#"{"record":"tenant","id":"ada","created_at":"2024-01-01T00:00:00.000000Z","last_active_at":"2024-01-01T00:00:00.000000Z","metadata":{}}"#;

fn session(id: u32, tenant: &str, title: &str) -> String {
    format!(
        r#"{{"record":"session","tenant_id":"{tenant}","id":"00000000-0000-4000-8000-{id:012}","title":{title},"metadata":{{}},"created_at":"2024-01-01T00:00:00.000000Z","updated_at":"2024-01-01T00:00:00.000000Z","message_count":0}}"#
    )
}

#[test]
fn a_store_goes_to_a_file_to_postgres_and_to_the_same_file_again() {
    let sandbox = filled();
    let postgres = Postgres::new();
    let first = export(&sandbox, "a.db", "first.jsonl", &[]);
    assert_eq!(first["export"]["records"]["nodes"]["count"], 5);
    assert_eq!(first["export"]["records"]["messages"]["count"], 4);
    let schema = ["--create-schema"];
    let (status, document) = import(&sandbox, "first.jsonl", &postgres.url(), &schema);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(class(&document, "nodes", "carried"), 5);
    assert_eq!(class(&document, "relationships", "carried"), 4);
    assert_eq!(document["report"]["source"]["kind"], "memory-export");
    sandbox.assert_equal("a.db", &postgres.url());
    let second = export(&sandbox, &postgres.url(), "second.jsonl", &[]);
    assert_eq!(second["export"]["records"], first["export"]["records"]);
    let (first, second) = (sandbox.path("first.jsonl"), sandbox.path("second.jsonl"));
    assert_eq!(body(&first), body(&second));
    assert_eq!(body(&first).len(), 21 + 1);

    // And into a new SQLite file; once more there is nothing to carry.
    let (status, _) = import(&sandbox, "second.jsonl", "b.db", &[]);
    assert_eq!(status, 0);
    sandbox.assert_equal("a.db", "b.db");
    let (status, document) = import(&sandbox, "first.jsonl", "b.db", &[]);
    assert_eq!(
        (status, &document["report"]["outcome"]),
        (0, &json!("nothing_to_carry"))
    );
}

#[test]
fn the_first_line_says_what_the_file_is_and_the_last_one_what_came() {
    let sandbox = filled();
    export(&sandbox, "a.db", "a.jsonl", &["--tenant", "bob"]);
    let lines = lines(&sandbox.path("a.jsonl"));
    let header: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(header["format"], "memory-export");
    assert_eq!(header["version"], 1);
    assert_eq!(header["tenant"], "bob");
    assert_eq!(header["records"]["sessions"], 1);
    let trailer: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!(trailer["end"], "memory-export");
    let sessions: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with(r#"{"record":"session""#))
        .map(String::as_str)
        .collect();
    let sessions = sessions.join("\n") + "\n";
    assert_eq!(trailer["records"]["sessions"]["count"], 1);
    let digest = blake3::hash(sessions.as_bytes()).to_hex().to_string();
    assert_eq!(trailer["records"]["sessions"]["digest"], digest);
}

#[test]
fn one_tenant_is_taken_out_of_a_store_and_out_of_a_file() {
    let sandbox = filled();
    export(&sandbox, "a.db", "ada.jsonl", &["--tenant", "ada"]);
    export(&sandbox, "a.db", "all.jsonl", &[]);
    assert_eq!(import(&sandbox, "ada.jsonl", "one.db", &[]).0, 0);
    let (status, document) = import(&sandbox, "all.jsonl", "two.db", &["--tenant", "ada"]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(class(&document, "sessions", "carried"), 2);
    assert_eq!(class(&document, "sessions", "not_selected"), 1);
    sandbox.assert_equal("one.db", "two.db");
    let (status, _) = sandbox.json(&["verify", "a.db", "one.db", "--tenant", "ada"]);
    assert_eq!(status, 0);
}

#[test]
fn standard_output_and_input_may_be_a_pipe() {
    let sandbox = filled();
    let script = "memory export --url a.db 2> said | memory import - --url b.db";
    let said = sandbox.shell(script);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("standard input"), "{said:?}");
    sandbox.assert_equal("a.db", "b.db");
    let told = std::fs::read_to_string(sandbox.path("said")).unwrap();
    assert!(told.contains("21 records"), "{told}");
}

#[test]
fn an_import_can_be_tried_and_taken_back() {
    let sandbox = filled();
    export(&sandbox, "a.db", "a.jsonl", &[]);
    let (status, document) = import(&sandbox, "a.jsonl", "b.db", &["--dry-run"]);
    assert_eq!(status, 0, "{document:#}");
    assert!(!sandbox.has("b.db"));
    let (_, document) = import(&sandbox, "a.jsonl", "b.db", &[]);
    let run = document["report"]["run"].as_str().unwrap().to_owned();
    let said = sandbox.run(&["migrate", "rollback", &run, "--url", "b.db"]);
    assert_eq!(said.status, 0, "{said:?}");
    let (_, document) = sandbox.json(&["export", "--url", "b.db", "--to", "none.jsonl"]);
    assert_eq!(document["export"]["records"]["tenants"]["count"], 0);
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_refused_with_its_line() {
    let sandbox = filled();
    export(&sandbox, "a.db", "a.jsonl", &[]);
    let lines = lines(&sandbox.path("a.jsonl"));
    let last = lines.len();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines.join("\n") + "\n"
    };
    let whole = with(&|_| {});
    let later = r#"{"format":"memory-export","version":2,"columns":[]}"#;
    let cases: [(&str, String, &[&str]); 15] = [
        ("empty", String::new(), &["it is empty"]),
        (
            "no lines",
            "what is this".to_owned(),
            &["line 1 does not end"],
        ),
        ("text", "what is this\n".to_owned(), &["line 1 is not JSON"]),
        (
            "other JSON",
            "{}\n".to_owned(),
            &["line 1", "memory export"],
        ),
        (
            "version",
            with(&|all| all[0] = later.to_owned()),
            &["version 2", "newer program"],
        ),
        (
            "no trailer",
            with(&|all| drop(all.pop())),
            &["line 22", "trailer"],
        ),
        (
            "cut",
            whole[..whole.len() - 900].to_owned(),
            &["is cut off"],
        ),
        (
            "cut in the trailer",
            whole[..whole.len() - 9].to_owned(),
            &["line 23 is cut off"],
        ),
        (
            "no JSON",
            with(&|all| all[6].truncate(40)),
            &["line 7 is not JSON"],
        ),
        (
            "blank",
            with(&|all| all.insert(3, String::new())),
            &["line 4 is not JSON"],
        ),
        (
            "no record",
            with(&|all| all[4] = "[1]".to_owned()),
            &["line 5 is no record"],
        ),
        (
            "unknown kind",
            with(&|all| all[4] = r#"{"record":"dream"}"#.to_owned()),
            &["line 5", "dream"],
        ),
        (
            "one less",
            with(&|all| drop(all.remove(9))),
            &["line 22", "lines are missing"],
        ),
        (
            "changed",
            with(&|all| all[5] = all[5].replace("기차", "Zug").replace("empty", "Empty")),
            &["line 23", "the digest of sessions"],
        ),
        (
            "more",
            format!("{whole}{{}}\n"),
            &["line 24 follows the trailer"],
        ),
    ];
    assert_eq!(last, 23);
    for (name, text, words) in cases {
        std::fs::write(sandbox.path("bad.jsonl"), &text).unwrap();
        let said = sandbox.run(&["import", "bad.jsonl", "--url", "b.db"]);
        assert_eq!(said.status, 3, "{name}: {said:?}");
        for word in words {
            assert!(
                said.err.contains(word),
                "{name}: {word} is not in {}",
                said.err
            );
        }
    }
    // Nothing of any of them was carried.
    let (status, document) = import(&sandbox, "a.jsonl", "b.db", &[]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(class(&document, "sessions", "carried"), 3);
    assert_eq!(
        sandbox.quarantine_files(),
        [""; 0].map(std::path::PathBuf::from)
    );
}

#[test]
fn a_line_that_cannot_be_carried_is_quarantined_under_its_number() {
    let sandbox = Sandbox::new();
    let good = session(1, "ada", r#""ok""#);
    let cases = [
        (session(2, "ada", r#""a\u0000b""#), "U+0000"),
        (session(3, "ada", "7"), "invalid type"),
        (
            session(4, "ada", r#""x""#).replace("\"message_count\":0", "\"message_count\":-1"),
            "message_count",
        ),
        (
            session(5, "ada", r#""x""#).replace("\"metadata\":{}", "\"metadata\":{\"a\":1.0}"),
            "metadata",
        ),
        (
            session(6, "ada", r#""x""#).replace("\"metadata\"", "\"mood\":1,\"metadata\""),
            "mood",
        ),
        (
            session(7, "ada", r#""x""#).replace("T00:00:00.000000Z", "T00:00:00.0000001Z"),
            "finer than a microsecond",
        ),
        (session(8, "bob", r#""x""#), "tenant bob"),
        (
            session(9, "ada", r#""x""#).replace("00000000-0000", "zzzzzzzz-0000"),
            "UUID",
        ),
    ];
    let mut records = vec![ADA, good.as_str()];
    records.extend(cases.iter().map(|(line, _)| line.as_str()));
    // The same line again is the same record.
    records.push(&good);
    sealed(&sandbox.path("bad.jsonl"), &json!("ada"), &records);
    let postgres = Postgres::migrated(&sandbox);
    for url in ["b.db", &postgres.url()] {
        let args = ["--quarantine-file", "quarantine.jsonl"];
        let (status, document) = import(&sandbox, "bad.jsonl", url, &args);
        assert_eq!(status, 1, "{document:#}");
        assert_eq!(class(&document, "sessions", "carried"), 1);
        assert_eq!(class(&document, "sessions", "already_there"), 1);
        assert_eq!(class(&document, "sessions", "quarantined"), 8);
        let found = quarantine_lines(&sandbox.path("quarantine.jsonl"));
        for (index, (line, reason)) in cases.iter().enumerate() {
            assert_eq!(found[index]["key"], format!("line {}", index + 4));
            let said = found[index]["reason"].as_str().unwrap();
            assert!(said.contains(reason), "{reason} is not in {said}");
            assert_eq!(found[index]["values"]["line"], *line);
        }
        std::fs::remove_file(sandbox.path("quarantine.jsonl")).unwrap();
    }
    sandbox.assert_equal("b.db", &postgres.url());
}

#[test]
fn a_line_of_60_mb_is_carried() {
    let sandbox = Sandbox::new();
    let long = format!(r#""{}""#, "x".repeat(60 * 1024 * 1024));
    let line = session(1, "ada", &long);
    sealed(&sandbox.path("big.jsonl"), &Value::Null, &[ADA, &line]);
    let (status, document) = import(&sandbox, "big.jsonl", "b.db", &[]);
    assert_eq!(status, 0, "{document:#}");
    export(&sandbox, "b.db", "again.jsonl", &[]);
    assert_eq!(
        body(&sandbox.path("again.jsonl"))[1].len(),
        line.len(),
        "the line is another one"
    );
}

#[test]
fn a_file_that_is_there_is_not_overwritten_and_a_failed_export_leaves_none() {
    let sandbox = filled();
    std::fs::write(sandbox.path("mine.jsonl"), "mine").unwrap();
    let said = sandbox.run(&["export", "--url", "a.db", "--to", "mine.jsonl"]);
    said.assert_failed(3, &["mine.jsonl exists already", "--force"]);
    assert_eq!(std::fs::read(sandbox.path("mine.jsonl")).unwrap(), b"mine");
    let typo = [
        "export", "--url", "a.db", "--tenant", "adda", "--to", "x.jsonl",
    ];
    sandbox.run(&typo).assert_failed(2, &["adda", "a.db"]);
    assert!(!sandbox.has("x.jsonl"));
    let said = sandbox.run(&["export", "--url", "none.db"]);
    said.assert_failed(3, &["none.db", "is not there"]);
    assert!(!sandbox.has("none.db"));
    let said = sandbox.run(&["import", "none.jsonl", "--url", "b.db"]);
    said.assert_failed(3, &["none.jsonl", "is not there"]);
    assert!(!sandbox.has("b.db"));
    let entries = std::fs::read_dir(sandbox.path(".")).unwrap();
    let left: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn comparing_a_tenant_that_neither_store_has_is_a_wrong_use() {
    let sandbox = filled();
    let said = sandbox.run(&["verify", "a.db", "a.db", "--tenant", "adda"]);
    said.assert_failed(2, &["adda", "a.db"]);
}

#[test]
fn the_runs_of_a_store_that_is_only_read_are_listed() {
    let sandbox = filled();
    let said = sandbox.run(&["migrate", "runs", "--url", "sqlite://a.db?mode=ro"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.out.matches("completed").count(), 2, "{said:?}");
}

#[test]
fn a_pipe_is_written_and_not_replaced() {
    let sandbox = filled();
    let script = "mkfifo pipe
        cat pipe > read.jsonl &
        memory export --url a.db --to pipe --force > said
        wait
        test -p pipe";
    let said = sandbox.shell(script);
    assert_eq!(said.status, 0, "{said:?}");
    export(&sandbox, "a.db", "file.jsonl", &[]);
    assert_eq!(
        body(&sandbox.path("read.jsonl")),
        body(&sandbox.path("file.jsonl"))
    );
    let export = ["export", "--url", "a.db", "--to", "pipe"];
    sandbox.run(&export).assert_failed(3, &["exists already"]);
    let backup = ["backup", "pipe", "--url", "a.db", "--force"];
    sandbox
        .run(&backup)
        .assert_failed(3, &["is no regular file"]);
}
