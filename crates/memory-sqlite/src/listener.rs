//! Hears what statements a connection runs, for the log.

use std::time::Instant;

use diesel::connection::{Instrumentation, InstrumentationEvent};
use memory_storage::{SqlDialect, StatementLog, shape};

/// Tells the log of each statement when it has ended.
pub(crate) struct Listener {
    log: StatementLog,
    started: Option<Instant>,
}

impl Listener {
    pub(crate) fn new(log: StatementLog) -> Listener {
        Listener { log, started: None }
    }
}

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.started = Some(Instant::now()),
            InstrumentationEvent::FinishQuery { query, .. } => {
                if let Some(started) = self.started.take() {
                    self.log
                        .ended(started, || without_values(&query.to_string()));
                }
            }
            _ => {}
        }
    }
}

/// What diesel says of a query, without the values that it puts behind the text. A text that holds
/// the same words itself is cut short, which tells less, not more.
fn without_values(query: &str) -> String {
    let sql = query
        .split_once(" -- binds: ")
        .map_or(query, |(sql, _)| sql);
    shape(sql, SqlDialect::Sqlite)
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn no_value_is_left() {
        for (query, left) in [
            ("select ? -- binds: [\"secret\"]", "select ?"),
            ("select 'secret', ? -- binds: [1]", "select ?, ?"),
            ("select ' -- binds: secret', ? -- binds: [1]", "select "),
            ("commit", "commit"),
        ] {
            assert_eq!(without_values(query), left);
        }
    }
}
