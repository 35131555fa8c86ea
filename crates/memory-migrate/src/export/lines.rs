//! The lines of a file, with their numbers, in bounded memory.

use std::io::{self, BufRead, Read};

use super::format::LINE_BYTES;

/// Reads line by line.
pub(super) struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// The number of the line that was read last, from 1 on.
    pub(super) number: u64,
    line: Vec<u8>,
}

/// What came.
pub(super) enum Line<'a> {
    /// A line, without its line feed.
    Whole(&'a [u8]),
    /// The last line, which has no line feed.
    Unfinished(&'a [u8]),
    /// A line of more than [`LINE_BYTES`].
    TooLong,
    /// There is no more.
    End,
}

impl Lines {
    pub(super) fn new(reader: Box<dyn BufRead + Send>) -> Lines {
        Lines {
            reader,
            number: 0,
            line: Vec::new(),
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Line<'_>> {
        if self.line.capacity() > KEPT_BYTES {
            // One long line does not keep its room for ever.
            self.line = Vec::new();
        }
        self.line.clear();
        let mut limited = (&mut self.reader).take(LINE_BYTES + 1);
        let read = limited.read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(Line::End);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            Ok(Line::Whole(&self.line))
        } else if read as u64 > LINE_BYTES {
            Ok(Line::TooLong)
        } else {
            Ok(Line::Unfinished(&self.line))
        }
    }
}

/// Lines are rarely longer.
const KEPT_BYTES: usize = 1024 * 1024;
