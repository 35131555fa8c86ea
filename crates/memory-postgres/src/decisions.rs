use async_trait::async_trait;
use memory_diesel::DecisionRow;
use memory_domain::{
    Decision, DecisionFilter, DecisionId, Limit, NewDecision, TenantId, Timestamp,
};
use memory_storage::{DecisionStore, StorageError};

use crate::columns::{Decisions, decision_columns};
use crate::executor::{Executor, Postgres};
use crate::listing::Newest;
use crate::statement::Statement;

// The row that was there before the statement began, if it was; one that came in between is met by
// the insertion but not seen by the selection, and the statement is sent again.
const RECORD: &str = concat!(
    "with written as (
        insert into decisions as x
            (tenant_id, id, session_id, text, context, extracted_from, decided_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant_id, id) do nothing
        returning ",
    decision_columns!("x"),
    ")
    select ",
    decision_columns!("w"),
    ", touch_tenant($1, $7) from written as w
    union all
    select ",
    decision_columns!("x"),
    ", true from decisions as x where x.tenant_id = $1 and x.id = $2"
);

const ONE: &str = concat!(
    "select ",
    decision_columns!("x"),
    " from decisions as x where x.tenant_id = $1 and x.id = $2"
);

const ALL: &str = concat!(
    "select ",
    decision_columns!("x"),
    " from decisions as x where x.tenant_id = $1"
);

#[async_trait]
impl<E: Executor> DecisionStore for Postgres<E> {
    async fn record_decision(
        &self,
        tenant: &TenantId,
        decision: NewDecision,
        at: Timestamp,
    ) -> Result<Decision, StorageError> {
        let new = decision.validated()?;
        let stands: Decision = self
            .standing(|| {
                let statement = Statement::writing("recording a decision", RECORD)
                    .text(tenant.as_str())
                    .id(new.id.uuid())
                    .optional_text(new.session_id.as_deref())
                    .text(&new.text)
                    .optional_text(new.context.as_deref())
                    .optional_text(new.extracted_from.as_deref())
                    .at(at);
                self.entities::<Decisions, DecisionRow, _>(statement)
            })
            .await?;
        if new.is_same_write(&stands) {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "decision",
                id: new.id.to_string(),
            })
        }
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        id: DecisionId,
    ) -> Result<Option<Decision>, StorageError> {
        let statement = Statement::reading("looking a decision up", ONE)
            .text(tenant.as_str())
            .id(id.uuid());
        let decisions = self
            .entities::<Decisions, DecisionRow, _>(statement)
            .await?;
        Ok(decisions.into_iter().next())
    }

    async fn decisions(
        &self,
        tenant: &TenantId,
        filter: DecisionFilter,
        limit: Limit,
    ) -> Result<Vec<Decision>, StorageError> {
        let filter = filter.validated()?;
        let mut statement = Statement::reading("listing decisions", ALL).text(tenant.as_str());
        if let Some(session) = &filter.session {
            statement = statement.then(" and x.session_id = ").parameter();
            statement = statement.text(session);
        }
        let newest = Newest {
            by: "decided_at",
            from: filter.from,
            to: filter.to,
            after: filter
                .after
                .map(|place| (place.decided_at, place.id.uuid())),
            limit,
        };
        self.entities::<Decisions, DecisionRow, _>(newest.of(statement))
            .await
    }
}
