//! The scenarios of the contract, on SQLite.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::Sqlite;

memory_testkit::conformance!(Sqlite::start());
