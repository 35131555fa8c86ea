//! Keeping the schema in order.

use std::path::Path;

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Bool, Text};
use memory_migrations::POSTGRES_INDEXES;
use memory_storage::{Backup, Maintenance, OptimizeStep, StorageError, TableSize};

use crate::executor::read;
use crate::pool::Lease;
use crate::schema::Schema;
use crate::statement::Statement;

const TABLES: &str = "select c.relname::text, pg_table_size(c.oid), pg_indexes_size(c.oid)
    from pg_class as c
    where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and c.relname not like '\\_\\_%'
    order by c.relname collate \"C\"";

// The last column: whether a rebuilding left it behind, by the name that the server gives those. One
// that is under way looks the same, and does not say of each whether it is its own; what another role
// does is hidden, and may be on any table.
const INDEXES: &str = "select c.relname::text, i.indisvalid,
        not i.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$' and not exists (
            select from pg_stat_progress_create_index as p
            where p.datname = current_database() and coalesce(p.relid, i.indrelid) = i.indrelid
        )
    from pg_index as i join pg_class as c on c.oid = i.indexrelid
    where c.relnamespace = to_regnamespace($1)
    order by c.relname collate \"C\"";

#[async_trait]
impl Maintenance for Schema {
    async fn table_sizes(&self) -> Result<Vec<TableSize>, StorageError> {
        const STEP: &str = "measuring the tables";
        let mut lease = self.unbounded().await?;
        let statement = Statement::reading(STEP, TABLES).text(self.name());
        let rows = self.run(&mut lease, statement).await?;
        let tables = read::<(Text, BigInt, BigInt), (String, i64, i64)>(STEP, &rows)?;
        let mut sizes = Vec::with_capacity(tables.len());
        for (table, bytes, index_bytes) in tables {
            let sql = format!("select count(*) from \"{table}\"");
            let rows = self.run(&mut lease, Statement::reading(STEP, sql)).await?;
            let counts = read::<(BigInt,), (i64,)>(STEP, &rows)?;
            sizes.push(TableSize {
                table,
                rows: counts.iter().map(|(count,)| count.unsigned_abs()).sum(),
                bytes: bytes.unsigned_abs(),
                index_bytes: index_bytes.unsigned_abs(),
            });
        }
        Ok(sizes)
    }

    async fn optimize(&self, dry_run: bool) -> Result<Vec<OptimizeStep>, StorageError> {
        let mut lease = if dry_run {
            self.unbounded().await?
        } else {
            // As for a migration, so that both do not make the same index.
            self.locked().await?
        };
        let mut steps = Vec::new();
        for (step, sql) in self.plan(&mut lease).await? {
            if !dry_run {
                self.batch(&mut lease, &sql).await?;
            }
            steps.push(step);
        }
        Ok(steps)
    }

    async fn backup(&self, _: &Path, _: bool) -> Result<Backup, StorageError> {
        Err(StorageError::Unsupported {
            what: "copying the files of a PostgreSQL store (export it, or use pg_dump)".to_owned(),
        })
    }
}

impl Schema {
    /// What is to be done, each with its statement, which runs outside of a transaction.
    async fn plan(&self, lease: &mut Lease) -> Result<Vec<(OptimizeStep, String)>, StorageError> {
        const STEP: &str = "looking at the indexes";
        let statement = Statement::reading(STEP, INDEXES).text(self.name());
        let rows = self.run(lease, statement).await?;
        let there = read::<(Text, Bool, Bool), (String, bool, bool)>(STEP, &rows)?;
        let mut plan = Vec::new();
        let mut add = |step: String, reason, sql| plan.push((OptimizeStep { step, reason }, sql));
        let is_ours = |name: &str| POSTGRES_INDEXES.iter().any(|(ours, _)| *ours == name);
        for (name, valid, left_behind) in &there {
            if !valid && is_ours(name) {
                let sql = format!("reindex index concurrently \"{name}\"");
                add(format!("build the index {name} anew"), INVALID, sql);
            } else if *left_behind {
                let sql = format!("drop index concurrently if exists \"{name}\"");
                add(format!("drop the index {name}"), INVALID, sql);
            }
        }
        for (name, sql) in POSTGRES_INDEXES {
            if !there.iter().any(|(there, ..)| there == name) {
                let sql = sql.replacen(" index ", " index concurrently ", 1);
                add(format!("make the index {name}"), "it is missing", sql);
            }
        }
        let statement = Statement::reading(STEP, TABLES).text(self.name());
        let rows = self.run(lease, statement).await?;
        let tables = read::<(Text, BigInt, BigInt), (String, i64, i64)>(STEP, &rows)?;
        for (table, _, _) in tables {
            let reason = "gives back the room of deleted rows, and counts for the planner";
            let sql = format!("vacuum (analyze) \"{table}\"");
            add(format!("clean the table {table}"), reason, sql);
        }
        Ok(plan)
    }

    /// A connection of its own, for what takes long.
    pub(crate) async fn unbounded(&self) -> Result<Lease, StorageError> {
        let mut lease = self.dedicated().await?;
        self.lift_limits(&mut lease).await?;
        Ok(lease)
    }
}

const INVALID: &str = "it is invalid, because building it failed";
