use std::rc::Rc;

use memory_domain::limits::STRENGTH_DEFAULT;
use memory_domain::{
    InvalidInput, NodeId, Record, Relationship, RelationshipId, RelationshipKind, TenantId,
    key_text,
};
use memory_storage::{RawRow, RawValue, RowContext};

use super::node::share;
use super::thread::tenant;
use crate::catalog::{Place, Table};
use crate::cells::{Cells, refuse, value};
use crate::converting::{Converted, Converting};
use crate::ids::TableIds;
use crate::inverse::SourceValue;

/// Makes relationships of rows.
pub(crate) struct Relationships<'a> {
    converting: &'a Converting<'a>,
    is_replay: bool,
    id: Place,
    /// A server names it here too.
    tenant: Place,
    from: Place,
    to: Place,
    kind: Place,
    strength: Place,
    created_at: Place,
    metadata: Place,
    ids: Rc<TableIds>,
    node_ids: Rc<TableIds>,
}

/// The node at one end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// No such node is in the file.
    Absent,
    /// It is quarantined.
    Refused,
    /// It is carried, and this tenant's.
    Of(TenantId),
}

impl End {
    /// What was found of a node, whose tenant is `None` if it is not carried.
    pub(crate) fn new(is_there: bool, tenant: Option<String>) -> End {
        match tenant.and_then(|tenant| TenantId::new(tenant).ok()) {
            Some(tenant) => End::Of(tenant),
            None if is_there => End::Refused,
            None => End::Absent,
        }
    }
}

/// The name of the tenant at the start, for a replay.
pub(crate) const FROM_TENANT: &str = "from_tenant";
/// The name of the tenant at the end, for a replay.
pub(crate) const TO_TENANT: &str = "to_tenant";

/// The tenants of the two ends, which the row itself does not name.
pub(crate) fn context(from: &End, to: &End) -> RowContext {
    let known = [(FROM_TENANT, from), (TO_TENANT, to)].into_iter();
    known
        .filter_map(|(name, end)| match end {
            End::Of(tenant) => Some((name, tenant.to_string())),
            End::Absent | End::Refused => None,
        })
        .collect()
}

impl<'a> Relationships<'a> {
    pub(crate) fn new(
        converting: &'a Converting<'a>,
        table: &Table,
        is_replay: bool,
        tenant: &'static str,
    ) -> Self {
        let place = |name| table.place(name);
        Relationships {
            converting,
            is_replay,
            id: place("id"),
            tenant: place(tenant),
            from: place("from_node_id"),
            to: place("to_node_id"),
            kind: place("relationship_type"),
            strength: place("strength"),
            created_at: place("created_at"),
            metadata: place("metadata"),
            ids: converting.ids.table("memory_relationships"),
            node_ids: converting.ids.table("memory_nodes"),
        }
    }

    pub(crate) fn convert(
        &self,
        raw: &RawRow,
        from: End,
        to: End,
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.converting.cells(raw);
        let id = self.id(&mut cells)?;
        let from_id = NodeId::from_uuid(cells.uuid(self.from, &self.node_ids)?);
        let to_id = NodeId::from_uuid(cells.uuid(self.to, &self.node_ids)?);
        let tenant_id = self.carried(from, self.from, raw)?;
        let to_tenant = self.carried(to, self.to, raw)?;
        if tenant_id != to_tenant {
            let problem = format!(
                "it leads from a node of {tenant_id} to one of {to_tenant}; no relationship leads \
                from one tenant to another"
            );
            return Err(refuse(self.to, value(raw, self.to), problem));
        }
        if self.tenant.at.is_some() && tenant(&cells, self.tenant)? != tenant_id {
            let problem = format!("its ends are of {tenant_id}; give that tenant, or other ends");
            return Err(refuse(self.tenant, value(raw, self.tenant), problem));
        }
        let kind = cells.text(self.kind)?;
        key_text(self.kind.name, kind)?;
        let created_at = cells.time(self.created_at)?;
        let relationship = Relationship {
            tenant_id,
            id,
            from: from_id,
            to: to_id,
            kind: RelationshipKind::new(kind)?,
            label: String::new(),
            directed: true,
            strength: share(&mut cells, self.strength, STRENGTH_DEFAULT)?,
            metadata: cells.metadata_or_empty(self.metadata)?,
            created_at,
            last_reinforced_at: created_at,
        };
        Ok(Converted {
            record: Record::Relationship(relationship),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }

    /// A number in a file, a UUID on a server.
    fn id(&self, cells: &mut Cells<'_>) -> Result<RelationshipId, InvalidInput> {
        let uuid = match cells.value(self.id) {
            RawValue::Integer(id) => self.ids.integer(*id),
            _ => cells.uuid(self.id, &self.ids)?,
        };
        Ok(RelationshipId::from_uuid(uuid))
    }

    fn carried(&self, end: End, place: Place, raw: &RawRow) -> Result<TenantId, InvalidInput> {
        let problem = match end {
            End::Of(tenant) => return Ok(tenant),
            End::Refused => "the node of this id is quarantined; mend that first".to_owned(),
            End::Absent if self.is_replay => {
                let known = if place.name == self.from.name {
                    FROM_TENANT
                } else {
                    TO_TENANT
                };
                format!("no node of this id is in the file; give its tenant in context.{known}")
            }
            End::Absent => {
                "no node of this id is in the file; add it or drop the relationship".to_owned()
            }
        };
        Err(refuse(place, value(raw, place), problem))
    }
}

pub(crate) fn inverse(relationship: &Relationship) -> Vec<(&'static str, SourceValue<'_>)> {
    let id = relationship.id.uuid();
    vec![
        ("id", SourceValue::Id("memory_relationships", id)),
        (
            "user_id",
            SourceValue::Text(relationship.tenant_id.as_str()),
        ),
        ("from_node_id", SourceValue::Uuid(relationship.from.uuid())),
        ("to_node_id", SourceValue::Uuid(relationship.to.uuid())),
        (
            "relationship_type",
            SourceValue::Text(relationship.kind.as_str()),
        ),
        ("strength", SourceValue::Real(relationship.strength)),
        ("created_at", SourceValue::Time(relationship.created_at)),
        ("metadata", SourceValue::Json(&relationship.metadata)),
    ]
}
