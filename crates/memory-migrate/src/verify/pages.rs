use std::collections::VecDeque;

use memory_domain::{Record, RecordKey, RecordKind, TenantId};
use memory_storage::RecordReader;

use crate::MigrateError;

/// The records of one kind in the order of their keys, read page by page.
pub(super) struct Pages<'a> {
    reader: &'a mut dyn RecordReader,
    kind: RecordKind,
    tenant: Option<&'a TenantId>,
    page: u32,
    records: VecDeque<Record>,
    after: Option<RecordKey>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(
        reader: &'a mut dyn RecordReader,
        kind: RecordKind,
        tenant: Option<&'a TenantId>,
        page: u32,
    ) -> Pages<'a> {
        Pages {
            reader,
            kind,
            tenant,
            page,
            records: VecDeque::new(),
            after: None,
            ended: false,
        }
    }

    /// The next record, which stays where it is.
    pub(super) async fn peek(&mut self) -> Result<Option<&Record>, MigrateError> {
        if self.records.is_empty() && !self.ended {
            let records = self
                .reader
                .page(self.kind, self.tenant, self.after.as_ref(), self.page)
                .await
                .map_err(MigrateError::store("reading records"))?;
            match records.last() {
                Some(last) => self.after = Some(last.key()),
                None => self.ended = true,
            }
            self.records = records.into();
        }
        Ok(self.records.front())
    }

    /// Takes the record that [`Pages::peek`] showed.
    pub(super) fn take(&mut self) -> Option<Record> {
        self.records.pop_front()
    }
}
