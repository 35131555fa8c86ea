use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable};
use diesel::sqlite::SqliteConnection;
use memory_diesel::schema::{missions, nodes};
use memory_diesel::sql_types::IdValue;
use memory_diesel::{MissionRow, NodeRow};
use memory_domain::{
    Limit, Mission, MissionFilter, MissionId, NewMission, NewNode, TenantId, Timestamp, key_text,
};
use memory_storage::{MissionStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::index::index_node;
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> MissionStore for Sqlite<E> {
    async fn log_mission(
        &self,
        tenant: &TenantId,
        mission: NewMission,
        at: Timestamp,
    ) -> Result<Mission, StorageError> {
        let new = mission.validated()?;
        let node = new.new_node()?;
        let tenant = tenant.clone();
        self.0
            .write("logging a mission", move |connection| {
                log(connection, &tenant, new, node, at)
            })
            .await
    }

    async fn mission(&self, tenant: &TenantId, key: &str) -> Result<Option<Mission>, StorageError> {
        key_text("key", key)?;
        let (tenant, key) = (tenant.clone(), key.to_owned());
        self.0
            .read(Reading::of("looking a mission up"), move |connection| {
                by_key(connection, &tenant, &key)
            })
            .await
    }

    async fn missions(
        &self,
        tenant: &TenantId,
        filter: MissionFilter,
        limit: Limit,
    ) -> Result<Vec<Mission>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        // Of a domain, those of one status are looked for.
        let scans = filter.status.is_some() && filter.domain.is_some();
        let reading = Reading::of("listing missions").scan(scans);
        self.0
            .read(reading, move |connection| {
                list(connection, &tenant, &filter, limit)
            })
            .await
    }
}

/// Whatever is refused is refused before anything is written.
fn log(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    new: NewMission,
    node: Option<NewNode>,
    at: Timestamp,
) -> Result<Mission, Failure> {
    let stands = by_key(connection, tenant, &new.key)?;
    if stands.is_none() && id_is_taken(connection, tenant, new.id)? {
        return Err(conflict("mission", new.id));
    }
    let node = match node {
        Some(node) if !has_node(connection, tenant, &new.key)? => Some(node),
        _ => None,
    };
    if let Some(node) = &node {
        let place = nodes::table.find((tenant.as_str(), IdValue(node.id.uuid())));
        if diesel::select(diesel::dsl::exists(place)).get_result(connection)? {
            return Err(conflict("node", node.id));
        }
    }
    touch(connection, tenant, at)?;
    if let Some(node) = node {
        let node = node.into_node(tenant.clone(), at);
        diesel::insert_into(nodes::table)
            .values(NodeRow::from(node.clone()))
            .execute(connection)?;
        index_node(connection, &node)?;
    }
    let mut mission = new.into_mission(tenant.clone(), at);
    if let Some(stands) = stands {
        mission.id = stands.id;
        mission.created_at = stands.created_at;
        replace(connection, &mission)?;
    } else {
        diesel::insert_into(missions::table)
            .values(MissionRow::from(mission.clone()))
            .execute(connection)?;
    }
    Ok(mission)
}

fn replace(connection: &mut SqliteConnection, mission: &Mission) -> Result<(), Failure> {
    Statement::new(
        "update missions set status = ?, domain = ?, cost_usd = ?, iterations = ?,
             duration_seconds = ?, files_modified = ?, metadata = ?
         where tenant_id = ? and id = ?",
    )
    .text(mission.status.as_str())
    .optional_text(mission.domain.as_deref())
    .bind::<Nullable<Double>, _>(mission.cost_usd)
    .bind::<Nullable<BigInt>, _>(mission.iterations)
    .bind::<Nullable<Double>, _>(mission.duration_seconds)
    .bind::<Nullable<BigInt>, _>(mission.files_modified)
    .json(mission.metadata.clone())
    .text(mission.tenant_id.as_str())
    .id(mission.id.uuid())
    .run(connection)?;
    Ok(())
}

fn conflict(what: &'static str, id: impl std::fmt::Display) -> Failure {
    let id = id.to_string();
    Failure::Refused(StorageError::Conflict { what, id })
}

fn by_key(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    key: &str,
) -> Result<Option<Mission>, Failure> {
    let row: Option<MissionRow> = missions::table
        .filter(missions::tenant_id.eq(tenant.as_str()))
        .filter(missions::key.eq(key))
        .select(MissionRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Mission::try_from).transpose()?)
}

fn id_is_taken(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: MissionId,
) -> Result<bool, Failure> {
    let place = missions::table.find((tenant.as_str(), IdValue(id.uuid())));
    Ok(diesel::select(diesel::dsl::exists(place)).get_result(connection)?)
}

fn has_node(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    key: &str,
) -> Result<bool, Failure> {
    let place = nodes::table
        .filter(nodes::tenant_id.eq(tenant.as_str()))
        .filter(nodes::key_system.eq("mission"))
        .filter(nodes::key_id.eq(key));
    Ok(diesel::select(diesel::dsl::exists(place)).get_result(connection)?)
}

/// The index is named, because without statistics SQLite takes the narrowest one that fits,
/// whatever it has to read past.
fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: &MissionFilter,
    limit: Limit,
) -> Result<Vec<Mission>, Failure> {
    let index = match (&filter.domain, &filter.status) {
        (Some(_), _) => "missions_by_domain",
        (None, Some(_)) => "missions_by_status",
        (None, None) => "missions_by_creation",
    };
    let sql = format!("select * from missions indexed by {index} where tenant_id = ?");
    let mut statement = Statement::new(sql).text(tenant.as_str());
    if let Some(domain) = &filter.domain {
        statement = statement.then(" and domain = ?").text(domain);
    }
    if let Some(status) = &filter.status {
        statement = statement.then(" and status = ?").text(status.as_str());
    }
    if let Some(from) = filter.created_from {
        statement = statement.then(" and created_at >= ?").at(from);
    }
    // One upper bound only, so that the index begins at the right one.
    statement = match (filter.after, filter.created_to) {
        (Some(place), to) if to.is_none_or(|to| place.created_at <= to) => statement
            .then(" and (created_at, id) < (?, ?)")
            .at(place.created_at)
            .id(place.id.uuid()),
        (_, Some(to)) => statement.then(" and created_at <= ?").at(to),
        (_, None) => statement,
    };
    let rows: Vec<MissionRow> = statement
        .then(" order by created_at desc, id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}
