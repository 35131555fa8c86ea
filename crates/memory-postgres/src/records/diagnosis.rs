//! Why records that do not stand by their id were not inserted, all in one statement.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::{EntityKey, Record, RecordKey, RecordKind};
use memory_storage::{InsertOutcome, RunId, StorageError};

use crate::connection::Row;
use crate::executor::read;
use crate::statement::Statement;

// Each gives one row per record, in the order given: whether what it refers to is there (a first
// and a second reference), and the id of what holds a key that must be unique. As look-ups, for the
// reason that is given at the insertions.

const SESSIONS: &str = "select
        exists (select from tenants where tenants.id = given.tenant_id offset 0), true, null::uuid
    from unnest($1) with ordinality as given (tenant_id, place)
    order by place";

// The first reference is the session, the second that this run brought it.
const MESSAGES: &str = "select
        exists (
            select from sessions
            where sessions.tenant_id = given.tenant_id and sessions.id = given.session_id
            offset 0
        ),
        exists (
            select from transfer_ledger as brought
            where brought.run_id = $1 and brought.table_name = 'sessions'
                and brought.tenant_id = given.tenant_id and brought.record_id = given.session_id
            offset 0
        ),
        standing.id
    from unnest($2, $3, $4) with ordinality as given (tenant_id, session_id, number, place)
    left join lateral (
        select id from messages as m
        where m.tenant_id = given.tenant_id
            and m.session_id = given.session_id and m.number = given.number
        offset 0
    ) as standing on true
    order by place";

const NODES: &str = "select
        exists (select from tenants where tenants.id = given.tenant_id offset 0), true, standing.id
    from unnest($1, $2, $3) with ordinality as given (tenant_id, key_system, key_id, place)
    left join lateral (
        select id from nodes as n
        where n.tenant_id = given.tenant_id
            and n.key_system = given.key_system and n.key_id = given.key_id
        offset 0
    ) as standing on true
    order by place";

const RELATIONSHIPS: &str = "select
        exists (
            select from nodes
            where nodes.tenant_id = given.tenant_id and nodes.id = given.from_id
            offset 0
        ),
        exists (
            select from nodes
            where nodes.tenant_id = given.tenant_id and nodes.id = given.to_id
            offset 0
        ),
        standing.id
    from unnest($1, $2, $3, $4, $5) with ordinality
        as given (tenant_id, from_id, to_id, kind, label, place)
    left join lateral (
        select id from relationships as r
        where r.tenant_id = given.tenant_id and r.from_id = given.from_id
            and r.to_id = given.to_id and r.kind = given.kind and r.label = given.label
        offset 0
    ) as standing on true
    order by place";

/// The statement that looks for what was in the way; none for tenants, which refer to nothing.
pub(super) fn question<'a>(
    run: RunId,
    kind: RecordKind,
    records: &[&'a Record],
) -> Option<Statement<'a>> {
    let tenants = records.iter().map(|record| record.tenant_id().as_str());
    let tenants = tenants.collect::<Vec<_>>();
    let statement = match kind {
        RecordKind::Tenant => return None,
        RecordKind::Session => Statement::reading(STEP, SESSIONS).array::<Text, _>(tenants),
        RecordKind::Message => {
            let (sessions, numbers) = records
                .iter()
                .filter_map(|record| match record {
                    Record::Message(message) => {
                        Some((IdValue(message.session_id.uuid()), message.number))
                    }
                    _ => None,
                })
                .unzip();
            Statement::reading(STEP, MESSAGES)
                .id(run.0)
                .array::<Text, _>(tenants)
                .array::<Id, IdValue>(sessions)
                .array::<BigInt, i64>(numbers)
        }
        RecordKind::Node => {
            let (systems, ids) = records
                .iter()
                .filter_map(|record| match record {
                    Record::Node(node) => {
                        let key = node.key.as_ref();
                        Some((key.map(EntityKey::system), key.map(EntityKey::id)))
                    }
                    _ => None,
                })
                .unzip();
            Statement::reading(STEP, NODES)
                .array::<Text, _>(tenants)
                .optional_texts(systems)
                .optional_texts(ids)
        }
        RecordKind::Relationship => {
            let ends = records.iter().filter_map(|record| match record {
                Record::Relationship(relationship) => Some(relationship),
                _ => None,
            });
            let ends = ends.collect::<Vec<_>>();
            Statement::reading(STEP, RELATIONSHIPS)
                .array::<Text, _>(tenants)
                .array::<Id, _>(ends.iter().map(|end| IdValue(end.from.uuid())).collect())
                .array::<Id, _>(ends.iter().map(|end| IdValue(end.to.uuid())).collect())
                .array::<Text, _>(ends.iter().map(|end| end.kind.as_str()).collect())
                .array::<Text, _>(ends.iter().map(|end| end.label.as_str()).collect())
        }
    };
    Some(statement)
}

const STEP: &str = "looking for what is in the way";

/// What the answer means, record by record.
pub(super) fn outcomes(
    records: &[&Record],
    rows: &[Row],
) -> Result<Vec<InsertOutcome>, StorageError> {
    let answers = read::<AnswerSql, Answer>(STEP, rows)?;
    Ok(std::iter::zip(records, answers)
        .map(|(record, answer)| outcome(record, answer))
        .collect())
}

type AnswerSql = (Bool, Bool, Nullable<Id>);
type Answer = (bool, bool, Option<IdValue>);

fn outcome(record: &Record, (first, second, holder): Answer) -> InsertOutcome {
    let key = record.key();
    let missing = |reference: String| InsertOutcome::MissingReference { reference };
    match record {
        Record::Session(_) | Record::Node(_) if !first => {
            return missing(format!("tenant {}", key.tenant_id));
        }
        Record::Message(message) if !first => {
            return missing(format!("session {}", message.session_id));
        }
        Record::Relationship(relationship) if !first => {
            return missing(format!("node {}", relationship.from));
        }
        Record::Relationship(relationship) if !second => {
            return missing(format!("node {}", relationship.to));
        }
        Record::Message(message) if !second && holder.is_none() => {
            let session = RecordKey {
                kind: RecordKind::Session,
                id: Some(message.session_id.uuid()),
                ..key
            };
            return conflict(
                session,
                "the session stands already and takes no more messages",
            );
        }
        _ => {}
    }
    let reason = match record {
        Record::Message(_) => "the number in the session is taken",
        Record::Node(_) => "the entity key is taken",
        Record::Relationship(_) => "the same ends, kind and label stand",
        Record::Tenant(_) | Record::Session(_) => "it is being written by another",
    };
    let id = holder.map(|holder| holder.0).or(key.id);
    conflict(RecordKey { id, ..key }, reason)
}

fn conflict(standing: RecordKey, reason: &str) -> InsertOutcome {
    InsertOutcome::Conflict {
        standing,
        reason: reason.to_owned(),
    }
}
