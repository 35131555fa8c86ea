//! Files whose tables have no constraint and no type, so that every storage class gets in.

use rusqlite::Connection;
use serde_json::Value;

use super::seed::{Cell, Seed};

/// A file that was made, with what it holds.
pub(super) struct Made {
    connection: Connection,
    /// How many rows each table has.
    pub(super) rows: Vec<(&'static str, u64)>,
    /// What is to stand for each sound row.
    pub(super) sound: Vec<Sound>,
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
    pub(super) fn new(connection: Connection, schema: &str) -> Made {
        connection
            .execute_batch(&format!("pragma synchronous = off; {schema}"))
            .unwrap();
        Made {
            connection,
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
            let marks = vec!["?"; row.cells.len()].join(", ");
            let sql = format!("insert into {name} values ({marks})");
            let cells = rusqlite::params_from_iter(&row.cells);
            self.connection.execute(&sql, cells).unwrap();
            if seed.hostile.is_empty() {
                sound.push(number);
                self.sound.push(row.sound);
            }
        }
        self.rows.push((name, seeds.len() as u64));
        sound
    }
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
