//! Taking constraints and indexes off tables that are empty, and how they go back.

use std::time::Duration;

use memory_domain::RecordKind;
use tokio_postgres::Row;

use crate::error::Failure;
use crate::pool::Bare;

/// What came off, as the statements that put it back.
#[derive(Debug, Default)]
pub(super) struct Off {
    /// Primary keys and what else is unique.
    pub(super) keys: Vec<String>,
    /// Other indexes, then references: those need the keys.
    pub(super) others: Vec<String>,
}

/// What is filled beside the records themselves.
const BESIDE: [&str; 3] = ["message_chunks", "node_chunks", "compound_members"];

const LEDGER: &str = "transfer_ledger";

/// How often it is tried to lock the tables, and how long is waited in between: whoever writes is not
/// waited for longer, because there is another way.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

const BEGIN: &str = "begin;
    set local idle_in_transaction_session_timeout = 0;
    set local statement_timeout = 0;
    set local lock_timeout = '2s'";

// Memory that makes indexes faster is asked for where less was configured.
const SETTINGS: &str = "set local lock_timeout to default;
    select set_config('maintenance_work_mem', '256MB', true)
    where pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB')";

/// Has references checked by hashing: of tables of which nothing is known yet the planner would
/// rather sort both, or look each row up, which takes four times as long.
pub(super) const BY_HASHING: &str =
    "set local enable_mergejoin = off; set local enable_nestloop = off";

/// Undoes in the transaction what [`BEGIN`], [`SETTINGS`] and [`BY_HASHING`] set for all of it.
pub(super) const AS_USUAL: &str = "set local statement_timeout to default;
    set local enable_mergejoin to default;
    set local enable_nestloop to default;
    set local maintenance_work_mem to default";

/// Everything of the tables that holds rows together or finds them, and whether it can be put back
/// as it was by the server's own words. What somebody else made upon it keeps it from being dropped,
/// and that is found when it is tried.
const CATALOG: &str = "
    with tables as (
        select x.oid, x.oid::regclass::text as name, x.relkind, x.relispartition, x.relhassubclass,
            x.relrowsecurity
        from pg_class as x where x.oid = any($1::text::regclass[])
    ), constraints as (
        select t.name, c.oid, c.conname, c.contype, c.conindid, pg_get_constraintdef(c.oid) as words
        from pg_constraint as c join tables as t on t.oid = c.conrelid
        where c.contype in ('p', 'u', 'x', 'f')
    ), indexes as (
        select i.*, x.reltablespace, x.oid::regclass::text as name,
            pg_get_indexdef(i.indexrelid) as words
        from pg_index as i
        join tables as t on t.oid = i.indrelid
        join pg_class as x on x.oid = i.indexrelid
    ), plain as (
        select not exists (
            select from tables where relkind <> 'r' or relispartition or relhassubclass or relrowsecurity
        ) and not exists (
            select from indexes as i
            where i.reltablespace <> 0 or i.indisclustered or i.indisreplident or not i.indisvalid
                or obj_description(i.indexrelid, 'pg_class') is not null
                or exists (
                    select from pg_attribute as a
                    where a.attrelid = i.indexrelid and coalesce(a.attstattarget, -1) >= 0
                )
        ) and not exists (
            select from constraints as c where obj_description(c.oid, 'pg_constraint') is not null
        ) as it
    )
    select
        case when contype = 'f' then 2 else 0 end as stage,
        format('alter table %s drop constraint %I', name, conname) as off,
        format('alter table %s add constraint %I %s', name, conname, words) as back,
        (select it from plain) as plain
    from constraints
    union all
    select case when indisunique then 0 else 1 end, format('drop index %s', name), words,
        (select it from plain)
    from indexes
    where not exists (
        select from constraints as c where c.contype <> 'f' and c.conindid = indexes.indexrelid
    )
    order by stage, back";

/// Begins a transaction, keeps everybody else away from the tables of records and takes off what
/// would be looked after row by row. `None` if they hold rows or are not as migrations make them;
/// then, as after an error, the connection is to be dropped, which undoes it all.
pub(super) async fn take_off(bare: &mut Bare) -> Result<Option<Off>, Failure> {
    bare.batch(BEGIN).await?;
    let mut filled: Vec<&str> = RecordKind::ALL.map(RecordKind::table).to_vec();
    filled.extend(BESIDE);
    // Not to lock what will not do.
    if hold_rows(bare, &filled).await? {
        return Ok(None);
    }
    lock(bare, &filled).await?;
    if hold_rows(bare, &filled).await? {
        return Ok(None);
    }
    if !hold_rows(bare, &[LEDGER]).await? {
        filled.push(LEDGER);
    }
    let tables = format!("{{{}}}", filled.join(","));
    let found = bare.rows(CATALOG, &[&tables]).await?;
    if found.is_empty() || found.iter().any(|row| !row.get::<_, bool>("plain")) {
        return Ok(None);
    }
    // What refers first, then what is referred to.
    let drops: Vec<&str> = found.iter().rev().map(|row| row.get("off")).collect();
    bare.batch(&drops.join("; ")).await?;
    bare.batch(SETTINGS).await?;
    let back = |is_key: bool| {
        let of = move |row: &&Row| (row.get::<_, i32>("stage") == 0) == is_key;
        let rows = found.iter().filter(of);
        rows.map(|row| row.get("back")).collect()
    };
    Ok(Some(Off {
        keys: back(true),
        others: back(false),
    }))
}

/// Locks the tables without ever waiting for one while others are held: so nobody who waits for
/// one of those can be in a deadlock with us, and be undone.
async fn lock(bare: &mut Bare, tables: &[&str]) -> Result<(), Failure> {
    let lock = format!(
        "savepoint locking;
        lock table {}, {LEDGER}, transfer_runs in access exclusive mode nowait;
        release savepoint locking",
        tables.join(", ")
    );
    let mut tries = 1;
    loop {
        match bare.batch(&lock).await {
            Err(failure) if failure.is_locked_out() && tries < TRIES => {
                // What was locked is let go with it.
                bare.batch("rollback to savepoint locking; release savepoint locking")
                    .await?;
                tokio::time::sleep(BETWEEN_TRIES).await;
                tries += 1;
            }
            locked => return locked,
        }
    }
}

async fn hold_rows(bare: &mut Bare, tables: &[&str]) -> Result<bool, Failure> {
    let any: Vec<String> = tables
        .iter()
        .map(|table| format!("exists (select from {table})"))
        .collect();
    let rows = bare
        .rows(&format!("select {}", any.join(" or ")), &[])
        .await?;
    Ok(rows.iter().any(|row| row.get(0)))
}
