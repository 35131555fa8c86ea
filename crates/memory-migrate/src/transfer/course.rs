//! How far a resumable run is, and the way back there.

use memory_domain::{Digest, JsonObject};
use memory_storage::{
    Conversion, RawValue, RunId, SourceDescription, SourceRow, SourceTable, TransferRun,
};

use super::checkpoint::{Checkpoint, Position, Selection};
use crate::{MigrateError, TransferOptions};

/// The course of a resumable run: how far it came in each table of the source, and how far an earlier
/// command had come.
///
/// What was done is read again and converted again, and passed by without being written: only so can
/// be told that it is still what was carried, without which the whole would be no one state of the
/// source. A key alone would not tell that a row before it was changed, and the conversion of a row
/// may depend on rows before it.
pub(crate) struct Course {
    /// What must be asked for again to go on.
    pub(super) selection: Selection,
    /// The run's report as it stands in the target.
    pub(super) stored: JsonObject,
    /// Whether a checkpoint lasts.
    pub(super) has_lasting: bool,
    /// Rows that earlier commands had done; `None` if this one began the run.
    pub(super) resumed: Option<u64>,
    run: RunId,
    tables: Vec<Stretch>,
    /// Rows since the last checkpoint.
    rows: u64,
}

/// How far it is in one table.
struct Stretch {
    table: String,
    done: Position,
    /// How far an earlier command had come.
    goal: Position,
}

impl Course {
    /// A course that begins, or goes on where a checkpoint says.
    ///
    /// # Errors
    /// `SourceChanged` if the source lacks a table of which rows were carried.
    pub(crate) fn new(
        options: &TransferOptions,
        source: &SourceDescription,
        tables: &[SourceTable],
        unfinished: Option<&(TransferRun, Checkpoint)>,
    ) -> Result<Course, MigrateError> {
        let mut course = Course {
            selection: Selection::of(options, source),
            stored: JsonObject::new(),
            has_lasting: false,
            resumed: None,
            run: options.run,
            tables: tables
                .iter()
                .map(|table| Stretch::new(&table.name))
                .collect(),
            rows: 0,
        };
        let Some((run, checkpoint)) = unfinished else {
            return Ok(course);
        };
        course.stored.clone_from(&run.report);
        course.has_lasting = true;
        course.resumed = Some(checkpoint.done);
        for saved in &checkpoint.tables {
            match course
                .tables
                .iter_mut()
                .find(|stretch| stretch.table == saved.table)
            {
                Some(stretch) => stretch.goal = saved.position,
                None if saved.position.rows == 0 => {}
                None => return Err(course.changed(&saved.table)),
            }
        }
        Ok(course)
    }

    /// Takes note of the next row, and says whether an earlier command has carried it.
    ///
    /// # Errors
    /// `SourceChanged` if the rows up to here are not those that were carried.
    pub(crate) fn pass(&mut self, row: &SourceRow) -> Result<bool, MigrateError> {
        let Some(stretch) = self.tables.get_mut(row.table) else {
            // The books say what is wrong with it.
            return Ok(false);
        };
        stretch.done.add(row);
        if stretch.done.rows > stretch.goal.rows {
            self.rows += 1;
            return Ok(false);
        }
        if stretch.done.rows == stretch.goal.rows && stretch.done != stretch.goal {
            let table = stretch.table.clone();
            return Err(self.changed(&table));
        }
        Ok(true)
    }

    /// Whether it is time for a checkpoint, which is so after each batch. Not before everything that
    /// was carried has been seen again: until then the source may turn out to be another.
    pub(crate) fn is_due(&self, batch_size: u32) -> bool {
        self.rows >= u64::from(batch_size) && self.tables.iter().all(Stretch::is_caught_up)
    }

    /// Holds at the source's end that everything that was carried has come again.
    ///
    /// # Errors
    /// `SourceChanged` names the first table that lacks rows.
    pub(crate) fn check_end(&self) -> Result<(), MigrateError> {
        match self.tables.iter().find(|stretch| !stretch.is_caught_up()) {
            Some(stretch) => Err(self.changed(&stretch.table)),
            None => Ok(()),
        }
    }

    /// How far it is in each table.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> {
        self.tables.iter().map(|stretch| stretch.done)
    }

    /// Begins to count the rows towards the next checkpoint.
    pub(super) fn begin_batch(&mut self) {
        self.rows = 0;
    }

    /// A checkpoint lasts from now on, as this report.
    pub(super) fn lasts(&mut self, report: JsonObject) {
        self.stored = report;
        self.has_lasting = true;
    }

    fn changed(&self, table: &str) -> MigrateError {
        MigrateError::SourceChanged {
            run: self.run,
            table: table.to_owned(),
        }
    }
}

impl Stretch {
    fn new(table: &str) -> Stretch {
        Stretch {
            table: table.to_owned(),
            done: Position::default(),
            goal: Position::default(),
        }
    }

    fn is_caught_up(&self) -> bool {
        self.done.rows >= self.goal.rows
    }
}

impl Position {
    /// Adds the next row: what it was in the source, and what it became.
    fn add(&mut self, row: &SourceRow) {
        let mut bytes = self.digest.as_bytes().to_vec();
        let mut part = |tag: u8, part: &[u8]| {
            bytes.push(tag);
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        };
        part(b'k', row.key.as_bytes());
        for value in &row.raw {
            match value {
                RawValue::Null => part(b'0', b""),
                RawValue::Integer(integer) => part(b'i', &integer.to_le_bytes()),
                RawValue::Real(real) => part(b'r', &real.to_bits().to_le_bytes()),
                RawValue::Text(text) => part(b't', text),
                RawValue::Blob(blob) => part(b'b', blob),
            }
        }
        for (name, value) in &row.context {
            part(b'n', name.as_bytes());
            part(b'v', value.as_bytes());
        }
        match &row.conversion {
            Conversion::Record { record, .. } => part(b'R', record.digest().as_bytes()),
            Conversion::Merged { into, .. } => part(b'M', into.to_string().as_bytes()),
            Conversion::Quarantined { reason } => part(b'Q', reason.as_bytes()),
        }
        self.digest = Digest::of(&bytes);
        self.rows += 1;
    }
}
