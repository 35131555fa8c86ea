use std::fmt::Display;

/// A value that a rule of the domain refuses: which field, what was given, and what would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {field} {value}: {problem}")]
pub struct InvalidInput {
    /// The path of the field, such as `metadata.source[2]`.
    pub field: String,
    /// What was given, quoted, and shortened where it is long.
    pub value: String,
    /// What is wrong with it and what would be accepted.
    pub problem: String,
}

/// How many characters of a refused value an error shows.
const SHOWN_CHARS: usize = 60;

impl InvalidInput {
    /// Describes a refused value; a long one is shortened.
    pub fn new(
        field: impl Into<String>,
        value: impl Display,
        problem: impl Into<String>,
    ) -> InvalidInput {
        let whole = value.to_string();
        let mut shown: String = whole.chars().take(SHOWN_CHARS).collect();
        if shown.len() < whole.len() {
            shown.push('…');
        }
        InvalidInput {
            field: field.into(),
            value: format!("{shown:?}"),
            problem: problem.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InvalidInput;

    #[test]
    fn names_field_value_and_remedy() {
        let error = InvalidInput::new("strength", 1.5, "give a number from 0 to 1");
        assert_eq!(
            error.to_string(),
            r#"invalid strength "1.5": give a number from 0 to 1"#
        );
    }

    #[test]
    fn a_long_value_is_shortened() {
        let error = InvalidInput::new("name", "x".repeat(1000), "too long");
        assert!(error.to_string().len() < 120, "{error}");
    }
}
