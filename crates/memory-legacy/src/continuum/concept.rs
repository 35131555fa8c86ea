use std::collections::BTreeSet;

use memory_domain::limits::BASE_RELEVANCE_DEFAULT;
use memory_domain::{
    ContextType, EntityKey, EntityType, InvalidInput, JsonObject, Node, NodeId, Record, TenantId,
    Timestamp, key_text,
};
use memory_storage::SourceError;
use rusqlite::params;
use serde_json::{Value, json};
use uuid::Uuid;

use super::aside::Aside;
use crate::catalog::Place;
use crate::cells::Cells;
use crate::reading::Mapped;
use crate::rules;

/// What was found under a name.
#[derive(Debug, Clone)]
pub(super) struct Concept {
    /// `None` if its row is quarantined.
    uuid: Option<Uuid>,
    spelling: String,
    /// When it was named first, if no row is it.
    made_at: Option<Timestamp>,
}

/// The name under which a row's concepts are kept for a replay.
const CONCEPTS: &str = "concepts";

impl Aside<'_> {
    /// Notes an entity, whose `uuid` is `None` if it is refused. Says what the sound row before it
    /// of the same concept is.
    pub(super) fn add_concept(
        &self,
        tenant: &TenantId,
        [kind, name]: [&str; 2],
        uuid: Option<Uuid>,
        row: i64,
    ) -> Result<Option<(i64, Uuid)>, SourceError> {
        let lowered = name.to_lowercase();
        let sql = "insert into temp.continuum_concept values (?1, ?2, ?3, ?4, ?5, ?6, null)
            on conflict do update
            set uuid = excluded.uuid, spelling = excluded.spelling, row = excluded.row
            where uuid is null and excluded.uuid is not null";
        let id = uuid.as_ref().map(Uuid::as_bytes);
        let values = params![tenant.as_str(), lowered, kind, id, name, row];
        if self.reading.note(sql, values)? {
            return Ok(None);
        }
        let sql = "select row, uuid from temp.continuum_concept
            where tenant = ?1 and name = ?2 and type = ?3 and uuid is not null";
        self.ask(sql, params![tenant.as_str(), lowered, kind], |row| {
            let uuid: [u8; 16] = row.get(1)?;
            Ok((row.get(0)?, Uuid::from_bytes(uuid)))
        })
    }

    /// Looks a concept up by name: of several types the type `concept` first, then the first row.
    pub(super) fn concept(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<Concept>, SourceError> {
        let sql = "select uuid, spelling, made_at from temp.continuum_concept
            where tenant = ?1 and name = ?2
            order by uuid is null, type <> '', type <> 'concept', row limit 1";
        let values = params![tenant.as_str(), name.to_lowercase()];
        self.ask(sql, values, |row| {
            let made_at: Option<i64> = row.get(2)?;
            Ok(Concept {
                uuid: row.get::<_, Option<[u8; 16]>>(0)?.map(Uuid::from_bytes),
                spelling: row.get(1)?,
                made_at: made_at.and_then(|at| Timestamp::from_micros(at).ok()),
            })
        })
    }

    /// The concepts of these names, where there are some.
    pub(super) fn concepts(
        &self,
        tenant: &TenantId,
        names: &[String],
    ) -> Result<Vec<Option<Concept>>, SourceError> {
        names
            .iter()
            .map(|name| self.concept(tenant, name))
            .collect()
    }

    /// Makes the concepts that a sound row names and no entity is.
    pub(super) fn make_concepts(
        &self,
        tenant: &TenantId,
        names: &[String],
        at: Timestamp,
    ) -> Result<(), SourceError> {
        for name in names {
            if self.concept(tenant, name)?.is_none() {
                let lowered = name.to_lowercase();
                let uuid = self.made_id(&lowered);
                let sql =
                    "insert into temp.continuum_concept values (?1, ?2, ?3, ?4, ?5, null, ?6)";
                let kind = EntityType::CONCEPT;
                let values = params![
                    tenant.as_str(),
                    lowered,
                    kind.as_str(),
                    uuid.as_bytes(),
                    name,
                    at.micros()
                ];
                self.reading.note(sql, values)?;
            }
        }
        Ok(())
    }

    /// The id of a concept that is no row.
    fn made_id(&self, lowered: &str) -> Uuid {
        self.reading.converting.ids.table("concepts").id(lowered)
    }

    /// What a replay must know of the concepts that a row names: `{"rust": ["Rust", "4e1c…"]}`.
    pub(super) fn concepts_context(
        &self,
        tenant: &TenantId,
        names: &[String],
    ) -> Result<Option<(&'static str, String)>, SourceError> {
        let mut known = JsonObject::new();
        for name in names {
            if let Some(Concept {
                uuid: Some(uuid),
                spelling,
                ..
            }) = self.concept(tenant, name)?
            {
                known.insert(name.to_lowercase(), json!([spelling, uuid.to_string()]));
            }
        }
        Ok((!known.is_empty()).then(|| (CONCEPTS, Value::Object(known).to_string())))
    }

    /// Takes what an earlier run knew of the concepts that a row names.
    pub(super) fn recall_concepts(
        &self,
        mapped: &Mapped<'_>,
        row: i64,
        tenant: &TenantId,
    ) -> Result<(), SourceError> {
        let Some(text) = self.reading.context(mapped, row, CONCEPTS)? else {
            return Ok(());
        };
        // What a person made of it is no defect of the reader: then nothing is known.
        let known: JsonObject = serde_json::from_str(&text).unwrap_or_default();
        for (name, concept) in &known {
            let uuid = concept[1].as_str().and_then(|id| Uuid::try_parse(id).ok());
            if let (Some(spelling), Some(uuid)) = (concept[0].as_str(), uuid) {
                let sql = "insert or ignore into temp.continuum_concept
                    values (?1, ?2, '', ?3, ?4, null, null)";
                let values = params![tenant.as_str(), name, uuid.as_bytes(), spelling];
                self.reading.note(sql, values)?;
            }
        }
        Ok(())
    }

    /// The node that a row means by a name, and the concept to be made if no entity has that name.
    pub(super) fn end(
        &self,
        cells: &mut Cells<'_>,
        place: Place,
        tenant: &TenantId,
        (name, concept): (&str, Option<&Concept>),
        at: Timestamp,
    ) -> Result<(NodeId, Option<Record>), InvalidInput> {
        let refuse = |problem| InvalidInput::new(place.name, name, problem);
        let lowered = name.to_lowercase();
        for text in [name, &lowered] {
            key_text(place.name, text).map_err(|error| refuse(error.problem))?;
        }
        let (spelling, made_at) = match concept {
            Some(Concept { uuid: None, .. }) => {
                let problem = "the entity of this name is quarantined; mend that first";
                return Err(refuse(problem.to_owned()));
            }
            Some(Concept {
                uuid: Some(uuid),
                spelling,
                made_at: None,
            }) => {
                if spelling != name {
                    cells.rule(rules::CONCEPT_RESPELLED, place, name, spelling);
                }
                return Ok((NodeId::from_uuid(*uuid), None));
            }
            Some(made) => (made.spelling.as_str(), made.made_at.unwrap_or(at)),
            None => (name, at),
        };
        let id = NodeId::from_uuid(self.made_id(&lowered));
        cells.rule(rules::CONCEPT_MADE, place, name, format!("node {id}"));
        let node = Node {
            tenant_id: tenant.clone(),
            id,
            context_type: ContextType::DomainEntity,
            key: Some(EntityKey::new(EntityType::CONCEPT.as_str(), lowered)?),
            entity_type: Some(EntityType::CONCEPT),
            name: Some(spelling.to_owned()),
            content: JsonObject::new(),
            summary: String::new(),
            tags: BTreeSet::new(),
            metadata: JsonObject::new(),
            base_relevance: BASE_RELEVANCE_DEFAULT,
            created_at: made_at,
            updated_at: made_at,
            last_accessed_at: made_at,
            access_count: 1,
            update_count: 0,
        };
        Ok((id, Some(Record::Node(node))))
    }
}
