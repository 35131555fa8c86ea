//! Indexing for search what was written before there was an index, or all of it anew.

use std::sync::Arc;

use diesel::sql_types::Text;
use memory_diesel::sql_types::{Id, IdValue};
use memory_diesel::{MessageRow, NodeRow};
use memory_domain::{Message, Node, Record, RecordKind};
use memory_storage::StorageError;

use crate::columns::{Messages, Nodes, message_columns, node_columns};
use crate::executor::read;
use crate::index::RecordChunks;
use crate::pool::Pool;
use crate::records::Transaction;
use crate::statement::Statement;

/// How many rows are indexed in one transaction.
const BATCH: usize = 100;

const STEP: &str = "indexing for search";

const ALL: &str = "insert into search_backlog (owner, after_tenant, after_id)
    values ('messages', '', '00000000-0000-0000-0000-000000000000'),
        ('nodes', '', '00000000-0000-0000-0000-000000000000')
    on conflict (owner) do update set after_tenant = excluded.after_tenant, after_id = excluded.after_id";

// Whoever else indexes waits here for the next batch.
const NEXT: &str =
    "select owner, after_tenant, after_id from search_backlog order by owner limit 1 for update";

const GONE_ON: &str = "update search_backlog set after_tenant = $1, after_id = $2 where owner = $3";

const DONE: &str = "delete from search_backlog where owner = $1";

// Locked, so that nobody merges into them, or deletes them, between here and the chunks.
const MESSAGES: &str = concat!(
    "select ",
    message_columns!("m"),
    " from messages as m where (m.tenant_id, m.id) > ($1, $2)
    order by m.tenant_id, m.id limit 100 for key share"
);

const NODES: &str = concat!(
    "select ",
    node_columns!("n"),
    " from nodes as n where (n.tenant_id, n.id) > ($1, $2)
    order by n.tenant_id, n.id limit 100 for no key update"
);

const CLEAR_MESSAGES: &str = "delete from message_chunks as c
    using unnest($1, $2) as anew (tenant_id, id)
    where c.tenant_id = anew.tenant_id and c.message_id = anew.id";

const CLEAR_NODES: &str = "delete from node_chunks as c
    using unnest($1, $2) as anew (tenant_id, id)
    where c.tenant_id = anew.tenant_id and c.node_id = anew.id";

/// How many rows are behind the places on the list.
pub(crate) const LEFT: &str = "select
    (select count(*) from search_backlog as b
        join messages as o on (o.tenant_id, o.id) > (b.after_tenant, b.after_id)
        where b.owner = 'messages')
    + (select count(*) from search_backlog as b
        join nodes as o on (o.tenant_id, o.id) > (b.after_tenant, b.after_id)
        where b.owner = 'nodes')";

/// Puts everything on the list of what is to be indexed, and indexes it.
pub(crate) async fn anew(pool: &Arc<Pool>) -> Result<u64, StorageError> {
    let mut transaction = Transaction::begin(pool, "begin").await?;
    transaction.run(&Statement::writing(STEP, ALL)).await?;
    transaction.commit().await?;
    resume(pool).await
}

/// Indexes what is on the list, and says how many rows that were. What was done stays done if it
/// is cut off, and the next one goes on there.
pub(crate) async fn resume(pool: &Arc<Pool>) -> Result<u64, StorageError> {
    let mut done = 0;
    loop {
        let mut transaction = Transaction::begin(pool, "begin").await?;
        let rows = batch(&mut transaction).await?;
        transaction.commit().await?;
        match rows {
            Some(rows) => done += rows as u64,
            None => return Ok(done),
        }
    }
}

/// Indexes the next rows, and says how many; none if there is nothing on the list.
async fn batch(transaction: &mut Transaction) -> Result<Option<usize>, StorageError> {
    let rows = transaction.run(&Statement::writing(STEP, NEXT)).await?;
    let next = read::<(Text, Text, Id), (String, String, IdValue)>(STEP, &rows)?;
    let Some((owner, tenant, IdValue(id))) = next.into_iter().next() else {
        return Ok(None);
    };
    let (kind, select, clear) = match owner.as_str() {
        "messages" => (RecordKind::Message, MESSAGES, CLEAR_MESSAGES),
        _ => (RecordKind::Node, NODES, CLEAR_NODES),
    };
    let statement = Statement::writing(STEP, select).text(&tenant).id(id);
    let rows = transaction.run(&statement).await?;
    let records: Vec<Record> = if kind == RecordKind::Message {
        read::<Messages, MessageRow>(STEP, &rows)?
            .into_iter()
            .map(|row| Message::try_from(row).map(Record::Message))
            .collect::<Result<_, _>>()?
    } else {
        read::<Nodes, NodeRow>(STEP, &rows)?
            .into_iter()
            .map(|row| Node::try_from(row).map(Record::Node))
            .collect::<Result<_, _>>()?
    };
    let keys = || records.iter().map(Record::key);
    let tenants: Vec<String> = keys().map(|key| key.tenant_id.to_string()).collect();
    let ids: Vec<IdValue> = keys().filter_map(|key| key.id.map(IdValue)).collect();
    let last = tenants.last().cloned().zip(ids.last().map(|id| id.0));
    let statement = Statement::writing(STEP, clear)
        .array::<Text, _>(tenants)
        .array::<Id, _>(ids);
    transaction.run(&statement).await?;
    let chunks = RecordChunks::of(records.iter());
    if let Some(statement) = chunks.statement(kind) {
        transaction.run(&statement).await?;
    }
    let statement = match &last {
        Some((tenant, id)) if records.len() == BATCH => Statement::writing(STEP, GONE_ON)
            .text(tenant)
            .id(*id)
            .text(&owner),
        _ => Statement::writing(STEP, DONE).text(&owner),
    };
    transaction.run(&statement).await?;
    Ok(Some(records.len()))
}
