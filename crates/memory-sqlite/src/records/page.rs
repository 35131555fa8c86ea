//! Selecting whole records, by place and by key. The tables differ in their rows alone, so the
//! statements are written once.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use memory_diesel::{MessageRow, NodeRow, RelationshipRow, SessionRow, TenantRow};
use memory_domain::{Record, RecordKey, RecordKind, TenantId};
use memory_storage::StorageError;
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

/// The next records of a kind in the order of their keys.
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
    load(connection, kind, statement.number(limit.into()))
}

/// One record.
pub(super) fn one(
    connection: &mut SqliteConnection,
    key: &RecordKey,
) -> Result<Option<Record>, Failure> {
    let sql = match key.kind {
        RecordKind::Tenant => "select * from tenants where id = ?",
        RecordKind::Session => "select * from sessions where tenant_id = ? and id = ?",
        RecordKind::Message => "select * from messages where tenant_id = ? and id = ?",
        RecordKind::Node => "select * from nodes where tenant_id = ? and id = ?",
        RecordKind::Relationship => "select * from relationships where tenant_id = ? and id = ?",
    };
    let found = load(connection, key.kind, with_key(Statement::new(sql), key))?;
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
) -> Result<Vec<Record>, Failure> {
    match kind {
        RecordKind::Tenant => records(statement.load::<TenantRow>(connection)?, Record::Tenant),
        RecordKind::Session => records(statement.load::<SessionRow>(connection)?, Record::Session),
        RecordKind::Message => records(statement.load::<MessageRow>(connection)?, Record::Message),
        RecordKind::Node => records(statement.load::<NodeRow>(connection)?, Record::Node),
        RecordKind::Relationship => {
            let rows = statement.load::<RelationshipRow>(connection)?;
            records(rows, Record::Relationship)
        }
    }
}

fn records<R, T>(rows: Vec<R>, record: fn(T) -> Record) -> Result<Vec<Record>, Failure>
where
    T: TryFrom<R, Error = StorageError>,
{
    let records: Result<Vec<Record>, StorageError> = rows
        .into_iter()
        .map(|row| T::try_from(row).map(record))
        .collect();
    Ok(records?)
}
