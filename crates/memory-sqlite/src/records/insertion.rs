//! Inserting records. What stands is never changed.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sqlite::SqliteConnection;
use memory_diesel::LedgerRow;
use memory_diesel::schema::{self, transfer_ledger};
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::{KeyPart, Record, RecordKey, RecordKind, SessionId, TenantId};
use memory_storage::{InsertOutcome, LedgerEntry, RunId, Sealed};

use super::page::one;
use crate::error::Failure;
use crate::index::{index_message, index_node};
use crate::statement::Statement;

/// The sessions that a run brought, as far as they were asked for: its messages come one by one.
pub(super) type Sessions = HashSet<(TenantId, SessionId)>;

/// Inserts records, says of each what became of it, and indexes those that are new.
pub(super) fn insert_all(
    connection: &mut SqliteConnection,
    run: RunId,
    records: &[Sealed],
    brought: &mut Sessions,
) -> Result<Vec<InsertOutcome>, Failure> {
    let insert = |sealed| insert(connection, run, sealed, brought);
    let outcomes: Vec<InsertOutcome> = records.iter().map(insert).collect::<Result<_, _>>()?;
    // After all of them: each that has a trigger would make FTS5 write out what it has gathered.
    for (sealed, outcome) in std::iter::zip(records, &outcomes) {
        match sealed.record() {
            _ if *outcome != InsertOutcome::Inserted => {}
            Record::Message(message) => index_message(connection, message)?,
            Record::Node(node) => index_node(connection, node)?,
            // Only messages and nodes are searched.
            _ => {}
        }
    }
    Ok(outcomes)
}

/// Inserts a record and enters it in the ledger, or says why not.
fn insert(
    connection: &mut SqliteConnection,
    run: RunId,
    sealed: &Sealed,
    brought: &mut Sessions,
) -> Result<InsertOutcome, Failure> {
    let record = sealed.record();
    if let Some(refusal) = refusal_before(connection, run, record, brought)? {
        return Ok(refusal);
    }
    let entry = LedgerEntry {
        key: record.key(),
        digest: sealed.digest(),
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
        None => missing_reference(&key),
        Some(_) => InsertOutcome::Conflict {
            standing: key,
            reason: "the session stood before this run, and takes no more messages".to_owned(),
        },
    }))
}

/// Inserts a record unless its id or a unique key is taken, and says how many rows that were.
fn attempt(connection: &mut SqliteConnection, record: Record) -> QueryResult<usize> {
    macro_rules! insert {
        ($entity:ident as $row:ident into $table:ident) => {
            diesel::insert_into(schema::$table::table)
                .values(memory_diesel::$row::from($entity))
                .on_conflict_do_nothing()
                .execute(connection)
        };
    }
    match record {
        Record::Tenant(it) => insert!(it as TenantRow into tenants),
        Record::Session(it) => insert!(it as SessionRow into sessions),
        Record::Message(it) => insert!(it as MessageRow into messages),
        Record::Node(it) => insert!(it as NodeRow into nodes),
        Record::Relationship(it) => insert!(it as RelationshipRow into relationships),
        Record::Compound(it) => insert!(it as CompoundRow into compounds),
        Record::LearnedTurn(it) => insert!(it as LearnedTurnRow into turns),
        Record::Feedback(it) => insert!(it as FeedbackRow into feedback),
        Record::Decision(it) => insert!(it as DecisionRow into decisions),
        Record::AuditEvent(it) => insert!(it as AuditEventRow into audit_events),
        Record::Task(it) => insert!(it as TaskRow into tasks),
        Record::Mission(it) => insert!(it as MissionRow into missions),
        Record::FileSnapshot(it) => insert!(it as FileSnapshotRow into file_snapshots),
        Record::PatchRequest(it) => insert!(it as PatchRow into patch_requests),
        Record::Goal(it) => insert!(it as GoalRow into goals),
        Record::AgencySnapshot(it) => insert!(it as AgencySnapshotRow into agency_snapshots),
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
    let Some(key) = record.unique_key() else {
        return Ok(None);
    };
    let conditions: Vec<String> = key
        .columns
        .iter()
        .map(|(column, _)| format!(" and {column} = ?"))
        .collect();
    let sql = format!(
        "select id from {} where tenant_id = ?{}",
        record.kind(),
        conditions.concat()
    );
    let mut statement = Statement::new(sql).text(record.tenant_id().as_str());
    for (_, part) in key.columns {
        statement = match part {
            KeyPart::Text(text) => statement.text(text),
            KeyPart::Id(id) => statement.id(id),
            KeyPart::Integer(number) => statement.number(number),
        };
    }
    let holder: Option<Holder> = statement.get_result(connection).optional()?;
    Ok(holder.map(|holder| InsertOutcome::Conflict {
        standing: RecordKey {
            id: Some(holder.id.0),
            ..record.key()
        },
        reason: key.taken.to_owned(),
    }))
}

/// Which of the things that a record refers to is not there.
fn missing(connection: &mut SqliteConnection, record: &Record) -> Result<InsertOutcome, Failure> {
    for key in record.references() {
        if one(connection, &key)?.is_none() {
            return Ok(missing_reference(&key));
        }
    }
    // Nobody else writes, so one of them is missing.
    Err(DieselError::NotFound.into())
}

fn missing_reference(key: &RecordKey) -> InsertOutcome {
    let noun = key.kind.noun();
    InsertOutcome::MissingReference {
        reference: match key.id {
            Some(id) => format!("{noun} {id}"),
            None => format!("{noun} {}", key.tenant_id),
        },
    }
}
