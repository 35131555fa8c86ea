use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{
    Decision, DecisionFilter, DecisionId, Limit, NewDecision, TenantId, Timestamp,
};
use memory_storage::{DecisionStore, StorageError};

use super::{Belongings, Model, conflict, page, within};

#[async_trait]
impl DecisionStore for Model {
    async fn record_decision(
        &self,
        tenant: &TenantId,
        decision: NewDecision,
        at: Timestamp,
    ) -> Result<Decision, StorageError> {
        let new = decision.validated()?;
        self.write(tenant, at, |own| record(own, &new, at))
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        id: DecisionId,
    ) -> Result<Option<Decision>, StorageError> {
        Ok(self
            .read(tenant, |own| own.decisions.get(&id).cloned())
            .flatten())
    }

    async fn decisions(
        &self,
        tenant: &TenantId,
        filter: DecisionFilter,
        limit: Limit,
    ) -> Result<Vec<Decision>, StorageError> {
        let filter = filter.validated()?;
        let meets = |decision: &&Decision| {
            within(decision.decided_at, filter.from, filter.to)
                && (filter.session.is_none() || filter.session == decision.session_id)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.decisions.values().filter(meets).cloned(),
                |decision| (Reverse(decision.decided_at), Reverse(decision.id)),
                filter
                    .after
                    .map(|after| (Reverse(after.decided_at), Reverse(after.id))),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }
}

pub(super) fn record(
    own: &mut Belongings,
    new: &NewDecision,
    at: Timestamp,
) -> Result<Decision, StorageError> {
    let tenant = own.tenant.id.clone();
    let first = || new.clone().into_decision(tenant, at);
    let stands = own.decisions.entry(new.id).or_insert_with(first);
    if new.is_same_write(stands) {
        Ok(stands.clone())
    } else {
        Err(conflict("decision", new.id))
    }
}
