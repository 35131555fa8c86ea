//! Inserting records of one kind, all in one statement.

use diesel::sql_types::Binary;
use memory_domain::{Record, RecordKind};
use memory_storage::{RunId, Sealed};

use super::table::{Table, is_brought, is_there};
use crate::statement::Statement;

/// The statement that inserts records of a kind, no key twice. It gives the keys that were inserted
/// and entered in the ledger; what stands, or what refers to what is not there, is left out without
/// an error, which would undo the whole run.
pub(super) fn insertion<'a>(run: RunId, kind: RecordKind, sealed: &[&Sealed]) -> Statement<'a> {
    let table = Table::of(kind);
    let digests: Vec<Vec<u8>> = sealed
        .iter()
        .map(|sealed| sealed.digest().as_bytes().to_vec())
        .collect();
    let records: Vec<&Record> = sealed.iter().map(|sealed| sealed.record()).collect();
    let statement = Statement::writing("inserting records", text(&table));
    (table.arrays)(statement, &records)
        .array::<Binary, Vec<u8>>(digests)
        .id(run.0)
}

fn text(table: &Table) -> String {
    let (digest, run) = (table.columns.len() + 1, table.columns.len() + 2);
    // A tenant has no id beside its name.
    let (tenant, id, key) = match table.kind {
        RecordKind::Tenant => ("id", "'00000000-0000-0000-0000-000000000000'::uuid", "id"),
        _ => ("tenant_id", "id", "tenant_id, id"),
    };
    let join = match table.kind {
        RecordKind::Tenant => "given.id = written.tenant_id",
        _ => "given.tenant_id = written.tenant_id and given.id = written.id",
    };
    format!(
        "with given as (
            select * from unnest({parameters}, ${digest}) as given ({columns}, record_digest)
        ), written as (
            insert into {name} ({columns})
            select {stored} from given
            where {condition}
            order by {key}
            on conflict do nothing
            returning {tenant} as tenant_id, {id} as id
        ), entered as (
            insert into transfer_ledger (run_id, table_name, tenant_id, record_id, digest)
            select ${run}, '{name}', written.tenant_id, written.id, given.record_digest
            from written join given on {join}
        )
        select tenant_id, id from written",
        parameters = table.parameters(),
        columns = table.list(),
        name = table.name(),
        stored = (table.stored)().join(", "),
        condition = condition(table.kind, run),
    )
}

/// What must hold for a record to be inserted.
fn condition(kind: RecordKind, run: usize) -> String {
    let mut conditions: Vec<String> = match kind {
        // Only into sessions that the run itself brought: the count and the numbers of one that
        // stands are its own, and would not be as they were if the run were taken back.
        RecordKind::Message => vec![is_brought(run)],
        _ => kind
            .references()
            .iter()
            .map(|(column, to)| is_there(column, *to))
            .collect(),
    };
    conditions.push("true".to_owned());
    conditions.join(" and ")
}
