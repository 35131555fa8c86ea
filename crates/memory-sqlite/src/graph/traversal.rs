use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Double;
use diesel::sqlite::SqliteConnection;
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::limits::{TRAVERSE_LINKS, TRAVERSE_NODES};
use memory_domain::{
    Direction, NodeId, Reached, RelationshipKind, TenantId, TraverseOptions, path_weight,
};
use uuid::Uuid;

use super::nodes;
use crate::error::Failure;
use crate::statement::Statement;

/// Goes on depth by depth, in one snapshot. A recursive query of SQLite can neither take the best
/// of the ways to one node nor bound how many nodes it goes on from, as PostgreSQL's does.
pub(super) fn traverse(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    start: NodeId,
    options: &TraverseOptions,
) -> Result<Vec<Reached>, Failure> {
    let ways = Ways {
        tenant,
        direction: options.direction,
        kind: options.kind.as_ref(),
        min_strength: options.min_strength.unwrap_or(0.0),
        nodes: TRAVERSE_NODES,
        links: TRAVERSE_LINKS,
    };
    let mut found: HashMap<Uuid, (u32, f64)> = HashMap::new();
    let mut frontier = vec![(start.uuid(), 1.0)];
    for depth in 1..=options.depth {
        frontier = ways.next(connection, &frontier, |id| id != start.uuid())?;
        for (id, weight) in &frontier {
            let best = found.entry(*id).or_insert((depth, *weight));
            best.1 = best.1.max(*weight);
        }
    }
    let mut found: Vec<(Uuid, u32, f64)> = found
        .into_iter()
        .map(|(id, (depth, weight))| (id, depth, weight))
        .collect();
    found.sort_unstable_by(|a, b| a.1.cmp(&b.1).then(b.2.total_cmp(&a.2)).then(a.0.cmp(&b.0)));
    found.truncate(options.limit.rows() as usize);
    let mut reached = Vec::with_capacity(found.len());
    for (id, depth, weight) in found {
        // Both ends of a relationship are there.
        if let Some(node) = nodes::one(connection, tenant, NodeId::from_uuid(id))? {
            reached.push(Reached {
                node,
                depth,
                weight,
            });
        }
    }
    Ok(reached)
}

/// Which relationships are followed.
pub(crate) struct Ways<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) direction: Direction,
    pub(crate) kind: Option<&'a RelationshipKind>,
    pub(crate) min_strength: f64,
    /// How many nodes are gone on from.
    pub(crate) nodes: usize,
    /// How many relationships of a node are followed each way.
    pub(crate) links: u32,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Id)]
    other: IdValue,
    #[diesel(sql_type = Double)]
    strength: f64,
}

impl Ways<'_> {
    /// The nodes one step from those given, each with the weight of the best way there: no more
    /// than are gone on from, the best first.
    pub(crate) fn next(
        &self,
        connection: &mut SqliteConnection,
        frontier: &[(Uuid, f64)],
        wanted: impl Fn(Uuid) -> bool,
    ) -> Result<Vec<(Uuid, f64)>, Failure> {
        let mut best: HashMap<Uuid, f64> = HashMap::new();
        for (id, weight) in frontier {
            for step in self.steps(connection, *id)? {
                let weight = path_weight(*weight, step.strength);
                let there = best.entry(step.other.0).or_insert(weight);
                *there = there.max(weight);
            }
        }
        let mut best: Vec<(Uuid, f64)> = best.into_iter().filter(|(id, _)| wanted(*id)).collect();
        best.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(self.nodes);
        Ok(best)
    }

    /// The strongest relationships of a node, each way.
    fn steps(&self, connection: &mut SqliteConnection, node: Uuid) -> QueryResult<Vec<Step>> {
        let against = " and directed = 0";
        let (outgoing, incoming) = match self.direction {
            Direction::Outgoing => ("", against),
            Direction::Incoming => (against, ""),
            Direction::Both => ("", ""),
        };
        let outgoing = format!(
            "select to_id as other, strength from relationships indexed by relationships_from
             where tenant_id = ? and from_id = ? and strength >= ?{outgoing}"
        );
        let incoming = format!(
            "select from_id as other, strength from relationships indexed by relationships_to
             where tenant_id = ? and to_id = ? and strength >= ?{incoming}"
        );
        let mut steps = self.of(Statement::new(outgoing), node).load(connection)?;
        steps.append(&mut self.of(Statement::new(incoming), node).load(connection)?);
        Ok(steps)
    }

    fn of<'b>(&'b self, statement: Statement<'b>, node: Uuid) -> Statement<'b> {
        let mut statement = statement
            .text(self.tenant.as_str())
            .id(node)
            .double(self.min_strength);
        if let Some(kind) = self.kind {
            statement = statement.then(" and kind = ?").text(kind.as_str());
        }
        statement
            .then(" order by strength desc, id limit ?")
            .number(self.links.into())
    }
}
