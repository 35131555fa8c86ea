//! The laws of the storage contract, a file for each aggregate or concern.
//!
//! Most take the verbs alone, and hold in a unit of work as they do on a store; the others open
//! stores as they need them. Each begins on an empty store.

pub(crate) mod admin;
pub(crate) mod agency;
pub(crate) mod audit;
pub(crate) mod bad_input;
pub(crate) mod cancellation;
pub(crate) mod compounds;
pub(crate) mod concurrency;
pub(crate) mod decisions;
pub(crate) mod erasing;
pub(crate) mod erasure;
pub(crate) mod feedback;
pub(crate) mod files;
pub(crate) mod filters;
pub(crate) mod goals;
pub(crate) mod isolation;
pub(crate) mod learning;
pub(crate) mod merging;
pub(crate) mod messages;
pub(crate) mod missions;
pub(crate) mod neighbours;
pub(crate) mod nodes;
pub(crate) mod patches;
pub(crate) mod raw_sql;
pub(crate) mod recalling;
pub(crate) mod records;
pub(crate) mod reinforcing;
pub(crate) mod relationships;
pub(crate) mod retention;
pub(crate) mod searching;
pub(crate) mod sessions;
pub(crate) mod tasks;
pub(crate) mod tenants;
pub(crate) mod traversal;
pub(crate) mod units_of_work;
pub(crate) mod values;
