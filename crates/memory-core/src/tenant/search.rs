use std::ops::Deref;

use memory_domain::{Limit, SearchHit, SearchQuery};
use memory_storage::{MemoryStore, SearchStore, StorageError};

use super::Scoped;

/// Search: see [`SearchStore`](crate::SearchStore) for what it promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Finds messages and nodes by what is in them: hits in a name or summary first, then the
    /// newest. See [`SearchQuery`] for what is found; nothing in its text is syntax.
    ///
    /// # Errors
    /// `Invalid` for a text of more than 512 bytes or a limit over 1,000.
    pub async fn search(
        &self,
        query: SearchQuery,
        limit: u32,
    ) -> Result<Vec<SearchHit>, StorageError> {
        self.store.search(&self.id, query, Limit::new(limit)?).await
    }
}
