//! Keeping the file in order.

use std::path::Path;
use std::time::Instant;

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::SqliteConnection;
use memory_migrations::SQLITE_INDEXES;
use memory_storage::{Backup, Maintenance, OptimizeStep, StorageError, TableSize};

use crate::connection::{Place, Role};
use crate::copy::copy;
use crate::error::Failure;
use crate::executor::{Executor, Reading};
use crate::pool::Pool;
use crate::tenants::counted;

/// The tables of FTS5.
const SEARCH_INDEXES: [&str; 4] = ["message_terms", "message_grams", "node_terms", "node_grams"];

#[async_trait]
impl Maintenance for Pool {
    async fn table_sizes(&self) -> Result<Vec<TableSize>, StorageError> {
        let reading = Reading::of("measuring the tables").snapshot().scan(true);
        self.read(reading, table_sizes).await
    }

    async fn optimize(&self, dry_run: bool) -> Result<Vec<OptimizeStep>, StorageError> {
        const STEP: &str = "optimizing the file";
        if dry_run {
            let reading = Reading::of("looking at the indexes").snapshot();
            return self
                .read(reading, |connection| Ok(steps(&missing(connection)?)))
                .await;
        }
        let _pass = self.gate.enter()?;
        let place = self.place.clone();
        self.writer()?
            .alone(STEP, move |_| {
                let begun = Instant::now();
                optimize(&place)
                    .map_err(|failure| Failure::Refused(failure.into_error(STEP, begun.elapsed())))
            })
            .await
    }

    async fn backup(&self, to: &Path, replace: bool) -> Result<Backup, StorageError> {
        let _pass = self.gate.enter()?;
        copy(self.place.clone(), to, replace).await
    }
}

fn table_sizes(connection: &mut SqliteConnection) -> Result<Vec<TableSize>, Failure> {
    #[derive(QueryableByName)]
    struct Sized {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = BigInt)]
        bytes: i64,
        #[diesel(sql_type = BigInt)]
        index_bytes: i64,
    }
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    let tables: Vec<Sized> = diesel::sql_query(
        "with pages as (
             select m.tbl_name as name, m.type, sum(s.pgsize) as bytes
             from dbstat as s join sqlite_schema as m on m.name = s.name
             where s.aggregate = true group by 1, 2
         )
         select t.name,
             coalesce((select bytes from pages as p where p.name = t.name and p.type = 'table'), 0)
                 as bytes,
             coalesce((select bytes from pages as p where p.name = t.name and p.type = 'index'), 0)
                 as index_bytes
         from sqlite_schema as t
         where t.type = 'table' and t.rootpage > 0
             and t.name not like 'sqlite\\_%' escape '\\' and t.name not like '\\_\\_%' escape '\\'
         order by t.name",
    )
    .load(connection)?;
    tables
        .into_iter()
        .map(|table| {
            let sql = format!("select count(*) as rows from \"{}\"", table.name);
            let found: Counted = diesel::sql_query(sql).get_result(connection)?;
            Ok(TableSize {
                table: table.name,
                rows: counted(found.rows),
                bytes: counted(table.bytes),
                index_bytes: counted(table.index_bytes),
            })
        })
        .collect()
}

/// The indexes that the migrations made and that are not there: their names and statements.
fn missing(
    connection: &mut SqliteConnection,
) -> Result<Vec<(&'static str, &'static str)>, Failure> {
    #[derive(QueryableByName)]
    struct Index {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let there: Vec<Index> =
        diesel::sql_query("select name from sqlite_schema where type = 'index'")
            .load(connection)?;
    let is_there = |name: &str| there.iter().any(|index| index.name == name);
    Ok(SQLITE_INDEXES
        .iter()
        .copied()
        .filter(|(name, _)| !is_there(name))
        .collect())
}

fn steps(missing: &[(&'static str, &'static str)]) -> Vec<OptimizeStep> {
    let make = |(name, _): &(&'static str, &'static str)| OptimizeStep {
        step: format!("make the index {name}"),
        reason: "it is missing",
    };
    let always = [
        ("merge the index for search", "it may hold what was deleted"),
        ("count what the tables hold", "the planner goes by that"),
        (
            "rewrite the file",
            "gives back the room of what was deleted",
        ),
        ("empty the log", "it may hold what was deleted"),
    ];
    let always = always.map(|(step, reason)| OptimizeStep {
        step: step.to_owned(),
        reason,
    });
    missing.iter().map(make).chain(always).collect()
}

/// While nobody of this process writes; another process is waited for.
fn optimize(place: &Place) -> Result<Vec<OptimizeStep>, Failure> {
    let mut connection = place.connect(Role::Migrator).map_err(|error| {
        Failure::Refused(StorageError::Unavailable {
            step: "opening a connection",
            source: error.into(),
        })
    })?;
    let missing = missing(&mut connection)?;
    for (_, sql) in &missing {
        connection.batch_execute(sql)?;
    }
    // What was deleted from the index is only crossed out there, and the samples that the planner goes
    // by quote keys: both are made anew before the file is.
    for index in SEARCH_INDEXES {
        let sql = format!("insert into {index} ({index}) values ('optimize')");
        connection.batch_execute(&sql)?;
    }
    connection.batch_execute("analyze; vacuum")?;
    empty_log(&mut connection)?;
    Ok(steps(&missing))
}

/// Moves the log into the file and cuts it off. Until then the file holds what it held before, so a
/// reader that keeps the log in use, which SQLite reports in a row and not as an error, is one.
fn empty_log(connection: &mut SqliteConnection) -> Result<(), Failure> {
    #[derive(QueryableByName)]
    struct Checkpoint {
        #[diesel(sql_type = Integer)]
        busy: i32,
    }
    let begun = Instant::now();
    let done: Checkpoint =
        diesel::sql_query("pragma wal_checkpoint(truncate)").get_result(connection)?;
    if done.busy != 0 {
        let waited = begun.elapsed();
        return Err(Failure::Refused(StorageError::Busy { waited }));
    }
    Ok(())
}
