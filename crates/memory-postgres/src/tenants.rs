use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Nullable, Text};
use memory_diesel::TenantRow;
use memory_diesel::sql_types::{Instant, InstantValue};
use memory_domain::{
    JsonObject, Limit, RecordKind, Tenant, TenantCursor, TenantErasure, TenantId, TenantStats,
    TenantUsage, Timestamp, normalise_json,
};
use memory_storage::{StorageError, TenantStore};

use crate::columns::{Tenants, tenant_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

const CREATE: &str = concat!(
    "with written as (
        insert into tenants as t (id, created_at, last_active_at, metadata)
        values ($1, $2, $2, $3)
        on conflict (id) do nothing
        returning ",
    tenant_columns!("t"),
    ")
    select ",
    tenant_columns!("w"),
    " from written as w
    union all
    select ",
    tenant_columns!("t"),
    " from tenants as t where t.id = $1"
);

const ONE: &str = concat!(
    "select ",
    tenant_columns!("t"),
    " from tenants as t where t.id = $1"
);

const ACTIVE: &str = concat!(
    "select ",
    tenant_columns!("t"),
    " from tenants as t order by t.last_active_at desc, t.id limit $1"
);

// The first condition is what the index can begin at.
const AFTER: &str = concat!(
    "select ",
    tenant_columns!("t"),
    " from tenants as t
    where t.last_active_at <= $1 and (t.last_active_at < $1 or t.id > $2)
    order by t.last_active_at desc, t.id limit $3"
);

const SET_METADATA: &str = "with written as (
        update tenants set
            metadata = $1,
            last_active_at = case
                when last_active_at <= $2 - interval '1 minute' then $2 else last_active_at
            end
        where id = $3
        returning id
    )
    select id from written";

const STATS: &str = "select
        counted.relationships, counted.sessions, counted.messages,
        typed.context_type, typed.nodes, typed.entities, typed.earliest, typed.latest
    from (
        select
            (select count(*) from relationships where tenant_id = $1) as relationships,
            (select count(*) from sessions where tenant_id = $1) as sessions,
            (select count(*) from messages where tenant_id = $1) as messages
    ) as counted
    left join (
        select context_type, count(*) as nodes, count(key_system) as entities,
            min(created_at) as earliest, max(created_at) as latest
        from nodes where tenant_id = $1
        group by context_type
    ) as typed on true";

// The first mention of a value must come first.
const USAGE: &str = concat!(
    "with asked as (select $1::timestamptz)
    select ",
    tenant_columns!("t"),
    ", n.nodes, n.entities, n.active_nodes, s.active_sessions
    from (select * from tenants"
);

const USAGE_AFTER: &str = " where last_active_at <= $2 and (last_active_at < $2 or id > $3)";

const USAGE_ORDER: &str = " order by last_active_at desc, id limit ";

const USAGE_COUNTS: &str = ") as t
    cross join lateral (
        select count(*) as nodes, count(key_system) as entities,
            count(*) filter (where greatest(updated_at, last_accessed_at) >= $1) as active_nodes
        from nodes where tenant_id = t.id
    ) as n
    cross join lateral (
        select count(*) as active_sessions
        from sessions where tenant_id = t.id and updated_at >= $1
    ) as s
    order by t.last_active_at desc, t.id";

const ERASE: &str = "select table_name, erased from erase_tenant($1, $2)";

/// Where transfers keep what they inserted.
const LEDGER: &str = "transfer_ledger";

#[async_trait]
impl<E: Executor> TenantStore for Postgres<E> {
    async fn create_tenant(
        &self,
        tenant: &TenantId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<Tenant, StorageError> {
        normalise_json("metadata", &mut metadata)?;
        let stands: Tenant = self
            .standing(|| {
                let statement = Statement::writing("creating a tenant", CREATE)
                    .text(tenant.as_str())
                    .at(at)
                    .json(&metadata);
                self.entities::<Tenants, TenantRow, _>(statement)
            })
            .await?;
        if stands.metadata == metadata {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "tenant",
                id: tenant.to_string(),
            })
        }
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Option<Tenant>, StorageError> {
        let statement = Statement::reading("looking a tenant up", ONE).text(tenant.as_str());
        let tenants = self.entities::<Tenants, TenantRow, _>(statement).await?;
        Ok(tenants.into_iter().next())
    }

    async fn tenants(
        &self,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<Tenant>, StorageError> {
        let statement = match &after {
            None => Statement::reading("listing tenants", ACTIVE),
            Some(after) => Statement::reading("listing tenants", AFTER)
                .at(after.last_active_at)
                .text(after.id.as_str()),
        };
        self.entities::<Tenants, TenantRow, _>(statement.limit(limit))
            .await
    }

    async fn set_tenant_metadata(
        &self,
        tenant: &TenantId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        normalise_json("metadata", &mut metadata)?;
        let statement = Statement::writing("setting a tenant's metadata", SET_METADATA)
            .json(&metadata)
            .at(at)
            .text(tenant.as_str());
        self.changed(statement, "tenant", tenant).await
    }

    async fn tenant_stats(&self, tenant: &TenantId) -> Result<TenantStats, StorageError> {
        let statement = Statement::reading("counting", STATS).text(tenant.as_str());
        let mut stats = TenantStats::default();
        for (relationships, sessions, messages, typed) in
            self.load::<CountedSql, Counted>(statement).await?
        {
            stats.relationships = relationships.unsigned_abs();
            stats.sessions = sessions.unsigned_abs();
            stats.messages = messages.unsigned_abs();
            let Some((context_type, nodes, entities, earliest, latest)) = typed else {
                continue;
            };
            let context_type = context_type.parse().map_err(StorageError::Invalid)?;
            stats
                .context_types
                .insert(context_type, nodes.unsigned_abs());
            stats.nodes += nodes.unsigned_abs();
            stats.entities += entities.unsigned_abs();
            let earliest = Some(earliest.0);
            stats.earliest_node_at = stats.earliest_node_at.min(earliest).or(earliest);
            stats.latest_node_at = stats.latest_node_at.max(Some(latest.0));
        }
        Ok(stats)
    }

    async fn tenant_usage(
        &self,
        since: Timestamp,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<TenantUsage>, StorageError> {
        let mut statement = Statement::reading("counting what tenants have", USAGE).at(since);
        if let Some(after) = &after {
            statement = statement
                .then(USAGE_AFTER)
                .at(after.last_active_at)
                .text(after.id.as_str());
        }
        let statement = statement
            .then(USAGE_ORDER)
            .parameter()
            .limit(limit)
            .then(USAGE_COUNTS);
        let rows = self.load::<UsageSql, UsageRow>(statement).await?;
        rows.into_iter()
            .map(|(tenant, nodes, entities, active_nodes, active_sessions)| {
                Ok(TenantUsage {
                    tenant: tenant.try_into()?,
                    nodes: nodes.unsigned_abs(),
                    entities: entities.unsigned_abs(),
                    active_nodes: active_nodes.unsigned_abs(),
                    active_sessions: active_sessions.unsigned_abs(),
                })
            })
            .collect()
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<TenantErasure, StorageError> {
        // What refers to others first, so that each is counted where it goes and not as a cascade.
        let kinds: Vec<&str> = RecordKind::ALL
            .into_iter()
            .rev()
            .filter(|kind| *kind != RecordKind::Tenant)
            .map(RecordKind::table)
            .collect();
        let statement = Statement::writing("erasing a tenant", ERASE)
            .text(tenant.as_str())
            .array::<Text, _>(kinds);
        let rows = self
            .load::<(Text, BigInt), (String, i64)>(statement)
            .await?;
        if rows.is_empty() {
            return Err(StorageError::NotFound {
                what: "tenant",
                id: tenant.to_string(),
            });
        }
        let mut erasure = TenantErasure {
            tenant_id: tenant.clone(),
            records: BTreeMap::new(),
            ledger_entries: 0,
        };
        for (table, erased) in rows {
            let erased = erased.unsigned_abs();
            if table == LEDGER {
                erasure.ledger_entries = erased;
            } else if let (Ok(kind), 1..) = (table.parse(), erased) {
                // Other tables are kept beside those of records, and have nothing of their own.
                erasure.records.insert(kind, erased);
            }
        }
        Ok(erasure)
    }
}

type UsageSql = (Tenants, BigInt, BigInt, BigInt, BigInt);
type UsageRow = (TenantRow, i64, i64, i64, i64);

type TypedSql = (Text, BigInt, BigInt, Instant, Instant);
type Typed = (String, i64, i64, InstantValue, InstantValue);
type CountedSql = (BigInt, BigInt, BigInt, Nullable<TypedSql>);
type Counted = (i64, i64, i64, Option<Typed>);
