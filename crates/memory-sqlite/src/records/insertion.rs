//! Inserting records. What stands is never changed.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Bool;
use diesel::sqlite::SqliteConnection;
use memory_diesel::schema::{messages, nodes, relationships, sessions, tenants, transfer_ledger};
use memory_diesel::sql_types::{Id, IdValue};
use memory_diesel::{LedgerRow, MessageRow, NodeRow, RelationshipRow, SessionRow, TenantRow};
use memory_domain::{Record, RecordKey, RecordKind, SessionId, TenantId};
use memory_storage::{InsertOutcome, LedgerEntry, RunId};
use uuid::Uuid;

use super::page::one;
use crate::error::Failure;
use crate::statement::Statement;

/// The sessions that a run brought, as far as they were asked for: its messages come one by one.
pub(super) type Sessions = HashSet<(TenantId, SessionId)>;

/// Inserts a record and enters it in the ledger, or says why not.
pub(super) fn insert(
    connection: &mut SqliteConnection,
    run: RunId,
    record: &Record,
    brought: &mut Sessions,
) -> Result<InsertOutcome, Failure> {
    if let Some(refusal) = refusal_before(connection, run, record, brought)? {
        return Ok(refusal);
    }
    let entry = LedgerEntry {
        key: record.key(),
        digest: record.digest(),
    };
    match attempt(connection, record.clone()) {
        Ok(0) => standing(connection, record),
        Ok(_) => {
            if let Record::Session(session) = record {
                brought.insert((session.tenant_id.clone(), session.id));
            }
            diesel::insert_into(transfer_ledger::table)
                .values(LedgerRow::new(run, entry))
                .execute(connection)?;
            Ok(InsertOutcome::Inserted)
        }
        // Only the statement is undone; the transaction goes on.
        Err(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
            missing(connection, record)
        }
        Err(error) => Err(error.into()),
    }
}

/// A message goes into a session that this run brought, and into no other: the count and the
/// numbers of one that stands are its own, and would not be as they were if the run were taken
/// back.
fn refusal_before(
    connection: &mut SqliteConnection,
    run: RunId,
    record: &Record,
    brought: &mut Sessions,
) -> Result<Option<InsertOutcome>, Failure> {
    let Record::Message(message) = record else {
        return Ok(None);
    };
    let session = (message.tenant_id.clone(), message.session_id);
    if brought.contains(&session) {
        return Ok(None);
    }
    let key = RecordKey {
        kind: RecordKind::Session,
        tenant_id: message.tenant_id.clone(),
        id: Some(message.session_id.uuid()),
    };
    let entry = transfer_ledger::table.find((
        IdValue(run.0),
        key.kind.table(),
        message.tenant_id.as_str(),
        IdValue(message.session_id.uuid()),
    ));
    if diesel::select(diesel::dsl::exists(entry)).get_result(connection)? {
        brought.insert(session);
        return Ok(None);
    }
    if let Some(standing) = stands_by_id(connection, record)? {
        return Ok(Some(standing));
    }
    if let Some(holder) = holder(connection, record)? {
        return Ok(Some(holder));
    }
    Ok(Some(match one(connection, &key)? {
        None => missing_reference("session", message.session_id),
        Some(_) => InsertOutcome::Conflict {
            standing: key,
            reason: "the session stood before this run, and takes no more messages".to_owned(),
        },
    }))
}

/// Inserts a record unless its id or a unique key is taken, and says how many rows that were.
fn attempt(connection: &mut SqliteConnection, record: Record) -> QueryResult<usize> {
    match record {
        Record::Tenant(tenant) => diesel::insert_into(tenants::table)
            .values(TenantRow::from(tenant))
            .on_conflict_do_nothing()
            .execute(connection),
        Record::Session(session) => diesel::insert_into(sessions::table)
            .values(SessionRow::from(session))
            .on_conflict_do_nothing()
            .execute(connection),
        Record::Message(message) => diesel::insert_into(messages::table)
            .values(MessageRow::from(message))
            .on_conflict_do_nothing()
            .execute(connection),
        Record::Node(node) => diesel::insert_into(nodes::table)
            .values(NodeRow::from(node))
            .on_conflict_do_nothing()
            .execute(connection),
        Record::Relationship(relationship) => diesel::insert_into(relationships::table)
            .values(RelationshipRow::from(relationship))
            .on_conflict_do_nothing()
            .execute(connection),
    }
}

/// What a record that was not inserted met.
fn standing(connection: &mut SqliteConnection, record: &Record) -> Result<InsertOutcome, Failure> {
    if let Some(standing) = stands_by_id(connection, record)? {
        return Ok(standing);
    }
    if let Some(holder) = holder(connection, record)? {
        return Ok(holder);
    }
    // Nobody else writes, so one of the two is there.
    Err(DieselError::NotFound.into())
}

fn stands_by_id(
    connection: &mut SqliteConnection,
    record: &Record,
) -> Result<Option<InsertOutcome>, Failure> {
    let Some(standing) = one(connection, &record.key())? else {
        return Ok(None);
    };
    // Digests compare doubles by their bits, as the ledger will.
    Ok(Some(if standing.digest() == record.digest() {
        InsertOutcome::AlreadyThere
    } else {
        InsertOutcome::Conflict {
            standing: standing.key(),
            reason: "same id, other content".to_owned(),
        }
    }))
}

/// Who holds a unique key of the record under another id.
fn holder(
    connection: &mut SqliteConnection,
    record: &Record,
) -> Result<Option<InsertOutcome>, Failure> {
    #[derive(QueryableByName)]
    struct Holder {
        #[diesel(sql_type = Id)]
        id: IdValue,
    }
    let (statement, reason) = match record {
        Record::Tenant(_) | Record::Session(_) => return Ok(None),
        Record::Message(message) => (
            Statement::new(
                "select id from messages where tenant_id = ? and session_id = ? and number = ?",
            )
            .text(message.tenant_id.as_str())
            .id(message.session_id.uuid())
            .number(message.number),
            "the number in the session is taken",
        ),
        Record::Node(node) => match &node.key {
            None => return Ok(None),
            Some(key) => (
                Statement::new(
                    "select id from nodes where tenant_id = ? and key_system = ? and key_id = ?",
                )
                .text(node.tenant_id.as_str())
                .text(key.system())
                .text(key.id()),
                "the entity key is taken",
            ),
        },
        Record::Relationship(relationship) => (
            Statement::new(
                "select id from relationships where tenant_id = ? and from_id = ? and to_id = ?
                     and kind = ? and label = ?",
            )
            .text(relationship.tenant_id.as_str())
            .id(relationship.from.uuid())
            .id(relationship.to.uuid())
            .text(relationship.kind.as_str())
            .text(&relationship.label),
            "the same ends, kind and label stand",
        ),
    };
    let holder: Option<Holder> = statement.get_result(connection).optional()?;
    Ok(holder.map(|holder| InsertOutcome::Conflict {
        standing: RecordKey {
            id: Some(holder.id.0),
            ..record.key()
        },
        reason: reason.to_owned(),
    }))
}

/// Which of the things that a record refers to is not there.
fn missing(connection: &mut SqliteConnection, record: &Record) -> Result<InsertOutcome, Failure> {
    let tenant = record.tenant_id();
    Ok(match record {
        Record::Message(message) => missing_reference("session", message.session_id),
        Record::Relationship(relationship) => {
            let from = relationship.from;
            if has_node(connection, tenant, from.uuid())? {
                missing_reference("node", relationship.to)
            } else {
                missing_reference("node", from)
            }
        }
        Record::Tenant(_) | Record::Session(_) | Record::Node(_) => {
            missing_reference("tenant", tenant)
        }
    })
}

fn has_node(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: Uuid,
) -> Result<bool, Failure> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let found: Found = Statement::new(
        "select exists (select 1 from nodes where tenant_id = ? and id = ?) as found",
    )
    .text(tenant.as_str())
    .id(id)
    .get_result(connection)?;
    Ok(found.found)
}

fn missing_reference(what: &str, id: impl std::fmt::Display) -> InsertOutcome {
    InsertOutcome::MissingReference {
        reference: format!("{what} {id}"),
    }
}
