//! Learning from conversations.

mod compounds;
mod recall;
mod turns;

use async_trait::async_trait;
use memory_domain::{
    Compound, CompoundFilter, LearnedTurn, Limit, NewCompound, Recalled, TenantId, Timestamp, Turn,
    TurnId,
};
use memory_storage::{LearningStore, StorageError};

use crate::executor::{Executor, Postgres};

/// The trait is one, so its verbs are handed on from here to where they are.
#[async_trait]
impl<E: Executor> LearningStore for Postgres<E> {
    async fn record_compound(
        &self,
        tenant: &TenantId,
        compound: NewCompound,
        at: Timestamp,
    ) -> Result<Compound, StorageError> {
        compounds::record(self, tenant, compound, at).await
    }

    async fn compounds(
        &self,
        tenant: &TenantId,
        filter: CompoundFilter,
        limit: Limit,
    ) -> Result<Vec<Compound>, StorageError> {
        compounds::list(self, tenant, filter, limit).await
    }

    async fn learn(
        &self,
        tenant: &TenantId,
        turn: Turn,
        at: Timestamp,
    ) -> Result<LearnedTurn, StorageError> {
        turns::learn(self, tenant, turn, at).await
    }

    async fn turn(
        &self,
        tenant: &TenantId,
        id: TurnId,
    ) -> Result<Option<LearnedTurn>, StorageError> {
        turns::one(self, tenant, id).await
    }

    async fn recall(
        &self,
        tenant: &TenantId,
        text: &str,
        limit: Limit,
    ) -> Result<Vec<Recalled>, StorageError> {
        recall::recall(self, tenant, text, limit).await
    }
}
