mod kept;

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use memory_domain::{Record, RecordKey};
use memory_storage::{RawRow, RawValue, RowContext, RunId, SourceDescription, SourceTable};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub(crate) use self::kept::Kept;
use crate::{MigrateError, TransferOptions};

/// The version of the file's format, which its first line names.
pub(crate) const FORMAT: u32 = 1;

/// The file for rows that cannot be carried: JSON Lines that a person can read and mend.
///
/// The first line says what the run was: `{"memory_quarantine": 1, "run": …, "source": {…}}`. Each
/// further line is a row: `class`, `table`, `key`, `reason`, for a conflict also `standing`; then
/// `values`, the row as it stands in the source, by column, `context`, what was known of it from
/// other rows, and `record`, what it became, where the conversion succeeded. Numbers and sound texts are themselves; other values are objects that name
/// their storage class: `{"text_hex": "ff"}`, `{"blob_hex": "00"}`, `{"real": "inf"}`.
///
/// It is made with its first row, under the name and `.partial`, and gets its name at the end; what
/// a failed run left is removed, but not what a checkpoint of a resumable run tells of.
pub(crate) struct Quarantine {
    run: RunId,
    path: PathBuf,
    header: Value,
    file: Option<BufWriter<File>>,
    /// The same file, under whichever name: as long as it is held no other command writes to it.
    held: Option<File>,
    /// Whether a checkpoint tells of the file.
    is_kept: bool,
    /// Whether rows came since the last checkpoint.
    has_new: bool,
}

/// A row that cannot be carried.
pub(crate) struct Entry<'a> {
    pub(crate) class: EntryClass,
    pub(crate) table: &'a SourceTable,
    pub(crate) key: &'a str,
    pub(crate) reason: &'a str,
    /// What stands in the way, for a conflict.
    pub(crate) standing: Option<&'a RecordKey>,
    pub(crate) raw: &'a RawRow,
    pub(crate) context: &'a RowContext,
    /// What the row became, where the conversion succeeded.
    pub(crate) record: Option<&'a Record>,
}

/// Why a row is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryClass {
    /// Its id or key stands with other content.
    Conflict,
    /// A value cannot be carried, or what it refers to is not there.
    Quarantined,
}

impl Quarantine {
    /// Says where the file will be, and makes nothing yet; or goes on with the file that a checkpoint
    /// tells of, just as it was then.
    ///
    /// # Errors
    /// `Quarantine` if the file is not there any more as it was, or another stands in its place.
    pub(crate) fn open(
        options: &TransferOptions,
        source: &SourceDescription,
        target: &str,
        kept: Option<&Kept>,
    ) -> Result<Quarantine, MigrateError> {
        let header = json!({
            "memory_quarantine": FORMAT,
            "run": options.run,
            "started_at": options.at,
            "dry_run": options.dry_run,
            "resumable": options.resumable,
            "source": source,
            "target": target,
        });
        let mut quarantine = Quarantine {
            run: options.run,
            path: options.quarantine_path(),
            header,
            file: None,
            held: None,
            is_kept: false,
            has_new: false,
        };
        match kept {
            Some(kept) => quarantine.go_on(options, kept)?,
            None if options.resumable => quarantine.remove_leftover(options)?,
            None => {}
        }
        Ok(quarantine)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// `Quarantine` if the file cannot be made or written, and `UnderWay` if another command made it for
    /// the same run since.
    pub(crate) fn add(&mut self, entry: &Entry<'_>) -> Result<(), MigrateError> {
        let line = entry_line(entry);
        self.write(&line).map_err(|source| match source.kind() {
            // Nothing was in its place when this command began.
            io::ErrorKind::AlreadyExists | io::ErrorKind::WouldBlock => self.under_way(),
            _ => MigrateError::Quarantine {
                path: self.path.clone(),
                problem: "check the folder and the room on the disk, or give --quarantine-file",
                source: Some(source),
            },
        })
    }

    /// Gives the file its name and tells it; `None` if no row came. It is held until this is dropped,
    /// because the run has not ended yet.
    ///
    /// # Errors
    /// `Quarantine` if the last rows cannot be written, or another file took the name.
    pub(crate) fn finish(&mut self) -> Result<Option<PathBuf>, MigrateError> {
        let Some(file) = self.file.take() else {
            return Ok(None);
        };
        let partial = partial(&self.path);
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            // `hard_link` refuses a name that is taken, which `rename` would overwrite.
            .and_then(|()| std::fs::hard_link(&partial, &self.path))
            .or_else(|error| match error.kind() {
                // Some file systems have no hard links.
                io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
                    if !self.path.exists() =>
                {
                    std::fs::copy(&partial, &self.path).map(drop)
                }
                _ => Err(error),
            })
            .and_then(|()| std::fs::remove_file(&partial))
            .map_err(|source| MigrateError::Quarantine {
                path: self.path.clone(),
                problem: "check that the name is free, or give --quarantine-file",
                source: Some(source),
            })?;
        Ok(Some(self.path.clone()))
    }

    fn write(&mut self, line: &Value) -> io::Result<()> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            // It holds what was said, as an export does.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(partial(&self.path))?;
            self.held = Some(hold(&file)?);
            let mut file = BufWriter::new(file);
            write_line(&mut file, &self.header)?;
            // By it a later command knows whose the file is.
            file.flush()?;
            self.file.insert(file)
        };
        self.has_new = true;
        write_line(file, line)
    }
}

/// Keeps others from a file, as far as its file system can, for as long as what is returned is there.
///
/// # Errors
/// `WouldBlock` if another command has it.
fn hold(file: &File) -> io::Result<File> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
        // Some file systems cannot.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    file.try_clone()
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            drop(file.into_parts());
            if !self.is_kept {
                // The run failed, so nothing was carried and nothing is to be mended.
                let _ = std::fs::remove_file(partial(&self.path));
            }
        }
    }
}

/// The name that the file has until it is whole.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

fn write_line(file: &mut impl Write, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

fn entry_line(entry: &Entry<'_>) -> Value {
    let mut line = Map::new();
    line.insert("class".into(), json!(entry.class));
    line.insert("table".into(), json!(entry.table.name));
    line.insert("key".into(), json!(entry.key));
    line.insert("reason".into(), json!(entry.reason));
    if let Some(standing) = entry.standing {
        line.insert("standing".into(), json!(standing));
    }
    if !entry.raw.is_empty() {
        let columns = entry.table.columns.iter().map(|column| &column.name);
        let values = columns
            .zip(entry.raw)
            .map(|(column, value)| (column.clone(), raw_value(value)));
        line.insert("values".into(), Value::Object(values.collect()));
    }
    if !entry.context.is_empty() {
        let known = entry.context.iter();
        let known = known.map(|(name, value)| ((*name).to_owned(), json!(value)));
        line.insert("context".into(), Value::Object(known.collect()));
    }
    if let Some(record) = entry.record {
        line.insert("record".into(), json!(record));
    }
    Value::Object(line)
}

fn raw_value(value: &RawValue) -> Value {
    match value {
        RawValue::Null => Value::Null,
        RawValue::Integer(integer) => json!(integer),
        RawValue::Real(real) if real.is_finite() => json!(real),
        RawValue::Real(real) => json!({ "real": real.to_string() }),
        RawValue::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(_) => json!({ "text_hex": hex(bytes) }),
        },
        RawValue::Blob(bytes) => json!({ "blob_hex": hex(bytes) }),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use memory_domain::Timestamp;
    use memory_storage::{RawValue, SourceColumn, SourceDescription, SourceTable};
    use serde_json::{Value, json};

    use super::{Entry, EntryClass, Quarantine, partial};
    use crate::TransferOptions;

    fn table() -> SourceTable {
        let column = |name: &str| SourceColumn {
            name: name.to_owned(),
            target: None,
            non_null: 1,
        };
        SourceTable {
            name: "entities".to_owned(),
            rows: 1,
            mapped: true,
            columns: ["a", "b", "c", "d", "e", "f"].map(column).to_vec(),
        }
    }

    fn quarantine(path: &std::path::Path) -> Quarantine {
        let source = SourceDescription {
            kind: "jarvis".to_owned(),
            name: "jarvis".to_owned(),
            location: "x.db".to_owned(),
            settings: BTreeMap::from([("timezone".to_owned(), "UTC".to_owned())]),
        };
        let mut options = TransferOptions::new(Timestamp::UNIX_EPOCH);
        options.quarantine_file = Some(path.to_owned());
        Quarantine::open(&options, &source, "sqlite://m.db", None).unwrap()
    }

    fn add(quarantine: &mut Quarantine) {
        let raw = vec![
            RawValue::Null,
            RawValue::Integer(i64::MIN),
            RawValue::Real(1.0),
            RawValue::Real(f64::INFINITY),
            RawValue::Text(b"a\0\xff".to_vec()),
            RawValue::Blob(vec![0, 255]),
        ];
        let entry = Entry {
            class: EntryClass::Quarantined,
            table: &table(),
            key: "id=42",
            reason: "column e is not UTF-8",
            standing: None,
            raw: &raw,
            context: &vec![("parallel", "true".to_owned())],
            record: None,
        };
        quarantine.add(&entry).unwrap();
    }

    #[test]
    fn a_line_keeps_every_value_with_its_storage_class() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.jsonl");
        let mut quarantine = quarantine(&path);
        add(&mut quarantine);
        assert_eq!(quarantine.finish().unwrap().unwrap(), path);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["memory_quarantine"], 1);
        assert_eq!(lines[0]["source"]["kind"], "jarvis");
        assert_eq!(
            lines[1],
            json!({
                "class": "quarantined", "table": "entities", "key": "id=42",
                "reason": "column e is not UTF-8",
                "values": {
                    "a": null, "b": i64::MIN, "c": 1.0, "d": {"real": "inf"},
                    "e": {"text_hex": "6100ff"}, "f": {"blob_hex": "00ff"},
                },
                "context": {"parallel": "true"},
            })
        );
        // 1.0 is a real, and stays one in the text.
        assert!(text.contains(r#""c":1.0"#), "{text}");
    }

    #[test]
    fn a_run_without_such_rows_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.jsonl");
        assert!(quarantine(&path).finish().unwrap().is_none());
        assert!(!path.exists());
    }

    #[test]
    fn a_failed_run_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.jsonl");
        let mut quarantine = quarantine(&path);
        add(&mut quarantine);
        assert!(partial(&path).exists());
        drop(quarantine);
        assert!(!partial(&path).exists() && !path.exists());
    }

    #[test]
    fn another_file_of_that_name_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.jsonl");
        let mut quarantine = quarantine(&path);
        add(&mut quarantine);
        std::fs::write(&path, "mine").unwrap();
        quarantine.finish().unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }
}
