use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::limits::{RECALL_COMPOUNDS, RECALL_LINKS, RECALL_NODES};
use memory_domain::{
    CompoundFilter, Direction, Limit, NodeId, RECALL_FADES, RECALL_NAME, RECALL_PART, RecallTerms,
    Recalled, TenantId, TenantTerms, Wanted, compound_score,
};
use serde_json::Value;
use uuid::Uuid;

use super::compounds;
use crate::error::Failure;
use crate::graph::{Ways, one_node};
use crate::index::grams_text;
use crate::statement::Statement;

/// Step by step in one snapshot; what a step comes to is bounded.
pub(super) fn recall(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    terms: &RecallTerms,
    limit: Limit,
) -> Result<Vec<Recalled>, Failure> {
    let seeds = named(connection, tenant, terms)?.best(RECALL_NODES);
    let mut scores = Scores::default();
    for (id, score) in &seeds {
        scores.add(*id, *score);
    }
    let ways = Ways {
        tenant,
        direction: Direction::Both,
        kind: None,
        min_strength: 0.0,
        nodes: RECALL_NODES,
        links: RECALL_LINKS,
    };
    let mut frontier: Vec<(Uuid, f64)> = seeds.iter().map(|(id, _)| (*id, 1.0)).collect();
    for fade in RECALL_FADES {
        frontier = ways.next(connection, &frontier, |_| true)?;
        for (id, weight) in &frontier {
            scores.add(*id, weight * fade);
        }
    }
    for (seed, _) in &seeds {
        let filter = CompoundFilter {
            member: Some(NodeId::from_uuid(*seed)),
            ..CompoundFilter::default()
        };
        let most = Limit::new(RECALL_COMPOUNDS)?;
        for compound in compounds::list(connection, tenant, &filter, most)? {
            let score = compound_score(compound.occurrences);
            let members = compound.members.iter().map(|member| member.uuid());
            for member in members.filter(|member| member != seed) {
                scores.add(member, score);
            }
        }
    }
    let mut recalled = Vec::new();
    for (id, score) in scores.best(limit.rows() as usize) {
        // The snapshot has what it has come to.
        if let Some(node) = one_node(connection, tenant, NodeId::from_uuid(id))? {
            recalled.push(Recalled { node, score });
        }
    }
    Ok(recalled)
}

/// The best score of each node.
#[derive(Default)]
struct Scores(HashMap<Uuid, f64>);

impl Scores {
    fn add(&mut self, id: Uuid, score: f64) {
        let best = self.0.entry(id).or_insert(score);
        *best = best.max(score);
    }

    /// The highest first, then the smaller id.
    fn best(self, count: usize) -> Vec<(Uuid, f64)> {
        let mut best: Vec<(Uuid, f64)> = self.0.into_iter().collect();
        best.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(count);
        best
    }
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Id)]
    node_id: IdValue,
}

/// The nodes that the terms name: whole names by their index, parts by the trigrams of search.
fn named(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    terms: &RecallTerms,
) -> Result<Scores, Failure> {
    let mut scores = Scores::default();
    let names = Value::from(terms.names.clone()).to_string();
    let found: Vec<Named> = Statement::new(
        "select c.node_id from json_each(?) as q
         cross join node_chunks as c indexed by node_chunks_by_name
         where c.tenant_id = ? and c.place = 0 and c.text = q.value",
    )
    .text(&names)
    .text(tenant.as_str())
    .load(connection)?;
    for one in found {
        scores.add(one.node_id.0, RECALL_NAME);
    }
    let marks = TenantTerms::of(tenant);
    for part in &terms.parts {
        let grams = grams_text(&Wanted::grams(&marks, part));
        let found: Vec<Named> = Statement::new(
            "select c.node_id from node_grams as t cross join node_chunks as c on c.id = t.rowid
             where c.tenant_id = ? and c.place = 0 and t.node_grams match ?
                 and instr(c.text, ?) > 0",
        )
        .text(tenant.as_str())
        .text(&grams)
        .text(part)
        .load(connection)?;
        for one in found {
            scores.add(one.node_id.0, RECALL_PART);
        }
    }
    Ok(scores)
}
