use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::schema::{nodes, relationships};
use memory_diesel::sql_types::IdValue;
use memory_diesel::{NodeRow, RelationshipRow};
use memory_domain::{Direction, Limit, Neighbour, NodeId, RelationshipKind, TenantId};
use memory_storage::StorageError;

use crate::error::Failure;

/// Reads each way by its own index, strongest first and no more than the limit asks, and puts the
/// two together.
pub(super) fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    node: NodeId,
    direction: Direction,
    kind: Option<&RelationshipKind>,
    limit: Limit,
) -> Result<Vec<Neighbour>, Failure> {
    let looking = Looking {
        tenant,
        node: IdValue(node.uuid()),
        kind,
        limit,
    };
    // Against the direction lead only those that lead both ways. What leads to its own node is at
    // both ends, and is taken at one.
    let mut rows = match direction {
        Direction::Outgoing => {
            let mut rows = looking.outgoing(Which::All, connection)?;
            rows.extend(looking.incoming(Which::UndirectedFromOthers, connection)?);
            rows
        }
        Direction::Incoming => {
            let mut rows = looking.incoming(Which::All, connection)?;
            rows.extend(looking.outgoing(Which::UndirectedFromOthers, connection)?);
            rows
        }
        Direction::Both => {
            let mut rows = looking.outgoing(Which::All, connection)?;
            rows.extend(looking.incoming(Which::FromOthers, connection)?);
            rows
        }
    };
    rows.sort_unstable_by(|(a, _), (b, _)| b.strength.total_cmp(&a.strength).then(a.id.cmp(&b.id)));
    rows.truncate(limit.rows() as usize);
    let neighbours: Result<Vec<Neighbour>, StorageError> = rows
        .into_iter()
        .map(|(relationship, node)| {
            Ok(Neighbour {
                relationship: relationship.try_into()?,
                node: node.try_into()?,
            })
        })
        .collect();
    Ok(neighbours?)
}

/// Which relationships of one end are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Every one.
    All,
    /// Those whose other end is another node.
    FromOthers,
    /// Of those the ones that lead both ways.
    UndirectedFromOthers,
}

struct Looking<'a> {
    tenant: &'a TenantId,
    node: IdValue,
    kind: Option<&'a RelationshipKind>,
    limit: Limit,
}

/// The two differ in which end is here and which is there.
impl Looking<'_> {
    fn outgoing(
        &self,
        which: Which,
        connection: &mut SqliteConnection,
    ) -> QueryResult<Vec<(RelationshipRow, NodeRow)>> {
        let other = nodes::tenant_id
            .eq(relationships::tenant_id)
            .and(nodes::id.eq(relationships::to_id));
        let mut query = relationships::table
            .inner_join(nodes::table.on(other))
            .filter(relationships::tenant_id.eq(self.tenant.as_str()))
            .filter(relationships::from_id.eq(self.node))
            .select((RelationshipRow::as_select(), NodeRow::as_select()))
            .order((relationships::strength.desc(), relationships::id))
            .limit(self.limit.rows().into())
            .into_boxed();
        if let Some(kind) = self.kind {
            query = query.filter(relationships::kind.eq(kind.as_str()));
        }
        if which != Which::All {
            query = query.filter(relationships::to_id.ne(self.node));
        }
        if which == Which::UndirectedFromOthers {
            query = query.filter(relationships::directed.eq(false));
        }
        query.load(connection)
    }

    fn incoming(
        &self,
        which: Which,
        connection: &mut SqliteConnection,
    ) -> QueryResult<Vec<(RelationshipRow, NodeRow)>> {
        let other = nodes::tenant_id
            .eq(relationships::tenant_id)
            .and(nodes::id.eq(relationships::from_id));
        let mut query = relationships::table
            .inner_join(nodes::table.on(other))
            .filter(relationships::tenant_id.eq(self.tenant.as_str()))
            .filter(relationships::to_id.eq(self.node))
            .select((RelationshipRow::as_select(), NodeRow::as_select()))
            .order((relationships::strength.desc(), relationships::id))
            .limit(self.limit.rows().into())
            .into_boxed();
        if let Some(kind) = self.kind {
            query = query.filter(relationships::kind.eq(kind.as_str()));
        }
        if which != Which::All {
            query = query.filter(relationships::from_id.ne(self.node));
        }
        if which == Which::UndirectedFromOthers {
            query = query.filter(relationships::directed.eq(false));
        }
        query.load(connection)
    }
}
