use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use crate::LegacyKind;
use crate::sqlite_file::MAGIC;

/// How much of a file is looked at.
const BYTES: u64 = 4 * 1024 * 1024;

/// What the first lines of a file show.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Lines of a kind that can be read.
    Known(LegacyKind),
    /// A file of `memory export`.
    Export,
    /// A quarantine of `memory migrate`.
    Quarantine,
    /// JSON objects with these keys, which are of no known kind.
    Unknown(Vec<String>),
    /// Something else, or nothing.
    Nothing,
}

/// Looks at the first lines of a file, of which the first that tells decides: others may be broken.
/// A file that cannot be read shows nothing, which whoever opens it will say better.
pub(crate) fn look(path: &Path) -> Seen {
    let mut start = Vec::new();
    // A pipe would be empty afterwards.
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let read = || File::open(path)?.take(BYTES).read_to_end(&mut start);
    if !is_file || { read }().is_err() {
        return Seen::Nothing;
    }
    if start.starts_with(MAGIC) {
        // Its cells may hold anything.
        return Seen::Nothing;
    }
    let mut unknown = None;
    for line in start.split(|byte| *byte == b'\n') {
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line) else {
            continue;
        };
        let has = |key: &&str| object.contains_key(*key);
        if object.get("format").and_then(Value::as_str) == Some("memory-export") {
            return Seen::Export;
        }
        if has(&"memory_quarantine") {
            return Seen::Quarantine;
        }
        let is_of = |kind: &LegacyKind| {
            kind.lines()
                .is_some_and(|lines| lines.marks.iter().all(&has))
        };
        if let Some(kind) = LegacyKind::ALL.into_iter().find(is_of) {
            return Seen::Known(kind);
        }
        unknown.get_or_insert_with(|| object.keys().cloned().collect());
    }
    unknown.map_or(Seen::Nothing, Seen::Unknown)
}
