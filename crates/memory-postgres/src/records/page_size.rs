//! How many rows make a page.

use memory_domain::RecordKind;
use memory_storage::{PAGE_BYTES, StorageError};

use super::transaction::Transaction;
use crate::connection::Row;
use crate::statement::Statement;

/// How many rows of a kind are asked for, by what the pages before were like.
///
/// The server sends all that was asked for, and what a page has no room for is let go and asked for
/// again. So few are asked for at first, twice as many while they fill less than half a page, and
/// after a page was too small, no more than fitted.
pub(super) struct PageSize {
    kind: RecordKind,
    rows: u32,
}

/// How many rows of a kind are asked for first.
const FIRST: u32 = 64;

impl PageSize {
    pub(super) fn new() -> PageSize {
        PageSize {
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
        let part = transaction.run_within(statement, PAGE_BYTES).await?;
        if part.is_cut {
            self.rows = u32::try_from(part.rows.len()).unwrap_or(u32::MAX);
        } else if part.room >= PAGE_BYTES / 2 {
            self.rows = self.rows.saturating_mul(2);
        }
        Ok((part.rows, part.is_cut))
    }
}
