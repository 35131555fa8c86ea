use std::sync::Arc;

use async_trait::async_trait;
use diesel::deserialize::FromSqlRow;
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use memory_diesel::{MessageRow, NodeRow, RelationshipRow, SessionRow, TenantRow};
use memory_domain::{Record, RecordKey, RecordKind, TenantId};
use memory_storage::{RecordReader, StorageError};
use uuid::Uuid;

use super::transaction::Transaction;
use crate::columns::{
    Messages, Nodes, Relationships, Sessions, Tenants, message_columns, node_columns,
    relationship_columns, session_columns, tenant_columns,
};
use crate::connection::Row;
use crate::executor::read;
use crate::pool::Pool;
use crate::statement::Statement;

// The snapshot is that of the first query, so there is one at once. The caller may take as long as
// it likes between two pages.
const BEGIN: &str = "begin isolation level repeatable read read only;
    set local idle_in_transaction_session_timeout = 0;
    select 1";

/// Reads whole records from the state in which it began.
pub(crate) struct Reader(Transaction);

impl Reader {
    pub(crate) async fn begin(pool: &Arc<Pool>) -> Result<Reader, StorageError> {
        Transaction::begin(pool, BEGIN).await.map(Reader)
    }
}

#[async_trait]
impl RecordReader for Reader {
    async fn count(
        &mut self,
        kind: RecordKind,
        tenant: Option<&TenantId>,
    ) -> Result<u64, StorageError> {
        let sql = match kind {
            RecordKind::Tenant => "select count(*) from tenants as x",
            RecordKind::Session => "select count(*) from sessions as x",
            RecordKind::Message => "select count(*) from messages as x",
            RecordKind::Node => "select count(*) from nodes as x",
            RecordKind::Relationship => "select count(*) from relationships as x",
        };
        let statement = of_tenant(Statement::reading("counting records", sql), kind, tenant);
        let rows = self.0.run(&statement).await?;
        let counts = read::<(BigInt,), (i64,)>(statement.step(), &rows)?;
        Ok(counts
            .into_iter()
            .map(|(count,)| count.unsigned_abs())
            .sum())
    }

    async fn page(
        &mut self,
        kind: RecordKind,
        tenant: Option<&TenantId>,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<Record>, StorageError> {
        let mut statement = of_tenant(select(kind), kind, tenant);
        if let Some(after) = after {
            statement = match kind {
                RecordKind::Tenant => statement
                    .then(" and x.id > ")
                    .parameter()
                    .text(after.tenant_id.as_str()),
                _ => statement
                    .then(" and (x.tenant_id, x.id) > (")
                    .parameter()
                    .text(after.tenant_id.as_str())
                    .then(", ")
                    .parameter()
                    .id(after.id.unwrap_or(Uuid::nil()))
                    .then(")"),
            };
        }
        let order = match kind {
            RecordKind::Tenant => " order by x.id limit ",
            _ => " order by x.tenant_id, x.id limit ",
        };
        let statement = statement.then(order).parameter().number(limit.into());
        let rows = self.0.run(&statement).await?;
        records(kind, statement.step(), &rows)
    }
}

fn of_tenant<'a>(
    statement: Statement<'a>,
    kind: RecordKind,
    tenant: Option<&'a TenantId>,
) -> Statement<'a> {
    match (tenant, kind) {
        (None, _) => statement.then(" where true"),
        (Some(tenant), RecordKind::Tenant) => statement
            .then(" where x.id = ")
            .parameter()
            .text(tenant.as_str()),
        (Some(tenant), _) => statement
            .then(" where x.tenant_id = ")
            .parameter()
            .text(tenant.as_str()),
    }
}

/// Whole records of a kind, as `x`.
fn select<'a>(kind: RecordKind) -> Statement<'a> {
    let sql = match kind {
        RecordKind::Tenant => concat!("select ", tenant_columns!("x"), " from tenants as x"),
        RecordKind::Session => concat!("select ", session_columns!("x"), " from sessions as x"),
        RecordKind::Message => concat!("select ", message_columns!("x"), " from messages as x"),
        RecordKind::Node => concat!("select ", node_columns!("x"), " from nodes as x"),
        RecordKind::Relationship => {
            concat!(
                "select ",
                relationship_columns!("x"),
                " from relationships as x"
            )
        }
    };
    Statement::reading("reading records", sql)
}

// A look-up per key, for the reason that is given at the insertions.
macro_rules! by_key {
    ($columns:ident, $table:literal) => {
        concat!(
            "select ",
            $columns!("x"),
            " from unnest($1, $2) as given (tenant_id, id) cross join lateral (
                select * from ",
            $table,
            " as t where t.tenant_id = given.tenant_id and t.id = given.id offset 0
            ) as x"
        )
    };
}

/// Those of a kind's records whose keys follow: the tenants and, but for tenants, the ids.
pub(super) fn select_by_key<'a>(kind: RecordKind) -> Statement<'a> {
    let sql = match kind {
        RecordKind::Tenant => concat!(
            "select ",
            tenant_columns!("x"),
            " from tenants as x where x.id = any($1)"
        ),
        RecordKind::Session => by_key!(session_columns, "sessions"),
        RecordKind::Message => by_key!(message_columns, "messages"),
        RecordKind::Node => by_key!(node_columns, "nodes"),
        RecordKind::Relationship => by_key!(relationship_columns, "relationships"),
    };
    Statement::reading("reading records by key", sql)
}

/// Makes records of the rows that [`select`] and [`select_by_key`] give.
pub(super) fn records(
    kind: RecordKind,
    step: &'static str,
    rows: &[Row],
) -> Result<Vec<Record>, StorageError> {
    match kind {
        RecordKind::Tenant => each::<Tenants, TenantRow, _>(step, rows, Record::Tenant),
        RecordKind::Session => each::<Sessions, SessionRow, _>(step, rows, Record::Session),
        RecordKind::Message => each::<Messages, MessageRow, _>(step, rows, Record::Message),
        RecordKind::Node => each::<Nodes, NodeRow, _>(step, rows, Record::Node),
        RecordKind::Relationship => {
            each::<Relationships, RelationshipRow, _>(step, rows, Record::Relationship)
        }
    }
}

fn each<S, R, T>(
    step: &'static str,
    rows: &[Row],
    wrap: impl Fn(T) -> Record,
) -> Result<Vec<Record>, StorageError>
where
    R: FromSqlRow<S, Pg>,
    T: TryFrom<R, Error = StorageError>,
{
    read::<S, R>(step, rows)?
        .into_iter()
        .map(|row| T::try_from(row).map(&wrap))
        .collect()
}
