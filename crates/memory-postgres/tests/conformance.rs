//! The suite that every backend passes.

mod common;

memory_testkit::conformance!(crate::common::Fresh::new());
