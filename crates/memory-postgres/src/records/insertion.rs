//! Inserting records of one kind, all in one statement.

use diesel::sql_types::{BigInt, Binary, Bool, Double, Text};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue, Json, JsonValue};
use memory_diesel::{MessageRow, NodeRow, RelationshipRow, SessionRow, TenantRow};
use memory_domain::{Record, RecordKind};
use memory_storage::RunId;
use serde_json::Value;

use crate::json::JsonArray;
use crate::statement::Statement;

// Each gives the keys that were inserted and entered in the ledger. What stands, or what refers to
// what is not there, is left out without an error, which would undo the whole run.
//
// `offset 0` keeps a look-up a look-up. Nothing is known yet of tables that the same transaction
// fills, and what the planner made of it as a join took 2.5 s for a thousand relationships, and more
// with each thousand, where the look-ups take 0.1 s.

const TENANTS: &str = "with given as (
        select * from unnest($1, $2, $3, $4, $5)
            as given (id, created_at, last_active_at, metadata, digest)
    ), written as (
        insert into tenants (id, created_at, last_active_at, metadata)
        select id, created_at, last_active_at, metadata from given order by id
        on conflict do nothing
        returning id
    ), entered as (
        insert into transfer_ledger (run_id, table_name, tenant_id, record_id, digest)
        select $6, 'tenants', written.id, '00000000-0000-0000-0000-000000000000', given.digest
        from written join given on given.id = written.id
    )
    select id, '00000000-0000-0000-0000-000000000000'::uuid from written";

const SESSIONS: &str = "with given as (
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
            as given (tenant_id, id, title, metadata, created_at, updated_at, message_count, digest)
    ), written as (
        insert into sessions
            (tenant_id, id, title, metadata, created_at, updated_at, message_count)
        select tenant_id, id, title, metadata, created_at, updated_at, message_count
        from given
        where exists (select from tenants where tenants.id = given.tenant_id offset 0)
        order by tenant_id, id
        on conflict do nothing
        returning tenant_id, id
    ), entered as (
        insert into transfer_ledger (run_id, table_name, tenant_id, record_id, digest)
        select $9, 'sessions', tenant_id, id, digest from written join given using (tenant_id, id)
    )
    select tenant_id, id from written";

// Only into sessions that the run itself brought: the count and the numbers of one that stands are
// its own, and would not be as they were if the run were taken back.
const MESSAGES: &str = "with given as (
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) as given (
            tenant_id, id, session_id, number, role, content, metadata, created_at, digest
        )
    ), written as (
        insert into messages
            (tenant_id, id, session_id, number, role, content, metadata, created_at)
        select tenant_id, id, session_id, number, role, content, metadata, created_at
        from given
        where exists (
            select from transfer_ledger as brought
            where brought.run_id = $10 and brought.table_name = 'sessions'
                and brought.tenant_id = given.tenant_id and brought.record_id = given.session_id
            offset 0
        )
        order by tenant_id, id
        on conflict do nothing
        returning tenant_id, id
    ), entered as (
        insert into transfer_ledger (run_id, table_name, tenant_id, record_id, digest)
        select $10, 'messages', tenant_id, id, digest from written join given using (tenant_id, id)
    )
    select tenant_id, id from written";

const NODES: &str = "with given as (
        select * from unnest(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
        ) as given (
            tenant_id, id, context_type, key_system, key_id, entity_type, name, content, summary,
            tags, metadata, base_relevance, created_at, updated_at, last_accessed_at,
            access_count, update_count, digest
        )
    ), written as (
        insert into nodes (
            tenant_id, id, context_type, key_system, key_id, entity_type, name, content, summary,
            tags, metadata, base_relevance, created_at, updated_at, last_accessed_at,
            access_count, update_count
        )
        select tenant_id, id, context_type, key_system, key_id, entity_type, name, content, summary,
            array(select jsonb_array_elements_text(tags)), metadata, base_relevance, created_at,
            updated_at, last_accessed_at, access_count, update_count
        from given
        where exists (select from tenants where tenants.id = given.tenant_id offset 0)
        order by tenant_id, id
        on conflict do nothing
        returning tenant_id, id
    ), entered as (
        insert into transfer_ledger (run_id, table_name, tenant_id, record_id, digest)
        select $19, 'nodes', tenant_id, id, digest from written join given using (tenant_id, id)
    )
    select tenant_id, id from written";

const RELATIONSHIPS: &str = "with given as (
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as given (
            tenant_id, id, from_id, to_id, kind, label, directed, strength, metadata, created_at,
            last_reinforced_at, digest
        )
    ), written as (
        insert into relationships (
            tenant_id, id, from_id, to_id, kind, label, directed, strength, metadata, created_at,
            last_reinforced_at
        )
        select tenant_id, id, from_id, to_id, kind, label, directed, strength, metadata, created_at,
            last_reinforced_at
        from given
        where exists (
                select from nodes
                where nodes.tenant_id = given.tenant_id and nodes.id = given.from_id
                offset 0
            )
            and exists (
                select from nodes
                where nodes.tenant_id = given.tenant_id and nodes.id = given.to_id
                offset 0
            )
        order by tenant_id, id
        on conflict do nothing
        returning tenant_id, id
    ), entered as (
        insert into transfer_ledger (run_id, table_name, tenant_id, record_id, digest)
        select $13, 'relationships', tenant_id, id, digest
        from written join given using (tenant_id, id)
    )
    select tenant_id, id from written";

/// Takes one column out of rows.
macro_rules! column {
    ($rows:ident . $field:ident) => {
        $rows
            .iter()
            .map(|row| row.$field.clone())
            .collect::<Vec<_>>()
    };
}

/// The statement that inserts records of a kind, no key twice.
pub(super) fn insertion<'a>(run: RunId, kind: RecordKind, records: &[&Record]) -> Statement<'a> {
    let digests: Vec<Vec<u8>> = records
        .iter()
        .map(|record| record.digest().as_bytes().to_vec())
        .collect();
    let statement = match kind {
        RecordKind::Tenant => tenants(&rows(records, tenant)),
        RecordKind::Session => sessions(&rows(records, session)),
        RecordKind::Message => messages(&rows(records, message)),
        RecordKind::Node => nodes(&rows(records, node)),
        RecordKind::Relationship => relationships(&rows(records, relationship)),
    };
    statement.array::<Binary, _>(digests).id(run.0)
}

fn rows<R>(records: &[&Record], row: impl Fn(&Record) -> Option<R>) -> Vec<R> {
    records.iter().filter_map(|record| row(record)).collect()
}

fn tenant(record: &Record) -> Option<TenantRow> {
    match record {
        Record::Tenant(tenant) => Some(tenant.clone().into()),
        _ => None,
    }
}

fn session(record: &Record) -> Option<SessionRow> {
    match record {
        Record::Session(session) => Some(session.clone().into()),
        _ => None,
    }
}

fn message(record: &Record) -> Option<MessageRow> {
    match record {
        Record::Message(message) => Some(message.clone().into()),
        _ => None,
    }
}

fn node(record: &Record) -> Option<NodeRow> {
    match record {
        Record::Node(node) => Some(node.clone().into()),
        _ => None,
    }
}

fn relationship(record: &Record) -> Option<RelationshipRow> {
    match record {
        Record::Relationship(relationship) => Some(relationship.clone().into()),
        _ => None,
    }
}

const STEP: &str = "inserting records";

fn tenants<'a>(rows: &[TenantRow]) -> Statement<'a> {
    Statement::writing(STEP, TENANTS)
        .array::<Text, String>(column!(rows.id))
        .array::<Instant, InstantValue>(column!(rows.created_at))
        .array::<Instant, InstantValue>(column!(rows.last_active_at))
        .array::<Json, JsonValue>(column!(rows.metadata))
}

fn sessions<'a>(rows: &[SessionRow]) -> Statement<'a> {
    Statement::writing(STEP, SESSIONS)
        .array::<Text, String>(column!(rows.tenant_id))
        .array::<Id, IdValue>(column!(rows.id))
        .array::<Text, String>(column!(rows.title))
        .array::<Json, JsonValue>(column!(rows.metadata))
        .array::<Instant, InstantValue>(column!(rows.created_at))
        .array::<Instant, InstantValue>(column!(rows.updated_at))
        .array::<BigInt, i64>(column!(rows.message_count))
}

fn messages<'a>(rows: &[MessageRow]) -> Statement<'a> {
    Statement::writing(STEP, MESSAGES)
        .array::<Text, String>(column!(rows.tenant_id))
        .array::<Id, IdValue>(column!(rows.id))
        .array::<Id, IdValue>(column!(rows.session_id))
        .array::<BigInt, i64>(column!(rows.number))
        .array::<Text, String>(column!(rows.role))
        .array::<Text, String>(column!(rows.content))
        .array::<Json, JsonValue>(column!(rows.metadata))
        .array::<Instant, InstantValue>(column!(rows.created_at))
}

fn nodes<'a>(rows: &[NodeRow]) -> Statement<'a> {
    let tags = |row: &NodeRow| JsonArray(row.tags.0.iter().cloned().map(Value::String).collect());
    Statement::writing(STEP, NODES)
        .array::<Text, String>(column!(rows.tenant_id))
        .array::<Id, IdValue>(column!(rows.id))
        .array::<Text, String>(column!(rows.context_type))
        .optional_texts(column!(rows.key_system))
        .optional_texts(column!(rows.key_id))
        .optional_texts(column!(rows.entity_type))
        .optional_texts(column!(rows.name))
        .array::<Json, JsonValue>(column!(rows.content))
        .array::<Text, String>(column!(rows.summary))
        .array::<Json, JsonArray>(rows.iter().map(tags).collect())
        .array::<Json, JsonValue>(column!(rows.metadata))
        .array::<Double, f64>(column!(rows.base_relevance))
        .array::<Instant, InstantValue>(column!(rows.created_at))
        .array::<Instant, InstantValue>(column!(rows.updated_at))
        .array::<Instant, InstantValue>(column!(rows.last_accessed_at))
        .array::<BigInt, i64>(column!(rows.access_count))
        .array::<BigInt, i64>(column!(rows.update_count))
}

fn relationships<'a>(rows: &[RelationshipRow]) -> Statement<'a> {
    Statement::writing(STEP, RELATIONSHIPS)
        .array::<Text, String>(column!(rows.tenant_id))
        .array::<Id, IdValue>(column!(rows.id))
        .array::<Id, IdValue>(column!(rows.from_id))
        .array::<Id, IdValue>(column!(rows.to_id))
        .array::<Text, String>(column!(rows.kind))
        .array::<Text, String>(column!(rows.label))
        .array::<Bool, bool>(column!(rows.directed))
        .array::<Double, f64>(column!(rows.strength))
        .array::<Json, JsonValue>(column!(rows.metadata))
        .array::<Instant, InstantValue>(column!(rows.created_at))
        .array::<Instant, InstantValue>(column!(rows.last_reinforced_at))
}
