//! What goes from state to state. The writer is one, so who reads a thing there and changes it is
//! alone with it.

use std::fmt::Display;

use diesel::sqlite::SqliteConnection;
use memory_domain::{TenantId, Timestamp, WrongState};
use memory_storage::StorageError;

use crate::error::Failure;
use crate::executor::{Executor, Sqlite};
use crate::tenants::touch;

/// A thing that goes from state to state.
pub(crate) trait Moving: Sized + Send + 'static {
    /// What it is called in an error.
    const WHAT: &'static str;

    type Id: Copy + Display + Send + 'static;

    fn find(
        connection: &mut SqliteConnection,
        tenant: &TenantId,
        id: Self::Id,
    ) -> Result<Option<Self>, Failure>;

    /// Writes what may have changed.
    fn write(&self, connection: &mut SqliteConnection) -> Result<(), Failure>;
}

/// Takes a thing from one state to another, if that is allowed; `change` says whether anything
/// changed.
pub(crate) async fn moved<E: Executor, T: Moving>(
    store: &Sqlite<E>,
    step: &'static str,
    tenant: &TenantId,
    id: T::Id,
    at: Timestamp,
    change: impl FnOnce(&mut T) -> Result<bool, WrongState> + Send + 'static,
) -> Result<T, StorageError> {
    let tenant = tenant.clone();
    store
        .0
        .write(step, move |connection| {
            let Some(mut thing) = T::find(connection, &tenant, id)? else {
                return Err(Failure::Refused(StorageError::NotFound {
                    what: T::WHAT,
                    id: id.to_string(),
                }));
            };
            if change(&mut thing).map_err(StorageError::from)? {
                thing.write(connection)?;
                touch(connection, &tenant, at)?;
            }
            Ok(thing)
        })
        .await
}
