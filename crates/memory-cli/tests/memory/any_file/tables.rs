//! Files whose tables have no constraint and no type, so that every storage class gets in; or whose
//! lines have whatever is written there.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::seed::{Cell, Seed, quote};

/// A file that was made, with what it holds.
pub(super) struct Made {
    place: Place,
    /// How many rows each table has.
    pub(super) rows: Vec<(&'static str, u64)>,
    /// What is to stand for each sound row.
    pub(super) sound: Vec<Sound>,
}

/// Where rows are put.
enum Place {
    Tables(Connection),
    /// JSON Lines, with the keys of a line.
    Lines(File, &'static [&'static str]),
}

/// What is to stand in the target for a sound row.
#[derive(Debug)]
pub(super) struct Sound {
    /// The record's kind.
    pub(super) kind: &'static str,
    /// Some of its fields, with which it is the only one; the first names it for a person.
    pub(super) fields: Vec<(&'static str, Value)>,
    /// Whether a named rule changes something of it.
    pub(super) is_ruled: bool,
}

/// A row whose values are all sound.
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) sound: Sound,
}

impl Made {
    /// A SQLite file with these tables.
    pub(super) fn tables(path: &Path, schema: &str) -> Made {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(&format!("pragma synchronous = off; {schema}"))
            .unwrap();
        Made::new(Place::Tables(connection))
    }

    /// A file of JSON Lines, of which each has these keys.
    pub(super) fn lines(path: &Path, keys: &'static [&'static str]) -> Made {
        Made::new(Place::Lines(File::create(path).unwrap(), keys))
    }

    fn new(place: Place) -> Made {
        Made {
            place,
            rows: Vec::new(),
            sound: Vec::new(),
        }
    }

    /// Adds a row for each seed, and says which of them are sound, by their numbers.
    pub(super) fn table(
        &mut self,
        name: &'static str,
        seeds: &[Seed],
        row: impl Fn(usize, &Seed) -> Row,
    ) -> Vec<usize> {
        let mut sound = Vec::new();
        for (number, seed) in seeds.iter().enumerate() {
            let mut row = row(number, seed);
            for (column, cell) in &seed.hostile {
                let column = column % row.cells.len();
                row.cells[column] = cell.clone();
            }
            match &mut self.place {
                Place::Tables(connection) => {
                    let marks = vec!["?"; row.cells.len()].join(", ");
                    let sql = format!("insert into {name} values ({marks})");
                    let cells = rusqlite::params_from_iter(&row.cells);
                    connection.execute(&sql, cells).unwrap();
                }
                Place::Lines(file, keys) => {
                    let hostile = !seed.hostile.is_empty();
                    file.write_all(&line(keys, &row.cells, hostile)).unwrap();
                }
            }
            if seed.hostile.is_empty() {
                sound.push(number);
                self.sound.push(row.sound);
            }
        }
        self.rows.push((name, seeds.len() as u64));
        sound
    }
}

/// A line of values. In a hostile one a text that looks like an object or array is written as one,
/// and a blob is all of the line.
fn line(keys: &[&str], cells: &[Cell], is_hostile: bool) -> Vec<u8> {
    let mut line = Vec::new();
    for (key, cell) in std::iter::zip(keys, cells) {
        let joint = if line.is_empty() { "{" } else { ", " };
        write!(line, "{joint}\"{key}\": ").unwrap();
        match cell {
            Cell::Value(Sql::Null) => line.extend(b"null"),
            Cell::Value(Sql::Integer(integer)) => write!(line, "{integer}").unwrap(),
            Cell::Value(Sql::Real(real)) => write!(line, "{real:?}").unwrap(),
            Cell::Value(Sql::Text(text)) if is_hostile && text.starts_with(['{', '[']) => {
                line.extend(text.bytes());
            }
            Cell::Value(Sql::Text(text)) => {
                let mut quoted = String::new();
                quote(text, &mut quoted);
                line.extend(quoted.bytes());
            }
            Cell::Value(Sql::Blob(bytes)) => {
                line = [b"[", &bytes[..]].concat();
                break;
            }
            Cell::Json(text) => line.extend(text.bytes()),
            Cell::Bytes(bytes) => line.extend([b"\"", &bytes[..], b"\""].concat()),
        }
    }
    if line.first() == Some(&b'{') {
        line.push(b'}');
    }
    // Or it would be two lines.
    for byte in &mut line {
        if *byte == b'\n' {
            *byte = b' ';
        }
    }
    line.push(b'\n');
    line
}

/// Only those of which some row is sound can refer to something; without one there are none.
pub(super) fn referring<'s>(seeds: &'s [Seed], to: &[usize]) -> &'s [Seed] {
    if to.is_empty() { &[] } else { seeds }
}

pub(super) fn texts(texts: &[&str]) -> Vec<Cell> {
    texts
        .iter()
        .map(|text| Cell::Value((*text).to_owned().into()))
        .collect()
}

pub(super) fn integer(integer: i64) -> Cell {
    Cell::Value(integer.into())
}

pub(super) fn real(real: f64) -> Cell {
    Cell::Value(real.into())
}

pub(super) fn null() -> Cell {
    Cell::Value(Sql::Null)
}
