use super::{Entity, KeyPart, Kind, RecordKey, RecordKind, UniqueKey, keyed};
use crate::canonical::ObjectEncoder;
use crate::{Compound, InvalidInput, LearnedTurn, NodeId, key_text};

impl Kind for Compound {
    const NOUN: &'static str = "compound";
    const REFERENCES: &'static [(&'static str, RecordKind)] = &[("members", RecordKind::Node)];
}

impl Entity for Compound {
    keyed!();

    fn references(&self) -> Vec<RecordKey> {
        let key = |node: &NodeId| RecordKey {
            kind: RecordKind::Node,
            tenant_id: self.tenant_id.clone(),
            id: Some(node.uuid()),
        };
        self.members.iter().map(key).collect()
    }

    fn unique_key(&self) -> Option<UniqueKey<'_>> {
        Some(UniqueKey {
            columns: vec![("name", KeyPart::Text(&self.name))],
            taken: "the name is taken",
        })
    }

    fn check(&self) -> Result<(), InvalidInput> {
        key_text("name", &self.name)?;
        // Being recorded again may have added to them, beyond what one recording takes.
        if self.members.len() < 2 {
            let problem = "a compound has at least two members";
            return Err(InvalidInput::new("members", self.members.len(), problem));
        }
        if self.occurrences < 1 {
            let problem = "a compound occurred at least once";
            return Err(InvalidInput::new("occurrences", self.occurrences, problem));
        }
        Ok(())
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.plain("id", self.id);
        out.plain("last_seen_at", self.last_seen_at);
        out.ids("members", self.members.iter());
        out.text("name", &self.name);
        out.integer("occurrences", self.occurrences);
        out.text("tenant_id", self.tenant_id.as_str());
    }
}

impl Kind for LearnedTurn {
    const NOUN: &'static str = "turn";
}

impl Entity for LearnedTurn {
    keyed!();

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.ids("concepts", self.concepts.iter());
        out.plain("digest", self.digest);
        out.plain("id", self.id);
        out.plain("learned_at", self.learned_at);
        out.text("tenant_id", self.tenant_id.as_str());
    }
}
