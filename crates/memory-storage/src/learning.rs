use async_trait::async_trait;
use memory_domain::{
    Compound, CompoundFilter, LearnedTurn, Limit, NewCompound, Recalled, TenantId, Timestamp, Turn,
    TurnId,
};

use crate::StorageError;

/// Learning from conversations: concepts that occur together, and whole turns.
#[async_trait]
pub trait LearningStore: Send + Sync {
    /// Counts one occurrence of a compound, which is known by its name and made if there is none,
    /// and returns it. Members that a known compound does not have yet are added to it. Not
    /// idempotent.
    ///
    /// # Errors
    /// `MissingReference` if a member is not there; `Conflict` if the compound is new and its id
    /// stands for another.
    async fn record_compound(
        &self,
        tenant: &TenantId,
        compound: NewCompound,
        at: Timestamp,
    ) -> Result<Compound, StorageError>;

    /// Lists compounds: most frequent first, then the greater id.
    async fn compounds(
        &self,
        tenant: &TenantId,
        filter: CompoundFilter,
        limit: Limit,
    ) -> Result<Vec<Compound>, StorageError>;

    /// Learns a whole turn in one atomic step, and returns it as it stands: appends its messages
    /// (the session is created, without a title, if it is not there), remembers its concepts,
    /// takes a step of attention between each two of them, counts their compound, and records what
    /// was settled as decisions of that session.
    ///
    /// A turn counts once: the same id with the same content again is the same write. Turns that
    /// come at once are as if one came after the other.
    ///
    /// # Errors
    /// `Conflict` if the turn's id, or a message's, stands with other content; `Invalid` for over
    /// 1,000 messages, 64 concepts or 64 decisions.
    async fn learn(
        &self,
        tenant: &TenantId,
        turn: Turn,
        at: Timestamp,
    ) -> Result<LearnedTurn, StorageError>;

    /// What a text brings to mind: highest score first, then the smaller id; each node once, with
    /// the best of its scores.
    ///
    /// A node whose name is a term of the text scores 1, one whose name has a term in it 0.7 (see
    /// [`RecallTerms`](memory_domain::RecallTerms)); from those, the best 100, one that a
    /// relationship leads to either way scores its weight × 0.6 to the depth, up to 2, and one that
    /// shares a compound `min(0.9, 0.5 + 0.1 × occurrences)`. It is bounded: at depth 1 it goes on
    /// from the 100 nodes with the best weight; of a node the 50 strongest relationships each way
    /// and the 50 most frequent compounds count.
    ///
    /// # Errors
    /// `Invalid` for a text that is no free text.
    async fn recall(
        &self,
        tenant: &TenantId,
        text: &str,
        limit: Limit,
    ) -> Result<Vec<Recalled>, StorageError>;

    /// Looks up a turn that was learned.
    async fn turn(
        &self,
        tenant: &TenantId,
        id: TurnId,
    ) -> Result<Option<LearnedTurn>, StorageError>;
}
