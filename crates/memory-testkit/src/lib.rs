//! The conformance suite of the storage contract: one list of scenarios that every adapter's tests
//! run, a model of the store for random testing, and a harness that drops futures half way.
//!
//! It never depends on an adapter. An adapter implements [`Backend`] in its tests and writes
//!
//! ```ignore
//! memory_testkit::conformance!(MyBackend::start());
//! ```
//!
//! which makes one named test of each scenario. Expected values are literals, not what another
//! backend said.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario fails by panicking; the error that it shows is the finding"
)]

mod backend;
mod list;
mod model;
mod poll;
mod random;
mod recorder;
mod run;
mod scenarios;
mod support;
mod verbs;

pub use backend::{Backend, StoreOptions};
pub use model::Model;
pub use random::{
    Call, Operation, agrees_with_model, operations, random_use_agrees_with_model,
    random_use_of_all_agrees, use_at_random,
};
pub use recorder::Recorder;
pub use run::{Law, Scenario, run, scenarios};
pub use verbs::{
    Given, GivenActivity, GivenGoals, GivenMissions, GivenPatches, GivenTasks, SECRET, Verb, given,
};
