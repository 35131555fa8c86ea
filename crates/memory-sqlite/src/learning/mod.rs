//! Learning from conversations.

mod compounds;
mod recall;
mod turns;

use async_trait::async_trait;
use memory_domain::{
    Compound, CompoundFilter, LearnedTurn, Limit, NewCompound, RecallTerms, Recalled, TenantId,
    Timestamp, Turn, TurnId,
};
use memory_storage::{LearningStore, StorageError};

use crate::executor::{Executor, Reading, Sqlite};

/// The trait is one, so its verbs are handed on from here to where they are.
#[async_trait]
impl<E: Executor> LearningStore for Sqlite<E> {
    async fn record_compound(
        &self,
        tenant: &TenantId,
        compound: NewCompound,
        at: Timestamp,
    ) -> Result<Compound, StorageError> {
        let new = compound.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("recording a compound", move |connection| {
                compounds::record(connection, &tenant, new, at)
            })
            .await
    }

    async fn compounds(
        &self,
        tenant: &TenantId,
        filter: CompoundFilter,
        limit: Limit,
    ) -> Result<Vec<Compound>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        // A node may be a member of any number.
        let reading = Reading::of("listing compounds").scan(filter.member.is_some());
        self.0
            .read(reading, move |connection| {
                compounds::list(connection, &tenant, &filter, limit)
            })
            .await
    }

    async fn learn(
        &self,
        tenant: &TenantId,
        turn: Turn,
        at: Timestamp,
    ) -> Result<LearnedTurn, StorageError> {
        let plan = turn.plan()?;
        let tenant = tenant.clone();
        self.0
            .write("learning a turn", move |connection| {
                turns::learn(connection, &tenant, &plan, at)
            })
            .await
    }

    async fn turn(
        &self,
        tenant: &TenantId,
        id: TurnId,
    ) -> Result<Option<LearnedTurn>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a turn up"), move |connection| {
                turns::one(connection, &tenant, id)
            })
            .await
    }

    async fn recall(
        &self,
        tenant: &TenantId,
        text: &str,
        limit: Limit,
    ) -> Result<Vec<Recalled>, StorageError> {
        let terms = RecallTerms::of(text)?;
        let tenant = tenant.clone();
        // Any number of names may have a term in them.
        let reading = Reading::of("recalling").snapshot().scan(true);
        self.0
            .read(reading, move |connection| {
                recall::recall(connection, &tenant, &terms, limit)
            })
            .await
    }
}
