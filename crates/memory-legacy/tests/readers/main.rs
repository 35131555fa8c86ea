//! The readers, on files that the tests make themselves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounting;
mod any_value;
mod consultant;
mod continuum;
mod files;
mod flux_rag;
mod jarvis;
mod made;
