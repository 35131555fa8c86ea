//! Decisions: what was settled, in which session and when.

use serde::{Deserialize, Serialize};

use crate::{DecisionId, InvalidInput, TenantId, Timestamp, free_text, key_text};

/// Something that was settled in a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: DecisionId,
    /// The session in which it was taken, as the application calls it: a key text, no reference.
    pub session_id: Option<String>,
    /// What was decided.
    pub text: String,
    /// What it was about.
    pub context: Option<String>,
    /// The words from which it was taken.
    pub extracted_from: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl Decision {
    /// Where a listing goes on after this decision.
    pub fn cursor(&self) -> DecisionCursor {
        DecisionCursor {
            decided_at: self.decided_at,
            id: self.id,
        }
    }
}

/// A decision to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDecision {
    /// Made by the caller, so that a retry is the same decision and not a second one.
    pub id: DecisionId,
    /// The session in which it was taken, as the application calls it.
    pub session_id: Option<String>,
    /// What was decided.
    pub text: String,
    /// What it was about.
    pub context: Option<String>,
    /// The words from which it was taken.
    pub extracted_from: Option<String>,
}

impl NewDecision {
    /// A decision with a new id and nothing but its text.
    pub fn new(text: impl Into<String>) -> NewDecision {
        NewDecision {
            id: DecisionId::generate(),
            session_id: None,
            text: text.into(),
            context: None,
            extracted_from: None,
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: DecisionId) -> NewDecision {
        self.id = id;
        self
    }

    /// Sets the session, as the application calls it.
    pub fn with_session(mut self, session_id: impl Into<String>) -> NewDecision {
        self.session_id = Some(session_id.into());
        self
    }

    /// Sets what it was about.
    pub fn with_context(mut self, context: impl Into<String>) -> NewDecision {
        self.context = Some(context.into());
        self
    }

    /// Sets the words from which it was taken.
    pub fn with_extracted_from(mut self, words: impl Into<String>) -> NewDecision {
        self.extracted_from = Some(words.into());
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(self) -> Result<NewDecision, InvalidInput> {
        if let Some(session) = &self.session_id {
            key_text("session_id", session)?;
        }
        free_text("text", &self.text)?;
        free_text("context", self.context.as_deref().unwrap_or_default())?;
        let words = self.extracted_from.as_deref().unwrap_or_default();
        free_text("extracted_from", words)?;
        Ok(self)
    }

    /// Whether `stored` is what recording this decision gives, at whatever moment.
    pub fn is_same_write(&self, stored: &Decision) -> bool {
        self.id == stored.id
            && self.session_id == stored.session_id
            && self.text == stored.text
            && self.context == stored.context
            && self.extracted_from == stored.extracted_from
    }

    /// What is stored when this is recorded.
    pub fn into_decision(self, tenant_id: TenantId, at: Timestamp) -> Decision {
        Decision {
            tenant_id,
            id: self.id,
            session_id: self.session_id,
            text: self.text,
            context: self.context,
            extracted_from: self.extracted_from,
            decided_at: at,
        }
    }
}

/// Which decisions a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// Only decisions of this session.
    pub session: Option<String>,
    /// Only decisions taken at this moment or later.
    pub from: Option<Timestamp>,
    /// Only decisions taken at this moment or earlier.
    pub to: Option<Timestamp>,
    /// Only decisions that come after this place.
    pub after: Option<DecisionCursor>,
}

impl DecisionFilter {
    /// Checks every condition.
    ///
    /// # Errors
    /// The first condition that is refused.
    pub fn validated(self) -> Result<DecisionFilter, InvalidInput> {
        if let Some(session) = &self.session {
            key_text("session", session)?;
        }
        Ok(self)
    }
}

/// A place in the listing of decisions: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionCursor {
    /// The last decision's time.
    pub decided_at: Timestamp,
    /// The last decision's id.
    pub id: DecisionId,
}
