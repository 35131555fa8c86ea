use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use memory_diesel::TenantRow;
use memory_diesel::schema::{messages, relationships, sessions, tenants};
use memory_diesel::sql_types::{Instant, InstantValue};
use memory_domain::{
    JsonObject, Limit, Tenant, TenantCursor, TenantErasure, TenantId, TenantStats, TenantUsage,
    Timestamp, normalise_json,
};
use memory_storage::{StorageError, TenantStore};

use crate::erasure;
use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::statement::Statement;

#[async_trait]
impl<E: Executor> TenantStore for Sqlite<E> {
    async fn create_tenant(
        &self,
        tenant: &TenantId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<Tenant, StorageError> {
        normalise_json("metadata", &mut metadata)?;
        let tenant = tenant.clone();
        self.0
            .write("creating a tenant", move |connection| {
                if let Some(stands) = one(connection, &tenant)? {
                    if stands.metadata == metadata {
                        return Ok(stands);
                    }
                    return Err(Failure::Refused(StorageError::Conflict {
                        what: "tenant",
                        id: tenant.to_string(),
                    }));
                }
                let new = Tenant {
                    id: tenant,
                    created_at: at,
                    last_active_at: at,
                    metadata,
                };
                diesel::insert_into(tenants::table)
                    .values(TenantRow::from(new.clone()))
                    .execute(connection)?;
                Ok(new)
            })
            .await
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Option<Tenant>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a tenant up"), move |connection| {
                one(connection, &tenant)
            })
            .await
    }

    async fn tenants(
        &self,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<Tenant>, StorageError> {
        self.0
            .read(Reading::of("listing tenants"), move |connection| {
                page(connection, limit, after)
            })
            .await
    }

    async fn set_tenant_metadata(
        &self,
        tenant: &TenantId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        normalise_json("metadata", &mut metadata)?;
        let tenant = tenant.clone();
        self.0
            .write("setting a tenant's metadata", move |connection| {
                let changed = Statement::new("update tenants set metadata = ? where id = ?")
                    .json(metadata)
                    .text(tenant.as_str())
                    .run(connection)?;
                found("tenant", &tenant, changed)?;
                touch(connection, &tenant, at)
            })
            .await
    }

    async fn tenant_stats(&self, tenant: &TenantId) -> Result<TenantStats, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("counting").snapshot().scan(true);
        self.0
            .read(reading, move |connection| stats(connection, &tenant))
            .await
    }

    async fn tenant_usage(
        &self,
        since: Timestamp,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<TenantUsage>, StorageError> {
        let reading = Reading::of("counting what tenants have")
            .snapshot()
            .scan(true);
        self.0
            .read(reading, move |connection| {
                page(connection, limit, after)?
                    .into_iter()
                    .map(|tenant| usage(connection, tenant, since))
                    .collect()
            })
            .await
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<TenantErasure, StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("erasing a tenant", move |connection| {
                erasure::erase(connection, tenant)
            })
            .await
    }
}

/// Says that a tenant has written: makes it with its first write, and moves its time at most once
/// a minute, so that its row never becomes hot.
pub(crate) fn touch(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    at: Timestamp,
) -> Result<(), Failure> {
    Statement::new(
        "insert into tenants (id, created_at, last_active_at, metadata) values (?, ?, ?, ?)
         on conflict (id) do update set last_active_at = excluded.last_active_at
         where tenants.last_active_at <= excluded.last_active_at - 60000000",
    )
    .text(tenant.as_str())
    .at(at)
    .at(at)
    .json(JsonObject::new())
    .run(connection)?;
    Ok(())
}

/// `NotFound`, if no row was changed.
pub(crate) fn found(
    what: &'static str,
    id: &dyn std::fmt::Display,
    changed: usize,
) -> Result<(), StorageError> {
    if changed > 0 {
        return Ok(());
    }
    let id = id.to_string();
    Err(StorageError::NotFound { what, id })
}

/// Makes rows what the domain speaks of.
pub(crate) fn entities<R, T>(rows: Vec<R>) -> Result<Vec<T>, Failure>
where
    T: TryFrom<R, Error = StorageError>,
{
    let entities: Result<Vec<T>, StorageError> = rows.into_iter().map(T::try_from).collect();
    Ok(entities?)
}

fn one(connection: &mut SqliteConnection, tenant: &TenantId) -> Result<Option<Tenant>, Failure> {
    let row: Option<TenantRow> = tenants::table
        .find(tenant.as_str())
        .select(TenantRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Tenant::try_from).transpose()?)
}

/// The next tenants: last active first, then by id.
fn page(
    connection: &mut SqliteConnection,
    limit: Limit,
    after: Option<TenantCursor>,
) -> Result<Vec<Tenant>, Failure> {
    let mut query = tenants::table
        .select(TenantRow::as_select())
        .order((tenants::last_active_at.desc(), tenants::id))
        .limit(limit.rows().into())
        .into_boxed();
    if let Some(TenantCursor { last_active_at, id }) = after {
        let at = InstantValue(last_active_at);
        let further = tenants::last_active_at.lt(at);
        // The first condition is what the index can begin at.
        query = query
            .filter(tenants::last_active_at.le(at))
            .filter(further.or(tenants::id.gt(id.as_str().to_owned())));
    }
    entities(query.load::<TenantRow>(connection)?)
}

fn usage(
    connection: &mut SqliteConnection,
    tenant: Tenant,
    since: Timestamp,
) -> Result<TenantUsage, Failure> {
    let id = tenant.id.as_str();
    let used: Used = Statement::new(
        "select nodes, entities, active_nodes, active_sessions from
             (select count(*) as nodes, count(key_system) as entities,
                  count(*) filter (where max(updated_at, last_accessed_at) >= ?) as active_nodes
              from nodes where tenant_id = ?),
             (select count(*) as active_sessions
              from sessions where tenant_id = ? and updated_at >= ?)",
    )
    .at(since)
    .text(id)
    .text(id)
    .at(since)
    .get_result(connection)?;
    Ok(TenantUsage {
        nodes: counted(used.nodes),
        entities: counted(used.entities),
        active_nodes: counted(used.active_nodes),
        active_sessions: counted(used.active_sessions),
        tenant,
    })
}

/// What a tenant has, and what of it was active.
#[derive(QueryableByName)]
struct Used {
    #[diesel(sql_type = BigInt)]
    nodes: i64,
    #[diesel(sql_type = BigInt)]
    entities: i64,
    #[diesel(sql_type = BigInt)]
    active_nodes: i64,
    #[diesel(sql_type = BigInt)]
    active_sessions: i64,
}

fn stats(connection: &mut SqliteConnection, tenant: &TenantId) -> Result<TenantStats, Failure> {
    let id = tenant.as_str();
    let mut stats = TenantStats {
        relationships: counted(
            relationships::table
                .filter(relationships::tenant_id.eq(id))
                .select(count_star())
                .first(connection)?,
        ),
        sessions: counted(
            sessions::table
                .filter(sessions::tenant_id.eq(id))
                .select(count_star())
                .first(connection)?,
        ),
        messages: counted(
            messages::table
                .filter(messages::tenant_id.eq(id))
                .select(count_star())
                .first(connection)?,
        ),
        ..TenantStats::default()
    };
    let by_type: Vec<OfType> = Statement::new(
        "select context_type, count(*) as nodes, count(key_system) as entities,
             min(created_at) as earliest, max(created_at) as latest
         from nodes where tenant_id = ? group by context_type",
    )
    .text(id)
    .load(connection)?;
    for of_type in by_type {
        let context_type = of_type.context_type.parse()?;
        stats
            .context_types
            .insert(context_type, counted(of_type.nodes));
        stats.nodes += counted(of_type.nodes);
        stats.entities += counted(of_type.entities);
        let earliest = Some(of_type.earliest.0);
        stats.earliest_node_at = stats.earliest_node_at.min(earliest).or(earliest);
        stats.latest_node_at = stats.latest_node_at.max(Some(of_type.latest.0));
    }
    Ok(stats)
}

/// The nodes of one context type.
#[derive(QueryableByName)]
struct OfType {
    #[diesel(sql_type = Text)]
    context_type: String,
    #[diesel(sql_type = BigInt)]
    nodes: i64,
    #[diesel(sql_type = BigInt)]
    entities: i64,
    #[diesel(sql_type = Instant)]
    earliest: InstantValue,
    #[diesel(sql_type = Instant)]
    latest: InstantValue,
}

/// A count, which is never negative.
pub(crate) fn counted(count: i64) -> u64 {
    count.unsigned_abs()
}
