//! Whole records: reading them from one frozen state, and writing them in one transaction with the
//! run's ledger.

mod insertion;
mod ledger;
mod page;
mod reader;
pub(crate) mod runs;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::Writer;
