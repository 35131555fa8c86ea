/// Whether a name is so like a known one that it is a typo of it: one letter in four may differ. Of a
/// short one, such as `MODE`, no letter may: too many other words are that near.
pub(super) fn is_near(name: &str, known: &str) -> bool {
    distance(name, known) <= known.len().saturating_sub(1) / 4
}

/// How many letters are to be put in, left out or replaced to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, is_near};

    #[test]
    fn a_distance_counts_letters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ssl_mode", "sslmode"), 1);
    }

    #[test]
    fn a_short_name_is_near_to_none_but_itself() {
        assert!(is_near("sslmod", "sslmode"));
        assert!(!is_near("model", "mode"));
        assert!(!is_near("file_path", "slow_statement"));
    }
}
