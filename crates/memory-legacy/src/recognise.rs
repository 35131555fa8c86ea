use std::path::Path;

use memory_storage::SourceError;

use crate::LegacyKind;
use crate::catalog::Catalog;
use crate::lines::{self, Seen};
use crate::sqlite_file::{SqliteFile, unusable};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recognised {
    /// A store of ours: open it as one.
    Store,
    /// A file that `memory export` wrote: import it.
    Export,
    /// The quarantine of a transfer: replay it.
    Quarantine,
    /// A file of another system, for [`open`](crate::open).
    Legacy(LegacyKind),
}

/// The `application_id` of our own stores, "MEM1".
pub(crate) const STORE_APPLICATION_ID: i32 = 0x4D45_4D31;

/// Says what a file is, by its mark, its tables and columns or the keys of its lines, never by its
/// name.
///
/// # Errors
/// [`SourceError::Unusable`] where it is neither, or could be several things: it is missing, a
/// directory, empty, not a SQLite database (or encrypted), truncated, or holds the tables of no
/// system or of several.
pub fn recognise(path: impl AsRef<Path>) -> Result<Recognised, SourceError> {
    let path = path.as_ref();
    if let Some(recognised) = recognise_lines(path)? {
        return Ok(recognised);
    }
    let file = SqliteFile::open(path)?;
    if file.application_id()? == STORE_APPLICATION_ID {
        return Ok(Recognised::Store);
    }
    recognise_tables(&file, &Catalog::read(&file)?).map(Recognised::Legacy)
}

/// Says what a file of JSON Lines is; `None` if it is none.
pub(crate) fn recognise_lines(path: &Path) -> Result<Option<Recognised>, SourceError> {
    Ok(match lines::look(path) {
        Seen::Known(kind) => Some(Recognised::Legacy(kind)),
        Seen::Export => Some(Recognised::Export),
        Seen::Quarantine => Some(Recognised::Quarantine),
        Seen::Nothing => None,
        Seen::Unknown(keys) => {
            let problem = format!(
                "its lines are JSON, but of no known system; their keys are {}. If it is of one of \
                them, say so with --source-kind",
                names(keys.iter().map(String::as_str))
            );
            return Err(unusable(&path.display().to_string(), problem));
        }
    })
}

/// Says which system's tables a file has.
pub(crate) fn recognise_tables(
    file: &SqliteFile,
    catalog: &Catalog,
) -> Result<LegacyKind, SourceError> {
    let kinds: Vec<LegacyKind> = LegacyKind::ALL
        .into_iter()
        .filter(|kind| kind.lines().is_none())
        .filter(|kind| kind.format().missing(catalog).is_empty())
        .collect();
    match kinds[..] {
        [kind] => Ok(kind),
        [] if catalog.tables.is_empty() => {
            Err(file.unusable("it holds no tables; there is nothing to carry"))
        }
        [] => Err(file.unusable(format!(
            "it is of no known system ({}); its tables are {}. If it is of one of them, \
            --source-kind says what it lacks",
            LegacyKind::known(),
            names(catalog.tables.iter().map(|table| table.name.as_str())),
        ))),
        _ => Err(file.unusable(format!(
            "it holds the tables of several systems; say with --source-kind which to carry: {}",
            names(kinds.iter().map(|kind| kind.as_str())),
        ))),
    }
}

/// Holds that a file has what a reader needs of the kind that the caller named.
pub(crate) fn check_kind(
    file: &SqliteFile,
    catalog: &Catalog,
    kind: LegacyKind,
) -> Result<(), SourceError> {
    let missing = kind.format().missing(catalog);
    if missing.is_empty() {
        return Ok(());
    }
    Err(file.unusable(format!(
        "it is no file of {kind}: it lacks {}; its tables are {}",
        missing.join(", "),
        names(catalog.tables.iter().map(|table| table.name.as_str())),
    )))
}

/// How many names a message lists.
const NAMES_SHOWN: usize = 12;

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.collect();
    let mut text = all[..all.len().min(NAMES_SHOWN)].join(", ");
    if all.len() > NAMES_SHOWN {
        text.push_str(", …");
    }
    text
}
