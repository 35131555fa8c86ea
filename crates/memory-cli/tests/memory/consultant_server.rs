//! consultant's durable memory on a PostgreSQL server.

use crate::interrupted::{Target, any_moment, kill, random, resumable};
use crate::postgres::Postgres;
use crate::sandbox::{Sandbox, class, quarantine_lines};

/// The schema as the system makes it, but for the server's extensions.
const SCHEMA: &str = "
    create table nodes (
        node_id uuid not null primary key, user_id text not null, content jsonb not null,
        context_type text not null, summary text,
        created_at timestamp with time zone not null default now(),
        last_accessed timestamp with time zone not null default now(),
        access_count integer default 1, base_relevance real default 0.5,
        tags text[] default '{}', metadata jsonb default '{}',
        entity_id text, entity_type text, entity_system text,
        unique (user_id, entity_id, entity_system)
    );
    create table relationships (
        id uuid not null primary key, user_id text not null,
        from_node_id uuid not null references nodes, to_node_id uuid not null references nodes,
        relationship_type text not null, strength real default 1.0,
        created_at timestamp with time zone not null default now(), metadata jsonb default '{}',
        unique (user_id, from_node_id, to_node_id, relationship_type)
    );
    create table user_metadata (
        user_id text not null primary key,
        created_at timestamp with time zone not null default now(),
        last_activity timestamp with time zone not null default now(),
        total_nodes integer default 0, total_relationships integer default 0,
        metadata jsonb default '{}'
    );
    create materialized view user_stats as select user_id, count(*) from nodes group by user_id;";

const ROWS: &str = r#"
    insert into user_metadata values
        ('ada', '2025-07-01 08:00:00+00', '2025-07-02 10:00:00.5+02', 2, 0, '{"locale": "ko"}');
    insert into nodes values
        ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 'ada', '{"n": 1.50, "text": "a\\N\tb 한국 😀"}',
            'domain_entity', 'Acme', '2025-07-01 09:00:00.000001+00', '2025-07-01 10:00:00+00', 3,
            0.25, '{"CRM","with \"quotes\", and commas"}', '{}', '001xx', 'Account', 'salesforce'),
        ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a02', 'ada', '{}', 'search_result', 'found',
            '2025-07-01 09:00:00+00', '2025-07-01 09:00:00+00', 1, 0.5, '{}', '{}', null, null, null),
        ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a03', 'bob', '{}', 'tool_output', 'x',
            '2025-07-03 09:00:00+00', '2025-07-04 09:00:00+00', null, null, null, null,
            null, null, null);
    insert into relationships values
        ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0b01', 'ada', '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01',
            '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a02', 'led_to', 0.1, '2025-07-01 11:00:00+00', '{}');"#;

/// A server with a schema of consultant's.
fn server(more: &str) -> Postgres {
    let postgres = Postgres::new();
    postgres.create();
    postgres.execute(&[SCHEMA, ROWS, more].join(";"));
    postgres
}

#[test]
fn a_server_is_recognised_by_its_tables_and_carried_to_both_backends() {
    let sandbox = Sandbox::new();
    let source = server("");
    let postgres = Postgres::migrated(&sandbox);
    for to in ["a.db".to_owned(), postgres.url()] {
        let document = sandbox.carry(&source.url(), &to, &[]);
        assert_eq!(document["report"]["source"]["kind"], "consultant");
        for (table, classed, rows) in [
            ("user_metadata", "carried", 1),
            ("nodes", "carried", 1),
            ("nodes", "changed", 2),
            ("relationships", "carried", 1),
        ] {
            assert_eq!(class(&document, table, classed), rows, "{table} {classed}");
        }
        // The view is nobody's table.
        assert_eq!(document["report"]["tables"].as_array().unwrap().len(), 3);
        let again = sandbox.carry(&source.url(), &to, &[]);
        assert_eq!(again["report"]["outcome"], "nothing_to_carry");
    }
    sandbox.assert_equal("a.db", &postgres.url());

    let node = "from nodes where id = '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01'";
    for (what, value) in [
        ("content", r#"{"n": 1.5, "text": "a\\N\tb 한국 😀"}"#),
        ("content ->> 'text'", "a\\N\tb 한국 😀"),
        ("tags", r#"{crm,"with \"quotes\", and commas"}"#),
        ("base_relevance", "0.25"),
        ("key_system || ' ' || key_id", "salesforce 001xx"),
        (
            "(extract(epoch from created_at) * 1000000)::bigint",
            "1751360400000001",
        ),
        ("access_count", "3"),
        ("tenant_id", "ada"),
    ] {
        assert_eq!(
            postgres.ask(&format!("select {what} {node}")),
            value,
            "{what}"
        );
    }
    for (what, value) in [
        // The number that a 4-byte real holds, not another one that is spelled alike.
        ("select strength from relationships", "0.10000000149011612"),
        (
            "select metadata from tenants where id = 'ada'",
            r#"{"locale": "ko"}"#,
        ),
        ("select metadata from tenants where id = 'bob'", "{}"),
        (
            "select (extract(epoch from last_active_at) * 1000000)::bigint from tenants where id = 'bob'",
            "1751619600000000",
        ),
    ] {
        assert_eq!(postgres.ask(what), value, "{what}");
    }
}

#[test]
fn what_cannot_be_carried_is_quarantined_and_replayed() {
    let sandbox = Sandbox::new();
    let source = server(
        "update user_metadata set metadata = '[1]';
        insert into nodes (node_id, user_id, content, context_type, created_at, last_accessed)
        values ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a04', 'bob', '{}', 'tool_output', '-infinity',
            now());
        insert into nodes (node_id, user_id, content, context_type, tags)
        values ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a05', 'bob', '{}', 'tool_output', '{a,null}');
        insert into relationships (id, user_id, from_node_id, to_node_id, relationship_type)
        values ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0b02', 'bob', '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01',
            '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a03', 'led_to');
        alter table nodes add column mood text; alter table nodes add column unused int;
        update nodes set mood = 'good' where user_id = 'ada';
        create table diary (line text); insert into diary values ('x'), (null);",
    );
    let named = ["--quarantine-file", "q.jsonl"];
    let (status, document) = sandbox.transfer(&source.url(), "a.db", &named);
    assert_eq!(status, 1);
    for (table, classed, rows) in [
        ("user_metadata", "quarantined", 1),
        // Ada's two wait for her row.
        ("nodes", "quarantined", 4),
        ("nodes", "changed", 1),
        ("relationships", "quarantined", 2),
        ("diary", "unmapped", 2),
    ] {
        assert_eq!(class(&document, table, classed), rows, "{table} {classed}");
    }
    let tables = document["report"]["tables"].as_array().unwrap();
    assert_eq!(tables[1]["unmapped_columns"][0]["column"], "mood");
    assert_eq!(tables[1]["unmapped_columns"][0]["non_null"], 2);
    assert_eq!(tables[3]["unmapped_columns"][0]["non_null"], 1);
    let lines = quarantine_lines(&sandbox.path("q.jsonl"));
    let reasons: Vec<&str> = lines
        .iter()
        .map(|line| line["reason"].as_str().unwrap())
        .collect();
    for (at, words) in [
        (0, "invalid metadata \"[1]\": it is an array"),
        (1, "the row of this tenant is quarantined"),
        (3, "invalid created_at \"-infinity\""),
        (4, "invalid tags"),
        (5, "of ada to one of bob"),
        (6, "is not in the target"),
    ] {
        assert!(reasons[at].contains(words), "{at}: {reasons:#?}");
    }

    let text = std::fs::read_to_string(sandbox.path("q.jsonl")).unwrap();
    let mended = text
        .replace("\"[1]\"", "\"{}\"")
        .replace("\"-infinity\"", "\"2025-07-03 09:00:00+00\"")
        .replace(r#"[\"a\",null]"#, "[]");
    std::fs::write(sandbox.path("q.jsonl"), mended).unwrap();
    let replay = ["migrate", "--replay", "q.jsonl", "--to", "a.db"];
    let allowed = ["--allow-unmapped", "nodes.mood"];
    let (status, document) = sandbox.json(&[&replay[..], &allowed].concat());
    assert_eq!(status, 1, "{document:#}");
    for (table, classed, rows) in [
        ("user_metadata", "carried", 1),
        ("nodes", "quarantined", 0),
        ("relationships", "carried", 1),
        // The one between two tenants.
        ("relationships", "quarantined", 1),
    ] {
        assert_eq!(class(&document, table, classed), rows, "{table} {classed}");
    }
}

#[test]
fn a_server_of_another_shape_is_no_source_of_the_kind_that_was_asked_for() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::migrated(&sandbox);
    let args = [
        "migrate",
        "--from",
        &postgres.url(),
        "--to",
        "a.db",
        "--source-kind",
    ];
    let said = sandbox.run(&[&args[..], &["consultant"]].concat());
    said.assert_failed(3, &["it lacks the table user_metadata"]);
    let said = sandbox.run(&[&args[..], &["jarvis"]].concat());
    said.assert_failed(3, &["jarvis left files"]);
    assert!(!sandbox.has("a.db"));
}

#[test]
fn more_rows_than_a_cursor_gives_at_once_are_all_read() {
    let sandbox = Sandbox::new();
    let source = server(
        "insert into nodes (node_id, user_id, content, context_type, summary)
        select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'u' || n % 3,
            jsonb_build_object('n', n), 'tool_output', ''
        from generate_series(1, 2500) n",
    );
    let document = sandbox.carry(&source.url(), "a.db", &["--batch-size", "7"]);
    assert_eq!(class(&document, "nodes", "carried"), 2501);
    let tables = document["report"]["tables"].as_array().unwrap();
    assert_eq!(tables[1]["beyond"]["tenants"], 4);
}

/// Nodes of which every 50th cannot be carried, and a relationship of each of the others.
const MANY: &str = "
    insert into nodes (node_id, user_id, content, context_type, summary, created_at, last_accessed)
    select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'eve',
        jsonb_build_object('n', n), 'tool_output', 'x',
        case n % 50 when 0 then '-infinity' else '2025-07-01 09:00:00.000001+00'::timestamptz end,
        '2025-07-01 10:00:00+00'
    from generate_series(1, 600) as n;
    insert into relationships
        (id, user_id, from_node_id, to_node_id, relationship_type, created_at)
    select gen_random_uuid(), user_id, node_id, node_id, 'self', '2025-07-01 11:00:00+00'
    from nodes where user_id = 'eve'";

#[test]
fn a_resumable_run_from_a_server_that_is_killed_is_ended_by_the_next_command() {
    let sandbox = Sandbox::new();
    let source = server(MANY);
    let from = source.url();
    let options = ["--allow-quarantine", "--quarantine-file", "whole.jsonl"];
    sandbox.carry(&from, "whole.db", &options);
    let whole = quarantine_lines(&sandbox.path("whole.jsonl"));
    // The relationships of nodes that cannot be carried stay with them.
    assert_eq!(whole.len(), 24);
    for target in [Target::new_sqlite(&sandbox), Target::postgres(&sandbox)] {
        let to = target.url();
        let args = resumable(&from, &to);
        // Among the nodes, and then among the relationships.
        kill(&sandbox, &target, &args, 1 + random(300), any_moment()).unwrap();
        let rows = 650 + random(200);
        let done = kill(&sandbox, &target, &args, rows, any_moment()).unwrap();
        let document = sandbox.carry(&from, &to, &["--resumable", "--allow-quarantine"]);
        assert_eq!(document["report"]["resumed"], done);
        assert_eq!(class(&document, "nodes", "quarantined"), 12);
        assert_eq!(target.ask("select count(*) from transfer_runs"), "1");
        assert_eq!(target.done(), None);
        sandbox.assert_equal("whole.db", &to);
        let [file] = sandbox.quarantine_files().try_into().unwrap();
        assert_eq!(quarantine_lines(&file), whole);
        std::fs::remove_file(file).unwrap();
    }
}
