//! Files of JSON Lines: flux-rag's feedback and AI-PAL's audit log, with literal expected values.

use std::fs;
use std::path::PathBuf;

use memory_legacy::{LegacyKind, Options, Recognised, open, recognise, rules};
use memory_storage::{Conversion, QuarantinedRow, RawValue};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use crate::made::{Read, read, read_source, read_with};

/// A file that is not called after what is in it.
struct Written {
    folder: TempDir,
    path: PathBuf,
}

fn written(bytes: impl AsRef<[u8]>) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.thing");
    fs::write(&path, bytes).unwrap();
    Written { folder, path }
}

fn read_lines(bytes: impl AsRef<[u8]>) -> Read {
    read(&written(bytes).path)
}

const FEEDBACK: &str = r#"{"id": "bdf092d7-9d2f-4eda-ba2a-fb0d8bab0e6b", "message_id": "aaaaaaaa-0000-4000-8000-000000000001", "session_id": "11111111-1111-4111-8111-111111111111", "rating": -1, "comment": "좋은 😀", "corrected_answer": null, "created_at": "2026-02-05T15:17:55.280357"}"#;

const EVENT: &str = r#"{"event_type": "gate_evaluation", "severity": "info", "timestamp": "2026-02-05T15:17:45.407069", "user_id": "ada", "session_id": "s-1", "component": "gates", "action": "evaluate", "details": {"gate": "로컬", "score": 0.5}, "result": "passed", "ip_address": "10.0.0.1", "resource": "main.py"}"#;

#[test]
fn a_line_of_feedback_becomes_feedback() {
    let read = read_lines(FEEDBACK);
    assert_eq!(
        read.identical("feedback", "line=1"),
        json!({
            "record": "feedback",
            "tenant_id": "default",
            "id": "bdf092d7-9d2f-4eda-ba2a-fb0d8bab0e6b",
            "message_id": "aaaaaaaa-0000-4000-8000-000000000001",
            "session_id": "11111111-1111-4111-8111-111111111111",
            "rating": -1,
            "comment": "좋은 😀",
            "correction": null,
            "created_at": "2026-02-05T15:17:55.280357Z",
        })
    );
    assert_eq!(
        read.beyond(),
        [json!({"record": "tenant", "id": "default", "metadata": {},
            "created_at": "2026-02-05T15:17:55.280357Z",
            "last_active_at": "2026-02-05T15:17:55.280357Z"})]
    );
}

#[test]
fn ids_that_are_no_uuids_are_those_that_the_conversations_have() {
    let line = FEEDBACK
        .replace("aaaaaaaa-0000-4000-8000-000000000001", "test-msg-001")
        .replace("11111111-1111-4111-8111-111111111111", "test-session-001")
        .replace("bdf092d7-9d2f-4eda-ba2a-fb0d8bab0e6b", "f-1");
    let (record, used) = read_lines(line).changed("feedback", "line=1");
    // Computed with Python's uuid.uuid5.
    assert_eq!(record["id"], "efeb216c-7c4b-5fe6-b2ba-ca1a9e955fb0");
    assert_eq!(record["message_id"], "fde15a6a-149b-5547-b2c8-19bc216dd7e7");
    assert_eq!(record["session_id"], "f931eaee-9c1b-5436-bce7-787f5f014429");
    assert_eq!(used, [rules::ID_HASHED; 3]);
}

#[test]
fn a_line_of_an_audit_log_becomes_an_event() {
    let (record, used) = read_lines(EVENT).changed("audit", "line=1");
    assert_eq!(
        record,
        json!({
            "record": "audit_event",
            "tenant_id": "ada",
            // Computed with Python's uuid.uuid5 and BLAKE3.
            "id": "37eea8b4-893d-5845-962d-faab5241bb1a",
            "event_type": "gate_evaluation",
            "severity": "info",
            "session_id": "s-1",
            "actor": null,
            "component": "gates",
            "action": "evaluate",
            "details": {"gate": "로컬", "score": 0.5},
            "result": "passed",
            "ip_address": "10.0.0.1",
            "resource": "main.py",
            "at": "2026-02-05T15:17:45.407069Z",
        })
    );
    assert_eq!(used, [rules::NAIVE_AS_UTC]);
    let written = written(EVENT);
    let options = Options {
        timezone: Some("Asia/Seoul".parse().unwrap()),
        ..Options::default()
    };
    let (record, used) = read_with(&written.path, options).changed("audit", "line=1");
    assert_eq!(record["at"], "2026-02-05T06:17:45.407069Z");
    assert_eq!(used, [rules::NAIVE_AS_GIVEN]);
}

#[test]
fn events_without_a_user_are_of_the_unnamed_tenant() {
    let line = |user: &str| {
        format!(
            r#"{{"event_type": "x", "severity": "WARNING", "timestamp": "2026-02-05T15:17:46Z", {user} "details": {{}}}}"#
        )
    };
    let users = [
        "",
        r#""user_id": null,"#,
        r#""user_id": "","#,
        r#""user_id": "default","#,
    ];
    let read = read_lines(users.map(line).join("\n"));
    for (key, rule) in [
        ("line=1", None),
        ("line=2", None),
        ("line=3", Some(rules::EMPTY_USER)),
        ("line=4", Some(rules::USER_SHARES_UNNAMED)),
    ] {
        let (record, used) = read.changed("audit", key);
        assert_eq!(record["tenant_id"], "default");
        assert_eq!(record["severity"], "warning");
        let wanted: Vec<&str> = rule.into_iter().chain([rules::SEVERITY_LOWERED]).collect();
        assert_eq!(used, wanted, "{key}");
    }
}

#[test]
fn lines_that_say_the_same_are_several_events_with_the_same_ids_in_every_file() {
    let line = r#"{"event_type": "system", "severity": "warning", "timestamp": "2026-02-05T15:17:46", "details": {}}"#;
    // Computed with Python's uuid.uuid5 and BLAKE3.
    let ids = [
        "ad99266b-a29b-50fa-826b-07c141037682",
        "13befe07-8221-5eab-a42e-76f6bf96ba15",
    ];
    let one = read_lines(format!("{line}\n{line}\n"));
    let grown = read_lines(format!("{EVENT}\n\n{line}\nbroken\n{line}\n"));
    for (read, keys) in [(&one, ["line=1", "line=2"]), (&grown, ["line=3", "line=5"])] {
        for (key, id) in keys.into_iter().zip(ids) {
            assert_eq!(read.changed("audit", key).0["id"], id, "{key}");
        }
    }
}

#[test]
fn what_is_no_sound_line_is_quarantined_whole_with_its_number() {
    for (line, problem) in [
        (&b"{\"id\": \"x\", \"rating\""[..], "invalid (line) "),
        (b"not JSON", "no sound JSON"),
        (b"[1, 2]", "it is an array; give an object"),
        (b"null", "it is null; give an object"),
        (b"{\"rating\": NaN}", "NaN and infinities are not JSON"),
        (
            b"{\"rating\": -Infinity}",
            "NaN and infinities are not JSON",
        ),
        (b"{\"comment\": \"\\ud83d\"}", "no sound JSON"),
        (b"{\"comment\": \"a\\u0000b\"}", "U+0000"),
        (
            b"{\"comment\": \"\xff\"}",
            "it is not UTF-8 from byte 13 on",
        ),
        (b"{\"a\": 1, \"a\": 2}", "the key \"a\" stands twice"),
        (b"{\"a\": 1, \"A\": 2}", "another key differs only in case"),
        (
            b"{\"Rating\": 1}",
            "invalid Rating \"1\": call the key rating",
        ),
        (
            b"{\"rating\": true}",
            "invalid rating \"true\": give a text or a number",
        ),
        (b"{\"comment\": [\"a\"]}", "invalid comment"),
        (b"{\"more\": 18446744073709551616}", "64 bits"),
        (b"{\"(line)\": 1}", "no key may be called so"),
        (b"{\"_ROWID_\": 1}", "no key may be called so"),
    ] {
        let file = [FEEDBACK.as_bytes(), b"\r\n \n", line, b"\n"].concat();
        let read = read_lines(file);
        assert_eq!(read.rows.len(), 2);
        let reason = read.reason("feedback", "line=3");
        assert!(reason.contains(problem), "{reason}");
        let row = read.row("feedback", "line=3");
        assert_eq!(row.raw[7], RawValue::Text(line.to_vec()));
        assert_eq!(row.context, [("line", "3".to_owned())]);
        read.identical("feedback", "line=1");
    }
}

#[test]
fn a_value_that_cannot_be_carried_quarantines_its_line_by_column() {
    for (from, to, problem) in [
        (
            "g\": -1",
            "g\": 1.5",
            "invalid rating \"the real 1.5\": give an integer",
        ),
        (
            "g\": -1",
            "g\": \"1\"",
            "invalid rating \"1\": give an integer",
        ),
        (
            "g\": -1",
            "g\": null",
            "invalid rating \"NULL\": give an integer",
        ),
        (
            "\"좋은 😀\"",
            "3",
            "invalid comment \"the integer 3\": give a text",
        ),
        ("2026-02-05T", "05.02.2026 ", "invalid created_at"),
        (
            "bdf092d7-9d2f-4eda-ba2a-fb0d8bab0e6b",
            "",
            "invalid id \"\": give a UUID",
        ),
    ] {
        let read = read_lines(FEEDBACK.replace(from, to));
        let reason = read.reason("feedback", "line=1");
        assert!(reason.starts_with(problem), "{reason}");
    }
    for (from, to, problem) in [
        (
            "\"info\"",
            "\"loud\"",
            "invalid severity \"loud\": give one of debug",
        ),
        (
            "{\"gate\"",
            "{\"score\": 1, \"gate\"",
            "the key \"score\" stands twice",
        ),
        (
            "{\"gate\": \"로컬\", \"score\": 0.5}",
            "\"{}\"",
            "it is a text; give an object",
        ),
        (
            "{\"gate\": \"로컬\", \"score\": 0.5}",
            "[]",
            "invalid details",
        ),
        ("\"s-1\"", "\"\"", "invalid session_id"),
        (
            "\"passed\"",
            "false",
            "invalid result \"false\": give a text",
        ),
    ] {
        let read = read_lines(EVENT.replace(from, to) + "\n" + EVENT);
        let reason = read.reason("audit", "line=1");
        assert!(reason.contains(problem), "{reason}");
    }
}

#[test]
fn a_repeated_id_is_quarantined_where_it_comes_again() {
    let other = FEEDBACK.replace("g\": -1", "g\": 1");
    let read = read_lines(format!("{FEEDBACK}\n{other}\n"));
    read.identical("feedback", "line=1");
    let reason = read.reason("feedback", "line=2");
    assert!(
        reason.contains("a row before it has the same id"),
        "{reason}"
    );
}

#[test]
fn a_changed_number_in_details_meets_its_rule() {
    let read = read_lines(EVENT.replace("0.5", "1.0") + "\n" + &EVENT.replace("0.5", "null"));
    let (record, used) = read.changed("audit", "line=1");
    assert_eq!(record["details"]["score"], json!(1));
    assert_eq!(used, [rules::INTEGRAL_DOUBLE, rules::NAIVE_AS_UTC]);
    assert_eq!(read.changed("audit", "line=2").1, [rules::NAIVE_AS_UTC]);
}

#[test]
fn keys_without_a_place_are_columns_with_the_count_of_their_values() {
    let with = |more: &str| FEEDBACK.replacen('{', &format!("{{{more}, "), 1);
    let lines = [
        with(r#""username": "ada", "query": {"a": [1]}"#),
        with(r#""username": "bob", "query": null, "": true"#).replace("bdf092d7", "bdf092d8"),
        FEEDBACK.replace("bdf092d7", "bdf092d9"),
    ];
    let read = read_lines(lines.join("\n"));
    let unmapped: Vec<(&str, u64)> = read.tables[0]
        .columns
        .iter()
        .filter(|column| column.target.is_none())
        .map(|column| (column.name.as_str(), column.non_null))
        .collect();
    assert_eq!(unmapped, [("username", 2), ("query", 1), ("", 1)]);
    assert_eq!(read.tables[0].rows, 3);
    read.identical("feedback", "line=2");
}

#[test]
fn keys_beyond_what_a_table_holds_quarantine_their_line() {
    let mut file = String::new();
    for line in 0..5 {
        let keys: Vec<String> = (0..300)
            .map(|key| format!("\"k{line}-{key}\": 1"))
            .collect();
        file.push_str(&FEEDBACK.replacen('{', &format!("{{{}, ", keys.join(", ")), 1));
        file.push('\n');
    }
    let read = read_lines(file);
    assert_eq!(read.rows.len(), 5);
    let reason = read.reason("feedback", "line=4");
    assert!(reason.contains("over 1000 different keys"), "{reason}");
}

#[test]
fn lines_are_recognised_by_their_keys() {
    for (bytes, kind) in [
        (FEEDBACK.to_owned(), LegacyKind::FluxRagFeedback),
        (format!("\nbroken {{\n{EVENT}"), LegacyKind::AiPalAudit),
    ] {
        let written = written(bytes);
        let path = &written.path;
        assert_eq!(recognise(path).unwrap(), Recognised::Legacy(kind));
        let source = open(path, Options::default()).unwrap();
        assert_eq!(source.description().kind, kind.as_str());
        assert_eq!(source.description().name, kind.system());
    }
    for (line, recognised, says) in [
        (
            r#"{"format":"memory-export","version":1}"#,
            Recognised::Export,
            "`memory import`",
        ),
        (
            r#"{"memory_quarantine":1}"#,
            Recognised::Quarantine,
            "--replay",
        ),
    ] {
        let written = written(format!("{line}\n{FEEDBACK}\n"));
        assert_eq!(recognise(&written.path).unwrap(), recognised);
        let error = open(&written.path, Options::default()).err().unwrap();
        assert!(error.to_string().contains(says), "{error}");
    }
    let unknown = written("{\"event\": 1, \"what\": 2}\n");
    let error = recognise(&unknown.path).unwrap_err().to_string();
    assert!(error.contains("their keys are event, what"), "{error}");
}

#[test]
fn another_kind_can_be_asked_for() {
    let options = |kind| Options {
        kind: Some(kind),
        ..Options::default()
    };
    let unknown = written("{\"rating\": 1}\n");
    let read = read_with(&unknown.path, options(LegacyKind::FluxRagFeedback));
    assert!(read.reason("feedback", "line=1").starts_with("invalid id"));
    let empty = written("\n \n");
    let read = read_with(&empty.path, options(LegacyKind::AiPalAudit));
    assert_eq!((read.rows.len(), read.tables[0].rows), (0, 0));
    let database = crate::made::made(&[crate::made::JARVIS]);
    let error = open(&database.path, options(LegacyKind::AiPalAudit));
    let error = error.err().unwrap().to_string();
    assert!(error.contains("it is a SQLite database"), "{error}");
    let missing = empty.folder.path().join("missing");
    assert!(open(missing, options(LegacyKind::AiPalAudit)).is_err());
}

#[test]
fn what_is_appended_meanwhile_is_for_the_next_run() {
    let written = written(format!("{FEEDBACK}\n"));
    let source = open(&written.path, Options::default()).unwrap();
    let more = format!("{FEEDBACK}\n{}\n", FEEDBACK.replace("bdf092d7", "bdf092d8"));
    fs::write(&written.path, more).unwrap();
    assert_eq!(read_source(source).unwrap().rows.len(), 1);
    assert_eq!(read(&written.path).rows.len(), 2);
}

#[test]
fn a_mended_line_is_replayed_as_a_mended_file_is_read() {
    let broken = EVENT.replacen('{', "", 1);
    let bad_time = EVENT.replace("15:17", "25:17");
    let written = written(format!("{broken}\n{bad_time}\n{bad_time}\n"));
    let options = Options {
        kind: Some(LegacyKind::AiPalAudit),
        ..Options::default()
    };
    let source = open(&written.path, options.clone()).unwrap();
    let description = source.description().clone();
    let first = read_source(source).unwrap();
    let columns: Vec<String> = first.tables[0]
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let mend = |value: &RawValue| match value {
        RawValue::Text(text) if *text == broken.as_bytes() => RawValue::Text(EVENT.into()),
        RawValue::Text(text) => {
            let text = String::from_utf8(text.clone()).unwrap();
            RawValue::Text(text.replace("25:17", "16:17").into_bytes())
        }
        other => other.clone(),
    };
    let quarantined = first.rows.iter().zip(2..).map(|(row, line)| {
        assert!(matches!(row.conversion, Conversion::Quarantined { .. }));
        let values = columns.iter().cloned().zip(row.raw.iter().map(mend));
        let context = row.context.iter().cloned();
        Ok(QuarantinedRow {
            line,
            table: "audit".to_owned(),
            values: values.collect(),
            context: context
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        })
    });
    let rows: Vec<_> = quarantined.collect();
    let replayed = memory_legacy::replay(&description, "q".to_owned(), rows, 10).unwrap();
    let replayed = read_source(replayed).unwrap();
    let mended = EVENT.replace("15:17", "16:17");
    let wanted = read_lines(format!("{EVENT}\n{mended}\n{mended}\n"));
    for key in ["line=1", "line=2", "line=3"] {
        assert_eq!(
            replayed.changed("audit", key),
            wanted.changed("audit", key),
            "{key}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_stands_in_a_file_every_line_comes_out_once(
        lines in proptest::collection::vec(
            r#"(\{|)("(id|rating|comment|x|X)": (1|-0|1\.5|true|"a"|"\\ud83d"|null|\{\}|\[)(, |)){0,3}(\}|)|\PC{0,9}"#,
            0..8,
        ),
    ) {
        let options = Options {
            kind: Some(LegacyKind::FluxRagFeedback),
            ..Options::default()
        };
        let lines: Vec<String> = lines.into_iter().map(|line| line.replace('\n', "")).collect();
        let written = written(lines.join("\n"));
        let read = read_with(&written.path, options);
        let is_row = |line: &&String| !line.bytes().all(|byte| byte.is_ascii_whitespace());
        prop_assert_eq!(read.rows.len(), lines.iter().filter(is_row).count());
        for row in &read.rows {
            if let Conversion::Quarantined { reason } = &row.conversion {
                prop_assert!(!reason.contains("defect of the reader"), "{}", reason);
            }
        }
    }
}
