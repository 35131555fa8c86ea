//! What a run inserted, what was built upon it, and taking it back.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use memory_diesel::LedgerRow;
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::{RecordKey, RecordKind, TenantId};
use memory_storage::{LedgerEntry, RunId};

use super::page::id;
use crate::error::Failure;
use crate::statement::Statement;
use crate::tenants::entities;

/// The next entries of one kind, in the order of their keys.
pub(super) fn entries(
    connection: &mut SqliteConnection,
    run: RunId,
    kind: RecordKind,
    after: Option<&RecordKey>,
    limit: u32,
) -> Result<Vec<LedgerEntry>, Failure> {
    let statement = match after {
        None => Statement::new(
            "select * from transfer_ledger where run_id = ? and table_name = ?
             order by tenant_id, record_id limit ?",
        )
        .id(run.0)
        .text(kind.table()),
        Some(after) => Statement::new(
            "select * from transfer_ledger where run_id = ? and table_name = ?
                 and (tenant_id, record_id) > (?, ?)
             order by tenant_id, record_id limit ?",
        )
        .id(run.0)
        .text(kind.table())
        .text(after.tenant_id.as_str())
        .id(id(after)),
    };
    entities(
        statement
            .number(limit.into())
            .load::<LedgerRow>(connection)?,
    )
}

/// How a record can belong to what a run brought: the one's kind, the other's, and the column that
/// refers to it. Each is a cascade of the schema, directly or by way of a tenant.
fn dependencies() -> impl Iterator<Item = (RecordKind, RecordKind, &'static str)> {
    let owned = RecordKind::ALL
        .into_iter()
        .filter(|kind| *kind != RecordKind::Tenant);
    owned.flat_map(|kind| {
        let of_tenant = (kind, RecordKind::Tenant, "tenant_id");
        let others = kind.references().iter();
        let others = others.filter(|(_, to)| *to != RecordKind::Tenant);
        std::iter::once(of_tenant).chain(others.map(move |(column, to)| (kind, *to, *column)))
    })
}

/// Records that had gone and that a later run inserted again under the keys of the run's.
fn brought_again(
    connection: &mut SqliteConnection,
    run: RunId,
    limit: u32,
) -> Result<Vec<RecordKey>, Failure> {
    let statement = Statement::new(
        "select again.* from transfer_runs as this
         join transfer_runs as later on (later.started_at, later.id) > (this.started_at, this.id)
         join transfer_ledger as again on again.run_id = later.id
         join transfer_ledger as own on own.run_id = this.id and own.table_name = again.table_name
             and own.tenant_id = again.tenant_id and own.record_id = again.record_id
         where this.id = ? and later.status <> 'rolled_back'
         order by again.table_name, again.tenant_id, again.record_id limit ?",
    )
    .id(run.0)
    .number(limit.into());
    let entries: Vec<LedgerEntry> = entities(statement.load::<LedgerRow>(connection)?)?;
    Ok(entries.into_iter().map(|entry| entry.key).collect())
}

/// Records that the run did not insert but that would go with its records.
pub(super) fn built_upon(
    connection: &mut SqliteConnection,
    run: RunId,
    limit: u32,
) -> Result<Vec<RecordKey>, Failure> {
    #[derive(QueryableByName)]
    struct Dependent {
        #[diesel(sql_type = Text)]
        tenant_id: String,
        #[diesel(sql_type = Id)]
        id: IdValue,
    }
    let mut keys = BTreeSet::from_iter(brought_again(connection, run, limit)?);
    for (kind, on, column) in dependencies() {
        let reference = match on {
            RecordKind::Tenant => String::new(),
            // Several, which have a table of their own.
            _ if column == "members" => "and exists (
                     select 1 from compound_members as member
                     where member.tenant_id = x.tenant_id and member.compound_id = x.id
                         and member.node_id = brought.record_id
                 )"
            .to_owned(),
            _ => format!("and x.{column} = brought.record_id"),
        };
        let sql = format!(
            "select x.tenant_id, x.id from transfer_ledger as brought
             join {table} as x on x.tenant_id = brought.tenant_id {reference}
             where brought.run_id = ? and brought.table_name = ?
                 and not exists (
                     select 1 from transfer_ledger as own
                     where own.run_id = brought.run_id and own.table_name = ?
                         and own.tenant_id = x.tenant_id and own.record_id = x.id
                 )
             order by x.tenant_id, x.id limit ?",
            table = kind.table(),
        );
        let dependents: Vec<Dependent> = Statement::new(sql)
            .id(run.0)
            .text(on.table())
            .text(kind.table())
            .number(limit.into())
            .load(connection)?;
        for Dependent { tenant_id, id } in dependents {
            keys.insert(RecordKey {
                kind,
                tenant_id: TenantId::new(tenant_id)?,
                id: Some(id.0),
            });
        }
    }
    Ok(keys.into_iter().take(limit as usize).collect())
}

/// Deletes every record of a run's ledger, with what depends on it, and says how many there were.
/// What is referred to goes last, so each one is deleted by its own statement, and counted.
pub(super) fn delete(connection: &mut SqliteConnection, run: RunId) -> Result<u64, Failure> {
    // Without this the database refuses to delete audit events.
    Statement::new("insert into transfers_being_taken_back values (?)")
        .id(run.0)
        .run(connection)?;
    let mut gone = 0;
    for kind in RecordKind::ALL.into_iter().rev() {
        let key = match kind {
            RecordKind::Tenant => "id in (select tenant_id",
            _ => "(tenant_id, id) in (select tenant_id, record_id",
        };
        let sql = format!(
            "delete from {} where {key} from transfer_ledger where run_id = ? and table_name = ?)",
            kind.table(),
        );
        gone += Statement::new(sql)
            .id(run.0)
            .text(kind.table())
            .run(connection)?;
    }
    Statement::new("delete from transfers_being_taken_back").run(connection)?;
    Ok(gone as u64)
}
