//! Readers of the files that other memory systems left behind, each a
//! [`RecordSource`](memory_storage::RecordSource).
//!
//! [`recognise`] says what a SQLite file is, by its tables and columns and never by its name;
//! [`open`] begins to read it, in one read transaction on a connection that cannot write.

mod catalog;
mod cells;
mod consultant;
mod continuum;
mod converting;
mod flux_rag;
mod format;
mod ids;
mod inverse;
mod jarvis;
mod json;
mod kind;
mod open;
mod reading;
mod recognise;
mod replay;
pub mod rules;
#[cfg(feature = "postgres")]
mod server;
mod source;
mod sqlite_file;
mod time;
mod timezone;

pub use ids::{NAMESPACE, legacy_id};
pub use inverse::{SourceValue, inverse};
pub use kind::LegacyKind;
pub use open::{Options, open};
pub use recognise::{Recognised, recognise};
pub use replay::replay;
#[cfg(feature = "postgres")]
pub use server::{open_server, recognise_server};
pub use timezone::SourceTimezone;
