use crate::InvalidInput;
use crate::limits::{LISTING_DEFAULT, LISTING_MAX};

/// How many rows a listing may return: 0 to 1,000, by default 50. Zero gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u32);

impl Limit {
    /// The most that one call returns.
    pub const MAX: Limit = Limit(LISTING_MAX);

    /// Accepts a number of rows.
    ///
    /// # Errors
    /// More than 1,000 is refused: page on from the last row instead.
    pub fn new(rows: u32) -> Result<Limit, InvalidInput> {
        if rows > LISTING_MAX {
            let problem =
                format!("at most {LISTING_MAX} rows a call; page on with the last row's cursor");
            return Err(InvalidInput::new("limit", rows, problem));
        }
        Ok(Limit(rows))
    }

    /// The number of rows.
    pub const fn rows(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Limit(LISTING_DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::Limit;

    #[test]
    fn a_limit_is_at_most_1000_and_50_by_default() {
        assert_eq!(Limit::default().rows(), 50);
        assert_eq!(Limit::new(1_000).unwrap(), Limit::MAX);
        assert!(Limit::new(1_001).is_err());
        assert_eq!(Limit::new(0).unwrap().rows(), 0);
    }
}
