use crate::TenantId;

/// Marks terms as one tenant's, so that an index over all tenants is led by the tenant: looking a
/// common word up reads the places where this tenant has it, and nobody else's.
///
/// Two tenants may share a mark, which costs time and nothing else: whose a row is decides the row.
#[derive(Debug, Clone, Copy)]
pub struct TenantTerms {
    seed: u64,
    words: [u8; MARK],
    marks: [u8; MARK],
}

/// Characters that lead each term: 19 bits of the tenant and one that tells words from marks.
const MARK: usize = 4;

/// Only what no tokenizer folds or splits.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl TenantTerms {
    /// The mark of a tenant.
    pub fn of(tenant: &TenantId) -> TenantTerms {
        let digest = *blake3::hash(tenant.as_str().as_bytes()).as_bytes();
        let seed = digest
            .iter()
            .take(8)
            .fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        let five_bits = |at: usize| usize::from(digest[8 + at] & 31);
        let lead = |kind: usize| {
            let mut lead = [0; MARK];
            for (at, place) in lead.iter_mut().enumerate() {
                let bits = five_bits(at);
                *place = ALPHABET[if at == 0 { bits & 15 | kind << 4 } else { bits }];
            }
            lead
        };
        TenantTerms {
            seed,
            words: lead(0),
            marks: lead(1),
        }
    }

    /// A word as the index has it.
    pub fn word(&self, word: &str) -> String {
        led(self.words, word)
    }

    /// A mark (a symbol, or a pair with one) as the index has it.
    pub fn mark(&self, mark: &str) -> String {
        led(self.marks, mark)
    }

    /// The trigrams of a folded text as the index has them: sorted, each once. None where a text is
    /// shorter than three characters.
    ///
    /// A trigram is a number of 32 bits, so some share one: who finds them looks whether the text
    /// is really there.
    pub fn grams(&self, folded: &str) -> Vec<i32> {
        let mut grams = Vec::with_capacity(folded.len());
        let mut window = [0_u64; 3];
        let mut seen = 0;
        for c in folded.chars() {
            window = [window[1], window[2], u64::from(u32::from(c))];
            // Nothing is looked for across two values.
            seen = if c == super::SEPARATOR { 0 } else { seen + 1 };
            if seen >= 3 {
                grams.push(self.gram(window[0] | window[1] << 21 | window[2] << 42));
            }
        }
        grams.sort_unstable();
        grams.dedup();
        grams
    }

    /// Mixes the bits as splitmix64 does (Steele, Lea, Flood: "Fast splittable pseudorandom number
    /// generators", 2014).
    fn gram(&self, characters: u64) -> i32 {
        let mut bits = self.seed ^ characters;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31).cast_signed() >> 32) as i32
    }
}

fn led(lead: [u8; MARK], term: &str) -> String {
    let mut whole = String::with_capacity(MARK + term.len());
    whole.extend(lead.map(char::from));
    whole.push_str(term);
    whole
}

#[cfg(test)]
mod tests {
    use super::TenantTerms;
    use crate::TenantId;

    fn of(tenant: &str) -> TenantTerms {
        TenantTerms::of(&TenantId::new(tenant).unwrap())
    }

    /// What stands in an index stays as it is: another spelling would find nothing any more.
    #[test]
    fn the_marks_are_what_they_were() {
        assert_eq!(of("ada").word("x"), "jwwhx");
        assert_eq!(of("ada").mark("x"), "zwwhx");
        assert_eq!(
            of("ada").grams("abcabc"),
            [-1_817_630_290, 1_143_316_001, 1_829_544_995]
        );
    }

    #[test]
    fn each_tenant_has_terms_of_its_own() {
        assert_ne!(of("ada").word("x"), of("bob").word("x"));
        assert_ne!(of("ada").word("x"), of("ada").mark("x"));
        assert_ne!(of("ada").grams("abc"), of("bob").grams("abc"));
        assert_eq!(of("ada").grams("ab"), [0; 0]);
        assert_eq!(of("ada").grams("ab\u{fdd0}cd"), [0; 0]);
    }
}
