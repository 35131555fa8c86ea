use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use memory_diesel::schema::file_snapshots;
use memory_diesel::sql_types::IdValue;
use memory_diesel::{FileSnapshotRow, NodeRow};
use memory_domain::{
    EntityType, FileSnapshot, FileSnapshotCursor, FileSnapshotId, KnowledgeStats, Limit,
    NewFileSnapshot, Node, RelationshipKind, RiskyFile, TenantId, Timestamp, key_text, path_text,
};
use memory_storage::{FileStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::statement::Statement;
use crate::tenants::{counted, entities, touch};

// What one node worked on, or what worked on it; each once, however many relationships join them.
// Indexes are named for the reason given below.
const FILES_OF_MISSION: &str = "with one as (
        select id from nodes where tenant_id = ? and key_system = 'mission' and key_id = ?
    ), others as (
        select r.to_id as id from one cross join relationships as r indexed by relationships_by_ends
        where r.tenant_id = ? and r.from_id = one.id and r.kind = 'worked_on'
        union
        select r.from_id from one cross join relationships as r indexed by relationships_to
        where r.tenant_id = ? and r.to_id = one.id and r.kind = 'worked_on' and not r.directed
    )
    select n.* from others cross join nodes as n
    where n.tenant_id = ? and n.id = others.id and n.key_system = 'file'";

const MISSIONS_OF_FILE: &str = "with one as (
        select id from nodes where tenant_id = ? and key_system = 'file' and key_id = ?
    ), others as (
        select r.from_id as id from one cross join relationships as r indexed by relationships_to
        where r.tenant_id = ? and r.to_id = one.id and r.kind = 'worked_on'
        union
        select r.to_id from one cross join relationships as r indexed by relationships_by_ends
        where r.tenant_id = ? and r.from_id = one.id and r.kind = 'worked_on' and not r.directed
    )
    select n.* from others cross join nodes as n
    where n.tenant_id = ? and n.id = others.id and n.key_system = 'mission'";

// `union` makes parallel relationships one. Indexes are named, because without statistics SQLite takes
// the one that has all the columns, and reads every relationship of the tenant.
const RISKY: &str = "with worked (mission, file) as (
        select from_id, to_id from relationships indexed by relationships_by_kind
        where tenant_id = ? and kind = 'worked_on'
        union
        select to_id, from_id from relationships indexed by relationships_by_kind
        where tenant_id = ? and kind = 'worked_on' and not directed
    ), caused (mission, bug) as (
        select from_id, to_id from relationships indexed by relationships_by_kind
        where tenant_id = ? and kind = 'caused_bug'
        union
        select to_id, from_id from relationships indexed by relationships_by_kind
        where tenant_id = ? and kind = 'caused_bug' and not directed
    ), bugs (mission, count) as (
        select mission, count(*) from caused group by mission
    )
    select f.key_id as path, sum(coalesce(b.count, 0)) as bugs,
        count(case when s.status = 'failed' then 1 end) as failed_missions, count(*) as missions
    from worked as w
    join nodes as f on f.tenant_id = ? and f.id = w.file and f.key_system = 'file'
    join nodes as m on m.tenant_id = ? and m.id = w.mission and m.key_system = 'mission'
    left join bugs as b on b.mission = w.mission
    left join missions as s on s.tenant_id = ? and s.key = m.key_id
    group by f.key_id
    order by 10 * sum(coalesce(b.count, 0)) + 5 * count(case when s.status = 'failed' then 1 end)
        desc, count(*) desc, f.key_id
    limit ?";

// Sums are of clamped amounts, so that none leaves the range of doubles.
const MISSIONS: &str = "select count(*) as total,
        count(case when status = 'success' then 1 end) as successful,
        count(case when status = 'failed' then 1 end) as failed,
        total(max(-1e290, min(1e290, cost_usd))) as cost_total,
        avg(max(-1e290, min(1e290, cost_usd))) as cost_mean,
        avg(max(-1e290, min(1e290, duration_seconds))) as duration_mean,
        (select count(distinct path) from file_snapshots where tenant_id = ?) as files
    from missions where tenant_id = ?";

#[async_trait]
impl<E: Executor> FileStore for Sqlite<E> {
    async fn record_file_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewFileSnapshot,
        at: Timestamp,
    ) -> Result<FileSnapshot, StorageError> {
        let new = snapshot.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("recording a file snapshot", move |connection| {
                record(connection, tenant, new, at)
            })
            .await
    }

    async fn file_history(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        path_text("path", path)?;
        let (tenant, path) = (tenant.clone(), path.to_owned());
        let reading = Reading::of("reading a file's history");
        self.0
            .read(reading, move |connection| {
                let statement = Statement::new(
                    "select * from file_snapshots indexed by file_snapshots_by_path
                     where tenant_id = ? and path = ?",
                );
                let statement = statement.text(tenant.as_str()).text(&path);
                snapshots(connection, statement, limit, after)
            })
            .await
    }

    async fn mission_snapshots(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        key_text("mission_key", mission_key)?;
        let (tenant, key) = (tenant.clone(), mission_key.to_owned());
        let reading = Reading::of("listing a mission's snapshots");
        self.0
            .read(reading, move |connection| {
                let statement = Statement::new(
                    "select * from file_snapshots indexed by file_snapshots_by_mission
                     where tenant_id = ? and mission_key = ?",
                );
                let statement = statement.text(tenant.as_str()).text(&key);
                snapshots(connection, statement, limit, after)
            })
            .await
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
        let (tenant, key) = (tenant.clone(), mission_key.to_owned());
        let after = after.map(str::to_owned);
        let reading = Reading::of("listing a mission's files").scan(true);
        self.0
            .read(reading, move |connection| {
                let after = after.as_deref();
                others(connection, FILES_OF_MISSION, &tenant, &key, limit, after)
            })
            .await
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
        let (tenant, path) = (tenant.clone(), path.to_owned());
        let after = after.map(str::to_owned);
        let reading = Reading::of("listing a file's missions").scan(true);
        self.0
            .read(reading, move |connection| {
                let after = after.as_deref();
                others(connection, MISSIONS_OF_FILE, &tenant, &path, limit, after)
            })
            .await
    }

    async fn risky_files(
        &self,
        tenant: &TenantId,
        limit: Limit,
    ) -> Result<Vec<RiskyFile>, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("looking for risky files").scan(true);
        self.0
            .read(reading, move |connection| {
                let mut statement = Statement::new(RISKY);
                for _ in 0..7 {
                    statement = statement.text(tenant.as_str());
                }
                let rows: Vec<Risky> = statement.number(limit.rows().into()).load(connection)?;
                Ok(rows.into_iter().map(RiskyFile::from).collect())
            })
            .await
    }

    async fn knowledge_stats(&self, tenant: &TenantId) -> Result<KnowledgeStats, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("counting what is known").snapshot().scan(true);
        self.0
            .read(reading, move |connection| stats(connection, &tenant))
            .await
    }
}

fn record(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewFileSnapshot,
    at: Timestamp,
) -> Result<FileSnapshot, Failure> {
    if let Some(stands) = one(connection, &tenant, new.id)? {
        if new.is_same_write(&stands) {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "file snapshot",
            id: new.id.to_string(),
        }));
    }
    touch(connection, &tenant, at)?;
    let snapshot = new.into_snapshot(tenant, at);
    diesel::insert_into(file_snapshots::table)
        .values(FileSnapshotRow::from(snapshot.clone()))
        .execute(connection)?;
    Ok(snapshot)
}

fn one(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: FileSnapshotId,
) -> Result<Option<FileSnapshot>, Failure> {
    let row: Option<FileSnapshotRow> = file_snapshots::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(FileSnapshotRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(FileSnapshot::try_from).transpose()?)
}

fn snapshots(
    connection: &mut SqliteConnection,
    mut statement: Statement<'_>,
    limit: Limit,
    after: Option<FileSnapshotCursor>,
) -> Result<Vec<FileSnapshot>, Failure> {
    if let Some(place) = after {
        statement = statement.then(" and (taken_at, id) < (?, ?)");
        statement = statement.at(place.taken_at).id(place.id.uuid());
    }
    let rows: Vec<FileSnapshotRow> = statement
        .then(" order by taken_at desc, id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}

fn others(
    connection: &mut SqliteConnection,
    sql: &'static str,
    tenant: &TenantId,
    key: &str,
    limit: Limit,
    after: Option<&str>,
) -> Result<Vec<Node>, Failure> {
    let tenant = tenant.as_str();
    let statement = Statement::new(sql).text(tenant).text(key);
    let mut statement = statement.text(tenant).text(tenant).text(tenant);
    if let Some(after) = after {
        statement = statement.then(" and n.key_id > ?").text(after);
    }
    let rows: Vec<NodeRow> = statement
        .then(" order by n.key_id limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}

#[derive(QueryableByName)]
struct Risky {
    #[diesel(sql_type = Text)]
    path: String,
    #[diesel(sql_type = BigInt)]
    bugs: i64,
    #[diesel(sql_type = BigInt)]
    failed_missions: i64,
    #[diesel(sql_type = BigInt)]
    missions: i64,
}

impl From<Risky> for RiskyFile {
    fn from(row: Risky) -> RiskyFile {
        RiskyFile {
            path: row.path,
            bugs: counted(row.bugs),
            failed_missions: counted(row.failed_missions),
            missions: counted(row.missions),
        }
    }
}

fn stats(connection: &mut SqliteConnection, tenant: &TenantId) -> Result<KnowledgeStats, Failure> {
    let tenant = tenant.as_str();
    let entities: Vec<Named> = Statement::new(
        "select entity_type as name, count(*) as count from nodes
         where tenant_id = ? and entity_type is not null group by entity_type",
    )
    .text(tenant)
    .load(connection)?;
    let relationships: Vec<Named> = Statement::new(
        "select kind as name, count(*) as count from relationships
         where tenant_id = ? group by kind",
    )
    .text(tenant)
    .load(connection)?;
    let missions: Missions = Statement::new(MISSIONS)
        .text(tenant)
        .text(tenant)
        .get_result(connection)?;
    let mut stats = KnowledgeStats {
        missions: counted(missions.total),
        successful_missions: counted(missions.successful),
        failed_missions: counted(missions.failed),
        cost_usd_total: missions.cost_total,
        cost_usd_mean: missions.cost_mean,
        duration_seconds_mean: missions.duration_mean,
        files: counted(missions.files),
        ..KnowledgeStats::default()
    };
    for Named { name, count } in entities {
        let entity_type = EntityType::new(name)?;
        stats.entities.insert(entity_type, counted(count));
    }
    for Named { name, count } in relationships {
        let kind = RelationshipKind::new(name)?;
        stats.relationships.insert(kind, counted(count));
    }
    Ok(stats)
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Missions {
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    successful: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = Double)]
    cost_total: f64,
    #[diesel(sql_type = Nullable<Double>)]
    cost_mean: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    duration_mean: Option<f64>,
    #[diesel(sql_type = BigInt)]
    files: i64,
}
