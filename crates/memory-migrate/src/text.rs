//! What reports need to print values and tables.

use std::fmt::{self, Write};

/// How many characters of a value a report shows.
const SHOWN_CHARS: usize = 60;

/// How many examples or findings of one sort a report names.
pub(crate) const SHOWN_FINDINGS: usize = 20;

/// Shortens a value and escapes what a terminal would act on, or a database refuses in JSON.
pub(crate) fn shorten(value: &str) -> String {
    let mut shown = String::new();
    for (index, character) in value.chars().enumerate() {
        if index == SHOWN_CHARS {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// Lines of cells, printed so that columns align: the first to the left, numbers to the right.
pub(crate) struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    /// Begins with the headings.
    pub(crate) fn new<'t>(headings: impl IntoIterator<Item = &'t str>) -> Table {
        let headings = headings.into_iter().map(str::to_owned).collect();
        Table {
            lines: vec![headings],
        }
    }

    /// Adds a line; it has as many cells as there are headings.
    pub(crate) fn line(&mut self, cells: Vec<String>) {
        self.lines.push(cells);
    }

    /// Leaves out the columns, beside the first `keep`, in which no line has anything but `0`.
    pub(crate) fn without_empty_columns(mut self, keep: usize) -> Table {
        let columns = self.lines.first().map_or(0, Vec::len);
        let used: Vec<bool> = (0..columns)
            .map(|column| {
                column < keep || self.lines.iter().skip(1).any(|line| line[column] != "0")
            })
            .collect();
        for line in &mut self.lines {
            let mut column = 0;
            line.retain(|_| {
                column += 1;
                used[column - 1]
            });
        }
        self
    }

    /// Prints it, each line led by `indent`.
    pub(crate) fn print(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let columns = self.lines.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let lengths = self.lines.iter().map(|line| line[column].chars().count());
            lengths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for line in &self.lines {
            let mut text = String::from(indent);
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                if column == 0 {
                    write!(text, "{cell:<width$}")?;
                } else {
                    write!(text, "  {cell:>width$}")?;
                }
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, shorten};

    #[test]
    fn a_long_or_wild_value_is_made_fit_for_a_terminal() {
        assert_eq!(shorten("안녕"), "안녕");
        assert_eq!(shorten("a\0b\u{1b}[2J"), "a\\u{0}b\\u{1b}[2J");
        assert_eq!(shorten(&"x".repeat(1000)).chars().count(), 61);
    }

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }
}
