//! A `tsvector` made here, term by term: the server parses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;
use memory_domain::SEPARATOR;

/// PostgreSQL's type.
#[derive(Debug, Clone, Copy, SqlType)]
#[diesel(postgres_type(oid = 3614, array_oid = 3643))]
pub(crate) struct TsVector;

/// The words of a chunk with their places, and its marks without one.
#[derive(Debug)]
pub(crate) struct Lexemes<'a> {
    pub(crate) words: &'a [String],
    pub(crate) marks: &'a BTreeSet<String>,
}

impl Lexemes<'_> {
    /// Source: PostgreSQL, `tsvectorrecv` in `tsvector.c`: how many lexemes; then for each its text
    /// with a zero byte, how many places, and the places, ascending, from 1.
    pub(crate) fn encode(
        &self,
        out: &mut impl Write,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut lexemes: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
        for mark in self.marks {
            lexemes.insert(mark, Vec::new());
        }
        for (place, word) in (1..).zip(self.words) {
            // What separates two values has a place and is no word.
            if !word.starts_with(SEPARATOR) {
                lexemes.entry(word).or_default().push(place);
            }
        }
        out.write_all(&u32::try_from(lexemes.len())?.to_be_bytes())?;
        for (lexeme, places) in lexemes {
            out.write_all(lexeme.as_bytes())?;
            out.write_all(&[0])?;
            out.write_all(&u16::try_from(places.len())?.to_be_bytes())?;
            for place in places {
                out.write_all(&place.to_be_bytes())?;
            }
        }
        Ok(())
    }
}

impl ToSql<TsVector, Pg> for Lexemes<'_> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.encode(out)?;
        Ok(IsNull::No)
    }
}
