use std::time::{Duration, Instant};

use crate::Config;

/// Logs what a store's statements take, and never what is in them: a slow one as a warning under
/// the target `memory::slow`, every one at the level debug under `memory::sql` if that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct StatementLog {
    backend: &'static str,
    slow: Option<Duration>,
    echo: bool,
}

impl StatementLog {
    /// Logs what the configuration says, for a backend: `sqlite` or `postgres`.
    pub fn new(backend: &'static str, config: &Config) -> StatementLog {
        StatementLog {
            backend,
            slow: config.slow_statement,
            echo: config.echo,
        }
    }

    /// Notes a statement that began at `started` and has ended. Its shape, which holds no values,
    /// is asked for only if it is logged.
    pub fn ended(&self, started: Instant, shape: impl Fn() -> String) {
        let elapsed = started.elapsed();
        let backend = self.backend;
        if self.slow.is_some_and(|slow| elapsed >= slow) {
            tracing::warn!(
                target: "memory::slow", backend, ?elapsed, sql = %flat(&shape()),
                "a statement was slow"
            );
        }
        if self.echo {
            tracing::debug!(target: "memory::sql", backend, ?elapsed, sql = %flat(&shape()));
        }
    }
}

/// In one line.
fn flat(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
