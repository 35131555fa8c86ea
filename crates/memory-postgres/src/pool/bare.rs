use std::sync::Arc;

use tokio::sync::watch;
use tokio_postgres::{Row, Statement};

use super::{Hold, Lease, Lent, Line, Phase, State, unless_cut};
use crate::error::{ConnectError, Failure};

/// A connection in use that has no diesel on top. Dropping it closes it.
pub(crate) struct Bare {
    line: Line,
    phase: watch::Receiver<Phase>,
    hold: Hold,
}

impl Bare {
    pub(super) fn new(line: Line, phase: watch::Receiver<Phase>, hold: Hold) -> Bare {
        Bare { line, phase, hold }
    }

    /// Runs statements that return nothing and have no values.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        unless_cut(&mut self.phase, self.line.batch(sql)).await
    }

    /// Runs a statement whose values are texts, and returns its rows.
    pub(crate) async fn rows(&mut self, sql: &str, values: &[&str]) -> Result<Vec<Row>, Failure> {
        unless_cut(&mut self.phase, self.line.rows(sql, values)).await
    }

    /// Prepares a statement.
    pub(crate) async fn prepare(&mut self, sql: &str) -> Result<Statement, Failure> {
        unless_cut(&mut self.phase, self.line.prepare(sql)).await
    }

    /// Has a statement that copies from here take what is to be copied.
    pub(crate) async fn copy(
        &mut self,
        statement: &Statement,
        bytes: Vec<u8>,
    ) -> Result<(), Failure> {
        unless_cut(&mut self.phase, self.line.copy(statement, bytes)).await
    }

    /// Goes on in the same transaction with diesel on top.
    pub(crate) async fn into_lease(self) -> Result<Lease, ConnectError> {
        let Bare { line, phase, hold } = self;
        let connection = line.into_connection(State::InTransaction).await?;
        Ok(Lease {
            connection: Lent::Dedicated(Arc::clone(&hold.counts).count(connection)),
            phase,
            hold,
        })
    }
}
