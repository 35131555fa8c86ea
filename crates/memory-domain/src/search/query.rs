use uuid::Uuid;

use super::fold::fold;
use super::tenant::TenantTerms;
use super::terms::{Terms, bounded, left_edge, right_edge, touch};
use super::unit::{Class, Unit, units};
use crate::limits::SEARCH_TEXT_BYTES;
use crate::text::bounded as bounded_text;
use crate::{ContextType, EntityType, InvalidInput, Role, SessionId, Timestamp, key_text};

/// The most words that are looked for next to each other. More are looked for in runs of so many,
/// of which each must be found.
pub(super) const PHRASE_WORDS: usize = 64;

/// The most trigrams of a substring that are looked up: a few tell enough.
const GRAMS: usize = 24;

/// What to look for. Nothing in the text is syntax: every character stands for itself.
///
/// | mode | what is found |
/// | --- | --- |
/// | [`Words`](SearchMode::Words) | what has every piece of the text, wherever. Pieces are what white space separates; the words of a piece stand next to each other (`multi-agent`, `don't`), and its symbols touch what they touch in it (`C++`, `@nasa`, `GB/s`) |
/// | [`Phrase`](SearchMode::Phrase) | what has all words next to each other, in their order |
/// | [`Prefix`](SearchMode::Prefix) | as words, and the last word may go on |
/// | [`Substring`](SearchMode::Substring) | what has the very characters, spaces and punctuation included |
///
/// Text is compared folded (see [`fold`](super::fold)). Punctuation without a word or symbol asks
/// for nothing, and finds nothing; so does the empty text. A run of Chinese, Japanese or Korean
/// characters is found wherever it stands in a longer one. A substring is found by an index from
/// three characters on, and else by looking at every text.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    /// What was typed: at most 512 bytes.
    pub text: String,
    /// How it is looked for.
    pub mode: SearchMode,
    /// Where it is looked for.
    pub scope: SearchScope,
    /// What else a hit must be.
    pub filter: SearchFilter,
    /// Only hits that come after this place.
    pub after: Option<SearchCursor>,
}

impl SearchQuery {
    /// Looks for all words of a text, among messages and nodes.
    pub fn words(text: impl Into<String>) -> SearchQuery {
        SearchQuery {
            text: text.into(),
            mode: SearchMode::Words,
            scope: SearchScope::Everything,
            filter: SearchFilter::default(),
            after: None,
        }
    }

    /// Looks for the words next to each other.
    pub fn phrase(text: impl Into<String>) -> SearchQuery {
        SearchQuery::words(text).with_mode(SearchMode::Phrase)
    }

    /// Looks for all words, of which the last may go on.
    pub fn prefix(text: impl Into<String>) -> SearchQuery {
        SearchQuery::words(text).with_mode(SearchMode::Prefix)
    }

    /// Looks for the very characters.
    pub fn substring(text: impl Into<String>) -> SearchQuery {
        SearchQuery::words(text).with_mode(SearchMode::Substring)
    }

    /// Sets how it is looked for.
    pub fn with_mode(mut self, mode: SearchMode) -> SearchQuery {
        self.mode = mode;
        self
    }

    /// Sets where it is looked for.
    pub fn with_scope(mut self, scope: SearchScope) -> SearchQuery {
        self.scope = scope;
        self
    }

    /// Sets what else a hit must be.
    pub fn with_filter(mut self, filter: SearchFilter) -> SearchQuery {
        self.filter = filter;
        self
    }

    /// Goes on after a hit.
    pub fn after(mut self, cursor: SearchCursor) -> SearchQuery {
        self.after = Some(cursor);
        self
    }

    /// Checks the query and says what an index is asked for.
    ///
    /// # Errors
    /// A text of more than 512 bytes, as it is given or folded, or one with U+0000; a tag that is
    /// no key text.
    pub fn prepared(self) -> Result<Search, InvalidInput> {
        bounded_text("text", &self.text, 0, SEARCH_TEXT_BYTES)?;
        let folded = fold(&self.text);
        bounded_text("text", &folded, 0, SEARCH_TEXT_BYTES)?;
        let wanted = match self.mode {
            SearchMode::Substring if folded.is_empty() => Wanted::Nothing,
            SearchMode::Substring => Wanted::Substring(folded),
            mode => requirements(&folded, mode),
        };
        Ok(Search {
            wanted,
            scope: self.scope,
            filter: self.filter.validated()?,
            after: self.after,
        })
    }
}

/// How a text is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SearchMode {
    /// All its words.
    #[default]
    Words,
    /// Its words next to each other.
    Phrase,
    /// All its words, of which the last may go on.
    Prefix,
    /// Its characters.
    Substring,
}

/// Where a text is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SearchScope {
    /// Among messages and nodes.
    #[default]
    Everything,
    /// Among messages.
    Messages,
    /// Among nodes.
    Nodes,
}

/// What else a hit must be: every condition that is set. A node has no session and no role, a
/// message no type and no tag, so a condition on one of them excludes the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchFilter {
    /// Only messages of this session.
    pub session: Option<SessionId>,
    /// Only messages of this role.
    pub role: Option<Role>,
    /// Only nodes of this context type.
    pub context_type: Option<ContextType>,
    /// Only nodes of this entity type.
    pub entity_type: Option<EntityType>,
    /// Only nodes with this tag, in any case.
    pub tag: Option<String>,
    /// Only what was created at this moment or later.
    pub from: Option<Timestamp>,
    /// Only what was created at this moment or earlier.
    pub to: Option<Timestamp>,
}

impl SearchFilter {
    fn validated(mut self) -> Result<SearchFilter, InvalidInput> {
        self.tag = self.tag.map(|tag| tag.to_lowercase());
        if let Some(tag) = &self.tag {
            key_text("tag", tag)?;
        }
        Ok(self)
    }

    fn excludes_messages(&self) -> bool {
        self.context_type.is_some() || self.entity_type.is_some() || self.tag.is_some()
    }

    fn excludes_nodes(&self) -> bool {
        self.session.is_some() || self.role.is_some()
    }
}

/// A place among hits: those in a title first, then the newest, then the smaller id; of a message
/// and a node with one id, the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchCursor {
    /// Whether the last hit was in a title.
    pub in_title: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its id.
    pub id: Uuid,
    /// Whether it was a node.
    pub is_node: bool,
}

/// A query that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// What an index is asked for.
    pub wanted: Wanted,
    /// Where; see [`Search::messages`] and [`Search::nodes`].
    pub scope: SearchScope,
    /// What else a hit must be.
    pub filter: SearchFilter,
    /// Only hits that come after this place.
    pub after: Option<SearchCursor>,
}

impl Search {
    /// Whether messages can be hits.
    pub fn messages(&self) -> bool {
        self.scope != SearchScope::Nodes && !self.filter.excludes_messages()
    }

    /// Whether nodes can be hits.
    pub fn nodes(&self) -> bool {
        self.scope != SearchScope::Messages && !self.filter.excludes_nodes()
    }
}

/// What an index is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: there are no hits.
    Nothing,
    /// All of these.
    Words(Vec<Requirement>),
    /// This folded text.
    Substring(String),
}

impl Wanted {
    /// The trigrams by which a substring is looked up: at most 24 of them. None for a text of fewer
    /// than three characters.
    pub fn grams(tenant: &TenantTerms, substring: &str) -> Vec<i32> {
        let grams = tenant.grams(substring);
        let step = grams.len().div_ceil(GRAMS).max(1);
        grams.into_iter().step_by(step).collect()
    }
}

/// Terms that a message or node must have somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Words next to each other in this order.
    Phrase {
        /// The words.
        words: Vec<String>,
        /// Whether the last one may go on.
        prefix: bool,
    },
    /// A symbol, or a pair with one.
    Mark {
        /// The mark.
        mark: String,
        /// Whether it may go on.
        prefix: bool,
    },
}

impl Requirement {
    /// The terms as the index has them, in their order, and whether the last one may go on.
    pub fn led(&self, tenant: &TenantTerms) -> (Vec<String>, bool) {
        match self {
            Requirement::Phrase { words, prefix } => (
                words.iter().map(|word| tenant.word(word)).collect(),
                *prefix,
            ),
            Requirement::Mark { mark, prefix } => (vec![tenant.mark(mark)], *prefix),
        }
    }
}

fn requirements(folded: &str, mode: SearchMode) -> Wanted {
    let mut wanted = Vec::new();
    if mode == SearchMode::Phrase {
        require(folded, false, &mut wanted);
    } else {
        let mut pieces = folded.split_whitespace().peekable();
        while let Some(piece) = pieces.next() {
            // The last piece that asks for anything.
            let last = pieces.clone().all(|piece| units(piece).next().is_none());
            require(piece, last && mode == SearchMode::Prefix, &mut wanted);
        }
    }
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        Wanted::Nothing
    } else {
        Wanted::Words(wanted)
    }
}

/// Requires one piece: its words next to each other, and its symbols with what they touch.
fn require(piece: &str, prefix: bool, wanted: &mut Vec<Requirement>) {
    let units: Vec<Unit<'_>> = units(piece).collect();
    let Some(last) = units.last() else {
        return;
    };
    let mut words = Terms::of(piece).words;
    let last_word = units.iter().rfind(|unit| unit.class != Class::Symbol);
    let mut word_prefix = prefix && last.class == Class::Word;
    if let Some(run) = last_word.filter(|unit| unit.class == Class::Cjk) {
        if run.text.chars().nth(1).is_some() {
            // The last character alone says that nothing follows it, which nobody asked for.
            words.pop();
        } else {
            // It is there alone, or as the beginning of a pair.
            word_prefix = true;
        }
    }
    phrases(&words, word_prefix, wanted);

    for (at, unit) in units.iter().enumerate() {
        let is_last = at + 1 == units.len();
        let before = at.checked_sub(1).map(|at| &units[at]);
        let pair = before.filter(|before| touch(before, unit));
        if let Some(before) = pair {
            let mark = format!("{}{}", right_edge(before), left_edge(unit));
            let prefix = prefix && is_last && unit.class != Class::Cjk;
            wanted.push(Requirement::Mark { mark, prefix });
        }
        let alone = pair.is_none() && units.get(at + 1).is_none_or(|next| !next.glued);
        if unit.class == Class::Symbol && alone {
            wanted.push(Requirement::Mark {
                mark: bounded(unit.text).to_owned(),
                prefix: prefix && is_last,
            });
        }
    }
}

fn phrases(words: &[String], prefix: bool, wanted: &mut Vec<Requirement>) {
    let mut from = 0;
    while from < words.len() {
        let to = (from + PHRASE_WORDS).min(words.len());
        // The last run is a whole one too: it begins in the one before.
        let begin = to.saturating_sub(PHRASE_WORDS).min(from);
        wanted.push(Requirement::Phrase {
            words: words[begin..to].to_vec(),
            prefix: prefix && to == words.len(),
        });
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::{Requirement, SearchMode, SearchQuery, Wanted};

    /// Phrases as they are, marks in brackets, `…` behind what may go on.
    fn wanted(text: &str, mode: SearchMode) -> Vec<String> {
        let query = SearchQuery::words(text).with_mode(mode);
        let ellipsis = |prefix: &bool| if *prefix { "…" } else { "" };
        match query.prepared().unwrap().wanted {
            Wanted::Nothing => Vec::new(),
            Wanted::Substring(text) => vec![text],
            Wanted::Words(requirements) => requirements
                .iter()
                .map(|requirement| match requirement {
                    Requirement::Phrase { words, prefix } => words.join(" ") + ellipsis(prefix),
                    Requirement::Mark { mark, prefix } => format!("[{mark}]{}", ellipsis(prefix)),
                })
                .collect(),
        }
    }

    #[test]
    fn what_is_typed_is_no_syntax() {
        for (text, words) in [
            ("", vec![]),
            (" \" ' - ", vec![]),
            ("multi-agent", vec!["multi agent"]),
            ("Big news", vec!["big", "news"]),
            ("news news", vec!["news"]),
            ("GB/s", vec!["gb s", "[/s]", "[gb/]"]),
            ("don't", vec!["don t"]),
            ("@nasa", vec!["nasa", "[@nasa]"]),
            ("C++", vec!["c", "[c++]"]),
            ("a\"b", vec!["a b"]),
            ("AND", vec!["and"]),
            ("col:val", vec!["col val"]),
            ("*", vec!["[*]"]),
            ("100%", vec!["100", "[100%]"]),
            ("_", vec!["[_]"]),
            ("北京", vec!["北京"]),
            ("北京大", vec!["北京 京大"]),
            ("北", vec!["北…"]),
            ("한국어", vec!["한국 국어"]),
            ("🦀", vec!["[🦀]"]),
            ("手机/x", vec!["手机 机 x", "[/x]", "[机/]"]),
        ] {
            assert_eq!(wanted(text, SearchMode::Words), words, "{text}");
        }
    }

    #[test]
    fn a_prefix_is_the_last_word() {
        for (text, words) in [
            ("big ne", vec!["big", "ne…"]),
            ("big ne -", vec!["big", "ne…"]),
            ("multi-ag", vec!["multi ag…"]),
            ("@na", vec!["na…", "[@na]…"]),
            ("c+", vec!["c", "[c+]…"]),
            ("+", vec!["[+]…"]),
            ("北京", vec!["北京"]),
        ] {
            assert_eq!(wanted(text, SearchMode::Prefix), words, "{text}");
        }
        assert_eq!(wanted("Big ne", SearchMode::Phrase), ["big ne"]);
        assert_eq!(wanted("Big ne ", SearchMode::Substring), ["big ne "]);
    }

    #[test]
    fn a_long_phrase_is_looked_for_in_runs() {
        let text = vec!["x"; 100].join(" ");
        let runs = wanted(&text, SearchMode::Phrase);
        assert_eq!(runs, [vec!["x"; 64].join(" ")]);
        let text: Vec<String> = (0..70).map(|number| number.to_string()).collect();
        let runs = wanted(&text.join(" "), SearchMode::Phrase);
        assert_eq!(runs, [text[..64].join(" "), text[6..].join(" ")]);
    }

    #[test]
    fn at_most_512_bytes_are_looked_for() {
        assert!(SearchQuery::words("x".repeat(512)).prepared().is_ok());
        assert!(SearchQuery::words("x".repeat(513)).prepared().is_err());
        // Folded, a character of three bytes has 33.
        assert!(SearchQuery::words("ﷺ".repeat(16)).prepared().is_err());
        assert!(SearchQuery::words("a\0").prepared().is_err());
    }
}
