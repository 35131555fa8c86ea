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
    /// flux-rag's `feedback.jsonl`.
    FluxRagFeedback,
    /// AI-PAL: agency snapshots, goals, tasks and patch requests.
    AiPal,
    /// AI-PAL's audit log, a file of JSON Lines per day.
    AiPalAudit,
    /// JARVIS: a knowledge graph.
    Jarvis,
    /// consultant: a knowledge graph of several threads.
    Consultant,
}

impl LegacyKind {
    /// Every system whose files can be read.
    pub const ALL: [LegacyKind; 7] = [
        LegacyKind::Continuum,
        LegacyKind::FluxRag,
        LegacyKind::FluxRagFeedback,
        LegacyKind::AiPal,
        LegacyKind::AiPalAudit,
        LegacyKind::Jarvis,
        LegacyKind::Consultant,
    ];

    /// The word for `--source-kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            LegacyKind::Continuum => "continuum",
            LegacyKind::FluxRag => "flux-rag",
            LegacyKind::FluxRagFeedback => "flux-rag-feedback",
            LegacyKind::AiPal => "ai-pal",
            LegacyKind::AiPalAudit => "ai-pal-audit",
            LegacyKind::Jarvis => "jarvis",
            LegacyKind::Consultant => "consultant",
        }
    }

    /// The system, whose name goes into ids made from any of its files.
    pub const fn system(self) -> &'static str {
        match self {
            LegacyKind::FluxRagFeedback => LegacyKind::FluxRag.as_str(),
            LegacyKind::AiPalAudit => LegacyKind::AiPal.as_str(),
            _ => self.as_str(),
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
            r#"invalid source-kind "jarvs": give one of continuum, flux-rag, flux-rag-feedback, ai-pal, ai-pal-audit, jarvis, consultant"#
        );
    }
}
