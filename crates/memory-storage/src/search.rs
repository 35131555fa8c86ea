use async_trait::async_trait;
use memory_domain::{Limit, SearchHit, SearchQuery, TenantId};

use crate::StorageError;

/// Search over messages and nodes.
#[async_trait]
pub trait SearchStore: Send + Sync {
    /// Finds messages and nodes by what is in them: a message's text; a node's name, summary, tags
    /// and the values of its content, whose keys are not looked at. See [`SearchQuery`] for what is
    /// found, which is the same on every backend.
    ///
    /// Hits whose name and summary have all that is looked for come first, then the newest, then
    /// the smaller id, and of a message and a node with one id the message. What was written is
    /// found at once, in a unit of work too.
    ///
    /// # Errors
    /// `Invalid` for a text of more than 512 bytes or with U+0000.
    async fn search(
        &self,
        tenant: &TenantId,
        query: SearchQuery,
        limit: Limit,
    ) -> Result<Vec<SearchHit>, StorageError>;
}
