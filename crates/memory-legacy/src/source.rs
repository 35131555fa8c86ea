use std::collections::BTreeMap;
use std::io;
use std::thread;

use async_trait::async_trait;
use memory_domain::TenantId;
use memory_storage::{RecordSource, SourceDescription, SourceError, SourceRow, SourceTable};
use tokio::sync::mpsc::{Receiver, channel};

use crate::LegacyKind;
use crate::catalog::Catalog;
use crate::cells::NaiveTimes;
use crate::converting::Converting;
use crate::format::{Format, MappedTable};
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
    /// Ends a statement that may take long.
    interrupt: Box<dyn Fn() + Send + Sync>,
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
    pub(crate) format: &'static dyn Format,
    pub(crate) name: String,
    pub(crate) naive: NaiveTimes,
    pub(crate) unnamed: TenantId,
    pub(crate) batch_size: usize,
    pub(crate) is_replay: bool,
}

impl LegacySource {
    /// Starts the thread that reads a file.
    pub(crate) fn start(job: Job) -> Result<LegacySource, SourceError> {
        LegacySource::start_after(job, Ok)
    }

    /// Starts the thread, which begins with something that takes time.
    pub(crate) fn start_after(
        job: Job,
        prepare: impl FnOnce(Job) -> Result<Job, SourceError> + Send + 'static,
    ) -> Result<LegacySource, SourceError> {
        let description = SourceDescription {
            kind: job.kind.to_string(),
            name: job.name.clone(),
            location: job.file.location.clone(),
            settings: job.settings(),
        };
        let interrupt = job.file.connection.get_interrupt_handle();
        let batch_size = job.batch_size;
        let interrupt = Box::new(move || interrupt.interrupt());
        LegacySource::run(description, batch_size, interrupt, move |sink| {
            prepare(job)?.run(sink)
        })
    }

    /// Starts a thread that reads.
    pub(crate) fn run(
        description: SourceDescription,
        batch_size: usize,
        interrupt: Box<dyn Fn() + Send + Sync>,
        read: impl FnOnce(&mut Sink) -> Result<(), Stop> + Send + 'static,
    ) -> Result<LegacySource, SourceError> {
        let (sender, events) = channel(BATCHES_AHEAD);
        let mut sink = Sink::new(sender, batch_size);
        let run = move || {
            let last = match read(&mut sink) {
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
        (self.interrupt)();
    }
}

impl Job {
    /// What a replay must know to convert alike.
    fn settings(&self) -> BTreeMap<String, String> {
        settings::of(self.naive, &self.unnamed, self.format)
    }

    fn run(&self, sink: &mut Sink) -> Result<(), Stop> {
        sink.send(Event::Tables(self.account()?))?;
        let reading = Reading {
            file: &self.file,
            catalog: &self.catalog,
            is_replay: self.is_replay,
            converting: Converting {
                kind: self.kind,
                format: self.format,
                ids: SourceIds::new(&self.name),
                naive: self.naive,
                unnamed: &self.unnamed,
            },
        };
        reading.converting.format.read(&reading, sink)?;
        sink.flush()
    }

    /// The mapped tables in the order of the format, then the others by name.
    fn account(&self) -> Result<Vec<SourceTable>, SourceError> {
        let mapped = self.format.tables();
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

/// What a replay must know.
pub(crate) mod settings {
    use std::collections::BTreeMap;

    use memory_domain::TenantId;

    use crate::cells::NaiveTimes;
    use crate::format::Format;

    /// The zone of times that name none.
    pub(crate) const TIMEZONE: &str = "timezone";
    /// The tenant of rows that name none.
    pub(crate) const DEFAULT_TENANT: &str = "default_tenant";
    /// Which of several shapes of a system's tables it is, if there are several.
    pub(crate) const SHAPE: &str = "shape";

    pub(crate) fn of(
        naive: NaiveTimes,
        unnamed: &TenantId,
        format: &dyn Format,
    ) -> BTreeMap<String, String> {
        let zone = Some((TIMEZONE, naive.zone.to_string()));
        let tenant = Some((DEFAULT_TENANT, unnamed.to_string()));
        let shape = format.shape().map(|shape| (SHAPE, shape.to_owned()));
        [zone, tenant, shape]
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}
