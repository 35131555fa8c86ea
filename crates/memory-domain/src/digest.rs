use std::fmt::{self, Debug, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::InvalidInput;

/// A BLAKE3 digest of an entity's canonical encoding. It does not depend on the backend.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// Takes over a digest that was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Display for Digest {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl FromStr for Digest {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Digest, InvalidInput> {
        match blake3::Hash::from_hex(text) {
            Ok(hash) => Ok(Digest(*hash.as_bytes())),
            Err(_) => Err(InvalidInput::new(
                "digest",
                text,
                "give 64 hexadecimal digits",
            )),
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Digest, InvalidInput> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The digest of many records in the order in which they are added.
#[derive(Clone, Default)]
pub struct DigestChain(blake3::Hasher);

impl DigestChain {
    /// Adds the next record's digest.
    pub fn add(&mut self, digest: Digest) {
        self.0.update(&digest.0);
    }

    /// The digest of all that was added.
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

impl Debug for DigestChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestChain({})", self.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn a_digest_reads_back() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert!("x".parse::<Digest>().is_err());
    }
}
