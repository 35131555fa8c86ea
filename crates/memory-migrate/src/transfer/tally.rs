use std::collections::BTreeMap;

use memory_domain::{Digest, RecordKind};
use serde::{Deserialize, Serialize};

/// How many records of each kind were inserted, and the sum of their digests: what the ledger must
/// hold in the end, told without remembering any of them.
///
/// The sum, of 256 bits, does not depend on the order, because the ledger is read in another one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tally(BTreeMap<RecordKind, Sum>);

/// A count of digests and their sum modulo 2²⁵⁶.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) count: u64,
    /// The lower half first.
    #[serde(with = "in_digits")]
    sum: [u128; 2],
}

/// Written as text, because a number in JSON has 64 bits.
mod in_digits {
    use memory_domain::Digest;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        sum: &[u128; 2],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&sum[0].to_le_bytes());
        bytes[16..].copy_from_slice(&sum[1].to_le_bytes());
        Digest::from_bytes(bytes).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u128; 2], D::Error> {
        let (low, high) = super::halves(Digest::deserialize(deserializer)?);
        Ok([low, high])
    }
}

impl Tally {
    /// Counts a record that was inserted.
    pub(crate) fn add(&mut self, kind: RecordKind, digest: Digest) {
        self.0.entry(kind).or_default().add(digest);
    }

    /// What was inserted of a kind.
    pub(crate) fn of(&self, kind: RecordKind) -> Sum {
        self.0.get(&kind).copied().unwrap_or_default()
    }
}

impl Sum {
    pub(crate) fn add(&mut self, digest: Digest) {
        let (low, high) = halves(digest);
        let (low, carry) = self.sum[0].overflowing_add(low);
        self.sum[0] = low;
        self.sum[1] = self.sum[1].wrapping_add(high).wrapping_add(carry.into());
        self.count += 1;
    }
}

fn halves(digest: Digest) -> (u128, u128) {
    let (low, high) = digest.as_bytes().split_at(16);
    let half = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |sum: u128, byte| (sum << 8) | u128::from(*byte))
    };
    (half(low), half(high))
}

#[cfg(test)]
mod tests {
    use memory_domain::Digest;

    use super::Sum;

    #[test]
    fn the_order_does_not_matter_and_every_digest_does() {
        let digests: Vec<Digest> = (0..5_u8).map(|byte| Digest::of(&[byte])).collect();
        let mut forth = Sum::default();
        let mut back = Sum::default();
        for digest in &digests {
            forth.add(*digest);
        }
        for digest in digests.iter().rev() {
            back.add(*digest);
        }
        assert_eq!(forth, back);

        let mut other = Sum::default();
        for digest in &digests[1..] {
            other.add(*digest);
        }
        other.add(Digest::of(b"another"));
        assert_eq!(other.count, forth.count);
        assert_ne!(other, forth);
    }

    #[test]
    fn a_sum_is_written_and_read_back() {
        let mut sum = Sum::default();
        for byte in 0..9_u8 {
            sum.add(Digest::of(&[byte]));
        }
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<Sum>(&text).unwrap(), sum);
    }

    #[test]
    fn a_carry_reaches_the_upper_half() {
        let mut sum = Sum::default();
        sum.add(Digest::from_bytes([0xff; 32]));
        let mut one = [0; 32];
        one[0] = 1;
        sum.add(Digest::from_bytes(one));
        assert_eq!(sum.sum, [0, 0]);
    }
}
