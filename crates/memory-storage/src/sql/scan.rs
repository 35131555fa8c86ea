//! Reads SQL as far as telling what is text, name or comment from what is a parameter.

use memory_domain::InvalidInput;

/// Whose SQL it is: the two agree on less than it seems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlDialect {
    /// Names in backquotes and brackets; no dollar quotes, escapes or comments within comments.
    Sqlite,
    /// Dollar quotes, `E''` and comments within comments.
    Postgres,
}

/// A statement that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedSql {
    /// What stands before, between and after the parameters.
    pub pieces: Vec<String>,
    /// The statement without its literals, for a log.
    pub shape: String,
    /// The first word, in lower case.
    pub(super) verb: String,
    /// What `explain` is asked about: the first word after it, or after `query plan`.
    pub(super) explained: Option<String>,
}

impl ScannedSql {
    /// Whether it changes no row by itself, whatever it calls.
    pub fn only_looks(&self) -> bool {
        matches!(
            &*self.verb,
            "select" | "values" | "table" | "explain" | "show"
        )
    }

    /// How many parameters it has.
    pub fn parameters(&self) -> usize {
        self.pieces.len() - 1
    }
}

/// A statement's text without its literals, for a log; as much of it as can be read.
pub fn shape(sql: &str, dialect: SqlDialect) -> String {
    let mut scanner = Scanner::new(sql, dialect);
    // What is not a statement of the escape hatch is one of our own.
    let _ = scanner.run();
    scanner.shape
}

pub(super) fn scan(sql: &str, dialect: SqlDialect) -> Result<ScannedSql, InvalidInput> {
    let mut scanner = Scanner::new(sql, dialect);
    scanner
        .run()
        .map_err(|problem| InvalidInput::new("sql", &scanner.shape, problem))?;
    let Some(verb) = scanner.verb else {
        return Err(InvalidInput::new("sql", "", "give a statement"));
    };
    Ok(ScannedSql {
        pieces: scanner.pieces,
        shape: scanner.shape,
        verb,
        explained: scanner.explained,
    })
}

struct Scanner<'a> {
    sql: &'a str,
    dialect: SqlDialect,
    at: usize,
    pieces: Vec<String>,
    shape: String,
    verb: Option<String>,
    explained: Option<String>,
    ended: bool,
}

type Scanned = Result<(), &'static str>;

impl<'a> Scanner<'a> {
    fn new(sql: &'a str, dialect: SqlDialect) -> Scanner<'a> {
        Scanner {
            sql,
            dialect,
            at: 0,
            pieces: vec![String::new()],
            shape: String::new(),
            verb: None,
            explained: None,
            ended: false,
        }
    }

    fn run(&mut self) -> Scanned {
        while let Some(next) = self.rest().chars().next() {
            if self.comment()? {
                continue;
            }
            if next.is_ascii_whitespace() {
                self.take(1, true);
                continue;
            }
            if next == ';' {
                // Not passed on: what ends a statement is the driver's business.
                self.ended = true;
                self.at += 1;
                continue;
            }
            if self.ended {
                return Err("give one statement, not several");
            }
            self.token(next)?;
        }
        Ok(())
    }

    fn token(&mut self, next: char) -> Scanned {
        let postgres = self.dialect == SqlDialect::Postgres;
        match next {
            '\0' => Err("remove the character U+0000"),
            '\'' => self.literal(false),
            '"' => self.quoted('"'),
            '`' if !postgres => self.quoted('`'),
            '[' if !postgres => self.quoted(']'),
            '?' => self.question_mark(),
            '$' if postgres => self.dollar(),
            '$' | ':' | '@' | '#' if !postgres && self.second().is_some_and(in_name) => {
                Err("parameters are written ?")
            }
            c if c.is_ascii_digit() => {
                self.number();
                Ok(())
            }
            c if begins_name(c) => self.word(),
            c => {
                self.take(c.len_utf8(), true);
                Ok(())
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.sql[self.at..]
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    /// Passes on so many bytes.
    fn take(&mut self, length: usize, shown: bool) {
        let text = &self.sql[self.at..self.at + length];
        if let Some(piece) = self.pieces.last_mut() {
            piece.push_str(text);
        }
        if shown {
            self.shape.push_str(text);
        }
        self.at += length;
    }

    /// Passes on so many bytes of a literal.
    fn hide(&mut self, length: usize) {
        self.take(length, false);
        self.shape.push('?');
    }

    /// Takes a comment, which becomes a space: it is nobody's business what it says.
    fn comment(&mut self) -> Result<bool, &'static str> {
        let rest = self.rest();
        let length = if rest.starts_with("--") {
            let ends: &[char] = match self.dialect {
                SqlDialect::Postgres => &['\n', '\r'],
                SqlDialect::Sqlite => &['\n'],
            };
            rest.find(ends).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            self.block_comment().ok_or("a comment does not end")?
        } else {
            return Ok(false);
        };
        self.at += length;
        for text in self.pieces.last_mut().into_iter().chain([&mut self.shape]) {
            text.push(' ');
        }
        Ok(true)
    }

    fn block_comment(&self) -> Option<usize> {
        let bytes = self.rest().as_bytes();
        let (mut depth, mut at) = (1, 2);
        while depth > 0 {
            match bytes.get(at..at + 2)? {
                b"*/" => {
                    depth -= 1;
                    at += 2;
                }
                b"/*" if self.dialect == SqlDialect::Postgres => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        Some(at)
    }

    /// A text between apostrophes; with escapes if it is an `E''` of PostgreSQL.
    fn literal(&mut self, escapes: bool) -> Scanned {
        let rest = self.rest();
        let mut length = closed(rest, 0, '\'', escapes).ok_or("a literal does not end")?;
        // What follows on another line belongs to it, under the same rules.
        while let Some(next) = escapes.then(|| continuation(&rest[length..])).flatten() {
            length = closed(rest, length + next, '\'', true).ok_or("a literal does not end")?;
        }
        self.hide(length);
        Ok(())
    }

    /// A name between quotes.
    fn quoted(&mut self, end: char) -> Scanned {
        let rest = self.rest();
        let length = match end {
            // Nothing stands for a bracket within brackets.
            ']' => rest.find(']').map(|at| at + 1),
            quote => closed(rest, 0, quote, false),
        };
        self.take(length.ok_or("a quoted name does not end")?, true);
        Ok(())
    }

    fn question_mark(&mut self) -> Scanned {
        match self.second() {
            Some('?') if self.dialect == SqlDialect::Postgres => {
                self.at += 1;
                self.take(1, true);
                Ok(())
            }
            Some('?') => Err("SQLite has no operator ?"),
            Some(c) if c.is_ascii_digit() => Err("parameters are written ? and have no numbers"),
            _ => {
                self.at += 1;
                // Apart from its neighbours, so that it becomes part of no name or number.
                if let Some(piece) = self.pieces.last_mut() {
                    piece.push(' ');
                }
                self.pieces.push(" ".to_owned());
                self.shape.push('?');
                Ok(())
            }
        }
    }

    fn dollar(&mut self) -> Scanned {
        let rest = self.rest();
        let tag = rest[1..]
            .find(|c: char| !in_tag(c))
            .map(|end| &rest[..end + 2]);
        match (self.second(), tag) {
            (Some(c), _) if c.is_ascii_digit() => Err("parameters are written ?"),
            (_, Some(tag)) if tag.ends_with('$') => {
                let body = &rest[tag.len()..];
                let end = body.find(tag).ok_or("a dollar quote does not end")?;
                self.hide(end + 2 * tag.len());
                Ok(())
            }
            _ => {
                self.take(1, true);
                Ok(())
            }
        }
    }

    fn number(&mut self) {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| {
            let digit = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'_');
            bytes[from..].iter().take_while(digit).count()
        };
        let mut length = digits(0);
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            if bytes.get(length + 1 + sign).is_some_and(u8::is_ascii_digit) {
                length += 1 + sign + digits(length + 1 + sign);
            }
        }
        self.hide(length);
    }

    fn word(&mut self) -> Scanned {
        let rest = self.rest();
        let length = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        let word = rest[..length].to_ascii_lowercase();
        let escapes = self.dialect == SqlDialect::Postgres && word == "e";
        match self.verb.as_deref() {
            None => self.verb = Some(word),
            Some("explain") if !matches!(&*word, "query" | "plan") => {
                self.explained.get_or_insert(word);
            }
            Some(_) => {}
        }
        self.take(length, true);
        if escapes && self.rest().starts_with('\'') {
            return self.literal(true);
        }
        Ok(())
    }
}

/// Where a quoted text that begins at `from` ends.
fn closed(text: &str, from: usize, quote: char, escapes: bool) -> Option<usize> {
    let mut chars = text[from + 1..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some(from + 1 + at + 1);
        }
    }
    None
}

/// How far it is to the apostrophe with which a literal of PostgreSQL goes on: over white space
/// with a line's end in it, and over comments after that.
fn continuation(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut lines = 0;
    loop {
        let rest = &text[at..];
        match rest.chars().next()? {
            '\'' if lines > 0 => return Some(at),
            '\n' | '\r' => {
                lines += 1;
                at += 1;
            }
            c if c.is_ascii_whitespace() || c == '\x0b' => at += 1,
            '-' if rest.starts_with("--") => at += rest.find(['\n', '\r'])?,
            _ => return None,
        }
    }
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn in_name(c: char) -> bool {
    begins_name(c) || c.is_ascii_digit() || c == '$'
}

fn in_tag(c: char) -> bool {
    begins_name(c) || c.is_ascii_digit()
}

#[cfg(test)]
mod tests;
