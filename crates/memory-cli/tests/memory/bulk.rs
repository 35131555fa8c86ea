//! A file of many rows into an empty PostgreSQL, where constraints and indexes come off: the same
//! becomes of every row as elsewhere.

use serde_json::Value;

use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class, quarantine_lines};
use crate::sources::{execute, jarvis};

/// Three thousand entities and as many relationships more, among them a name that repeats, ends that
/// are not there, parallel relationships, an id that is a text and bytes that are no text.
const MANY: &str = "
    pragma foreign_keys = off;
    create table loose as select * from entities;
    drop table entities;
    alter table loose rename to entities;
    insert into entities
    select 100 + value, 'file', 'f' || value || '.rs', json_object('n', value),
        '2024-03-03T10:00:00Z', '2024-03-03T10:00:00Z'
    from generate_series(1, 3000);
    insert into entities values
        (9001, 'file', 'f3000.rs', '{}', '2024-03-03T10:00:00Z', '2024-03-03T10:00:00Z'),
        ('x', 'file', 'text', '{}', '2024-03-03T10:00:00Z', '2024-03-03T10:00:00Z'),
        (9003, 'file', cast(x'ff41' as text), '{}', '2024-03-03T10:00:00Z', '2024-03-03T10:00:00Z'),
        (9004, 'file', 'late', '{}', '2024-03-03T10:00:00Z', '2024-03-03T10:00:00Z');
    insert into relationships
    select 100 + value, 100 + value, 101 + value % 3000, 'relates_to', null, '2024-03-03T10:00:00Z'
    from generate_series(1, 3000);
    insert into relationships values
        (9001, 101, 102, 'relates_to', '{}', '2024-03-03T10:00:00Z'),
        (9002, 101, 4711, 'relates_to', '{}', '2024-03-03T10:00:00Z'),
        (9003, 9001, 101, 'relates_to', '{}', '2024-03-03T10:00:00Z'),
        (9004, 9003, 101, 'relates_to', '{}', '2024-03-03T10:00:00Z'),
        (9005, 9004, 9004, 'relates_to', '{}', '2024-03-03T10:00:00Z');";

fn without_times(mut document: Value) -> Value {
    let report = document["report"].as_object_mut().unwrap();
    let own = [
        "run",
        "started_at",
        "finished_at",
        "timings",
        "target",
        "quarantine_file",
    ];
    for key in own {
        report.remove(key);
    }
    document
}

#[test]
fn rows_of_a_large_file_get_the_same_classes_whether_they_are_copied_or_inserted() {
    let sandbox = Sandbox::new();
    let source = sandbox.path("jarvis.db");
    jarvis(&source);
    let numbers = "with recursive n(value) as (
            select 1 union all select value + 1 from n where value < 3000
        ) select value from n";
    let sql = MANY.replace(
        "from generate_series(1, 3000)",
        &format!("from ({numbers})"),
    );
    execute(&source, &sql);

    let (copied, inserted) = (Postgres::migrated(&sandbox), Postgres::migrated(&sandbox));
    let before = catalog(&copied);
    let indexes = [&copied, &inserted].map(primary_key);
    // Not of the file's tenant, and enough to leave everything on.
    inserted.execute("insert into tenants values ('bob', now(), now(), '{}')");
    let mut told = Vec::new();
    for to in [copied.url(), inserted.url(), "a.db".to_owned()] {
        let dry = sandbox.transfer("jarvis.db", &to, &["--dry-run"]);
        std::fs::remove_file(sandbox.quarantine_files().pop().unwrap()).unwrap();
        let real = sandbox.transfer("jarvis.db", &to, &[]);
        let file = sandbox.quarantine_files().pop().unwrap();
        let lines = quarantine_lines(&file);
        std::fs::remove_file(file).unwrap();
        assert_eq!((dry.0, real.0), (1, 1));
        let mut dry = without_times(dry.1);
        dry["report"]["outcome"] = real.1["report"]["outcome"].clone();
        let real = without_times(real.1);
        assert_eq!(dry["report"]["tables"], real["report"]["tables"]);
        assert_eq!(
            dry["report"]["verification"],
            real["report"]["verification"]
        );
        told.push((real, lines));
    }
    assert_eq!(catalog(&copied), before);
    // It was off in the one and stayed on in the other.
    assert_ne!(primary_key(&copied), indexes[0]);
    assert_eq!(primary_key(&inserted), indexes[1]);
    let (document, lines) = &told[0];
    for (table, carried, conflict, quarantined) in [
        ("entities", 3_006, 1, 2),
        ("relationships", 3_006, 0, 3),
        ("mission_history", 1, 0, 0),
        ("file_snapshots", 1, 0, 0),
    ] {
        let classes = ["carried", "conflict", "quarantined"].map(|it| class(document, table, it));
        assert_eq!(classes, [carried, conflict, quarantined], "{table}");
    }
    assert_eq!(lines.len(), 6);
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].1, told[2].1);
    sandbox.assert_equal("a.db", &copied.url());
    // Nothing more is carried, and all of it can be taken back.
    let (_, again) = sandbox.transfer("jarvis.db", &copied.url(), &[]);
    assert_eq!(class(&again, "entities", "already_there"), 3_006);
    let (_, runs) = sandbox.json(&["migrate", "runs", "--url", &copied.url()]);
    let run = runs["runs"][0]["id"].as_str().unwrap();
    let (status, _) = sandbox.json(&["migrate", "rollback", run, "--url", &copied.url()]);
    assert_eq!(status, 0);
    assert_eq!(copied.ask("select count(*) from nodes"), "0");
    assert_eq!(copied.ask("select count(*) from node_chunks"), "0");
}

/// Which index the primary key of nodes has: another one each time that it was made.
fn primary_key(postgres: &Postgres) -> String {
    postgres.ask("select 'nodes_pkey'::regclass::oid::text")
}

/// Every constraint and index, and whether it holds.
fn catalog(postgres: &Postgres) -> String {
    postgres.ask(
        "select string_agg(line, e'\n' order by line) from (
            select concat_ws(' ', conrelid::regclass, conname, convalidated,
                pg_get_constraintdef(oid)) as line
            from pg_constraint where connamespace = current_schema()::regnamespace
            union all
            select concat_ws(' ', i.indisvalid, pg_get_indexdef(i.indexrelid))
            from pg_index as i join pg_class as x on x.oid = i.indexrelid
            where x.relnamespace = current_schema()::regnamespace
        ) as lines",
    )
}
