//! Texts of a store on a terminal: on one line, and without what would steer the terminal.

/// The most characters of an excerpt.
const SHOWN: usize = 100;

/// How many characters stand before what was looked for.
const BEFORE: usize = 30;

/// How many characters of a text are looked at: a text may have many millions.
const LOOKED_AT: usize = 100_000;

/// White space as single spaces, and other control characters as replacement characters.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().map(harmless).collect()
}

fn harmless(letter: char) -> char {
    // Characters that turn the direction of writing could show a text as another.
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if letter.is_control() || turns {
        char::REPLACEMENT_CHARACTER
    } else {
        letter
    }
}

/// A piece of a text around the first word that was looked for, or its beginning.
pub(super) fn excerpt(text: &str, looked_for: &str) -> String {
    let start: String = text.chars().take(LOOKED_AT).collect();
    let text: Vec<char> = one_line(&start).chars().collect();
    let place = looked_for
        .split_whitespace()
        .find_map(|word| position(&text, word))
        .unwrap_or(0);
    let from = if text.len() <= SHOWN {
        0
    } else {
        place.saturating_sub(BEFORE)
    };
    let to = text.len().min(from + SHOWN);
    let mut shown: String = text[from..to].iter().collect();
    if from > 0 {
        shown.insert(0, '…');
    }
    if to < text.len() {
        shown.push('…');
    }
    shown
}

fn position(text: &[char], word: &str) -> Option<usize> {
    let lower = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    let word: Vec<char> = word.chars().map(lower).collect();
    text.windows(word.len())
        .position(|window| window.iter().zip(&word).all(|(a, b)| lower(*a) == *b))
}

#[cfg(test)]
mod tests {
    use super::{excerpt, one_line};

    #[test]
    fn a_text_is_one_line_that_steers_no_terminal() {
        assert_eq!(one_line(" a\n\tb  c "), "a b c");
        assert_eq!(one_line("a\u{1b}[31mred"), "a\u{fffd}[31mred");
        assert_eq!(one_line("a\u{202e}b"), "a\u{fffd}b");
    }

    #[test]
    fn an_excerpt_is_around_what_was_looked_for() {
        assert_eq!(excerpt("I take the train", "TRAIN"), "I take the train");
        assert_eq!(excerpt("", "train"), "");
        let long = format!("{} Train {}", "x".repeat(200), "y".repeat(200));
        let shown = excerpt(&long, "none train");
        let wanted = format!("…{} Train {}…", "x".repeat(29), "y".repeat(64));
        assert_eq!(shown, wanted);
        assert_eq!(
            excerpt(&"x".repeat(101), "y"),
            format!("{}…", "x".repeat(100))
        );
    }
}
