use async_trait::async_trait;
use memory_domain::{
    Decision, DecisionFilter, DecisionId, Limit, NewDecision, TenantId, Timestamp,
};
use memory_storage::{DecisionStore, StorageError};

use super::Recorder;
use crate::Verb;

#[async_trait]
impl DecisionStore for Recorder<'_> {
    async fn record_decision(
        &self,
        tenant: &TenantId,
        decision: NewDecision,
        at: Timestamp,
    ) -> Result<Decision, StorageError> {
        self.note(Verb::RecordDecision);
        self.store.record_decision(tenant, decision, at).await
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        id: DecisionId,
    ) -> Result<Option<Decision>, StorageError> {
        self.note(Verb::Decision);
        self.store.decision(tenant, id).await
    }

    async fn decisions(
        &self,
        tenant: &TenantId,
        filter: DecisionFilter,
        limit: Limit,
    ) -> Result<Vec<Decision>, StorageError> {
        self.note(Verb::Decisions);
        self.store.decisions(tenant, filter, limit).await
    }
}
