use serde::{Deserialize, Serialize};

use crate::text::{SHOWN_FINDINGS, shorten};

/// How many rows something was found about, with the first of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Findings {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Finding>,
}

/// What was found about one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The source's table.
    pub table: String,
    /// The row.
    pub key: String,
    /// What was found.
    pub reason: String,
    /// What stands in the way, for a conflict.
    pub standing: Option<String>,
}

impl Findings {
    /// Counts a finding, and keeps it if it is one of the first.
    pub(crate) fn add(&mut self, table: &str, key: &str, reason: &str, standing: Option<String>) {
        self.count += 1;
        if self.first.len() < SHOWN_FINDINGS {
            self.first.push(Finding {
                table: table.to_owned(),
                key: shorten(key),
                // A reason is our own sentence, but may quote what the source holds.
                reason: reason.chars().flat_map(printable).collect(),
                standing,
            });
        }
    }
}

fn printable(character: char) -> Vec<char> {
    if character.is_control() {
        character.escape_default().collect()
    } else {
        vec![character]
    }
}
