//! The report of a comparison as text for a terminal.

use std::fmt::{self, Display};

use super::{Difference, VerifyReport};
use crate::text::{Table, counted};

impl Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "a  {}", self.a)?;
        writeln!(f, "b  {}", self.b)?;
        if let Some(tenant) = &self.tenant {
            writeln!(f, "of tenant {tenant}")?;
        }
        writeln!(f)?;
        let headings = [
            "table",
            "equal",
            "different",
            "only in a",
            "only in b",
            "digest a",
            "digest b",
        ];
        let mut table = Table::new(headings);
        for row in &self.tables {
            table.line(vec![
                row.table.table().to_owned(),
                row.equal.to_string(),
                row.different.to_string(),
                row.missing_in_b.to_string(),
                row.missing_in_a.to_string(),
                row.digest_a.chars().take(12).collect(),
                row.digest_b.chars().take(12).collect(),
            ]);
        }
        table.print(f, "")?;
        writeln!(f)?;
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        let more = self.difference_count - self.differences.len() as u64;
        if more > 0 {
            writeln!(f, "… and {more} more")?;
        }
        if self.is_equal() {
            writeln!(f, "both hold the same")
        } else {
            writeln!(f, "{}", counted(self.difference_count, "difference"))
        }
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::MissingInA { key } => write!(f, "{key}: only in b"),
            Difference::MissingInB { key } => write!(f, "{key}: only in a"),
            Difference::Fields { key, fields } => {
                write!(f, "{key}:")?;
                for field in fields {
                    let a = field.a.as_deref().unwrap_or("(not there)");
                    let b = field.b.as_deref().unwrap_or("(not there)");
                    write!(f, "\n  {}: a has {a}, b has {b}", field.field)?;
                }
                Ok(())
            }
        }
    }
}
