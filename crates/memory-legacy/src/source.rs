use std::io;
use std::thread;

use async_trait::async_trait;
use memory_domain::TenantId;
use memory_storage::{RecordSource, SourceDescription, SourceError, SourceRow, SourceTable};
use rusqlite::InterruptHandle;
use tokio::sync::mpsc::{Receiver, channel};

use crate::LegacyKind;
use crate::catalog::Catalog;
use crate::cells::NaiveTimes;
use crate::format::MappedTable;
use crate::ids::SourceIds;
use crate::reading::{Reading, Sink, Stop};
use crate::sqlite_file::SqliteFile;

/// How many batches are read ahead.
const BATCHES_AHEAD: usize = 4;

/// What the reading thread says.
pub(crate) enum Event {
    /// The account of the tables, which comes first.
    Tables(Vec<SourceTable>),
    /// Rows of one table.
    Batch(Vec<SourceRow>),
    /// Reading failed, and ends.
    Failed(SourceError),
    /// That was all.
    End,
}

/// A legacy file that is being read on a thread of its own.
pub(crate) struct LegacySource {
    description: SourceDescription,
    events: Receiver<Event>,
    tables: Option<Vec<SourceTable>>,
    state: State,
    interrupt: InterruptHandle,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    Failed,
}

/// A file with everything that was decided about how to read it.
pub(crate) struct Job {
    pub(crate) file: SqliteFile,
    pub(crate) catalog: Catalog,
    pub(crate) kind: LegacyKind,
    pub(crate) name: String,
    pub(crate) naive: NaiveTimes,
    pub(crate) unnamed: TenantId,
    pub(crate) batch_size: usize,
}

impl LegacySource {
    /// Starts the thread.
    pub(crate) fn start(job: Job) -> Result<LegacySource, SourceError> {
        let (sender, events) = channel(BATCHES_AHEAD);
        let description = SourceDescription {
            kind: job.kind.to_string(),
            name: job.name.clone(),
            location: job.file.location.clone(),
        };
        let interrupt = job.file.connection.get_interrupt_handle();
        let mut sink = Sink::new(sender, job.batch_size);
        let run = move || {
            let last = match job.run(&mut sink) {
                Ok(()) => Event::End,
                Err(Stop::Failed(error)) => Event::Failed(error),
                Err(Stop::Unwanted) => return,
            };
            // If nobody listens any more, nobody misses it.
            let _ = sink.send(last);
        };
        let source = LegacySource {
            description,
            events,
            tables: None,
            state: State::Reading,
            interrupt,
        };
        thread::Builder::new()
            .name("memory-legacy".to_owned())
            .spawn(run)
            .map_err(|error| source.failed("starting the reading thread", error))?;
        Ok(source)
    }

    fn failed(&self, step: &'static str, error: io::Error) -> SourceError {
        SourceError::Failed {
            location: self.description.location.clone(),
            step,
            source: error.into(),
        }
    }

    /// The next event; after the end, and after a failure, none is waited for.
    async fn event(&mut self) -> Result<Event, SourceError> {
        match self.state {
            State::Reading => {}
            State::Ended => return Ok(Event::End),
            State::Failed => {
                let error = io::Error::other("it failed before; open the source again");
                return Err(self.failed("going on", error));
            }
        }
        match self.events.recv().await {
            Some(Event::Failed(error)) => {
                self.state = State::Failed;
                Err(error)
            }
            Some(Event::End) => {
                self.state = State::Ended;
                Ok(Event::End)
            }
            Some(event) => Ok(event),
            // Without this, a thread that panicked would look like the end of the file.
            None => {
                self.state = State::Failed;
                let error = io::Error::other("the reading thread ended without a word");
                Err(self.failed("reading rows", error))
            }
        }
    }

    async fn account(&mut self) -> Result<&Vec<SourceTable>, SourceError> {
        if self.tables.is_none() {
            let tables = match self.event().await? {
                Event::Tables(tables) => tables,
                Event::Batch(_) | Event::Failed(_) | Event::End => Vec::new(),
            };
            self.tables = Some(tables);
        }
        Ok(self.tables.get_or_insert_default())
    }
}

#[async_trait]
impl RecordSource for LegacySource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    async fn tables(&mut self) -> Result<Vec<SourceTable>, SourceError> {
        self.account().await.cloned()
    }

    async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, SourceError> {
        self.account().await?;
        match self.event().await? {
            Event::Batch(rows) => Ok(Some(rows)),
            Event::Tables(_) | Event::Failed(_) | Event::End => Ok(None),
        }
    }
}

impl Drop for LegacySource {
    /// Ends a statement that may still be sorting; the thread then finds nobody to talk to.
    fn drop(&mut self) {
        self.events.close();
        self.interrupt.interrupt();
    }
}

impl Job {
    fn run(&self, sink: &mut Sink) -> Result<(), Stop> {
        sink.send(Event::Tables(self.account()?))?;
        let reading = Reading {
            file: &self.file,
            catalog: &self.catalog,
            kind: self.kind,
            ids: SourceIds::new(&self.name),
            naive: self.naive,
            unnamed: &self.unnamed,
        };
        self.kind.format().read(&reading, sink)?;
        sink.flush()
    }

    /// The mapped tables in the order of the format, then the others by name.
    fn account(&self) -> Result<Vec<SourceTable>, SourceError> {
        let mapped = self.kind.format().tables();
        let mut tables = Vec::with_capacity(self.catalog.tables.len());
        for mapped in mapped {
            if let Some(table) = self.catalog.table(mapped.name) {
                tables.push(table.account(&self.file, Some(mapped))?);
            }
        }
        for table in &self.catalog.tables {
            let is_mapped = |mapped: &MappedTable| mapped.name.eq_ignore_ascii_case(&table.name);
            if !mapped.iter().any(is_mapped) {
                tables.push(table.account(&self.file, None)?);
            }
        }
        Ok(tables)
    }
}
