//! Whole records: read from one frozen state, written in one transaction.

mod bulk;
mod diagnosis;
mod insertion;
mod page_size;
mod reader;
mod rollback;
mod table;
mod transaction;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use transaction::Transaction;
pub(crate) use writer::Writer;
