//! Source files, made here as the old systems made them.

use std::path::Path;

use rusqlite::Connection;

/// The tables of JARVIS.
pub(crate) const JARVIS: &str = "
    create table entities (
        id integer primary key autoincrement, type text not null, name text not null,
        metadata text, created_at text not null, updated_at text not null, unique (type, name)
    );
    create table relationships (
        id integer primary key autoincrement, from_id integer not null,
        to_id integer not null, type text not null, metadata text, created_at text not null,
        foreign key (from_id) references entities (id) on delete cascade,
        foreign key (to_id) references entities (id) on delete cascade
    );
    create table mission_history (
        id integer primary key autoincrement, mission_id text not null, status text not null,
        domain text, cost_usd real, iterations integer, duration_seconds real,
        files_modified integer, metadata text, created_at text not null, unique (mission_id)
    );
    create table file_snapshots (
        id integer primary key autoincrement, file_path text not null, mission_id text,
        size_bytes integer, lines_of_code integer, hash text, created_at text not null,
        metadata text
    );";

/// The tables of flux-rag, as its newer versions make them.
pub(crate) const FLUX_RAG: &str = "
    create table sessions (
        id text primary key, user_id text default '', title text default '',
        created_at text not null, updated_at text not null, metadata text default '{}'
    );
    create table messages (
        id text primary key, session_id text not null, role text not null,
        content text not null, metadata text default '{}', created_at text not null,
        foreign key (session_id) references sessions (id) on delete cascade
    );";

/// The tables of consultant.
pub(crate) const CONSULTANT: &str = "
    create table memory_nodes (
        node_id text primary key, thread_id text not null, content text not null,
        context_type text not null, summary text, created_at timestamp not null,
        last_accessed timestamp not null, access_count integer default 1,
        base_relevance real default 0.5, tags text, metadata text,
        entity_id text, entity_type text, entity_system text, unique (entity_id, entity_system)
    );
    create table memory_relationships (
        id integer primary key autoincrement, from_node_id text not null,
        to_node_id text not null, relationship_type text not null, strength real default 1.0,
        created_at timestamp not null, metadata text,
        unique (from_node_id, to_node_id, relationship_type)
    );
    create table memory_threads (
        thread_id text primary key, created_at timestamp not null,
        last_activity timestamp not null, agent_name text, task_id text, metadata text
    );
    create virtual table memory_search
        using fts5(node_id unindexed, content, summary, tags, tokenize='porter');";

/// The tables of CONTINUUM, as its later versions make them.
pub(crate) const CONTINUUM: &str = "
    create table entities (
        id integer primary key autoincrement, name text not null, entity_type text not null,
        description text, created_at text not null, tenant_id text default 'default'
    );
    create table auto_messages (
        id integer primary key autoincrement, instance_id text not null,
        timestamp real not null, message_number integer not null, role text not null,
        content text not null, metadata text, tenant_id text default 'default'
    );
    create table decisions (
        id integer primary key autoincrement, instance_id text not null,
        timestamp real not null, decision_text text not null, context text,
        extracted_from text, tenant_id text default 'default'
    );
    create table attention_links (
        id integer primary key autoincrement, concept_a text not null,
        concept_b text not null, link_type text not null, strength real default 0.5,
        created_at text not null, last_accessed text, tenant_id text default 'default'
    );
    create table compound_concepts (
        id integer primary key autoincrement, compound_name text not null,
        component_concepts text not null, co_occurrence_count integer default 1,
        last_seen text not null, tenant_id text default 'default'
    );
    create table messages (
        id integer primary key autoincrement, user_message text, ai_response text,
        session_id text, created_at text not null, tenant_id text default 'default',
        metadata text default '{}'
    );
    create table tenants (
        tenant_id text primary key, created_at text not null, last_active text,
        metadata text default '{}'
    );";

/// A JARVIS file: five entities, one of them with NULL metadata, four relationships, two of them
/// parallel, a mission and a snapshot.
pub(crate) fn jarvis(path: &Path) {
    execute(path, JARVIS);
    execute(
        path,
        r#"
        insert into entities values
            (1, 'file', 'src/main.rs', '{"lines": 10, "ratio": 0.1}',
                '2024-03-01T10:00:00.123456Z', '2024-03-02T10:00:00Z'),
            (2, 'file', 'src/안녕.rs', '{}', '2024-03-01T10:00:01Z', '2024-03-01T10:00:01Z'),
            (3, 'mission', 'm-1', null, '2024-03-01T10:00:02Z', '2024-03-01T10:00:02Z'),
            (7, 'bug', 'BUG-7 🐛', '{"severity": "high"}',
                '2024-03-01T10:00:03Z', '2024-03-01T10:00:03Z'),
            (9, 'concept', 'A + B + C', '{"big": 9007199254740993}',
                '2024-03-01T10:00:04Z', '2024-03-01T10:00:04Z');
        insert into relationships values
            (1, 3, 1, 'worked_on', '{"weight": 1.5}', '2024-03-01T11:00:00Z'),
            (2, 3, 1, 'worked_on', '{"weight": 2.5}', '2024-03-01T11:00:01Z'),
            (5, 3, 7, 'caused_bug', null, '2024-03-01T11:00:02Z'),
            (6, 1, 9, 'relates_to', '{}', '2024-03-01T11:00:03.000001Z');
        insert into mission_history values
            (1, 'm-1', 'success', 'core', 0.1234, 3, 1.5, 2, '{}', '2024-03-01T10:00:02Z');
        insert into file_snapshots values
            (1, 'src/main.rs', 'm-1', 4294967296, 10, 'abc', '2024-03-01T10:00:02Z', null);
        "#,
    );
}

/// A flux-rag file: three sessions of two users, four messages in two of the sessions.
pub(crate) fn flux_rag(path: &Path) {
    execute(path, FLUX_RAG);
    execute(
        path,
        r#"
        insert into sessions values
            ('11111111-1111-4111-8111-111111111111', 'ada', '기차',
                '2024-01-01T00:00:00.000001', '2024-01-01T00:00:03+00:00', '{"a": 1}'),
            ('22222222-2222-4222-8222-222222222222', 'bob', '',
                '2024-01-02T00:00:00', '2024-01-02T00:00:01', '{}'),
            ('33333333-3333-4333-8333-333333333333', 'ada', 'empty',
                '2024-01-03T00:00:00', '2024-01-03T00:00:00', '{}');
        insert into messages values
            ('aaaaaaaa-0000-4000-8000-000000000001', '11111111-1111-4111-8111-111111111111',
                'user', 'Remember: I like trains', '{}', '2024-01-01T00:00:01.5'),
            ('aaaaaaaa-0000-4000-8000-000000000002', '11111111-1111-4111-8111-111111111111',
                'assistant', 'Noted 🚂', '{"sources": ["a", "b"]}', '2024-01-01T00:00:02.5'),
            ('aaaaaaaa-0000-4000-8000-000000000003', '11111111-1111-4111-8111-111111111111',
                'user', 'tab	and \N and \\', '{}', '2024-01-01T00:00:03+00:00'),
            ('aaaaaaaa-0000-4000-8000-000000000004', '22222222-2222-4222-8222-222222222222',
                'user', 'hello', '{}', '2024-01-02T00:00:01');
        "#,
    );
}

/// An AI-PAL file without some of its tables: a measurement and a goal, tasks of a user and of none,
/// of which one is still running, a patch request, and a table without a place.
pub(crate) fn ai_pal(path: &Path) {
    execute(
        path,
        r#"
        create table ari_snapshots (
            id integer primary key not null, snapshot_id varchar(36) not null,
            user_id varchar(255) not null, timestamp datetime not null,
            decision_quality float not null, skill_development float not null,
            ai_reliance float not null, bottleneck_resolution float not null,
            user_confidence float not null, engagement float not null,
            autonomy_perception float not null, autonomy_retention float not null,
            delta_agency float not null, task_description text, task_complexity varchar(50)
        );
        create table ffe_goals (
            id integer primary key not null, goal_id varchar(36) not null,
            user_id varchar(255) not null, created_at datetime not null,
            description text not null, importance integer not null,
            complexity_level varchar(50) not null, estimated_value float, status varchar(50),
            completed_at datetime, deadline datetime
        );
        insert into ari_snapshots values
            (1, '7d3f0a1c-3f5e-4b8e-8a43-0c4d5e6f7a03', 'ada', '2026-02-05 15:17:45.407069',
                0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, -0.25, '한국어', 'high');
        insert into ffe_goals values
            (1, '9e8d7c6b-5a49-4837-a625-140312f1e0d4', 'ada', '2026-02-05 15:17:45.407069',
                'learn Rust', 9, 'complex', 0.75, 'in_progress', null, '2026-12-31 00:00:00');
        create table background_tasks (
            id integer primary key not null, task_id varchar(255) not null,
            task_name varchar(255) not null, user_id varchar(255), task_type varchar(50) not null,
            status varchar(50) not null, priority integer not null, created_at datetime not null,
            started_at datetime, completed_at datetime, result text, error_message text,
            error_traceback text, attempts integer not null, max_retries integer not null,
            args text, kwargs text, duration_seconds float, celery_task_id varchar(255)
        );
        create unique index ix_background_tasks_task_id on background_tasks (task_id);
        create table patch_requests (
            id integer primary key not null, request_id varchar(36) not null,
            created_at datetime not null, target_file varchar(500) not null,
            reasoning text not null, diff text not null, new_code_blob text not null,
            component varchar(100) not null, improvement_type varchar(50) not null,
            confidence float not null, status varchar(50) not null, reviewed_at datetime,
            reviewed_by varchar(255), review_comment text, applied_at datetime,
            application_error text, feedback_ids text, metrics text
        );
        create table edm_debts (
            id integer primary key not null, debt_id varchar(36) not null, resolved boolean
        );
        insert into background_tasks values
            (1, '3c9cbe6c-7f10-4d43-a4a4-f48b8b3c2f01', 'dream', 'ada', 'analysis', 'completed', 8,
                '2026-02-05 15:17:45.407069', '2026-02-05 15:17:46', '2026-02-05 15:17:47.5',
                '{"found": 3}', null, null, 1, 3, '[1, "한"]', '{"deep": true}', 1.5, 'celery-1'),
            (4, 'task-2', 'index', null, 'analysis', 'running', 5, '2026-02-05 15:18:00',
                '2026-02-05 15:18:01', null, null, null, null, 1, 3, null, null, null, null);
        insert into patch_requests values
            (1, '5a2b8e9e-9c52-4c8d-8f5e-2d6f6c1e7a02', '2026-02-05 15:17:45.407069', 'src/a.py',
                'faster', '--- a', 'def f(): ...', 'core', 'performance', 0.1, 'pending_approval',
                null, null, null, null, null, '["f-1"]', '{"gain": 0.25}');
        insert into edm_debts values (1, 'd-1', 0), (2, 'd-2', null);
        "#,
    );
}

/// flux-rag's feedback: three lines, of which one names a message that is no UUID.
pub(crate) fn feedback(path: &Path) {
    let text = r#"{"id": "bdf092d7-9d2f-4eda-ba2a-fb0d8bab0e6b", "message_id": "aaaaaaaa-0000-4000-8000-000000000001", "session_id": "11111111-1111-4111-8111-111111111111", "rating": 1, "comment": "좋은 답변입니다 😀", "corrected_answer": null, "created_at": "2026-02-05T15:17:55.280357"}
{"id": "1aaf9835-43d9-4c1b-a501-aa27d5541873", "message_id": "test-msg-002", "session_id": "11111111-1111-4111-8111-111111111111", "rating": -1, "comment": "", "corrected_answer": "A \"B\" \\N", "created_at": "2026-02-05T15:17:55+00:00"}
{"id": "0878908c-bb74-444f-9223-fe76db91f192", "message_id": "aaaaaaaa-0000-4000-8000-000000000002", "session_id": "11111111-1111-4111-8111-111111111111", "rating": 0, "comment": null, "corrected_answer": null, "created_at": "2026-02-05T15:17:56"}
"#;
    std::fs::write(path, text).unwrap();
}

/// A day of AI-PAL's audit log: two events that say the same, and one of a user.
pub(crate) fn audit(path: &Path) {
    let text = r#"{"event_type": "system", "severity": "info", "timestamp": "2026-02-05T15:17:45.407069", "user_id": null, "session_id": null, "component": "core", "action": "start", "details": {}, "result": "success", "ip_address": null, "resource": null}
{"event_type": "system", "severity": "info", "timestamp": "2026-02-05T15:17:45.407069", "user_id": null, "session_id": null, "component": "core", "action": "start", "details": {}, "result": "success", "ip_address": null, "resource": null}
{"event_type": "gate_evaluation", "severity": "warning", "timestamp": "2026-02-05T15:17:46Z", "user_id": "ada", "session_id": "s-1", "component": "gates", "action": "evaluate", "details": {"gate": "로컬", "score": 0.5}, "result": "failed", "ip_address": "10.0.0.1", "resource": "main.py"}
"#;
    std::fs::write(path, text).unwrap();
}

/// A consultant file: two nodes of a thread with a row of its own and one of another thread, a
/// relationship, and the full-text table over them.
pub(crate) fn consultant(path: &Path) {
    execute(path, CONSULTANT);
    execute(
        path,
        r#"
        insert into memory_threads values
            ('t-1', '2025-07-01T08:00:00Z', '2025-07-02T08:00:00.5Z', 'orchestrator', null, '{}');
        insert into memory_nodes values
            ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', 't-1', '{"entity_data": {"Name": "Acme 한국"}}',
                'domain_entity', 'Acme', '2025-07-01T09:00:00Z', '2025-07-01T10:00:00.25Z', 3, 0.7,
                '["account", "crm"]', '{}', '001xx', 'Account', 'salesforce'),
            ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a02', 't-1', '{}', 'search_result', 'found',
                '2025-07-01T09:00:00Z', '2025-07-01T09:00:00Z', 1, 0.5, '["CRM"]', '{}',
                null, null, null),
            ('0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a03', 't-2', '{}', 'tool_output', 'x',
                '2025-07-03T09:00:00Z', '2025-07-04T09:00:00Z', 1, 0.5, '[]', '{}',
                null, null, null);
        insert into memory_search select node_id, content, summary, tags from memory_nodes;
        insert into memory_relationships values
            (4, '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a01', '0b6e6f1e-8f0c-4a8e-9d53-3f0f5d1c0a02',
                'led_to', 0.25, '2025-07-01T11:00:00.000001Z', '{}');
        "#,
    );
}

/// A CONTINUUM file of a later version: two tenants, one of them without a row and a name; four
/// concepts, of which two are one; a conversation whose first turn stands twice, and a later turn;
/// and a belief, for which there is no place.
pub(crate) fn continuum(path: &Path) {
    execute(path, CONTINUUM);
    execute(
        path,
        r#"
        create table beliefs (id integer primary key autoincrement, belief text not null);
        insert into tenants values
            ('ada', '2025-12-01T00:00:00', '2025-12-07T00:00:00', '{"plan": "x"}');
        insert into entities values
            (1, 'Rust', 'concept', 'a language', '2025-12-06T10:11:12.000001', 'ada'),
            (2, 'RUST', 'concept', '', '2025-12-06T10:11:13', 'ada'),
            (5, 'Tokio', 'concept', '', '2025-12-06T10:11:14', 'ada'),
            (6, 'Go', 'concept', '', '2025-12-06T10:11:15', null);
        insert into auto_messages values
            (1, 'ada-20251206-101112', 1765015872.123456, 1, 'user', 'Rust 🦀?', '{}', 'ada'),
            (2, 'ada-20251206-101112', 1765015872.5, 2, 'thinking', 'hm', '{}', 'ada'),
            (3, 'ada-20251206-101112', 1765015873.001, 3, 'assistant', '네', '{}', 'ada');
        insert into messages values
            (1, 'Rust 🦀?', '네', 'ada-20251206-101112', '2025-12-06T10:11:13', 'ada', '{}'),
            (2, 'And Tokio?', 'Too', 'ada-20251206-101112', '2025-12-06T10:12:00', 'ada', '{}');
        insert into decisions values
            (1, 'ada-20251206-101112', 1765015873.5, 'Use Rust', null, 'I will use Rust', 'ada');
        insert into attention_links values
            (1, 'Rust', 'Tokio', 'co_occurrence', 0.25, '2025-12-06T10:11:14',
                '2025-12-06T10:12:00', 'ada'),
            (2, 'Tokio', 'Async', 'co_occurrence', 0.5, '2025-12-06T10:11:14',
                '2025-12-06T10:12:00', 'ada');
        insert into compound_concepts values
            (1, 'Rust + Tokio', '["Rust", "Tokio"]', 3, '2025-12-06T10:12:00', 'ada');
        insert into beliefs values (1, 'Rust is fun');
        "#,
    );
}

/// Runs statements in a SQLite file, which is made if it is missing.
pub(crate) fn execute(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}
