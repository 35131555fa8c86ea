//! Audit events: what was done, by whom, and how it ended. They are only ever added.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    AuditEventId, InvalidInput, JsonObject, TenantId, Timestamp, free_text, key_text,
    normalise_json,
};

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditSeverity {
    /// For those who look for a fault.
    Debug,
    /// As it should be.
    Info,
    /// Not as it should be, but in order.
    Warning,
    /// Something failed.
    Error,
    /// Somebody must act.
    Critical,
}

impl AuditSeverity {
    /// Every severity, the least first.
    pub const ALL: [AuditSeverity; 5] = [
        AuditSeverity::Debug,
        AuditSeverity::Info,
        AuditSeverity::Warning,
        AuditSeverity::Error,
        AuditSeverity::Critical,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            AuditSeverity::Debug => "debug",
            AuditSeverity::Info => "info",
            AuditSeverity::Warning => "warning",
            AuditSeverity::Error => "error",
            AuditSeverity::Critical => "critical",
        }
    }
}

impl Display for AuditSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AuditSeverity {
    type Err = InvalidInput;

    fn from_str(word: &str) -> Result<AuditSeverity, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == word)
            .ok_or_else(|| {
                let words = Self::ALL.map(AuditSeverity::as_str).join(", ");
                InvalidInput::new("severity", word, format!("give one of {words}"))
            })
    }
}

/// Something that was done. It is never changed, and deleted only with its tenant, or with the
/// transfer that brought it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: AuditEventId,
    /// What kind of event it is: a key text.
    pub event_type: String,
    /// How grave it is.
    pub severity: AuditSeverity,
    /// The session in which it happened, as the application calls it: a key text, no reference.
    pub session_id: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// The part of the application that did it.
    pub component: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// What else there is to say.
    pub details: JsonObject,
    /// How it ended.
    pub result: Option<String>,
    /// From where.
    pub ip_address: Option<String>,
    /// To what it was done.
    pub resource: Option<String>,
    /// When it happened.
    pub at: Timestamp,
}

impl AuditEvent {
    /// Where a listing goes on after this event.
    pub fn cursor(&self) -> AuditCursor {
        AuditCursor {
            at: self.at,
            id: self.id,
        }
    }
}

/// An event to be recorded. It brings its own moment, as events are often handed over later.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAuditEvent {
    /// Made by the caller, so that a retry is the same event and not a second one.
    pub id: AuditEventId,
    /// What kind of event it is: 1 to 512 bytes.
    pub event_type: String,
    /// How grave it is.
    pub severity: AuditSeverity,
    /// The session in which it happened, as the application calls it: 1 to 512 bytes.
    pub session_id: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// The part of the application that did it.
    pub component: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// What else there is to say.
    pub details: JsonObject,
    /// How it ended.
    pub result: Option<String>,
    /// From where.
    pub ip_address: Option<String>,
    /// To what it was done.
    pub resource: Option<String>,
    /// When it happened.
    pub at: Timestamp,
}

impl NewAuditEvent {
    /// An event with a new id and nothing else to say.
    pub fn new(
        event_type: impl Into<String>,
        severity: AuditSeverity,
        at: Timestamp,
    ) -> NewAuditEvent {
        NewAuditEvent {
            id: AuditEventId::generate(),
            event_type: event_type.into(),
            severity,
            session_id: None,
            actor: None,
            component: None,
            action: None,
            details: JsonObject::new(),
            result: None,
            ip_address: None,
            resource: None,
            at,
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: AuditEventId) -> NewAuditEvent {
        self.id = id;
        self
    }

    /// Sets the session, as the application calls it.
    pub fn with_session(mut self, session_id: impl Into<String>) -> NewAuditEvent {
        self.session_id = Some(session_id.into());
        self
    }

    /// Sets who did it.
    pub fn with_actor(mut self, actor: impl Into<String>) -> NewAuditEvent {
        self.actor = Some(actor.into());
        self
    }

    /// Sets what was done, and to what.
    pub fn with_action(
        mut self,
        action: impl Into<String>,
        resource: impl Into<String>,
    ) -> NewAuditEvent {
        self.action = Some(action.into());
        self.resource = Some(resource.into());
        self
    }

    /// Sets what else there is to say.
    pub fn with_details(mut self, details: JsonObject) -> NewAuditEvent {
        self.details = details;
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewAuditEvent, InvalidInput> {
        key_text("event_type", &self.event_type)?;
        if let Some(session) = &self.session_id {
            key_text("session_id", session)?;
        }
        for (field, text) in [
            ("actor", &self.actor),
            ("component", &self.component),
            ("action", &self.action),
            ("result", &self.result),
            ("ip_address", &self.ip_address),
            ("resource", &self.resource),
        ] {
            free_text(field, text.as_deref().unwrap_or_default())?;
        }
        normalise_json("details", &mut self.details)?;
        Ok(self)
    }

    /// What is stored when this is recorded. The same event again gives the same.
    pub fn into_event(self, tenant_id: TenantId) -> AuditEvent {
        AuditEvent {
            tenant_id,
            id: self.id,
            event_type: self.event_type,
            severity: self.severity,
            session_id: self.session_id,
            actor: self.actor,
            component: self.component,
            action: self.action,
            details: self.details,
            result: self.result,
            ip_address: self.ip_address,
            resource: self.resource,
            at: self.at,
        }
    }
}

/// Which events a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only events of this severity.
    pub severity: Option<AuditSeverity>,
    /// Only events of this type.
    pub event_type: Option<String>,
    /// Only events of this session.
    pub session: Option<String>,
    /// Only events that happened at this moment or later.
    pub from: Option<Timestamp>,
    /// Only events that happened at this moment or earlier.
    pub to: Option<Timestamp>,
    /// Only events that come after this place.
    pub after: Option<AuditCursor>,
}

impl AuditFilter {
    /// Checks every condition.
    ///
    /// # Errors
    /// The first condition that is refused.
    pub fn validated(self) -> Result<AuditFilter, InvalidInput> {
        for (field, text) in [("event_type", &self.event_type), ("session", &self.session)] {
            if let Some(text) = text {
                key_text(field, text)?;
            }
        }
        Ok(self)
    }
}

/// A place in the listing of events: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCursor {
    /// The last event's time.
    pub at: Timestamp,
    /// The last event's id.
    pub id: AuditEventId,
}
