use memory_domain::RecordKind;
use memory_storage::{PAGE_BYTES, StorageError};

use super::transaction::Transaction;
use crate::connection::Row;
use crate::statement::Statement;

/// How many rows of a kind a page has room for, by what the pages before were like.
///
/// The server sends all that was asked for, and what a page has no room for is let go and asked for
/// again. So few are asked for at first, then twice as many each time, and after a page was too
/// small, no more than fitted.
pub(super) struct Room {
    kind: RecordKind,
    rows: u32,
}

/// How many rows of a kind are asked for first.
const FIRST: u32 = 64;

impl Room {
    pub(super) fn new() -> Room {
        Room {
            kind: RecordKind::Tenant,
            rows: FIRST,
        }
    }

    /// How many rows of a kind are asked for, where the caller wants at most so many.
    pub(super) fn limit(&mut self, kind: RecordKind, wanted: u32) -> u32 {
        if kind != self.kind {
            self.kind = kind;
            self.rows = FIRST;
        }
        wanted.min(self.rows)
    }

    /// Runs a statement over records and keeps what a page has room for. Says too whether there was
    /// more.
    pub(super) async fn rows(
        &mut self,
        transaction: &mut Transaction,
        statement: &Statement<'_>,
    ) -> Result<(Vec<Row>, bool), StorageError> {
        let (rows, is_cut) = transaction.run_within(statement, PAGE_BYTES).await?;
        self.rows = if is_cut {
            u32::try_from(rows.len()).unwrap_or(u32::MAX)
        } else {
            self.rows.saturating_mul(2)
        };
        Ok((rows, is_cut))
    }
}
