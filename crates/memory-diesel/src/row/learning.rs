use diesel::prelude::*;
use memory_domain::{Compound, CompoundId, LearnedTurn, NodeId, TurnId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::{compounds, turns};
use crate::sql_types::{IdValue, IdsValue, InstantValue};

/// A row of `compounds`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = compounds)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct CompoundRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub name: String,
    pub members: IdsValue,
    pub occurrences: i64,
    pub last_seen_at: InstantValue,
}

impl From<Compound> for CompoundRow {
    fn from(compound: Compound) -> CompoundRow {
        let members = compound.members.into_iter();
        CompoundRow {
            tenant_id: compound.tenant_id.into(),
            id: IdValue(compound.id.uuid()),
            name: compound.name,
            members: IdsValue(members.map(NodeId::uuid).collect()),
            occurrences: compound.occurrences,
            last_seen_at: InstantValue(compound.last_seen_at),
        }
    }
}

impl TryFrom<CompoundRow> for Compound {
    type Error = StorageError;

    fn try_from(row: CompoundRow) -> Result<Compound, StorageError> {
        let place = Place {
            table: "compounds",
            id: &row.id.0,
        };
        let members = row.members.0.into_iter();
        Ok(Compound {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: CompoundId::from_uuid(row.id.0),
            name: row.name,
            members: members.map(NodeId::from_uuid).collect(),
            occurrences: row.occurrences,
            last_seen_at: row.last_seen_at.0,
        })
    }
}

/// A row of `turns`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = turns)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct LearnedTurnRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub digest: Vec<u8>,
    pub concepts: IdsValue,
    pub learned_at: InstantValue,
}

impl From<LearnedTurn> for LearnedTurnRow {
    fn from(turn: LearnedTurn) -> LearnedTurnRow {
        let concepts = turn.concepts.into_iter();
        LearnedTurnRow {
            tenant_id: turn.tenant_id.into(),
            id: IdValue(turn.id.uuid()),
            digest: turn.digest.as_bytes().to_vec(),
            concepts: IdsValue(concepts.map(NodeId::uuid).collect()),
            learned_at: InstantValue(turn.learned_at),
        }
    }
}

impl TryFrom<LearnedTurnRow> for LearnedTurn {
    type Error = StorageError;

    fn try_from(row: LearnedTurnRow) -> Result<LearnedTurn, StorageError> {
        let place = Place {
            table: "turns",
            id: &row.id.0,
        };
        let concepts = row.concepts.0.into_iter();
        Ok(LearnedTurn {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: TurnId::from_uuid(row.id.0),
            digest: place.digest("digest", &row.digest)?,
            concepts: concepts.map(NodeId::from_uuid).collect(),
            learned_at: row.learned_at.0,
        })
    }
}
