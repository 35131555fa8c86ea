//! What goes from state to state: the row is locked and changed in one statement, which is asked
//! for a reason only if it changed nothing.

use std::fmt::Display;

use diesel::deserialize::FromSqlRow;
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use memory_domain::{TenantId, Timestamp, WrongState};
use memory_storage::StorageError;
use uuid::Uuid;

use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

/// A thing that goes from state to state.
pub(crate) trait Moving: Clone + TryFrom<Self::Row, Error = StorageError> {
    /// What it is called in an error.
    const WHAT: &'static str;

    /// The types of its columns.
    type Columns;

    type Row;
}

/// The beginning of every transition.
pub(crate) fn moving<'a>(
    step: &'static str,
    sql: &'static str,
    tenant: &'a TenantId,
    id: Uuid,
    at: Timestamp,
) -> Statement<'a> {
    Statement::writing(step, sql)
        .text(tenant.as_str())
        .id(id)
        .at(at)
}

/// Runs a transition, which gives whether it wrote anything, and what stands then. If it wrote
/// nothing, `explain` makes the same change to what stands: it says why that is refused, or that it
/// is there already.
pub(crate) async fn moved<E, T>(
    store: &Postgres<E>,
    statement: Statement<'_>,
    id: impl Display + Send,
    explain: impl FnOnce(&mut T) -> Result<bool, WrongState> + Send,
) -> Result<T, StorageError>
where
    E: Executor,
    T: Moving,
    (bool, T::Row): FromSqlRow<(Bool, T::Columns), Pg>,
{
    let found = store
        .first::<(Bool, T::Columns), (bool, T::Row)>(statement)
        .await?;
    let Some((is_written, row)) = found else {
        return Err(StorageError::NotFound {
            what: T::WHAT,
            id: id.to_string(),
        });
    };
    let thing = T::try_from(row)?;
    if !is_written {
        explain(&mut thing.clone())?;
    }
    Ok(thing)
}
