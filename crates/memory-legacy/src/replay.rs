use memory_domain::TenantId;
use memory_storage::{QuarantinedRow, RecordSource, SourceDescription, SourceError};

use crate::catalog::Catalog;
use crate::cells::NaiveTimes;
use crate::shelf::Shelf;
use crate::source::{Job, LegacySource, settings};
use crate::sqlite_file::unusable;
use crate::{LegacyKind, SourceTimezone};

/// Begins to read again what an earlier run of a legacy source put into quarantine, with the reader
/// and the options of that run.
///
/// `source` is what the quarantine says of its run's source, `location` where the quarantine is.
/// What a row refers to and the quarantine does not hold is taken to stand in the target, which says
/// itself if it does not.
///
/// # Errors
/// [`SourceError::Unusable`] if the source was of no known system, a row is of a table that has no
/// place, or `rows` says so; [`SourceError::Failed`] if the rows cannot be held for reading.
pub fn replay(
    source: &SourceDescription,
    location: String,
    rows: impl IntoIterator<Item = Result<QuarantinedRow, SourceError>>,
    batch_size: usize,
) -> Result<Box<dyn RecordSource>, SourceError> {
    let refuse = |problem: String| unusable(&location, problem);
    let kind: LegacyKind = source
        .kind
        .parse()
        .map_err(|error| refuse(format!("its rows are of no known system: {error}")))?;
    let setting = |name: &str| {
        let value = source.settings.get(name);
        value.ok_or_else(|| refuse(format!("its first line lacks the setting {name}")))
    };
    let timezone = setting(settings::TIMEZONE)?
        .parse::<SourceTimezone>()
        .map_err(|error| refuse(error.to_string()))?;
    let unnamed = TenantId::new(setting(settings::DEFAULT_TENANT)?)
        .map_err(|error| refuse(error.to_string()))?;
    let shape = source.settings.get(settings::SHAPE);
    let format = kind
        .format_of(shape.map(String::as_str))
        .ok_or_else(|| refuse("its first line names a shape that is not known".to_owned()))?;
    let mut shelf = Shelf::open(format, location)?;
    for row in rows {
        let mut row = row?;
        if let Some(lines) = kind.lines() {
            // A line that a person mended as a whole.
            lines.split_mended(&mut row);
        }
        shelf.add(&row)?;
    }
    let file = shelf.filled()?;
    let job = Job {
        catalog: Catalog::read(&file)?,
        file,
        kind,
        format,
        name: source.name.clone(),
        naive: NaiveTimes::new(Some(timezone), format.documented_zone()),
        unnamed,
        batch_size,
        is_replay: true,
    };
    Ok(Box::new(LegacySource::start(job)?))
}
