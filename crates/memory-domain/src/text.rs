use crate::InvalidInput;
use crate::limits::{FREE_TEXT_BYTES, KEY_TEXT_BYTES, LABEL_BYTES, PATH_BYTES};

/// Accepts an indexed text: 1 to 512 bytes, no U+0000. It is stored as given, trimmed of nothing.
///
/// # Errors
/// Names `field` when the text is empty, too long or holds U+0000.
pub fn key_text(field: &str, text: &str) -> Result<(), InvalidInput> {
    bounded(field, text, 1, KEY_TEXT_BYTES)
}

/// Accepts a relationship's label: 0 to 512 bytes, no U+0000.
///
/// # Errors
/// Names `field` when the text is too long or holds U+0000.
pub fn label_text(field: &str, text: &str) -> Result<(), InvalidInput> {
    bounded(field, text, 0, LABEL_BYTES)
}

/// Accepts a file's path: 1 to 1,024 bytes, no U+0000.
///
/// # Errors
/// Names `field` when the path is empty, too long or holds U+0000.
pub fn path_text(field: &str, path: &str) -> Result<(), InvalidInput> {
    bounded(field, path, 1, PATH_BYTES)
}

/// Accepts a free text: up to 64 MiB, no U+0000.
///
/// # Errors
/// Names `field` when the text is too long or holds U+0000.
pub fn free_text(field: &str, text: &str) -> Result<(), InvalidInput> {
    bounded(field, text, 0, FREE_TEXT_BYTES)
}

/// Accepts a text of `min` to `max` bytes without U+0000, which PostgreSQL cannot store.
pub(crate) fn bounded(field: &str, text: &str, min: usize, max: usize) -> Result<(), InvalidInput> {
    if text.len() < min {
        return Err(InvalidInput::new(field, text, "it must not be empty"));
    }
    if text.len() > max {
        let problem = format!("it has {} bytes; at most {max} are allowed", text.len());
        return Err(InvalidInput::new(field, text, problem));
    }
    if text.contains('\0') {
        return Err(InvalidInput::new(
            field,
            text,
            "remove the character U+0000",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{free_text, key_text, label_text, path_text};

    #[test]
    fn a_key_text_has_1_to_512_bytes() {
        assert!(key_text("name", "").is_err());
        assert!(key_text("name", " ").is_ok());
        assert!(key_text("name", &"é".repeat(256)).is_ok());
        assert!(key_text("name", &"x".repeat(513)).is_err());
    }

    #[test]
    fn a_path_has_1_to_1024_bytes() {
        assert!(path_text("path", "").is_err());
        assert!(path_text("path", &"é".repeat(512)).is_ok());
        assert!(path_text("path", &"x".repeat(1_025)).is_err());
    }

    #[test]
    fn a_label_may_be_empty() {
        assert!(label_text("label", "").is_ok());
        assert!(label_text("label", &"x".repeat(513)).is_err());
    }

    #[test]
    fn u0000_is_refused_and_the_field_named() {
        let error = free_text("content", "a\0b").unwrap_err();
        assert_eq!(error.field, "content");
        assert_eq!(error.value, r#""a\0b""#);
    }

    #[test]
    fn a_free_text_has_up_to_64_mib() {
        let limit = "x".repeat(64 * 1024 * 1024);
        assert!(free_text("content", &limit).is_ok());
        assert!(free_text("content", &(limit + "x")).is_err());
    }
}
