use std::sync::Arc;

use async_trait::async_trait;
use diesel::sql_types::BigInt;
use memory_diesel::TransferRunRow;
use memory_domain::{Record, RecordKey, RecordKind, TenantId};
use memory_storage::{RecordReader, StorageError, TransferRun};
use uuid::Uuid;

use super::page_size::PageSize;
use super::table::Table;
use super::transaction::Transaction;
use crate::columns::{Runs, run_columns};
use crate::connection::Row;
use crate::executor::read;
use crate::pool::Pool;
use crate::statement::Statement;

// The snapshot is that of the first query, so there is one at once. The caller may take as long as
// it likes between two pages.
const BEGIN: &str = "begin isolation level repeatable read read only;
    set local idle_in_transaction_session_timeout = 0;
    select 1";

const RUNS: &str = concat!(
    "select ",
    run_columns!("r"),
    " from transfer_runs as r order by r.started_at desc, r.id desc limit $1"
);

/// Reads whole records from the state in which it began.
pub(crate) struct Reader {
    transaction: Transaction,
    page_size: PageSize,
}

impl Reader {
    pub(crate) async fn begin(pool: &Arc<Pool>) -> Result<Reader, StorageError> {
        Ok(Reader {
            transaction: Transaction::begin(pool, BEGIN).await?,
            page_size: PageSize::new(),
        })
    }
}

#[async_trait]
impl RecordReader for Reader {
    async fn count(
        &mut self,
        kind: RecordKind,
        tenant: Option<&TenantId>,
    ) -> Result<u64, StorageError> {
        let sql = format!("select count(*) from {} as x", kind.table());
        let statement = of_tenant(Statement::reading("counting records", sql), kind, tenant);
        let rows = self.transaction.run(&statement).await?;
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
        let statement = page(kind, tenant, after, self.page_size.limit(kind, limit));
        let (rows, _) = self
            .page_size
            .rows(&mut self.transaction, &statement)
            .await?;
        records(kind, statement.step(), &rows)
    }

    async fn runs(&mut self, limit: u32) -> Result<Vec<TransferRun>, StorageError> {
        let statement = Statement::reading("listing runs", RUNS).number(limit.into());
        let rows = self.transaction.run(&statement).await?;
        read::<Runs, TransferRunRow>(statement.step(), &rows)?
            .into_iter()
            .map(TransferRun::try_from)
            .collect()
    }
}

/// The next records of a kind in the order of their keys.
pub(super) fn page<'a>(
    kind: RecordKind,
    tenant: Option<&'a TenantId>,
    after: Option<&'a RecordKey>,
    limit: u32,
) -> Statement<'a> {
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
    statement.then(order).parameter().number(limit.into())
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
    let table = Table::of(kind);
    let sql = format!("select {} from {} as x", table.list_of("x"), table.name());
    Statement::reading("reading records", sql)
}

/// Those of a kind's records whose keys follow, in their order: the tenants and, but for tenants, the
/// ids. Tenants come in the order of their names.
pub(super) fn select_by_key<'a>(kind: RecordKind) -> Statement<'a> {
    let table = Table::of(kind);
    let (columns, name) = (table.list_of("x"), table.name());
    let sql = match kind {
        RecordKind::Tenant => {
            format!("select {columns} from tenants as x where x.id = any($1) order by x.id")
        }
        // A look-up per key, for the reason that is given at the insertions.
        _ => format!(
            "select {columns}
            from unnest($1, $2) with ordinality as given (tenant_id, id, n) cross join lateral (
                select * from {name} as t
                where t.tenant_id = given.tenant_id and t.id = given.id offset 0
            ) as x
            order by given.n"
        ),
    };
    Statement::reading("reading records by key", sql)
}

/// Makes records of the rows that [`select`] and [`select_by_key`] give.
pub(super) fn records(
    kind: RecordKind,
    step: &'static str,
    rows: &[Row],
) -> Result<Vec<Record>, StorageError> {
    (Table::of(kind).records)(step, rows)
}
