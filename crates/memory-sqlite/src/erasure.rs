//! Everything of one tenant goes.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use memory_domain::{RecordKind, TenantErasure, TenantId};
use memory_storage::StorageError;

use crate::error::Failure;
use crate::statement::Statement;

/// Where transfers keep what they inserted.
const LEDGER: &str = "transfer_ledger";

/// Deletes everything of a tenant, in the transaction at hand.
pub(crate) fn erase(
    connection: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<TenantErasure, Failure> {
    if count_tenants(connection, &tenant)? == 0 {
        return Err(Failure::Refused(StorageError::NotFound {
            what: "tenant",
            id: tenant.to_string(),
        }));
    }
    // What is freed is overwritten, so that it does not stand in the file until it is used again.
    connection.batch_execute("pragma secure_delete = on")?;
    let erased = erase_standing(connection, &tenant);
    let reset = connection.batch_execute("pragma secure_delete = off");
    let (records, ledger_entries) = erased?;
    reset?;
    Ok(TenantErasure {
        tenant_id: tenant,
        records,
        ledger_entries,
    })
}

fn erase_standing(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
) -> Result<(BTreeMap<RecordKind, u64>, u64), Failure> {
    // Else the database refuses to delete audit events. It goes with the tables of the catalog.
    Statement::new("insert into tenants_being_erased values (?)")
        .text(tenant.as_str())
        .run(connection)?;
    empty_reports(connection, tenant)?;
    let mut records = BTreeMap::new();
    // What refers to others first, so that each is counted where it goes and not as a cascade.
    for kind in RecordKind::ALL.into_iter().rev() {
        let gone = match kind {
            RecordKind::Tenant => continue,
            _ => delete(connection, kind.table(), tenant)?,
        };
        if gone > 0 {
            records.insert(kind, gone);
        }
    }
    let mut ledger_entries = 0;
    // The catalog, not a list: a table that is added later cannot be forgotten.
    for table in tables_of_tenants(connection)? {
        let gone = delete(connection, &table, tenant)?;
        if table == LEDGER {
            ledger_entries = gone;
        }
    }
    Statement::new("delete from tenants where id = ?")
        .text(tenant.as_str())
        .run(connection)?;
    records.insert(RecordKind::Tenant, 1);
    Ok((records, ledger_entries))
}

/// The reports of transfers quote keys and values.
fn empty_reports(connection: &mut SqliteConnection, tenant: &TenantId) -> Result<(), Failure> {
    let quoted = serde_json::Value::from(tenant.as_str()).to_string();
    let inner = &quoted[1..quoted.len() - 1];
    Statement::new(
        "update transfer_runs set report = '{}'
         where id in (select run_id from transfer_ledger where tenant_id = ?)
             or instr(report, ?) > 0 or instr(report, ?) > 0
             or instr(report, ?) > 0 or instr(report, ?) > 0",
    )
    .text(tenant.as_str())
    .text(&quoted)
    // As in `nodes ada/0198…`, and in `tenants ada`, at a text's end or before a reason.
    .text(&format!(" {inner}/"))
    .text(&format!("tenants {inner}\""))
    .text(&format!("tenants {inner}:"))
    .run(connection)?;
    Ok(())
}

fn delete(
    connection: &mut SqliteConnection,
    table: &str,
    tenant: &TenantId,
) -> Result<u64, Failure> {
    let gone = Statement::new(format!("delete from \"{table}\" where tenant_id = ?"))
        .text(tenant.as_str())
        .run(connection)?;
    Ok(gone as u64)
}

fn count_tenants(connection: &mut SqliteConnection, tenant: &TenantId) -> Result<usize, Failure> {
    use memory_diesel::schema::tenants;

    let found: Vec<String> = tenants::table
        .find(tenant.as_str())
        .select(tenants::id)
        .load(connection)?;
    Ok(found.len())
}

/// Every table whose rows say whose they are.
fn tables_of_tenants(connection: &mut SqliteConnection) -> Result<Vec<String>, Failure> {
    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let tables: Vec<Table> = Statement::new(
        "select t.name from sqlite_schema as t, pragma_table_info(t.name) as c
         where t.type = 'table' and c.name = 'tenant_id'
         order by t.name",
    )
    .load(connection)?;
    Ok(tables.into_iter().map(|table| table.name).collect())
}
