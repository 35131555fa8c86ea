use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// Whether a store answers.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// Whether a round trip to the database succeeded in time.
    pub healthy: bool,
    /// How long it took, or how long it was waited for.
    pub latency: Duration,
    /// What is wrong; without secrets.
    pub problem: Option<String>,
}

/// What a store is and how it is configured.
#[derive(Debug, Clone, Serialize)]
pub struct Info {
    /// `sqlite` or `postgres`.
    pub backend: &'static str,
    /// The version of the database.
    pub server_version: String,
    /// The newest migration that is applied.
    pub schema_version: Option<String>,
    /// Where it is, without the password.
    pub location: String,
    /// The options in force, by name.
    pub options: BTreeMap<&'static str, String>,
}

/// What a pool has done since the store was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PoolStats {
    /// Connections opened.
    pub opened: u64,
    /// Connections closed.
    pub closed: u64,
    /// Connections open now.
    pub open: u32,
    /// Connections open and unused now.
    pub idle: u32,
    /// Connections in use now.
    pub in_use: u32,
    /// The most connections that were in use at once.
    pub most_in_use: u32,
    /// How often a caller had to wait for a connection.
    pub waits: u64,
    /// How often one waited in vain.
    pub timeouts: u64,
    /// How long callers waited, all together.
    pub total_wait: Duration,
}
