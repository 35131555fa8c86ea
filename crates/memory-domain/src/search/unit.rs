use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// What a character is to a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter, digit or mark.
    Word,
    /// A character of Chinese, Japanese or Korean, which are written without spaces or whose words
    /// are looked for by their parts.
    Cjk,
    /// What a text is told apart by though it is no word: `+`, `@`, `%`, an emoji.
    Symbol,
    /// Spaces and the punctuation of sentences: it only separates.
    Other,
}

/// ASCII that Unicode counts as punctuation but that `@nasa`, `GB/s` and `100%` are known by.
const SYMBOLS: &str = "#%&*@_/\\$+<=>|~";

fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() {
            Class::Word
        } else if SYMBOLS.contains(c) {
            Class::Symbol
        } else {
            Class::Other
        };
    }
    if is_cjk(c) {
        return Class::Cjk;
    }
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::UppercaseLetter
        | GeneralCategory::LowercaseLetter
        | GeneralCategory::TitlecaseLetter
        | GeneralCategory::ModifierLetter
        | GeneralCategory::OtherLetter
        | GeneralCategory::NonspacingMark
        | GeneralCategory::SpacingMark
        | GeneralCategory::EnclosingMark
        | GeneralCategory::DecimalNumber
        | GeneralCategory::LetterNumber
        | GeneralCategory::OtherNumber => Class::Word,
        // Not the modifier symbols: a skin tone does not make another emoji of one.
        GeneralCategory::MathSymbol
        | GeneralCategory::CurrencySymbol
        | GeneralCategory::OtherSymbol => Class::Symbol,
        _ => Class::Other,
    }
}

/// By block, after NFKC: the scripts Han, Hiragana, Katakana, Bopomofo and Hangul, with the marks
/// that repeat or lengthen a character.
fn is_cjk(c: char) -> bool {
    matches!(
        u32::from(c),
        0x1100..=0x11FF
            | 0x2E80..=0x2FDF
            | 0x3005..=0x3007
            | 0x3021..=0x3029
            | 0x3031..=0x3035
            | 0x3038..=0x303C
            | 0x3041..=0x3096
            | 0x3099..=0x309A
            | 0x309D..=0x309F
            | 0x30A1..=0x30FA
            | 0x30FC..=0x30FF
            | 0x3105..=0x312F
            | 0x3131..=0x318E
            | 0x31A0..=0x31BF
            | 0x31F0..=0x31FF
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xA960..=0xA97F
            | 0xAC00..=0xD7FF
            | 0xF900..=0xFAFF
            | 0x1_B000..=0x1_B16F
            | 0x2_0000..=0x3_FFFD
    )
}

/// A run of characters that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit<'a> {
    pub(super) class: Class,
    pub(super) text: &'a str,
    /// Whether it stands right behind the unit before it.
    pub(super) glued: bool,
}

/// The units of a folded text, without what only separates them: runs of word characters, runs of
/// CJK characters, runs of one and the same ASCII symbol, and every other symbol by itself.
pub(super) fn units(folded: &str) -> impl Iterator<Item = Unit<'_>> {
    let mut at = 0;
    let mut glued = false;
    std::iter::from_fn(move || {
        loop {
            let rest = &folded[at..];
            let first = rest.chars().next()?;
            let class = class(first);
            let length = match class {
                Class::Other => {
                    at += first.len_utf8();
                    glued = false;
                    continue;
                }
                Class::Symbol if !first.is_ascii() => first.len_utf8(),
                Class::Symbol => run(rest, |c| c == first),
                Class::Word | Class::Cjk => run(rest, |c| self::class(c) == class),
            };
            at += length;
            let text = &rest[..length];
            let unit = Unit { class, text, glued };
            glued = true;
            return Some(unit);
        }
    })
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}
