use std::fmt::{self, Display};
use std::str::FromStr;

use memory_domain::InvalidInput;
use serde::{Deserialize, Serialize};

/// A system whose files can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LegacyKind {
    /// CONTINUUM: conversations and the concepts that were found in them.
    Continuum,
    /// flux-rag: conversations.
    FluxRag,
    /// JARVIS: a knowledge graph.
    Jarvis,
    /// consultant: a knowledge graph of several threads.
    Consultant,
}

impl LegacyKind {
    /// Every system whose files can be read.
    pub const ALL: [LegacyKind; 4] = [
        LegacyKind::Continuum,
        LegacyKind::FluxRag,
        LegacyKind::Jarvis,
        LegacyKind::Consultant,
    ];

    /// The word for `--source-kind`, and the name that goes into ids made from its files.
    pub const fn as_str(self) -> &'static str {
        match self {
            LegacyKind::Continuum => "continuum",
            LegacyKind::FluxRag => "flux-rag",
            LegacyKind::Jarvis => "jarvis",
            LegacyKind::Consultant => "consultant",
        }
    }

    /// The words of all systems, for a message.
    pub(crate) fn known() -> String {
        Self::ALL.map(LegacyKind::as_str).join(", ")
    }
}

impl Display for LegacyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LegacyKind {
    type Err = InvalidInput;

    fn from_str(word: &str) -> Result<LegacyKind, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| {
                let problem = format!("give one of {}", Self::known());
                InvalidInput::new("source-kind", word, problem)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::LegacyKind;

    #[test]
    fn every_kind_reads_back() {
        for kind in LegacyKind::ALL {
            assert_eq!(kind.as_str().parse::<LegacyKind>().unwrap(), kind);
            assert_eq!(
                serde_json::to_string(&kind).unwrap(),
                format!("{:?}", kind.as_str())
            );
        }
    }

    #[test]
    fn a_typo_lists_the_known_kinds() {
        let error = "jarvs".parse::<LegacyKind>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"invalid source-kind "jarvs": give one of continuum, flux-rag, jarvis, consultant"#
        );
    }
}
