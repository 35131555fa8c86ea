//! One tenant's memory: every verb with the tenant and the clock filled in.

mod agency;
mod audit;
mod conversations;
mod decisions;
mod feedback;
mod goals;
mod graph;
mod learning;
mod missions;
mod patches;
mod search;
mod tasks;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use memory_domain::{
    Clock, JsonObject, Tenant as TenantRecord, TenantErasure, TenantId, TenantStats, Timestamp,
};
use memory_storage::{MemoryStore, Sql, Storage, StorageError, TenantStore, UnitOfWork};

/// The memory of one tenant. Every verb takes effect by itself; cloning is cheap.
pub type Tenant = Scoped<Arc<dyn Storage>>;

/// A unit of work in the memory of one tenant: its verbs take effect together, with
/// [`Work::commit`]. Dropping it undoes them.
pub type Work = Scoped<Box<dyn UnitOfWork>>;

/// A store, or a unit of work, seen by one tenant.
#[derive(Clone)]
pub struct Scoped<S> {
    store: S,
    id: TenantId,
    clock: Arc<dyn Clock>,
}

impl<S> Scoped<S> {
    pub(crate) fn new(store: S, id: TenantId, clock: Arc<dyn Clock>) -> Self {
        Scoped { store, id, clock }
    }

    /// Whose memory it is.
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Makes the tenant with metadata before it writes anything. Optional: the first write makes it
    /// too.
    ///
    /// # Errors
    /// `Conflict` if it is there with other metadata.
    pub async fn create(&self, metadata: JsonObject) -> Result<TenantRecord, StorageError> {
        self.store
            .create_tenant(&self.id, metadata, self.now())
            .await
    }

    /// Looks up what is known about the tenant itself.
    pub async fn get(&self) -> Result<Option<TenantRecord>, StorageError> {
        self.store.tenant(&self.id).await
    }

    /// Replaces the tenant's metadata.
    ///
    /// # Errors
    /// `NotFound` if the tenant has not written anything yet.
    pub async fn set_metadata(&self, metadata: JsonObject) -> Result<(), StorageError> {
        self.store
            .set_tenant_metadata(&self.id, metadata, self.now())
            .await
    }

    /// Counts what the tenant has stored.
    pub async fn stats(&self) -> Result<TenantStats, StorageError> {
        self.store.tenant_stats(&self.id).await
    }

    /// Deletes everything of the tenant, and says how much went. What comes after begins anew.
    ///
    /// # Errors
    /// `NotFound` if the tenant is not there.
    pub async fn erase(&self) -> Result<TenantErasure, StorageError> {
        self.store.erase_tenant(&self.id).await
    }
}

impl Tenant {
    /// Begins a unit of work.
    ///
    /// # Errors
    /// `Busy` (SQLite) or `PoolTimeout` (PostgreSQL) if it cannot begin in time.
    pub async fn begin(&self) -> Result<Work, StorageError> {
        let work = self.store.begin().await?;
        Ok(Scoped::new(work, self.id.clone(), self.clock.clone()))
    }
}

impl Work {
    /// Begins a statement of one's own as part of the work. It sees every tenant: see [`Sql`].
    pub fn sql(&self, text: impl Into<String>) -> Sql<'_> {
        Sql::new(&*self.store, text)
    }

    /// Makes everything that was done in it last.
    ///
    /// # Errors
    /// `WorkAborted` if it was undone before; `OutcomeUnknown` if the connection was lost.
    pub async fn commit(self) -> Result<(), StorageError> {
        self.store.commit().await
    }

    /// Undoes it, and waits until that is done.
    ///
    /// # Errors
    /// `WorkAborted` if it was undone before.
    pub async fn rollback(self) -> Result<(), StorageError> {
        self.store.rollback().await
    }
}

impl<S> fmt::Debug for Scoped<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped")
            .field("tenant", &self.id)
            .finish_non_exhaustive()
    }
}
