use std::ops::Deref;

use memory_domain::{
    Compound, CompoundFilter, LearnedTurn, Limit, NewCompound, Recalled, Turn, TurnId,
};
use memory_storage::{LearningStore, MemoryStore, StorageError};

use super::Scoped;

/// Learning from conversations: see [`LearningStore`](crate::LearningStore) for what each verb
/// promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Counts one occurrence of concepts together, and returns their compound.
    ///
    /// # Errors
    /// `MissingReference` if a member is not there.
    pub async fn record_compound(&self, compound: NewCompound) -> Result<Compound, StorageError> {
        self.store
            .record_compound(&self.id, compound, self.now())
            .await
    }

    /// Lists compounds: most frequent first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000 or a name that breaks a rule.
    pub async fn compounds(
        &self,
        filter: CompoundFilter,
        limit: u32,
    ) -> Result<Vec<Compound>, StorageError> {
        self.store
            .compounds(&self.id, filter, Limit::new(limit)?)
            .await
    }

    /// Learns a whole turn at once, and counts it once: its messages, its concepts, the links
    /// between each two of them, their compound, and what was settled.
    ///
    /// # Errors
    /// `Conflict` if the turn's id, or a message's, stands with other content.
    pub async fn learn(&self, turn: Turn) -> Result<LearnedTurn, StorageError> {
        self.store.learn(&self.id, turn, self.now()).await
    }

    /// Looks up a turn that was learned.
    pub async fn turn(&self, id: TurnId) -> Result<Option<LearnedTurn>, StorageError> {
        self.store.turn(&self.id, id).await
    }

    /// What a text brings to mind: the nodes that it names and those that belong to them, highest
    /// score first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn recall(&self, text: &str, limit: u32) -> Result<Vec<Recalled>, StorageError> {
        self.store.recall(&self.id, text, Limit::new(limit)?).await
    }
}
