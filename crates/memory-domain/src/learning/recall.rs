use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::limits::{RECALL_NAMES, RECALL_TERM_BYTES, RECALL_WORDS};
use crate::{InvalidInput, Node, fold, free_text};

/// The score of a node whose name is a term, case-folded.
pub const RECALL_NAME: f64 = 1.0;
/// The score of a node whose name has a term in it.
pub const RECALL_PART: f64 = 0.7;
/// What the weight of a way to a node is multiplied by, at depth 1 and 2: 0.6 to the depth.
pub const RECALL_FADES: [f64; 2] = [0.6, 0.36];

/// The score of a node by a compound with one that was named: `min(0.9, 0.5 + 0.1 × occurrences)`.
#[expect(
    clippy::cast_precision_loss,
    reason = "from the fourth occurrence on the score is the same"
)]
pub fn compound_score(occurrences: i64) -> f64 {
    (0.5 + 0.1 * occurrences as f64).min(0.9)
}

/// A node that came to mind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recalled {
    /// The node.
    pub node: Node,
    /// The best of its scores, from 0 to 1.
    pub score: f64,
}

/// What a text is looked up by, all folded as search folds it.
///
/// The text is cut at spaces; what is not a letter or digit goes from both ends of each word, but
/// for `+` and `#` at its end. The first 64 words count, and the first 1,000 names of up to 512
/// bytes: enough for every run of words, and for a few hundred characters of a text without spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecallTerms {
    /// What may be a whole name: each run of one to four words, and of a word with Chinese, Japanese
    /// or Korean in it each run of two to four characters.
    pub names: Vec<String>,
    /// What may be a part of a name: each word of three characters or more, but for the commonest
    /// words of English.
    pub parts: Vec<String>,
}

/// The most words of a name that is looked for whole.
const PHRASE: usize = 4;

/// English words that are in many names and name nothing by themselves.
const COMMON: [&str; 40] = [
    "about", "and", "any", "are", "but", "can", "did", "does", "for", "from", "get", "had", "has",
    "have", "her", "him", "his", "how", "its", "let", "not", "our", "out", "she", "tell", "that",
    "the", "them", "they", "this", "was", "what", "when", "where", "which", "who", "why", "with",
    "you", "your",
];

impl RecallTerms {
    /// Cuts a text into terms.
    ///
    /// # Errors
    /// The text must be a free text: up to 64 MiB, no U+0000.
    pub fn of(text: &str) -> Result<RecallTerms, InvalidInput> {
        free_text("text", text)?;
        let folded = fold(text);
        let words: Vec<&str> = folded
            .split_whitespace()
            .map(word)
            .filter(|word| !word.is_empty())
            .take(RECALL_WORDS)
            .collect();
        let mut names = Distinct::new(RECALL_NAMES);
        let mut parts = Distinct::new(RECALL_WORDS);
        for (start, word) in words.iter().enumerate() {
            for end in start + 1..=words.len().min(start + PHRASE) {
                names.push(words[start..end].join(" "));
            }
            if word.chars().any(is_cjk) {
                // No more of them than there may be names: the word may be a whole book.
                let characters: Vec<char> = word.chars().take(RECALL_NAMES).collect();
                for start in 0..characters.len() {
                    let lengths = 2..=PHRASE.min(characters.len() - start);
                    for length in lengths {
                        names.push(characters[start..start + length].iter().collect());
                    }
                }
            }
            if word.chars().nth(2).is_some() && !COMMON.contains(word) {
                parts.push((*word).to_owned());
            }
        }
        Ok(RecallTerms {
            names: names.list,
            parts: parts.list,
        })
    }
}

/// Terms in the order in which they came, each once, the first so many.
struct Distinct {
    most: usize,
    list: Vec<String>,
    seen: HashSet<String>,
}

impl Distinct {
    fn new(most: usize) -> Distinct {
        Distinct {
            most,
            list: Vec::new(),
            seen: HashSet::new(),
        }
    }

    fn push(&mut self, text: String) {
        let fits = self.list.len() < self.most && text.len() <= RECALL_TERM_BYTES;
        if fits && self.seen.insert(text.clone()) {
            self.list.push(text);
        }
    }
}

fn word(piece: &str) -> &str {
    let piece = piece.trim_start_matches(|c: char| !c.is_alphanumeric());
    piece.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '+' && c != '#')
}

/// Whether a character is written without spaces around words: Han, kana or Hangul.
fn is_cjk(c: char) -> bool {
    matches!(
        c,
        '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::{RecallTerms, compound_score};

    fn terms(text: &str) -> (Vec<String>, Vec<String>) {
        let terms = RecallTerms::of(text).unwrap();
        (terms.names, terms.parts)
    }

    #[test]
    fn words_are_folded_and_freed_of_what_stands_around_them() {
        let (names, parts) = terms("(C++), \"Rust\"; don’t: src/lib.rs!");
        assert!(names.starts_with(&["c++".to_owned(), "c++ rust".to_owned()]));
        assert_eq!(parts, ["c++", "rust", "don't", "src/lib.rs"]);
        assert_eq!(terms(" - ?! "), (vec![], vec![]));
    }

    #[test]
    fn a_name_may_have_up_to_four_words() {
        let (names, _) = terms("a b c d e");
        let wanted = [
            "a", "a b", "a b c", "a b c d", "b", "b c", "b c d", "b c d e", "c", "c d", "c d e",
            "d", "d e", "e",
        ];
        assert_eq!(names, wanted);
    }

    #[test]
    fn a_part_has_three_characters_and_is_no_common_word() {
        let (names, parts) = terms("The IT of the GPU and Straße, the GPU");
        assert!(names.contains(&"it".to_owned()) && names.contains(&"the".to_owned()));
        assert_eq!(parts, ["gpu", "strasse"]);
    }

    #[test]
    fn where_words_are_not_spaced_each_run_may_be_a_name() {
        let (names, parts) = terms("我去北京");
        for name in ["我去北京", "我去", "去北", "北京", "我去北", "去北京"] {
            assert!(names.contains(&name.to_owned()), "{name} of {names:?}");
        }
        assert_eq!(names.len(), 6);
        assert_eq!(parts, ["我去北京"]);
    }

    #[test]
    fn the_first_64_words_count() {
        let words: Vec<String> = (100..200).map(|n| n.to_string()).collect();
        let (_, parts) = terms(&words.join(" "));
        assert_eq!(parts, words[..64]);
        assert_eq!(RecallTerms::of("a\0b").unwrap_err().field, "text");
    }

    #[test]
    fn a_text_without_spaces_has_no_more_terms_than_another() {
        let book: String = ('\u{4e00}'..='\u{9fff}').collect();
        let (names, parts) = terms(&book);
        // Three runs begin at each character.
        assert_eq!(names.len(), 1_000);
        assert_eq!((&*names[0], &*names[999]), ("一丁", "\u{4f4d}\u{4f4e}"));
        assert!(parts.is_empty());
        let long = "x".repeat(513);
        assert_eq!(terms(&long), (vec![], vec![]));
        assert_eq!(terms(&long[1..]).1.len(), 1);
    }

    #[test]
    fn a_compound_scores_up_to_nine_tenths() {
        for (occurrences, score) in [(1, 0.6), (2, 0.7), (4, 0.9), (5, 0.9), (i64::MAX, 0.9)] {
            assert!((compound_score(occurrences) - score).abs() < 1e-12);
        }
    }
}
