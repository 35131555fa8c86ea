use diesel::sql_types::{BigInt, Double};
use memory_diesel::NodeRow;
use memory_domain::{Direction, NodeId, Reached, TenantId, TraverseOptions};
use memory_storage::StorageError;

use crate::columns::{Nodes, node_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

// Depth by depth. What is reached at one depth is put together before it is gone on from: each node
// once, with its best weight, and no more than limits::TRAVERSE_NODES of them. PostgreSQL wants
// neither grouping nor limit beside the recursive reference itself, so both have a level of their
// own. The product is that of path_weight: PostgreSQL refuses an underflow.
macro_rules! traverse {
    ($outgoing:literal, $incoming:literal, $kind:literal, $depth:literal, $limit:literal) => {
        concat!(
            "with recursive walk (id, depth, weight) as (
                select $1::uuid, 0::bigint, 1::double precision
                union all
                select id, depth, weight from (
                    select step.other as id, here.depth + 1 as depth, max(case
                        when here.weight < 1e-150 or step.strength < 1e-150 then 0
                        else here.weight * step.strength
                    end) as weight
                    from (select * from walk) as here
                    cross join lateral (
                        (
                            select r.to_id as other, r.strength from relationships as r
                            where r.tenant_id = $2 and r.from_id = here.id and r.strength >= $3",
            $outgoing,
            $kind,
            " order by r.strength desc, r.id limit 1000
                        ) union all (
                            select r.from_id as other, r.strength from relationships as r
                            where r.tenant_id = $2 and r.to_id = here.id and r.strength >= $3",
            $incoming,
            $kind,
            " order by r.strength desc, r.id limit 1000
                        )
                    ) as step
                    where here.depth < ",
            $depth,
            " and step.other <> $1
                    group by step.other, here.depth
                    order by weight desc, id limit 1000
                ) as reached
            ), found as (
                select id, min(depth) as depth, max(weight) as weight
                from walk where depth > 0
                group by id
                order by depth, weight desc, id limit ",
            $limit,
            "
            )
            select ",
            node_columns!("n"),
            ", f.depth, f.weight
            from found as f join nodes as n on n.tenant_id = $2 and n.id = f.id
            order by f.depth, f.weight desc, n.id"
        )
    };
}

// Numbered as they are first mentioned: the kind comes before the depth.
macro_rules! ways {
    ($outgoing:literal, $incoming:literal) => {
        [
            traverse!($outgoing, $incoming, "", "$4", "$5"),
            traverse!($outgoing, $incoming, " and r.kind = $4", "$5", "$6"),
        ]
    };
}

const OUTGOING: [&str; 2] = ways!("", " and not r.directed");
const INCOMING: [&str; 2] = ways!(" and not r.directed", "");
const BOTH: [&str; 2] = ways!("", "");

type ReachedSql = (Nodes, BigInt, Double);
type ReachedRow = (NodeRow, i64, f64);

pub(super) async fn traverse<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    start: NodeId,
    options: TraverseOptions,
) -> Result<Vec<Reached>, StorageError> {
    let options = options.validated()?;
    let [any_kind, of_kind] = match options.direction {
        Direction::Outgoing => OUTGOING,
        Direction::Incoming => INCOMING,
        Direction::Both => BOTH,
    };
    let sql = if options.kind.is_some() {
        of_kind
    } else {
        any_kind
    };
    let mut statement = Statement::reading("traversing the graph", sql)
        .id(start.uuid())
        .text(tenant.as_str())
        .double(options.min_strength.unwrap_or(0.0));
    if let Some(kind) = &options.kind {
        statement = statement.text(kind.as_str());
    }
    let statement = statement.number(options.depth.into()).limit(options.limit);
    store
        .load::<ReachedSql, ReachedRow>(statement)
        .await?
        .into_iter()
        .map(|(node, depth, weight)| {
            Ok(Reached {
                node: node.try_into()?,
                // At most limits::TRAVERSE_DEPTH_MAX.
                depth: u32::try_from(depth).unwrap_or_default(),
                weight,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use memory_domain::limits::{TRAVERSE_LINKS, TRAVERSE_NODES};

    use super::{BOTH, INCOMING, OUTGOING};

    #[test]
    fn the_bounds_are_those_of_the_domain() {
        for sql in [BOTH, INCOMING, OUTGOING].concat() {
            let links = format!("r.id limit {TRAVERSE_LINKS}");
            assert_eq!(sql.matches(&links).count(), 2, "{sql}");
            assert!(sql.contains(&format!("id limit {TRAVERSE_NODES}")), "{sql}");
        }
    }
}
