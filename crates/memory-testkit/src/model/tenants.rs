use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use memory_domain::{
    JsonObject, Limit, Tenant, TenantCursor, TenantErasure, TenantId, TenantStats, TenantUsage,
    Timestamp, normalise_json,
};
use memory_storage::{StorageError, TenantStore};

use super::{Belongings, Model, conflict, not_found, page};

#[async_trait]
impl TenantStore for Model {
    async fn create_tenant(
        &self,
        tenant: &TenantId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<Tenant, StorageError> {
        normalise_json("metadata", &mut metadata)?;
        let mut state = self.state();
        let own = state.entry(tenant.clone()).or_insert_with(|| {
            let mut own = Belongings::new(tenant, at);
            own.tenant.metadata.clone_from(&metadata);
            own
        });
        if own.tenant.metadata != metadata {
            return Err(conflict("tenant", tenant));
        }
        Ok(own.tenant.clone())
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Option<Tenant>, StorageError> {
        Ok(self.read(tenant, |own| own.tenant.clone()))
    }

    async fn tenants(
        &self,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<Tenant>, StorageError> {
        let state = self.state();
        Ok(page(
            state.values().map(|own| own.tenant.clone()),
            |tenant| (Reverse(tenant.last_active_at), tenant.id.clone()),
            after.map(|after| (Reverse(after.last_active_at), after.id)),
            limit,
        ))
    }

    async fn set_tenant_metadata(
        &self,
        tenant: &TenantId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        normalise_json("metadata", &mut metadata)?;
        if self.read(tenant, |_| ()).is_none() {
            return Err(not_found("tenant", tenant));
        }
        self.write(tenant, at, |own| {
            own.tenant.metadata = metadata;
            Ok(())
        })
    }

    async fn tenant_stats(&self, tenant: &TenantId) -> Result<TenantStats, StorageError> {
        Ok(self.read(tenant, stats).unwrap_or_default())
    }

    async fn tenant_usage(
        &self,
        since: Timestamp,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<TenantUsage>, StorageError> {
        let state = self.state();
        Ok(page(
            state.values().map(|own| usage(own, since)),
            |usage| {
                (
                    Reverse(usage.tenant.last_active_at),
                    usage.tenant.id.clone(),
                )
            },
            after.map(|after| (Reverse(after.last_active_at), after.id)),
            limit,
        ))
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<TenantErasure, StorageError> {
        let mut records = BTreeMap::new();
        for record in self.records(tenant) {
            *records.entry(record.kind()).or_default() += 1;
        }
        if self.state().remove(tenant).is_none() {
            return Err(not_found("tenant", tenant));
        }
        Ok(TenantErasure {
            tenant_id: tenant.clone(),
            records,
            ledger_entries: 0,
        })
    }
}

fn usage(own: &Belongings, since: Timestamp) -> TenantUsage {
    let active_nodes = own
        .nodes
        .values()
        .filter(|node| node.updated_at.max(node.last_accessed_at) >= since);
    let active_sessions = own
        .sessions
        .values()
        .filter(|session| session.updated_at >= since);
    let stats = stats(own);
    TenantUsage {
        tenant: own.tenant.clone(),
        nodes: stats.nodes,
        entities: stats.entities,
        active_nodes: active_nodes.count() as u64,
        active_sessions: active_sessions.count() as u64,
    }
}

fn stats(own: &Belongings) -> TenantStats {
    let mut context_types = BTreeMap::new();
    for node in own.nodes.values() {
        *context_types.entry(node.context_type).or_insert(0) += 1;
    }
    let nodes = || own.nodes.values();
    TenantStats {
        nodes: own.nodes.len() as u64,
        entities: nodes().filter(|node| node.key.is_some()).count() as u64,
        relationships: own.relationships.len() as u64,
        sessions: own.sessions.len() as u64,
        messages: own.messages.len() as u64,
        context_types,
        earliest_node_at: nodes().map(|node| node.created_at).min(),
        latest_node_at: nodes().map(|node| node.created_at).max(),
    }
}
