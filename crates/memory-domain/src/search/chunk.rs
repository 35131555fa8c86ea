use std::collections::{BTreeSet, HashMap};

use super::document::{FieldId, IndexPlace};
use super::fold::fold;
use super::query::PHRASE_WORDS;
use super::tenant::TenantTerms;
use super::terms::{Term, each_term};
use crate::limits::SEARCH_TEXT_BYTES;

/// A bounded part of what is indexed of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexChunk {
    /// In which part of the entity the field is.
    pub place: IndexPlace,
    /// Which field it is.
    pub field: FieldId,
    /// The part's number within the field: 0, 1, 2, …
    pub part: i32,
    /// The folded text, to see whether a substring is really there; [`SEPARATOR`] between values.
    pub text: String,
    /// The text's trigrams, sorted.
    pub grams: Vec<i32>,
    /// The words in their order, led by the tenant's mark; [`SEPARATOR`] between values.
    pub words: Vec<String>,
    /// The marks, led by the tenant's mark.
    pub marks: BTreeSet<String>,
}

/// Stands between two values of a field, so that nothing is found across them. It is in no folded
/// text, and no word.
pub const SEPARATOR: char = '\u{fdd0}';

/// The most bytes of text of a chunk. A trigram of a chunk of prose then occurs a few times, and
/// looking whether a substring is there is cheap.
const CHUNK_BYTES: usize = 8 * 1024;
/// The most words of a chunk: about as many as prose of so many bytes has.
const CHUNK_WORDS: usize = 1_500;
/// The most marks of a chunk.
const CHUNK_MARKS: usize = 2_000;
/// The most bytes of words of a chunk: a few short of what a PostgreSQL `tsvector` must not reach
/// (1 MiB), and few enough for a row.
const CHUNK_WORD_BYTES: usize = 64 * 1024;
/// The most places of one word in a chunk: PostgreSQL keeps 255 and drops the others.
const PLACES_OF_A_WORD: usize = 255;

/// Cuts the values of a field into chunks: the text by bytes and the words by number, each with
/// enough of an overlap for the longest substring and the longest phrase that can be asked for.
/// Marks are looked for one at a time, and need none. A field without any text has no chunk.
pub(super) fn chunks<'a>(
    tenant: &TenantTerms,
    place: IndexPlace,
    field: FieldId,
    values: impl Iterator<Item = &'a str>,
) -> Vec<IndexChunk> {
    let mut text = String::new();
    let mut windows = WordWindows::new(tenant);
    for value in values.filter(|value| !value.is_empty()) {
        let folded = fold(value);
        if text.is_empty() {
            text = folded;
            windows.value(&text);
            continue;
        }
        text.push(SEPARATOR);
        text.push_str(&folded);
        windows.push_word(SEPARATOR.to_string());
        windows.value(&folded);
    }
    let texts = cut(&text);
    let words = windows.end();
    let parts = texts.len().max(words.len());
    let mut texts = texts.into_iter();
    let mut words = words.into_iter();
    (0..parts)
        .map(|part| {
            let text = texts.next().unwrap_or_default();
            let window = words.next().unwrap_or_default();
            IndexChunk {
                place,
                field,
                part: i32::try_from(part).expect("64 MiB have fewer parts"),
                text: text.to_owned(),
                grams: tenant.grams(text),
                words: window.words,
                marks: window.marks,
            }
        })
        .collect()
}

fn cut(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > CHUNK_BYTES {
        let end = rest.floor_char_boundary(CHUNK_BYTES);
        parts.push(&rest[..end]);
        rest = &rest[rest.floor_char_boundary(end - SEARCH_TEXT_BYTES)..];
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

#[derive(Debug, Default)]
struct Window {
    words: Vec<String>,
    marks: BTreeSet<String>,
}

struct WordWindows<'t> {
    tenant: &'t TenantTerms,
    done: Vec<Window>,
    window: Window,
    bytes: usize,
    /// How often each word of the window is there, once it has so many words that it matters.
    places: HashMap<String, usize>,
}

impl<'t> WordWindows<'t> {
    fn new(tenant: &'t TenantTerms) -> WordWindows<'t> {
        WordWindows {
            tenant,
            done: Vec::new(),
            window: Window::default(),
            bytes: 0,
            places: HashMap::new(),
        }
    }

    fn value(&mut self, folded: &str) {
        let tenant = self.tenant;
        each_term(folded, |term| match term {
            Term::Word(word) => self.push_word(tenant.word(word)),
            Term::Mark(mark) => self.push_mark(tenant.mark(mark)),
        });
    }

    fn push_word(&mut self, word: String) {
        if self.is_full(&word) {
            self.close();
        }
        self.bytes += word.len();
        if let Some(places) = self.places.get_mut(&word) {
            *places += 1;
        } else if self.window.words.len() >= PLACES_OF_A_WORD {
            self.places.insert(word.clone(), 1);
        }
        self.window.words.push(word);
    }

    fn is_full(&mut self, word: &str) -> bool {
        if self.window.words.len() == PLACES_OF_A_WORD && self.places.is_empty() {
            for word in &self.window.words {
                *self.places.entry(word.clone()).or_default() += 1;
            }
        }
        self.window.words.len() >= CHUNK_WORDS
            || self.bytes + word.len() > CHUNK_WORD_BYTES
            || self
                .places
                .get(word)
                .is_some_and(|places| *places >= PLACES_OF_A_WORD)
    }

    fn push_mark(&mut self, mark: String) {
        if self.window.marks.len() >= CHUNK_MARKS {
            self.close();
        }
        self.window.marks.insert(mark);
    }

    /// Begins the next window with the last words of this one.
    fn close(&mut self) {
        let words = &self.window.words;
        let overlap = words[words.len().saturating_sub(PHRASE_WORDS - 1)..].to_vec();
        self.bytes = overlap.iter().map(String::len).sum();
        self.places.clear();
        let marks = BTreeSet::new();
        let next = Window {
            words: overlap,
            marks,
        };
        self.done.push(std::mem::replace(&mut self.window, next));
    }

    fn end(mut self) -> Vec<Window> {
        if !self.window.words.is_empty() || !self.window.marks.is_empty() {
            self.done.push(self.window);
        }
        self.done
    }
}
