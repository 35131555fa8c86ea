//! Indexing for search what was written before there was an index, or all of it anew.

use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use memory_diesel::sql_types::{Id, IdValue};
use memory_diesel::{MessageRow, NodeRow};
use memory_domain::{Message, Node};
use memory_storage::StorageError;
use uuid::Uuid;

use crate::connection::{Place, Role};
use crate::error::Failure;
use crate::index::{reindex_message, reindex_node};
use crate::statement::Statement;
use crate::tenants::counted;

/// How many rows are indexed in one transaction: a writer of another process waits no longer.
const BATCH: usize = 100;

const STEP: &str = "indexing for search";

/// Whether something is still to be indexed.
pub(crate) fn is_due(connection: &mut SqliteConnection) -> QueryResult<bool> {
    Ok(next(connection)?.is_some())
}

/// How many rows are behind the places on the list; none if there is no list yet.
pub(crate) fn left(connection: &mut SqliteConnection) -> Result<u64, Failure> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let mut count = |sql: &str| -> QueryResult<i64> {
        let counted: Counted = diesel::sql_query(sql).get_result(connection)?;
        Ok(counted.count)
    };
    if count("select count(*) as count from sqlite_schema where name = 'search_backlog'")? == 0 {
        return Ok(0);
    }
    let left = count(
        "select
            (select count(*) from search_backlog as b
                join messages as o on (o.tenant_id, o.id) > (b.after_tenant, b.after_id)
                where b.owner = 'messages')
            + (select count(*) from search_backlog as b
                join nodes as o on (o.tenant_id, o.id) > (b.after_tenant, b.after_id)
                where b.owner = 'nodes') as count",
    )?;
    Ok(counted(left))
}

/// Puts everything on the list of what is to be indexed, and indexes it.
pub(crate) fn anew(place: &Place) -> Result<u64, StorageError> {
    run(place, |connection| {
        Statement::new(
            "insert or replace into search_backlog (owner, after_tenant, after_id)
             values ('messages', '', ?), ('nodes', '', ?)",
        )
        .id(Uuid::nil())
        .id(Uuid::nil())
        .run(connection)?;
        Ok(())
    })
}

/// Indexes what is on the list, and says how many rows that were. What was done stays done if it
/// is cut off, and the next one goes on there.
pub(crate) fn resume(place: &Place) -> Result<u64, StorageError> {
    run(place, |_| Ok(()))
}

fn run(
    place: &Place,
    first: impl FnOnce(&mut SqliteConnection) -> Result<(), Failure>,
) -> Result<u64, StorageError> {
    let mut connection = place.connect(Role::Writer).map_err(|error| {
        let source = error.into();
        StorageError::Unavailable { step: STEP, source }
    })?;
    let begun = Instant::now();
    let failed = |failure: Failure| failure.into_error(STEP, begun.elapsed());
    first(&mut connection).map_err(failed)?;
    let mut done = 0;
    loop {
        match connection.immediate_transaction(batch).map_err(failed)? {
            Some(rows) => done += rows as u64,
            None => return Ok(done),
        }
    }
}

#[derive(QueryableByName)]
struct Backlog {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    after_tenant: String,
    #[diesel(sql_type = Id)]
    after_id: IdValue,
}

fn next(connection: &mut SqliteConnection) -> QueryResult<Option<Backlog>> {
    Statement::new(
        "select owner, after_tenant, after_id from search_backlog order by owner limit 1",
    )
    .get_result(connection)
    .optional()
}

/// Indexes the next rows, and says how many; none if there is nothing on the list.
fn batch(connection: &mut SqliteConnection) -> Result<Option<usize>, Failure> {
    let Some(from) = next(connection)? else {
        return Ok(None);
    };
    let (rows, last) = if from.owner == "messages" {
        messages(connection, &from)?
    } else {
        nodes(connection, &from)?
    };
    match last {
        Some((tenant, id)) if rows == BATCH => {
            Statement::new(
                "update search_backlog set after_tenant = ?, after_id = ? where owner = ?",
            )
            .text(&tenant)
            .id(id)
            .text(&from.owner)
            .run(connection)?;
        }
        _ => {
            Statement::new("delete from search_backlog where owner = ?")
                .text(&from.owner)
                .run(connection)?;
        }
    }
    Ok(Some(rows))
}

/// How many rows were indexed, and the key of the last.
type Indexed = (usize, Option<(String, Uuid)>);

fn messages(connection: &mut SqliteConnection, from: &Backlog) -> Result<Indexed, Failure> {
    let rows: Vec<MessageRow> = behind("messages", from).load(connection)?;
    let (count, mut last) = (rows.len(), None);
    for row in rows {
        let message = Message::try_from(row)?;
        reindex_message(connection, &message)?;
        last = Some((message.tenant_id.to_string(), message.id.uuid()));
    }
    Ok((count, last))
}

fn nodes(connection: &mut SqliteConnection, from: &Backlog) -> Result<Indexed, Failure> {
    let rows: Vec<NodeRow> = behind("nodes", from).load(connection)?;
    let (count, mut last) = (rows.len(), None);
    for row in rows {
        let node = Node::try_from(row)?;
        reindex_node(connection, &node)?;
        last = Some((node.tenant_id.to_string(), node.id.uuid()));
    }
    Ok((count, last))
}

fn behind<'a>(table: &str, from: &'a Backlog) -> Statement<'a> {
    let sql = format!(
        "select * from {table} where (tenant_id, id) > (?, ?) order by tenant_id, id limit ?"
    );
    Statement::new(sql)
        .text(&from.after_tenant)
        .id(from.after_id.0)
        .number(i64::try_from(BATCH).unwrap_or(i64::MAX))
}
