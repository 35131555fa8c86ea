//! The statements that take a run back.

use memory_domain::RecordKind;

use super::table::MEMBERS;

/// Others may go on reading. Each later statement sees what was committed before the lock was had.
pub(super) fn lock() -> String {
    let tables = RecordKind::ALL.map(RecordKind::table).join(", ");
    format!("lock table {tables} in share row exclusive mode")
}

/// What was not brought by the run `$1`, but belongs to what was: it goes with it by the cascades; and
/// what had gone and a later run brought again under its key. At most `$2` keys.
pub(super) fn built_upon() -> String {
    let dependent: Vec<String> = RecordKind::ALL.into_iter().filter_map(dependent).collect();
    format!(
        "with brought as (
            select table_name, tenant_id, record_id from transfer_ledger where run_id = $1
        ), again as (
            select l.table_name, l.tenant_id, l.record_id
            from transfer_runs as this
            join transfer_runs as later on (later.started_at, later.id) > (this.started_at, this.id)
            join transfer_ledger as l on l.run_id = later.id
            join brought using (table_name, tenant_id, record_id)
            where this.id = $1 and later.status <> 'rolled_back'
        ), dependent as ({})
        select table_name, tenant_id, id from dependent
        where not exists (
            select from brought
            where brought.table_name = dependent.table_name
                and brought.tenant_id = dependent.tenant_id and brought.record_id = dependent.id
        )
        union select table_name, tenant_id, record_id from again
        order by table_name, tenant_id, id limit $2",
        dependent.join(" union all ")
    )
}

/// The records of a kind that belong to what the run brought; none are tenants, which refer to
/// nothing.
fn dependent(kind: RecordKind) -> Option<String> {
    if kind == RecordKind::Tenant {
        return None;
    }
    let table = kind.table();
    let by_record: Vec<String> = kind
        .references()
        .iter()
        .filter(|(_, to)| *to != RecordKind::Tenant)
        .map(|(column, to)| match *column {
            MEMBERS => " or (tenant_id, id) in (
                    select m.tenant_id, m.compound_id from brought
                    join compound_members as m
                        on m.tenant_id = brought.tenant_id and m.node_id = brought.record_id
                    where brought.table_name = 'nodes'
                )"
            .to_owned(),
            _ => format!(
                " or (tenant_id, {column}) in (
                    select tenant_id, record_id from brought where table_name = '{}'
                )",
                to.table()
            ),
        })
        .collect();
    Some(format!(
        "select '{table}' as table_name, tenant_id, id from {table}
        where tenant_id in (select tenant_id from brought where table_name = 'tenants'){}",
        by_record.concat()
    ))
}

/// Says in the transaction that the run `$1` is being taken back, or with `''` no longer: without
/// that the database refuses to delete audit events.
pub(super) const TAKEN_BACK: &str = "select set_config('memory.taken_back_run', $1, true)";

/// Deletes the run's records of a kind, and gives their number.
pub(super) fn delete(kind: RecordKind) -> String {
    let table = kind.table();
    let key = match kind {
        RecordKind::Tenant => "x.id = l.tenant_id",
        _ => "x.tenant_id = l.tenant_id and x.id = l.record_id",
    };
    format!(
        "with gone as (
            delete from {table} as x using transfer_ledger as l
            where l.run_id = $1 and l.table_name = '{table}' and {key}
            returning 1
        )
        select count(*) from gone"
    )
}
