use async_trait::async_trait;
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use memory_diesel::{FileSnapshotRow, NodeRow};
use memory_domain::{
    EntityType, FileSnapshot, FileSnapshotCursor, KnowledgeStats, Limit, NewFileSnapshot, Node,
    RelationshipKind, RiskyFile, TenantId, Timestamp, key_text, path_text,
};
use memory_storage::{FileStore, StorageError};

use crate::columns::{FileSnapshots, Nodes, file_snapshot_columns, node_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

// See the creation of a session.
const RECORD: &str = concat!(
    "with written as (
        insert into file_snapshots as f (
            tenant_id, id, path, mission_key, size_bytes, lines_of_code, hash, metadata, taken_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant_id, id) do nothing
        returning ",
    file_snapshot_columns!("f"),
    ")
    select ",
    file_snapshot_columns!("w"),
    ", touch_tenant($1, $9) from written as w
    union all
    select ",
    file_snapshot_columns!("f"),
    ", true from file_snapshots as f where f.tenant_id = $1 and f.id = $2"
);

const HISTORY: &str = concat!(
    "select ",
    file_snapshot_columns!("f"),
    " from file_snapshots as f where f.tenant_id = $1 and f.path = $2"
);

const OF_MISSION: &str = concat!(
    "select ",
    file_snapshot_columns!("f"),
    " from file_snapshots as f where f.tenant_id = $1 and f.mission_key = $2"
);

// What one node worked on, or what worked on it; each once, however many relationships join them.
// The words are parameters: of one that is rare, or was when statistics were made, the planner would
// read all there are instead of those of the node.
macro_rules! others {
    ($here:literal, $there:literal) => {
        concat!(
            "with one as (
                select id from nodes where tenant_id = $1 and key_system = $2 and key_id = $3
            ), others as (
                select r.",
            $there,
            " as id from one join relationships as r
                    on r.tenant_id = $1 and r.",
            $here,
            " = one.id and r.kind = $4
                union
                select r.",
            $here,
            " from one join relationships as r
                    on r.tenant_id = $1 and r.",
            $there,
            " = one.id and r.kind = $4 and not r.directed
            )
            select ",
            node_columns!("n"),
            " from others join nodes as n on n.tenant_id = $1 and n.id = others.id
            where n.key_system = $5"
        )
    };
}

const FILES_OF_MISSION: &str = others!("from_id", "to_id");
const MISSIONS_OF_FILE: &str = others!("to_id", "from_id");

// `union` makes parallel relationships one.
const RISKY: &str = "with worked (mission, file) as (
        select from_id, to_id from relationships where tenant_id = $1 and kind = 'worked_on'
        union
        select to_id, from_id from relationships
        where tenant_id = $1 and kind = 'worked_on' and not directed
    ), caused (mission, bug) as (
        select from_id, to_id from relationships where tenant_id = $1 and kind = 'caused_bug'
        union
        select to_id, from_id from relationships
        where tenant_id = $1 and kind = 'caused_bug' and not directed
    ), bugs (mission, count) as (
        select mission, count(*) from caused group by mission
    ), counted as (
        select f.key_id as path, sum(coalesce(b.count, 0))::bigint as bugs,
            count(*) filter (where s.status = 'failed') as failed_missions, count(*) as missions
        from worked as w
        join nodes as f on f.tenant_id = $1 and f.id = w.file and f.key_system = 'file'
        join nodes as m on m.tenant_id = $1 and m.id = w.mission and m.key_system = 'mission'
        left join bugs as b on b.mission = w.mission
        left join missions as s on s.tenant_id = $1 and s.key = m.key_id
        group by f.key_id
    )
    select path, bugs, failed_missions, missions from counted
    order by 10 * bugs + 5 * failed_missions desc, missions desc, path limit $2";

// One statement, so that all is of one snapshot: a row for each type, each kind, and the missions.
// Sums are of clamped amounts, so that none leaves the range of doubles; `avg` would, because it adds
// up squares. `least` and `greatest` pass over null, so nulls are left out first.
const STATS: &str = "select 'entities', entity_type, count(*), 0::bigint, 0::bigint, 0::bigint,
        0::double precision, null::double precision, null::double precision
    from nodes where tenant_id = $1 and entity_type is not null
    group by entity_type
    union all
    select 'relationships', kind, count(*), 0::bigint, 0::bigint, 0::bigint, 0, null, null
    from relationships where tenant_id = $1
    group by kind
    union all
    select 'missions', '', count(*),
        count(*) filter (where status = 'success'), count(*) filter (where status = 'failed'),
        (select count(distinct path) from file_snapshots where tenant_id = $1),
        coalesce(sum(greatest(-1e290, least(1e290, cost_usd))) filter (where cost_usd is not null), 0),
        sum(greatest(-1e290, least(1e290, cost_usd))) filter (where cost_usd is not null)
            / nullif(count(cost_usd), 0),
        sum(greatest(-1e290, least(1e290, duration_seconds)))
            filter (where duration_seconds is not null) / nullif(count(duration_seconds), 0)
    from missions where tenant_id = $1";

#[async_trait]
impl<E: Executor> FileStore for Postgres<E> {
    async fn record_file_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewFileSnapshot,
        at: Timestamp,
    ) -> Result<FileSnapshot, StorageError> {
        let new = snapshot.validated()?;
        let stands: FileSnapshot = self
            .standing(|| {
                let statement = Statement::writing("recording a file snapshot", RECORD)
                    .text(tenant.as_str())
                    .id(new.id.uuid())
                    .text(&new.path)
                    .optional_text(new.mission_key.as_deref())
                    .bind::<Nullable<BigInt>, _>(new.size_bytes)
                    .bind::<Nullable<BigInt>, _>(new.lines_of_code)
                    .optional_text(new.hash.as_deref())
                    .json(&new.metadata)
                    .at(at);
                self.entities::<FileSnapshots, FileSnapshotRow, _>(statement)
            })
            .await?;
        if new.is_same_write(&stands) {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "file snapshot",
                id: new.id.to_string(),
            })
        }
    }

    async fn file_history(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        path_text("path", path)?;
        let statement = Statement::reading("reading a file's history", HISTORY)
            .text(tenant.as_str())
            .text(path);
        snapshots(self, statement, limit, after).await
    }

    async fn mission_snapshots(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        key_text("mission_key", mission_key)?;
        let statement = Statement::reading("listing a mission's snapshots", OF_MISSION)
            .text(tenant.as_str())
            .text(mission_key);
        snapshots(self, statement, limit, after).await
    }

    async fn files_of_mission(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        key_text("mission_key", mission_key)?;
        after.map(|after| key_text("after", after)).transpose()?;
        let statement = Statement::reading("listing a mission's files", FILES_OF_MISSION)
            .text(tenant.as_str())
            .text("mission")
            .text(mission_key)
            .text("worked_on")
            .text("file");
        others(self, statement, limit, after).await
    }

    async fn missions_of_file(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        path_text("path", path)?;
        after.map(|after| key_text("after", after)).transpose()?;
        let statement = Statement::reading("listing a file's missions", MISSIONS_OF_FILE)
            .text(tenant.as_str())
            .text("file")
            .text(path)
            .text("worked_on")
            .text("mission");
        others(self, statement, limit, after).await
    }

    async fn risky_files(
        &self,
        tenant: &TenantId,
        limit: Limit,
    ) -> Result<Vec<RiskyFile>, StorageError> {
        let statement = Statement::reading("looking for risky files", RISKY)
            .text(tenant.as_str())
            .limit(limit);
        let rows = self
            .load::<(Text, BigInt, BigInt, BigInt), (String, i64, i64, i64)>(statement)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(path, bugs, failed_missions, missions)| RiskyFile {
                path,
                bugs: bugs.unsigned_abs(),
                failed_missions: failed_missions.unsigned_abs(),
                missions: missions.unsigned_abs(),
            })
            .collect())
    }

    async fn knowledge_stats(&self, tenant: &TenantId) -> Result<KnowledgeStats, StorageError> {
        let statement = Statement::reading("counting what is known", STATS).text(tenant.as_str());
        let mut stats = KnowledgeStats::default();
        for row in self.load::<CountedSql, Counted>(statement).await? {
            let (section, name, count, successful, failed, files, cost, cost_mean, duration) = row;
            let count = count.unsigned_abs();
            match section.as_str() {
                "entities" => {
                    stats.entities.insert(EntityType::new(name)?, count);
                }
                "relationships" => {
                    let kind = RelationshipKind::new(name)?;
                    stats.relationships.insert(kind, count);
                }
                _ => {
                    stats.missions = count;
                    stats.successful_missions = successful.unsigned_abs();
                    stats.failed_missions = failed.unsigned_abs();
                    stats.files = files.unsigned_abs();
                    stats.cost_usd_total = cost;
                    stats.cost_usd_mean = cost_mean;
                    stats.duration_seconds_mean = duration;
                }
            }
        }
        Ok(stats)
    }
}

type CountedSql = (
    Text,
    Text,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Double,
    Nullable<Double>,
    Nullable<Double>,
);
type Counted = (
    String,
    String,
    i64,
    i64,
    i64,
    i64,
    f64,
    Option<f64>,
    Option<f64>,
);

async fn snapshots<E: Executor>(
    store: &Postgres<E>,
    mut statement: Statement<'_>,
    limit: Limit,
    after: Option<FileSnapshotCursor>,
) -> Result<Vec<FileSnapshot>, StorageError> {
    if let Some(after) = after {
        statement = statement.then(" and (f.taken_at, f.id) < (").parameter();
        statement = statement.at(after.taken_at).then(", ").parameter();
        statement = statement.id(after.id.uuid()).then(")");
    }
    let statement = statement
        .then(" order by f.taken_at desc, f.id desc limit ")
        .parameter()
        .limit(limit);
    store
        .entities::<FileSnapshots, FileSnapshotRow, _>(statement)
        .await
}

async fn others<'a, E: Executor>(
    store: &Postgres<E>,
    mut statement: Statement<'a>,
    limit: Limit,
    after: Option<&'a str>,
) -> Result<Vec<Node>, StorageError> {
    if let Some(after) = after {
        statement = statement.then(" and n.key_id > ").parameter();
        statement = statement.text(after);
    }
    let statement = statement
        .then(" order by n.key_id limit ")
        .parameter()
        .limit(limit);
    store.entities::<Nodes, NodeRow, _>(statement).await
}
