//! CONTINUUM: conversations, and the concepts that were found in them.
//!
//! Its tables have three historical shapes under the same names, which may even stand side by side
//! in one file, so every column is looked for and none assumed. Rows without a tenant are of the
//! tenant of rows that name none.
//!
//! An entity becomes a node with the key (type, lower-cased name). Where names differ in nothing but
//! case, the first row is the node, and the others are merged into it and kept in its content.
//! Attention links lead both ways, between the concepts of two names; a compound concept has its
//! components by name too. A name that no entity has becomes a concept beyond the rows. Where several
//! links have the same ends and type, each has its source id as label.
//!
//! The rows of `auto_messages` are messages, in the order of `message_number`, and each
//! `instance_id` of a tenant becomes a session beyond the rows. A row of the later table `messages`
//! is a person's text and the reply: where both stand in `auto_messages` of the same tenant within
//! two seconds, it is merged into them; else it becomes two messages of its `session_id`, which come
//! among the others by time.
//!
//! A tenant without a row of its own lasts from the first to the last of its rows. Rows of a tenant
//! whose own row is quarantined are quarantined with it.

mod aside;
mod compound;
mod concept;
mod decision;
mod entity;
mod link;
mod message;
mod row;
mod tenant;
mod turn;

use memory_domain::{Record, TenantId};

use crate::catalog::Catalog;
use crate::format::{Format, MappedColumn, MappedTable};
use crate::inverse::SourceValue;
use crate::reading::{Reading, Sink, Stop};

use aside::Aside;
use compound::Compounds;
use decision::Decisions;
use entity::Entities;
use link::Links;
use message::Messages;
use row::Rows;
use turn::Turns;

/// The reader of CONTINUUM's files.
pub(crate) struct Continuum {
    shape: &'static str,
}

/// The tables of v0.2.0: links do not say when they were used, and turns are not kept.
static FIRST: Continuum = Continuum { shape: "v0.2.0" };

/// The tables of later versions, made so or upgraded.
pub(crate) static LATER: Continuum = Continuum { shape: "later" };

/// The tables of the separate writer `extraction`, which knows no tenants.
static EXTRACTION: Continuum = Continuum {
    shape: "extraction",
};

/// Every shape.
pub(crate) static SHAPES: [&dyn Format; 3] = [&FIRST, &LATER, &EXTRACTION];

/// The shape of a file's tables.
pub(crate) fn shape_of(catalog: &Catalog) -> &'static dyn Format {
    let has = |table: &str, column| catalog.table(table).is_some_and(|table| table.has(column));
    if has("entities", "first_seen") {
        &EXTRACTION
    } else if has("attention_links", "last_accessed") || has("messages", "user_message") {
        &LATER
    } else {
        &FIRST
    }
}

const TENANTS: usize = 0;
const ENTITIES: usize = 1;
const MESSAGES: usize = 2;
const TURNS: usize = 3;
const LINKS: usize = 4;
const COMPOUNDS: usize = 5;
const DECISIONS: usize = 6;

static TABLES: [MappedTable; 7] = [
    MappedTable {
        name: "tenants",
        columns: &[
            MappedColumn::optional("tenant_id", "tenants.id"),
            MappedColumn::optional("created_at", "tenants.created_at"),
            MappedColumn::optional("last_active", "tenants.last_active_at"),
            MappedColumn::optional("metadata", "tenants.metadata"),
        ],
    },
    MappedTable {
        name: "entities",
        columns: &[
            MappedColumn::required("id", "nodes.id"),
            MappedColumn::required("name", "nodes.key.id, nodes.name"),
            MappedColumn::required("entity_type", "nodes.key.system, nodes.entity_type"),
            MappedColumn::required("description", "nodes.summary"),
            MappedColumn::optional("created_at", "nodes.created_at"),
            MappedColumn::optional("first_seen", "nodes.created_at"),
            MappedColumn::optional("last_seen", "nodes.updated_at"),
            MappedColumn::optional("mention_count", "nodes.content.mention_count"),
            MappedColumn::optional("metadata", "nodes.metadata"),
            MappedColumn::optional("tenant_id", "nodes.tenant_id"),
        ],
    },
    MappedTable {
        name: "auto_messages",
        columns: &[
            MappedColumn::required("id", "messages.id"),
            MappedColumn::required("instance_id", "messages.session_id, sessions.title"),
            MappedColumn::required("timestamp", "messages.created_at"),
            MappedColumn::required("message_number", "messages.number"),
            MappedColumn::required("role", "messages.role"),
            MappedColumn::required("content", "messages.content"),
            MappedColumn::required("metadata", "messages.metadata"),
            MappedColumn::optional("tenant_id", "messages.tenant_id"),
        ],
    },
    MappedTable {
        name: "messages",
        columns: &[
            MappedColumn::optional("id", "messages.id"),
            MappedColumn::optional("user_message", "messages.content"),
            MappedColumn::optional("ai_response", "messages.content"),
            MappedColumn::optional("session_id", "messages.session_id, sessions.title"),
            MappedColumn::optional("created_at", "messages.created_at"),
            MappedColumn::optional("metadata", "messages.metadata"),
            MappedColumn::optional("tenant_id", "messages.tenant_id"),
        ],
    },
    MappedTable {
        name: "attention_links",
        columns: &[
            MappedColumn::optional("id", "relationships.id"),
            MappedColumn::optional("concept_a", "relationships.from, relationships.to"),
            MappedColumn::optional("concept_b", "relationships.from, relationships.to"),
            MappedColumn::optional("link_type", "relationships.kind"),
            MappedColumn::optional("strength", "relationships.strength"),
            MappedColumn::optional("created_at", "relationships.created_at"),
            MappedColumn::optional("timestamp", "relationships.created_at"),
            MappedColumn::optional("last_accessed", "relationships.last_reinforced_at"),
            MappedColumn::optional("context", "relationships.metadata.context"),
            MappedColumn::optional("instance_id", "relationships.metadata.instance_id"),
            MappedColumn::optional("tenant_id", "relationships.tenant_id"),
        ],
    },
    MappedTable {
        name: "compound_concepts",
        columns: &[
            MappedColumn::optional("id", "compounds.id"),
            MappedColumn::optional("compound_name", "compounds.name"),
            MappedColumn::optional("component_concepts", "compounds.members"),
            MappedColumn::optional("co_occurrence_count", "compounds.occurrences"),
            MappedColumn::optional("last_seen", "compounds.last_seen_at"),
            MappedColumn::optional("tenant_id", "compounds.tenant_id"),
        ],
    },
    MappedTable {
        name: "decisions",
        columns: &[
            MappedColumn::optional("id", "decisions.id"),
            MappedColumn::optional("instance_id", "decisions.session_id"),
            MappedColumn::optional("timestamp", "decisions.decided_at"),
            MappedColumn::optional("decision_text", "decisions.text"),
            MappedColumn::optional("context", "decisions.context"),
            MappedColumn::optional("extracted_from", "decisions.extracted_from"),
            MappedColumn::optional("tenant_id", "decisions.tenant_id"),
        ],
    },
];

impl Format for Continuum {
    fn tables(&self) -> &'static [MappedTable] {
        &TABLES
    }

    fn shape(&self) -> Option<&'static str> {
        Some(self.shape)
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let aside = Aside::new(reading)?;
        if let Some(mapped) = reading.optional_table(TENANTS)? {
            tenant::read(reading, mapped, &aside, sink)?;
        }
        let entities = Rows::new(reading, ENTITIES)?.map(Entities::new);
        let messages = Rows::new(reading, MESSAGES)?.map(Messages::new);
        let turns = Rows::new(reading, TURNS)?.map(Turns::new);
        let links = Rows::new(reading, LINKS)?.map(Links::new);
        let compounds = Rows::new(reading, COMPOUNDS)?.map(Compounds::new);
        let decisions = Rows::new(reading, DECISIONS)?.map(Decisions::new);
        // How long a tenant lasts, who is who, and a message's number are known only when every row
        // was judged, so all rows are converted twice and none is held.
        if let Some(entities) = &entities {
            entities.judge(&aside)?;
        }
        if let Some(messages) = &messages {
            messages.judge(&aside)?;
        }
        if let Some(turns) = &turns {
            turns.judge(&aside)?;
        }
        aside.number_messages()?;
        if let Some(links) = &links {
            links.judge(&aside)?;
        }
        if let Some(compounds) = &compounds {
            compounds.judge(&aside)?;
        }
        if let Some(decisions) = &decisions {
            decisions.judge(&aside)?;
        }
        if let Some(entities) = &entities {
            entities.read(&aside, sink)?;
        }
        if let Some(messages) = &messages {
            messages.read(&aside, sink)?;
        }
        if let Some(turns) = &turns {
            turns.read(&aside, sink)?;
        }
        if let Some(links) = &links {
            links.read(&aside, sink)?;
        }
        if let Some(compounds) = &compounds {
            compounds.read(&aside, sink)?;
        }
        if let Some(decisions) = &decisions {
            decisions.read(&aside, sink)?;
        }
        Ok(())
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        _unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        match record {
            Record::Tenant(tenant) => tenant::inverse(tenant),
            Record::Node(node) => entity::inverse(node),
            Record::Message(message) => message::inverse(message),
            Record::Relationship(relationship) => link::inverse(relationship),
            Record::Compound(compound) => compound::inverse(compound),
            Record::Decision(decision) => decision::inverse(decision),
            _ => Vec::new(),
        }
    }
}
