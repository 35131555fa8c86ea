use super::{Entity, Kind, keyed};
use crate::canonical::ObjectEncoder;
use crate::{AuditEvent, Decision, Feedback, InvalidInput, key_text};

impl Kind for Feedback {
    const NOUN: &'static str = "feedback";
}

impl Entity for Feedback {
    keyed!();

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.optional_text("comment", self.comment.as_deref());
        out.optional_text("correction", self.correction.as_deref());
        out.plain("created_at", self.created_at);
        out.plain("id", self.id);
        out.optional_plain("message_id", self.message_id);
        out.integer("rating", self.rating);
        out.optional_plain("session_id", self.session_id);
        out.text("tenant_id", self.tenant_id.as_str());
    }
}

impl Kind for Decision {
    const NOUN: &'static str = "decision";
}

impl Entity for Decision {
    keyed!();

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.optional_text("context", self.context.as_deref());
        out.plain("decided_at", self.decided_at);
        out.optional_text("extracted_from", self.extracted_from.as_deref());
        out.plain("id", self.id);
        out.optional_text("session_id", self.session_id.as_deref());
        out.text("tenant_id", self.tenant_id.as_str());
        out.text("text", &self.text);
    }

    fn check(&self) -> Result<(), InvalidInput> {
        optional_key("session_id", self.session_id.as_deref())
    }
}

impl Kind for AuditEvent {
    const NOUN: &'static str = "audit event";
}

impl Entity for AuditEvent {
    keyed!();

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.optional_text("action", self.action.as_deref());
        out.optional_text("actor", self.actor.as_deref());
        out.plain("at", self.at);
        out.optional_text("component", self.component.as_deref());
        out.json("details", &self.details);
        out.text("event_type", &self.event_type);
        out.plain("id", self.id);
        out.optional_text("ip_address", self.ip_address.as_deref());
        out.optional_text("resource", self.resource.as_deref());
        out.optional_text("result", self.result.as_deref());
        out.optional_text("session_id", self.session_id.as_deref());
        out.plain("severity", self.severity);
        out.text("tenant_id", self.tenant_id.as_str());
    }

    fn check(&self) -> Result<(), InvalidInput> {
        key_text("event_type", &self.event_type)?;
        optional_key("session_id", self.session_id.as_deref())
    }
}

fn optional_key(field: &str, text: Option<&str>) -> Result<(), InvalidInput> {
    text.map_or(Ok(()), |text| key_text(field, text))
}
