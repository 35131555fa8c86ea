//! Listings by time, newest first.

use memory_domain::{Limit, Timestamp};
use uuid::Uuid;

use crate::statement::Statement;

/// The end of a statement that lists what has a time: from when to when, after which place, and how
/// many rows.
pub(crate) struct Newest {
    /// The column of the time.
    pub(crate) by: &'static str,
    /// The earliest moment, inclusive.
    pub(crate) from: Option<Timestamp>,
    /// The latest moment, inclusive.
    pub(crate) to: Option<Timestamp>,
    /// The last row of the page before.
    pub(crate) after: Option<(Timestamp, Uuid)>,
    pub(crate) limit: Limit,
}

impl Newest {
    /// Adds the conditions to those that the statement has, and the order: newest first, then the
    /// greater id.
    pub(crate) fn of(self, statement: Statement<'_>) -> Statement<'_> {
        let Newest { by, from, to, .. } = self;
        // One upper bound only, so that the index begins at the right one.
        let statement = match (self.after, to) {
            (Some((at, id)), to) if to.is_none_or(|to| at <= to) => statement
                .then(&format!(" and ({by}, id) < (?, ?)"))
                .at(at)
                .id(id),
            (_, Some(to)) => statement.then(&format!(" and {by} <= ?")).at(to),
            (_, None) => statement,
        };
        let statement = match from {
            Some(from) => statement.then(&format!(" and {by} >= ?")).at(from),
            None => statement,
        };
        statement
            .then(&format!(" order by {by} desc, id desc limit ?"))
            .number(self.limit.rows().into())
    }
}
