use std::fmt::{self, Debug};

/// A password. Nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes a password as it is typed, not percent-encoded.
    pub fn new(password: impl Into<String>) -> Password {
        Password(password.into())
    }

    /// Hands the password out, for the driver.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
