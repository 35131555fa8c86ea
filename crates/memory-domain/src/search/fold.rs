use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::{DefaultIgnorableCodePoint, NoncharacterCodePoint};

/// Brings a text into the form in which it is compared: Unicode NFKC with full case folding.
///
/// What is not seen (soft hyphens, joiners, variation selectors) goes; a zero-width space is a
/// space; every apostrophe is `'`; a noncharacter, which separates the values of an index, is
/// U+FFFD. Accents stay: `é` is not `e`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let noncharacter = CodePointSetData::new::<NoncharacterCodePoint>();
    let seen: String = text
        .chars()
        .filter_map(|c| match c {
            c if c.is_ascii() => Some(c),
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' => Some('\''),
            '\u{200b}' => Some(' '),
            c if ignorable.contains(c) => None,
            c if noncharacter.contains(c) => Some(char::REPLACEMENT_CHARACTER),
            c => Some(c),
        })
        .collect();
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let composed = nfkc.normalize(&seen);
    // Folding can take a text out of its normal form.
    let folded = CaseMapper::new().fold_string(&composed);
    nfkc.normalize(&folded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn texts_that_read_the_same_are_the_same() {
        for (given, folded) in [
            ("", ""),
            ("Hello, World", "hello, world"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("ΟΔΥΣΣΕΎΣ", "οδυσσεύσ"),
            ("e\u{301}", "é"),
            ("ﬁle", "file"),
            ("Ｃ＋＋", "c++"),
            ("ｶﾞ", "ガ"),
            ("don’t", "don't"),
            ("donʼt", "don't"),
            ("co\u{ad}operate", "cooperate"),
            ("a\u{200b}b", "a b"),
            ("❤\u{fe0f}", "❤"),
            ("\u{fdd0}", "\u{fffd}"),
            ("İ", "i\u{307}"),
        ] {
            assert_eq!(fold(given), folded, "{given:?}");
        }
    }
}
