//! Listings by time, newest first.

use memory_domain::{Limit, Timestamp};
use uuid::Uuid;

use crate::statement::Statement;

/// The end of a statement that lists what has a time: from when to when, after which place, and how
/// many rows. The table is called `x` there.
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
    pub(crate) fn of(self, mut statement: Statement<'_>) -> Statement<'_> {
        let by = self.by;
        if let Some(from) = self.from {
            statement = statement.then(&format!(" and x.{by} >= ")).parameter();
            statement = statement.at(from);
        }
        if let Some(to) = self.to {
            statement = statement.then(&format!(" and x.{by} <= ")).parameter();
            statement = statement.at(to);
        }
        if let Some((at, id)) = self.after {
            statement = statement
                .then(&format!(" and (x.{by}, x.id) < ("))
                .parameter()
                .at(at)
                .then(", ")
                .parameter()
                .id(id)
                .then(")");
        }
        statement
            .then(&format!(" order by x.{by} desc, x.id desc limit "))
            .parameter()
            .limit(self.limit)
    }
}
