use std::collections::BTreeSet;

use super::unit::{Class, Unit, units};

/// A longer word or symbol is known by its first bytes.
const TERM_BYTES: usize = 128;

/// The terms of a folded text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The words in their order, where they stand next to each other if nothing but separators and
    /// symbols is between them. A run of Chinese, Japanese or Korean characters gives each pair of
    /// neighbours, and its last character alone.
    pub words: Vec<String>,
    /// The symbols, and each pair of units that touch and of which one is a symbol: `c++`, `gb/`
    /// and `/s`. They have no place, so that `**bold** text` has `bold text` in it.
    pub marks: BTreeSet<String>,
}

impl Terms {
    /// The terms of a text that was folded.
    pub fn of(folded: &str) -> Terms {
        let mut terms = Terms::default();
        each_term(folded, |term| match term {
            Term::Word(word) => terms.words.push(word.to_owned()),
            Term::Mark(mark) => {
                terms.marks.insert(mark.to_owned());
            }
        });
        terms
    }
}

pub(super) enum Term<'a> {
    Word(&'a str),
    Mark(&'a str),
}

/// Gives each term of a folded text in its order.
pub(super) fn each_term(folded: &str, mut give: impl FnMut(Term<'_>)) {
    let mut before: Option<Unit<'_>> = None;
    let mut pair = String::new();
    for unit in units(folded) {
        if let Some(before) = before.filter(|before| touch(before, &unit)) {
            pair.clear();
            pair.push_str(right_edge(&before));
            pair.push_str(left_edge(&unit));
            give(Term::Mark(&pair));
        }
        match unit.class {
            Class::Cjk => bigrams(unit.text, |gram| give(Term::Word(gram))),
            Class::Symbol => give(Term::Mark(bounded(unit.text))),
            Class::Word | Class::Other => give(Term::Word(bounded(unit.text))),
        }
        before = Some(unit);
    }
}

/// Whether two units make a pair: one stands right behind the other, and one is a symbol.
pub(super) fn touch(before: &Unit<'_>, unit: &Unit<'_>) -> bool {
    unit.glued && (before.class == Class::Symbol || unit.class == Class::Symbol)
}

/// What a pair takes of its first unit.
pub(super) fn right_edge<'a>(unit: &Unit<'a>) -> &'a str {
    match unit.class {
        Class::Cjk => {
            let last = unit.text.char_indices().next_back();
            last.map_or("", |(at, _)| &unit.text[at..])
        }
        _ => bounded(unit.text),
    }
}

/// What a pair takes of its second unit.
pub(super) fn left_edge<'a>(unit: &Unit<'a>) -> &'a str {
    match unit.class {
        Class::Cjk => {
            let first = unit.text.chars().next().map_or(0, char::len_utf8);
            &unit.text[..first]
        }
        _ => bounded(unit.text),
    }
}

/// Each pair of neighbours, and the last character alone: so that a character by itself is found
/// as the beginning of a pair, wherever it stands.
fn bigrams(run: &str, mut give: impl FnMut(&str)) {
    let mut ends = run.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut start = 0;
    let mut middle = ends.next().unwrap_or_default();
    for end in ends {
        give(&run[start..end]);
        (start, middle) = (middle, end);
    }
    give(&run[start..middle]);
}

pub(super) fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(TERM_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::Terms;
    use crate::search::fold;

    fn terms(text: &str) -> (Vec<String>, Vec<String>) {
        let terms = Terms::of(&fold(text));
        (terms.words, terms.marks.into_iter().collect())
    }

    #[test]
    fn words_keep_their_order_and_symbols_their_neighbours() {
        for (text, words, marks) in [
            ("", vec![], vec![]),
            (" - !?", vec![], vec![]),
            ("Hello, World", vec!["hello", "world"], vec![]),
            ("multi-agent", vec!["multi", "agent"], vec![]),
            ("don't", vec!["don", "t"], vec![]),
            ("don’t", vec!["don", "t"], vec![]),
            ("a\"b", vec!["a", "b"], vec![]),
            ("col:val", vec!["col", "val"], vec![]),
            ("GB/s", vec!["gb", "s"], vec!["/", "/s", "gb/"]),
            ("@nasa", vec!["nasa"], vec!["@", "@nasa"]),
            ("C++", vec!["c"], vec!["++", "c++"]),
            ("100%", vec!["100"], vec!["%", "100%"]),
            ("* _", vec![], vec!["*", "_"]),
            (
                "**bold** text",
                vec!["bold", "text"],
                vec!["**", "**bold", "bold**"],
            ),
            ("北京", vec!["北京", "京"], vec![]),
            ("東", vec!["東"], vec![]),
            ("한국어", vec!["한국", "국어", "어"], vec![]),
            ("iPhone手机", vec!["iphone", "手机", "机"], vec![]),
            ("手机/x", vec!["手机", "机", "x"], vec!["/", "/x", "机/"]),
            ("🦀🦀", vec![], vec!["🦀", "🦀🦀"]),
            ("👍🏽 ok", vec!["ok"], vec!["👍"]),
        ] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let marks: Vec<String> = marks.into_iter().map(str::to_owned).collect();
            assert_eq!(terms(text), (words, marks), "{text}");
        }
    }

    #[test]
    fn a_long_word_is_known_by_its_first_bytes() {
        let (words, _) = terms(&"é".repeat(100));
        assert_eq!(words, ["é".repeat(64)]);
    }
}
