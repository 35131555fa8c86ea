//! Selecting whole records, by place and by key. The tables differ in their rows alone, so the
//! statements are written once.

use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::{Sqlite, SqliteConnection};
use memory_diesel::{
    AgencySnapshotRow, AuditEventRow, CompoundRow, DecisionRow, FeedbackRow, FileSnapshotRow,
    GoalRow, LearnedTurnRow, MessageRow, MissionRow, NodeRow, PatchRow, RelationshipRow,
    SessionRow, TaskRow, TenantRow,
};
use memory_domain::{
    AgencySnapshot, AuditEvent, Compound, Decision, Feedback, FileSnapshot, Goal, LearnedTurn,
    Message, Mission, Node, PatchRequest, Record, RecordKey, RecordKind, Relationship, Session,
    Task, Tenant, TenantId,
};
use memory_storage::{PAGE_BYTES, StorageError};
use uuid::Uuid;

use crate::error::Failure;
use crate::statement::Statement;
use crate::tenants::counted;

/// Counts the records of a kind, of one tenant or of all.
pub(super) fn count(
    connection: &mut SqliteConnection,
    kind: RecordKind,
    tenant: Option<&TenantId>,
) -> Result<u64, Failure> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let sql = format!(
        "select count(*) as count from {}{}",
        kind.table(),
        of_tenant(kind, tenant)
    );
    let mut statement = Statement::new(sql);
    if let Some(tenant) = tenant {
        statement = statement.text(tenant.as_str());
    }
    Ok(counted(statement.get_result::<Count>(connection)?.count))
}

/// The next records of a kind in the order of their keys, as many as a page has room for.
pub(super) fn page(
    connection: &mut SqliteConnection,
    kind: RecordKind,
    tenant: Option<&TenantId>,
    after: Option<&RecordKey>,
    limit: u32,
) -> Result<Vec<Record>, Failure> {
    let sql = format!("select * from {}{}", kind.table(), of_tenant(kind, tenant));
    let (key, values) = match kind {
        RecordKind::Tenant => ("id", "?"),
        _ => ("tenant_id, id", "?, ?"),
    };
    let mut statement = Statement::new(sql);
    if let Some(tenant) = tenant {
        statement = statement.text(tenant.as_str());
    }
    if let Some(after) = after {
        statement = statement.then(&format!(" and ({key}) > ({values})"));
        statement = with_key(statement, after);
    }
    let statement = statement.then(&format!(" order by {key} limit ?"));
    load(
        connection,
        kind,
        statement.number(limit.into()),
        Room::new(),
    )
}

/// One record.
pub(super) fn one(
    connection: &mut SqliteConnection,
    key: &RecordKey,
) -> Result<Option<Record>, Failure> {
    let sql = match key.kind {
        RecordKind::Tenant => "select * from tenants where id = ?".to_owned(),
        kind => format!("select * from {kind} where tenant_id = ? and id = ?"),
    };
    let statement = with_key(Statement::new(sql), key);
    let found = load(connection, key.kind, statement, Room::boundless())?;
    Ok(found.into_iter().next())
}

fn of_tenant(kind: RecordKind, tenant: Option<&TenantId>) -> &'static str {
    match (tenant, kind) {
        (None, _) => " where true",
        (Some(_), RecordKind::Tenant) => " where id = ?",
        (Some(_), _) => " where tenant_id = ?",
    }
}

/// Gives a statement the values of a key.
fn with_key<'a>(statement: Statement<'a>, key: &'a RecordKey) -> Statement<'a> {
    let statement = statement.text(key.tenant_id.as_str());
    match key.kind {
        RecordKind::Tenant => statement,
        _ => statement.id(id(key)),
    }
}

/// What is stored in place of an id for a tenant, which has none beside its name.
pub(super) fn id(key: &RecordKey) -> Uuid {
    key.id.unwrap_or(Uuid::nil())
}

fn load(
    connection: &mut SqliteConnection,
    kind: RecordKind,
    statement: Statement<'_>,
    room: Room,
) -> Result<Vec<Record>, Failure> {
    match kind {
        RecordKind::Tenant => records::<TenantRow, Tenant>(connection, statement, room),
        RecordKind::Session => records::<SessionRow, Session>(connection, statement, room),
        RecordKind::Message => records::<MessageRow, Message>(connection, statement, room),
        RecordKind::Node => records::<NodeRow, Node>(connection, statement, room),
        RecordKind::Relationship => {
            records::<RelationshipRow, Relationship>(connection, statement, room)
        }
        RecordKind::Compound => records::<CompoundRow, Compound>(connection, statement, room),
        RecordKind::LearnedTurn => {
            records::<LearnedTurnRow, LearnedTurn>(connection, statement, room)
        }
        RecordKind::Feedback => records::<FeedbackRow, Feedback>(connection, statement, room),
        RecordKind::Decision => records::<DecisionRow, Decision>(connection, statement, room),
        RecordKind::AuditEvent => records::<AuditEventRow, AuditEvent>(connection, statement, room),
        RecordKind::Task => records::<TaskRow, Task>(connection, statement, room),
        RecordKind::Mission => records::<MissionRow, Mission>(connection, statement, room),
        RecordKind::FileSnapshot => {
            records::<FileSnapshotRow, FileSnapshot>(connection, statement, room)
        }
        RecordKind::PatchRequest => records::<PatchRow, PatchRequest>(connection, statement, room),
        RecordKind::Goal => records::<GoalRow, Goal>(connection, statement, room),
        RecordKind::AgencySnapshot => {
            records::<AgencySnapshotRow, AgencySnapshot>(connection, statement, room)
        }
    }
}

fn records<R, T>(
    connection: &mut SqliteConnection,
    statement: Statement<'_>,
    mut room: Room,
) -> Result<Vec<Record>, Failure>
where
    R: QueryableByName<Sqlite> + 'static,
    T: TryFrom<R, Error = StorageError> + Into<Record>,
{
    let mut records = Vec::new();
    for row in statement.load_iter::<R, DefaultLoadingMode>(connection)? {
        let record: Record = T::try_from(row?)?.into();
        room.take(&record);
        records.push(record);
        if room.is_full() {
            break;
        }
    }
    Ok(records)
}

/// How many bytes a page still has room for; `None` if that does not matter.
pub(super) struct Room(Option<usize>);

impl Room {
    pub(super) fn new() -> Room {
        Room(Some(PAGE_BYTES))
    }

    fn boundless() -> Room {
        Room(None)
    }

    pub(super) fn take(&mut self, record: &Record) {
        if let Some(bytes) = &mut self.0 {
            *bytes = bytes.saturating_sub(record.canonical().len());
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.0 == Some(0)
    }
}
