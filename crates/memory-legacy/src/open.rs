use std::path::Path;

use memory_domain::TenantId;
use memory_storage::{RecordSource, SourceError};

use crate::catalog::Catalog;
use crate::cells::NaiveTimes;
use crate::ids::check_source_name;
use crate::recognise::{STORE_APPLICATION_ID, check_kind, recognise_tables};
use crate::source::{Job, LegacySource};
use crate::sqlite_file::SqliteFile;
use crate::{LegacyKind, SourceTimezone};

/// How a legacy file is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The system that wrote it; by default it is recognised.
    pub kind: Option<LegacyKind>,
    /// The name that goes into ids made from the file; by default the system's, such as `jarvis`.
    /// A second file of the same system needs a name of its own, or its ids are taken for those of
    /// the first.
    pub name: Option<String>,
    /// The zone of times that name none; by default what the system is documented to write.
    pub timezone: Option<SourceTimezone>,
    /// The tenant of rows that name none; by default `default`.
    pub tenant: Option<TenantId>,
    /// How many rows a batch has at most; by default 1,000.
    pub batch_size: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            kind: None,
            name: None,
            timezone: None,
            tenant: None,
            batch_size: 1_000,
        }
    }
}

/// Begins to read a legacy file.
///
/// The file is opened for reading only, and read in one transaction: whatever others write
/// meanwhile, one state comes out. A thread of its own reads and converts, a few batches ahead of
/// [`RecordSource::next`]; dropping the source ends it. No async runtime is needed to open.
///
/// # Errors
/// [`SourceError::Unusable`] says what is wrong with the file and what to do: it is missing, a
/// directory, empty, not a SQLite database (or encrypted), truncated, a store of ours, or holds
/// the tables of no system or of several; [`SourceError::Failed`] is a failure of SQLite.
pub fn open(
    path: impl AsRef<Path>,
    options: Options,
) -> Result<Box<dyn RecordSource>, SourceError> {
    let file = SqliteFile::open(path.as_ref())?;
    if file.application_id()? == STORE_APPLICATION_ID {
        return Err(file.unusable("it is a store of ours; open it as one, by its path or URL"));
    }
    let catalog = Catalog::read(&file)?;
    let kind = match options.kind {
        Some(kind) => {
            check_kind(&file, &catalog, kind)?;
            kind
        }
        None => recognise_tables(&file, &catalog)?,
    };
    let name = options.name.unwrap_or_else(|| kind.to_string());
    check_source_name(&name).map_err(|error| file.unusable(error.to_string()))?;
    let format = kind.format_for(&catalog);
    let naive = NaiveTimes::new(options.timezone, format.documented_zone());
    let job = Job {
        file,
        catalog,
        kind,
        format,
        name,
        naive,
        unnamed: options.tenant.unwrap_or_else(default_tenant),
        batch_size: options.batch_size,
        is_replay: false,
    };
    Ok(Box::new(LegacySource::start(job)?))
}

pub(crate) fn default_tenant() -> TenantId {
    TenantId::new("default").expect("it has 1 to 255 bytes and no control characters")
}
