//! The commands that keep a store in order, a file each.

pub(crate) mod backup;
pub(crate) mod check;
mod excerpt;
pub(crate) mod optimize;
pub(crate) mod restore;
pub(crate) mod search;
pub(crate) mod stats;

use std::fmt::Write;

/// `1.5 MiB`: a size for people.
#[expect(
    clippy::cast_precision_loss,
    reason = "one decimal of a size for people"
)]
fn shown_bytes(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{size:.1} {unit}")
    }
}

/// Lines of cells in columns: the first to the left, the others to the right.
fn columns(lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for line in lines {
        for (column, cell) in line.iter().enumerate() {
            let width = width(column);
            let _ = if column == 0 {
                write!(text, "{cell:<width$}")
            } else {
                write!(text, "  {cell:>width$}")
            };
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::shown_bytes;

    #[test]
    fn a_size_has_the_unit_in_which_it_is_short() {
        assert_eq!(shown_bytes(0), "0 B");
        assert_eq!(shown_bytes(1023), "1023 B");
        assert_eq!(shown_bytes(1024), "1.0 KiB");
        assert_eq!(shown_bytes(1_572_864), "1.5 MiB");
    }
}
