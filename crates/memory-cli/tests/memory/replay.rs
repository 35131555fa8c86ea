//! What was quarantined, mended by a person, and carried after all.

use std::path::Path;

use crate::faults::big;
use crate::interrupted::{BATCH, Target, any_moment, kill, kill_atomic, random};
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, ask, class, quarantine_lines, tamper};
use crate::sources::{ai_pal, consultant, continuum, flux_rag, jarvis};

/// Replaces texts in a file as an editor would, each of which must be there.
fn mend(path: &Path, replacements: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(path).unwrap();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from} is not in {text}");
        text = text.replace(from, to);
    }
    std::fs::write(path, text).unwrap();
}

/// How a source is made, what is broken in it, and how a person mends the quarantine.
struct Case {
    make: fn(&Path),
    allowed: &'static [&'static str],
    breaks: &'static [&'static str],
    mends: &'static [(&'static str, &'static str)],
    quarantined: usize,
}

const CASES: [Case; 5] = [
    // An entity, both relationships of which wait for it, and one of two parallel relationships.
    Case {
        make: jarvis,
        allowed: &[],
        breaks: &[
            "update entities set name = cast(x'ff41' as text) where id = 9",
            "update relationships set metadata = '{' where id = 2",
        ],
        mends: &[
            (r#"{"text_hex":"ff41"}"#, r#""A + B + C""#),
            (r#""metadata":"{""#, r#""metadata":"{\"weight\": 2.5}""#),
        ],
        quarantined: 3,
    },
    // A tenant with all that it has, whose concepts are named in rows that are broken too.
    Case {
        make: |path| {
            continuum(path);
            tamper(path, "delete from beliefs");
            tamper(
                path,
                "insert into attention_links (concept_a, concept_b, link_type, strength, created_at,
                    last_accessed)
                values ('go', 'Channels', 'part_of', 0.5, '2025-12-06T10:11:12',
                    '2025-12-06T10:11:12')",
            );
        },
        allowed: &[],
        breaks: &[
            "update tenants set created_at = 'yesterday' where tenant_id = 'ada'",
            "update attention_links set strength = 'strong' where concept_a = 'go'",
        ],
        mends: &[
            (
                r#""created_at":"yesterday""#,
                r#""created_at":"2025-12-01T00:00:00""#,
            ),
            (r#""strength":"strong""#, r#""strength":0.5"#),
        ],
        quarantined: 14,
    },
    // A task and a patch request of the one tenant, and a goal of the other.
    Case {
        make: ai_pal,
        allowed: &["--allow-unmapped", "edm_debts"],
        breaks: &[
            "update background_tasks set status = 'asleep' where id = 4",
            "update patch_requests set feedback_ids = '[1]'",
            "update ffe_goals set deadline = 'soon'",
        ],
        mends: &[
            ("\"asleep\"", "\"running\""),
            ("\"feedback_ids\":\"[1]\"", r#""feedback_ids":"[\"f-1\"]""#),
            ("\"soon\"", "\"2026-12-31 00:00:00\""),
        ],
        quarantined: 3,
    },
    // A session with its messages.
    Case {
        make: flux_rag,
        allowed: &[],
        breaks: &["update sessions set created_at = 'yesterday' where user_id = 'bob'"],
        mends: &[("\"yesterday\"", "\"2024-01-02T00:00:00\"")],
        quarantined: 2,
    },
    // A node with its relationship and its row in the full-text table, and a relationship whose
    // ends were carried.
    Case {
        make: |path| {
            consultant(path);
            tamper(
                path,
                "insert into memory_relationships values
                (5, '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01',
                    'relates_to', 0.5, '2025-07-01T11:00:00Z', '{}')",
            );
        },
        allowed: &[],
        breaks: &[
            "update memory_nodes set base_relevance = 1.7 where node_id like '%0a02'",
            "update memory_relationships set strength = 'strong' where id = 5",
        ],
        mends: &[
            (r#""base_relevance":1.7"#, r#""base_relevance":0.5"#),
            (r#""strength":"strong""#, r#""strength":0.5"#),
        ],
        quarantined: 4,
    },
];

#[test]
fn what_is_mended_and_replayed_is_what_a_mended_source_gives() {
    for case in CASES {
        let sandbox = Sandbox::new();
        for file in ["sound.db", "broken.db"] {
            (case.make)(&sandbox.path(file));
        }
        for sql in case.breaks {
            tamper(&sandbox.path("broken.db"), sql);
        }
        sandbox.carry("sound.db", "wanted.db", case.allowed);
        let postgres = Postgres::migrated(&sandbox);
        for to in ["a.db".to_owned(), postgres.url()] {
            let file = sandbox.path("q.jsonl");
            let named = [case.allowed, &["--quarantine-file", "q.jsonl"]].concat();
            assert_eq!(sandbox.transfer("broken.db", &to, &named).0, 1);
            assert_eq!(quarantine_lines(&file).len(), case.quarantined);
            mend(&file, case.mends);

            let replay = ["migrate", "--replay", "q.jsonl", "--to", &to];
            let (status, dry) = sandbox.json(&[&replay[..], &["--dry-run"]].concat());
            assert_eq!(status, 0, "{dry:#}");
            assert_eq!(dry["report"]["outcome"], "dry_run");
            let (status, document) = sandbox.json(&replay);
            assert_eq!(status, 0, "{document:#}");
            assert_eq!(document["report"]["outcome"], "committed");
            assert_eq!(dry["report"]["tables"], document["report"]["tables"]);
            let rows: u64 = document["report"]["tables"]
                .as_array()
                .unwrap()
                .iter()
                .map(|table| table["rows"].as_u64().unwrap())
                .sum();
            assert_eq!(rows, case.quarantined as u64);
            sandbox.assert_equal("wanted.db", &to);

            // Once more there is nothing left to carry.
            let (status, again) = sandbox.json(&replay);
            assert_eq!(status, 0, "{again:#}");
            assert_eq!(again["report"]["outcome"], "nothing_to_carry");
            std::fs::remove_file(file).unwrap();
        }
    }
}

#[test]
fn a_quarantine_may_be_read_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    tamper(
        &sandbox.path("flux.db"),
        "update sessions set title = x'00'",
    );
    let named = ["--quarantine-file", "q.jsonl"];
    assert_eq!(sandbox.transfer("flux.db", "a.db", &named).0, 1);
    let mode = sandbox.path("q.jsonl").metadata().unwrap().permissions();
    assert_eq!(mode.mode() & 0o7777, 0o600);
}

#[test]
fn what_is_not_mended_goes_to_a_new_quarantine_that_can_be_replayed() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    for sql in [
        "update entities set metadata = '{' where id = 9",
        "update relationships set metadata = 'null]' where id = 2",
    ] {
        tamper(&sandbox.path("jarvis.db"), sql);
    }
    let named = ["--quarantine-file", "q.jsonl"];
    assert_eq!(sandbox.transfer("jarvis.db", "a.db", &named).0, 1);
    mend(&sandbox.path("q.jsonl"), &[(r#""null]""#, r#""{}""#)]);
    let replay = |file, next| {
        sandbox.json(&[
            "migrate",
            "--replay",
            file,
            "--to",
            "a.db",
            "--quarantine-file",
            next,
        ])
    };
    let (status, document) = replay("q.jsonl", "r.jsonl");
    assert_eq!(status, 1, "{document:#}");
    assert_eq!(class(&document, "entities", "quarantined"), 1);
    assert_eq!(class(&document, "relationships", "quarantined"), 1);
    assert_eq!(class(&document, "relationships", "carried"), 1);
    let before = quarantine_lines(&sandbox.path("q.jsonl"));
    let after = quarantine_lines(&sandbox.path("r.jsonl"));
    assert_eq!(after.len(), 2);
    assert_eq!(after[0], before[0]);
    // The one relationship waits for the entity, and the label of a parallel one is not lost.
    assert_eq!(after[1]["values"], before[2]["values"]);
    mend(
        &sandbox.path("r.jsonl"),
        &[(r#""metadata":"{""#, r#""metadata":"{}""#)],
    );
    let (status, document) = replay("r.jsonl", "s.jsonl");
    assert_eq!(status, 0, "{document:#}");
    assert!(!sandbox.has("s.jsonl"));
    let labels = "select group_concat(label) from (select label from relationships
        where kind = 'worked_on' order by label)";
    assert_eq!(ask(&sandbox.path("a.db"), labels), "1,2");
}

#[test]
fn a_replay_is_a_run_of_its_own_and_is_taken_back_alone() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    tamper(
        &sandbox.path("flux.db"),
        "update sessions set title = x'00' where user_id = 'bob'",
    );
    let named = ["--quarantine-file", "q.jsonl"];
    assert_eq!(sandbox.transfer("flux.db", "a.db", &named).0, 1);
    assert_eq!(
        sandbox
            .transfer("flux.db", "b.db", &["--allow-quarantine"])
            .0,
        0
    );
    mend(
        &sandbox.path("q.jsonl"),
        &[(r#"{"blob_hex":"00"}"#, r#""mended""#)],
    );
    let (status, document) = sandbox.json(&["migrate", "--replay", "q.jsonl", "--to", "a.db"]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(document["report"]["source"]["kind"], "flux-rag");
    assert_eq!(document["report"]["source"]["location"], "q.jsonl");
    assert_eq!(
        ask(
            &sandbox.path("a.db"),
            "select title from sessions where tenant_id = 'bob'"
        ),
        "mended"
    );
    let (_, runs) = sandbox.json(&["migrate", "runs", "--url", "a.db"]);
    let runs = runs["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["source_location"], "q.jsonl");
    let run = document["report"]["run"].as_str().unwrap();
    assert_eq!(
        sandbox
            .run(&["migrate", "rollback", run, "--url", "a.db"])
            .status,
        0
    );
    sandbox.assert_equal("a.db", "b.db");
}

#[test]
fn a_message_of_a_session_that_stands_stays_in_quarantine() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    tamper(
        &sandbox.path("flux.db"),
        "update messages set content = x'00' where role = 'assistant'",
    );
    let named = ["--quarantine-file", "q.jsonl"];
    assert_eq!(sandbox.transfer("flux.db", "a.db", &named).0, 1);
    mend(
        &sandbox.path("q.jsonl"),
        &[(r#"{"blob_hex":"00"}"#, r#""Noted""#)],
    );
    let (status, document) = sandbox.json(&["migrate", "--replay", "q.jsonl", "--to", "a.db"]);
    assert_eq!(status, 1);
    assert_eq!(class(&document, "messages", "quarantined"), 1);
    let reason = &document["report"]["quarantined"]["first"][0]["reason"];
    let reason = reason.as_str().unwrap();
    assert!(
        reason.contains("never changes a session that stands"),
        "{reason}"
    );
}

#[test]
fn the_records_of_a_store_are_replayed_too() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    // Relationships without their nodes.
    let alone = ["--table", "relationships", "--quarantine-file", "q.jsonl"];
    let (status, document) = sandbox.transfer("a.db", "b.db", &alone);
    assert_eq!(status, 1);
    assert_eq!(class(&document, "relationships", "quarantined"), 4);
    sandbox.carry("a.db", "b.db", &["--table", "nodes"]);
    mend(
        &sandbox.path("q.jsonl"),
        &[(r#""strength":1.0"#, r#""strength":0.5"#)],
    );
    let (status, document) = sandbox.json(&["migrate", "--replay", "q.jsonl", "--to", "b.db"]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(class(&document, "relationships", "carried"), 4);
    let sum = "select sum(strength) from relationships";
    assert_eq!(ask(&sandbox.path("b.db"), sum), "2");
}

#[test]
fn what_of_a_record_would_be_lost_stays_in_quarantine() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    let alone = ["--table", "relationships", "--quarantine-file", "q.jsonl"];
    assert_eq!(sandbox.transfer("a.db", "b.db", &alone).0, 1);
    sandbox.carry("a.db", "b.db", &["--table", "nodes"]);
    let text = std::fs::read_to_string(sandbox.path("q.jsonl")).unwrap();
    // Of the four, one has a field without a place, one a value that is none.
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (field, value) = (r#""record":{"#, r#""strength":1.0"#);
    assert!(lines[1].contains(field) && lines[2].contains(value));
    lines[1] = lines[1].replace(field, r#""record":{"notes":"important","#);
    lines[2] = lines[2].replace(value, r#""strength":"much""#);
    std::fs::write(sandbox.path("q.jsonl"), lines.join("\n") + "\n").unwrap();
    let replay = |file, next| {
        let args = ["migrate", "--replay", file, "--to", "b.db"];
        sandbox.json(&[&args[..], &["--quarantine-file", next]].concat())
    };
    let (status, document) = replay("q.jsonl", "r.jsonl");
    assert_eq!(status, 1, "{document:#}");
    assert_eq!(class(&document, "relationships", "carried"), 2);
    assert_eq!(class(&document, "relationships", "quarantined"), 2);
    let left = quarantine_lines(&sandbox.path("r.jsonl"));
    let reason = |line: usize| left[line]["reason"].as_str().unwrap().to_owned();
    assert!(reason(0).contains("a field notes"), "{}", reason(0));
    assert!(reason(1).contains("much"), "{}", reason(1));
    // Nothing of them is lost, and they are mended where they stand now.
    mend(
        &sandbox.path("r.jsonl"),
        &[
            (r#"\"notes\":\"important\","#, ""),
            (r#"\"strength\":\"much\""#, r#"\"strength\":1.0"#),
        ],
    );
    let (status, document) = replay("r.jsonl", "s.jsonl");
    assert_eq!(status, 0, "{document:#}");
    let (_, verified) = sandbox.verify("a.db", "b.db");
    let tables = verified["verify"]["tables"].as_array().unwrap();
    let table = tables.iter().find(|table| table["table"] == "relationship");
    assert_eq!(table.unwrap()["equal"], 4, "{verified:#}");
}

#[test]
fn what_an_import_quarantines_is_replayed_too() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    let export = ["export", "--url", "a.db", "--to", "a.jsonl"];
    assert_eq!(sandbox.run(&export).status, 0);
    // Nodes that cannot be carried, and so relationships that wait for them.
    let text = std::fs::read_to_string(sandbox.path("a.jsonl")).unwrap();
    let damage = |line: &str| {
        if line.starts_with(r#"{"record":"node""#) {
            line.replace(r#""name":"#, r#""mood":1,"name":"#)
        } else {
            line.to_owned()
        }
    };
    let damaged: String = text.split_inclusive('\n').map(damage).collect();
    let old = blake3_of(&text, "node");
    let damaged = damaged.replace(&old, &blake3_of(&damaged, "node"));
    std::fs::write(sandbox.path("bad.jsonl"), damaged).unwrap();
    let import = [
        "import",
        "bad.jsonl",
        "--url",
        "b.db",
        "--quarantine-file",
        "q.jsonl",
    ];
    let (status, document) = sandbox.json(&import);
    assert_eq!(status, 1, "{document:#}");
    assert_eq!(class(&document, "nodes", "quarantined"), 5);
    assert_eq!(class(&document, "relationships", "quarantined"), 4);
    mend(&sandbox.path("q.jsonl"), &[(r#"\"mood\":1,"#, "")]);
    let replay = ["migrate", "--replay", "q.jsonl", "--to", "b.db"];
    let (status, document) = sandbox.json(&replay);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(document["report"]["source"]["kind"], "memory-export");
    sandbox.assert_equal("a.db", "b.db");
}

#[test]
fn for_a_conflict_of_an_import_no_option_is_advised_that_it_lacks() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    sandbox.carry("jarvis.db", "a.db", &[]);
    let export = ["export", "--url", "a.db", "--to", "a.jsonl"];
    assert_eq!(sandbox.run(&export).status, 0);
    tamper(&sandbox.path("a.db"), "update nodes set summary = 'other'");
    let said = sandbox.run(&["import", "a.jsonl", "--url", "a.db"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("--on-conflict keep"), "{said:?}");
    assert!(!said.out.contains("--source-name"), "{said:?}");
    assert!(!said.out.contains("under the name"), "{said:?}");
}

/// The digest of an export's lines of one kind.
fn blake3_of(text: &str, kind: &str) -> String {
    let begin = format!("{{\"record\":\"{kind}\"");
    let lines = text.split_inclusive('\n');
    let lines: String = lines.filter(|line| line.starts_with(&begin)).collect();
    blake3::hash(lines.as_bytes()).to_string()
}

#[test]
fn the_options_of_the_first_run_hold_for_the_replay() {
    let sandbox = Sandbox::new();
    flux_rag(&sandbox.path("flux.db"));
    for sql in [
        "update sessions set title = x'00' where user_id = 'bob'",
        "update sessions set user_id = '' where user_id = 'bob'",
    ] {
        tamper(&sandbox.path("flux.db"), sql);
    }
    let options = [
        "--source-timezone",
        "Asia/Seoul",
        "--default-tenant",
        "nobody",
        "--quarantine-file",
        "q.jsonl",
    ];
    assert_eq!(sandbox.transfer("flux.db", "a.db", &options).0, 1);
    mend(
        &sandbox.path("q.jsonl"),
        &[(r#"{"blob_hex":"00"}"#, r#""t""#)],
    );
    let (status, document) = sandbox.json(&["migrate", "--replay", "q.jsonl", "--to", "a.db"]);
    assert_eq!(status, 0, "{document:#}");
    let made = "select tenant_id || ' ' || created_at from sessions where title = 't'";
    // Nine hours before midnight of the second of January 2024, in microseconds.
    assert_eq!(ask(&sandbox.path("a.db"), made), "nobody 1704121200000000");
}

#[test]
fn what_is_no_quarantine_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    jarvis(&sandbox.path("jarvis.db"));
    tamper(
        &sandbox.path("jarvis.db"),
        "update entities set metadata = '{' where id = 9",
    );
    let named = ["--quarantine-file", "q.jsonl"];
    assert_eq!(sandbox.transfer("jarvis.db", "a.db", &named).0, 1);
    let sound = std::fs::read_to_string(sandbox.path("q.jsonl")).unwrap();
    for (text, words) in [
        (String::new(), "its first line"),
        ("{}\n".to_owned(), "its first line"),
        (
            sound.replace(r#""memory_quarantine":1"#, r#""memory_quarantine":2"#),
            "its format is 2",
        ),
        (
            sound.replace("\"jarvis\"", "\"mnemosyne\""),
            "no known system",
        ),
        (
            sound.replace(r#""table":"entities""#, r#""table":"things""#),
            "line 2",
        ),
        (
            sound.replace(r#""metadata":"{""#, r#""metadata":true"#),
            "line 2: the value of metadata",
        ),
        (
            sound.replace(r#""metadata":"{""#, r#""metadata":"{"#),
            "line 2",
        ),
        (sound.replace(r#""timezone""#, r#""zone""#), "timezone"),
    ] {
        assert_ne!(text, sound);
        std::fs::write(sandbox.path("bad.jsonl"), text).unwrap();
        let said = sandbox.run(&["migrate", "--replay", "bad.jsonl", "--to", "b.db"]);
        said.assert_failed(3, &["bad.jsonl", words]);
        assert!(!sandbox.has("b.db"));
    }
    for args in [
        &["migrate", "--replay", "q.jsonl"][..],
        &[
            "migrate",
            "--replay",
            "q.jsonl",
            "--from",
            "jarvis.db",
            "--to",
            "a.db",
        ],
        &[
            "migrate",
            "--replay",
            "q.jsonl",
            "--to",
            "a.db",
            "--source-kind",
            "jarvis",
        ],
    ] {
        assert_eq!(sandbox.run(args).status, 2, "{args:?}");
    }
    let said = sandbox.run(&["migrate", "--replay", "none.jsonl", "--to", "b.db"]);
    said.assert_failed(3, &["none.jsonl", "no such file"]);
}

/// A file of which each row is in quarantine for one value, and its quarantine, mended but for the
/// rows that are broken otherwise.
fn given_mended() -> Sandbox {
    let sandbox = big();
    let path = sandbox.path("broken.db");
    std::fs::copy(sandbox.path("big.db"), &path).unwrap();
    for table in ["entities", "relationships"] {
        tamper(&path, &format!("update {table} set created_at = 'then'"));
    }
    let named = ["--quarantine-file", "mend.jsonl"];
    assert_eq!(sandbox.transfer("broken.db", "rest.db", &named).0, 1);
    let file = sandbox.path("mend.jsonl");
    assert_eq!(quarantine_lines(&file).len(), 2_400);
    mend(
        &file,
        &[(
            r#""created_at":"then""#,
            r#""created_at":"2024-03-01T10:00:00Z""#,
        )],
    );
    let replay = ["migrate", "--replay", "mend.jsonl", "--to", "wanted.db"];
    let more = ["--allow-quarantine", "--quarantine-file", "left.jsonl"];
    let (status, document) = sandbox.json(&[&replay[..], &more].concat());
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(class(&document, "entities", "changed"), 1_188);
    assert_eq!(class(&document, "relationships", "carried"), 1_176);
    sandbox
}

#[test]
fn a_resumable_replay_that_is_killed_is_ended_by_the_next_command() {
    let sandbox = given_mended();
    let left = quarantine_lines(&sandbox.path("left.jsonl"));
    assert_eq!(left.len(), 36);
    for target in [Target::new_sqlite(&sandbox), Target::postgres(&sandbox)] {
        let to = target.url();
        let args = [
            "migrate",
            "--replay",
            "mend.jsonl",
            "--to",
            &to,
            "--resumable",
        ];
        let more = ["--batch-size", BATCH, "--allow-quarantine", "--json"];
        let args = [&args[..], &more].concat();
        kill(&sandbox, &target, &args, 1 + random(1_000), any_moment()).unwrap();
        let rows = 1_200 + random(600);
        let done = kill(&sandbox, &target, &args, rows, any_moment()).unwrap();
        let (status, document) = sandbox.json(&args[..args.len() - 1]);
        assert_eq!(status, 0, "{document:#}");
        assert_eq!(document["report"]["resumed"], done);
        assert_eq!(target.ask("select count(*) from transfer_runs"), "1");
        assert_eq!(target.done(), None);
        sandbox.assert_equal("wanted.db", &to);
        let [file] = sandbox.quarantine_files().try_into().unwrap();
        assert_eq!(quarantine_lines(&file), left);
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_replay_that_is_killed_leaves_the_target_as_it_was() {
    let sandbox = given_mended();
    flux_rag(&sandbox.path("flux.db"));
    sandbox.carry("flux.db", "before.db", &[]);
    for target in [Target::new_sqlite(&sandbox), Target::postgres(&sandbox)] {
        let to = target.url();
        sandbox.carry("before.db", &to, &[]);
        let args = ["migrate", "--replay", "mend.jsonl", "--to", &to];
        let more = ["--batch-size", BATCH, "--allow-quarantine", "--json"];
        kill_atomic(&sandbox, &[&args[..], &more].concat(), any_moment());
        sandbox.assert_equal("before.db", &to);
        assert_eq!(target.ask("select count(*) from transfer_runs"), "1");
    }
}
