use async_trait::async_trait;
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use memory_diesel::MissionRow;
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue};
use memory_domain::{
    Indexed, Limit, Mission, MissionFilter, MissionId, NewMission, TenantId, Timestamp, key_text,
};
use memory_storage::{MissionStore, StorageError};

use crate::columns::{Missions, mission_columns};
use crate::executor::{Executor, Postgres};
use crate::index::NodeChunks;
use crate::statement::Statement;

// The node is indexed as remembering does it, if it was made just now: one that stood before has its
// own index, and of one that stands under another id there is no row to be indexed. The answer asks
// for what is cleared, because nothing else would where there is nothing to be indexed.
const LOG: &str = "with logged as materialized (
        select outcome, mission_id, logged_at
        from log_mission($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ), cleared as materialized (
        select standing.node_id, standing.created_at
        from logged
        cross join lateral clear_node_fields($1, array[$12], null, null) as standing
        where logged_at is not null
            and not exists (select from nodes where tenant_id = $1 and id = $12)
    ), indexed as (
        insert into node_chunks (
            tenant_id, node_id, field, part, place, created_at, text, words, grams
        )
        select $1, cleared.node_id, new.field, new.part, new.in_place, cleared.created_at,
            new.text, new.words,
            ($13::integer[])[new.gram_end - new.gram_count + 1 : new.gram_end]
        from unnest($14, $15, $16, $17, $18, $19, $20, $21) as new (
            place, in_place, field, part, text, words, gram_count, gram_end
        )
        cross join cleared
        on conflict do nothing
    )
    select outcome, mission_id, logged_at from logged
    where (select count(*) from cleared) >= 0";

const BY_KEY: &str = concat!(
    "select ",
    mission_columns!("m"),
    " from missions as m where m.tenant_id = $1 and m.key = $2"
);

const LIST: &str = concat!(
    "select ",
    mission_columns!("m"),
    " from missions as m where m.tenant_id = $1"
);

#[async_trait]
impl<E: Executor> MissionStore for Postgres<E> {
    async fn log_mission(
        &self,
        tenant: &TenantId,
        mission: NewMission,
        at: Timestamp,
    ) -> Result<Mission, StorageError> {
        let new = mission.validated()?;
        let statement = Statement::writing("logging a mission", LOG)
            .text(tenant.as_str())
            .at(at)
            .id(new.id.uuid())
            .text(&new.key)
            .text(new.status.as_str())
            .optional_text(new.domain.as_deref())
            .bind::<Nullable<Double>, _>(new.cost_usd)
            .bind::<Nullable<BigInt>, _>(new.iterations)
            .bind::<Nullable<Double>, _>(new.duration_seconds)
            .bind::<Nullable<BigInt>, _>(new.files_modified)
            .json(&new.metadata)
            .bind::<Nullable<Id>, _>(new.node.map(|node| IdValue(node.uuid())));
        let node = new
            .new_node()?
            .map(|node| node.into_node(tenant.clone(), at));
        let chunks = node.as_ref().map_or_else(NodeChunks::default, |node| {
            NodeChunks::of_one(tenant, Indexed::from(node))
        });
        let statement = chunks.bind_to(statement);
        let conflict = |what, id: IdValue| StorageError::Conflict {
            what,
            id: id.0.to_string(),
        };
        match self.first::<LoggedSql, Logged>(statement).await? {
            Some((_, id, Some(logged_at))) => Ok(Mission {
                id: MissionId::from_uuid(id.0),
                ..new.into_mission(tenant.clone(), logged_at.0)
            }),
            Some((what, id, None)) if what == "node" => Err(conflict("node", id)),
            Some((_, id, None)) => Err(conflict("mission", id)),
            None => Err(conflict("mission", IdValue(new.id.uuid()))),
        }
    }

    async fn mission(&self, tenant: &TenantId, key: &str) -> Result<Option<Mission>, StorageError> {
        key_text("key", key)?;
        let statement = Statement::reading("looking a mission up", BY_KEY)
            .text(tenant.as_str())
            .text(key);
        let missions = self.entities::<Missions, MissionRow, _>(statement).await?;
        Ok(missions.into_iter().next())
    }

    async fn missions(
        &self,
        tenant: &TenantId,
        filter: MissionFilter,
        limit: Limit,
    ) -> Result<Vec<Mission>, StorageError> {
        let filter = filter.validated()?;
        let mut statement = Statement::reading("listing missions", LIST).text(tenant.as_str());
        if let Some(status) = &filter.status {
            statement = statement.then(" and m.status = ").parameter();
            statement = statement.text(status.as_str());
        }
        if let Some(domain) = &filter.domain {
            statement = statement.then(" and m.domain = ").parameter();
            statement = statement.text(domain);
        }
        if let Some(from) = filter.created_from {
            statement = statement.then(" and m.created_at >= ").parameter();
            statement = statement.at(from);
        }
        if let Some(to) = filter.created_to {
            statement = statement.then(" and m.created_at <= ").parameter();
            statement = statement.at(to);
        }
        if let Some(after) = filter.after {
            statement = statement.then(" and (m.created_at, m.id) < (").parameter();
            statement = statement.at(after.created_at).then(", ").parameter();
            statement = statement.id(after.id.uuid()).then(")");
        }
        let statement = statement
            .then(" order by m.created_at desc, m.id desc limit ")
            .parameter()
            .limit(limit);
        self.entities::<Missions, MissionRow, _>(statement).await
    }
}

type LoggedSql = (Text, Id, Nullable<Instant>);
type Logged = (String, IdValue, Option<InstantValue>);
