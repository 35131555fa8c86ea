use diesel::sql_types::{Double, Integer, Text};
use memory_diesel::NodeRow;
use memory_domain::{Limit, RecallTerms, Recalled, TenantId, TenantTerms, Wanted};
use memory_storage::StorageError;

use crate::columns::{Nodes, node_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

// The scores and bounds are those of the domain, which a test holds. Goes on from what is named as
// a traversal does (see there), two deep. `offset 0` keeps each look-up a look-up by its index.
const RECALL: &str = concat!(
    "with recursive named as (
        select c.node_id as id, 1::double precision as score
        from unnest($1::text[]) as given (name)
        cross join lateral (
            select node_id from node_chunks
            where tenant_id = $2 and place = 0
                and hashtextextended(text, 0) = hashtextextended(given.name, 0)
                and text = given.name
            offset 0
        ) as c
        union all
        select c.node_id, 0.7::double precision
        from unnest($3::text[], $4::integer[], $5::integer[])
            as given (part, gram_count, gram_end)
        cross join lateral (
            select tenant_id, node_id, text from node_chunks
            where place = 0
                and grams @> ($6::integer[])[gram_end - gram_count + 1 : gram_end]
            offset 0
        ) as c
        where c.tenant_id = $2 and strpos(c.text, given.part) > 0
    ), seeds as materialized (
        select id, max(score) as score from named group by id order by score desc, id limit 100
    ), walk (id, depth, weight) as (
        select id, 0::bigint, 1::double precision from seeds
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
                    where r.tenant_id = $2 and r.from_id = here.id
                    order by r.strength desc, r.id limit 50
                ) union all (
                    select r.from_id as other, r.strength from relationships as r
                    where r.tenant_id = $2 and r.to_id = here.id
                    order by r.strength desc, r.id limit 50
                )
            ) as step
            where here.depth < 2
            group by step.other, here.depth
            order by weight desc, id limit 100
        ) as reached
    ), scored as (
        select id, score from seeds
        union all
        select id, weight * case depth when 1 then 0.6::double precision else 0.36 end
        from walk where depth > 0
        union all
        select member, least(0.9, 0.5::double precision + 0.1::double precision * occurrences)
        from seeds
        cross join lateral (
            select c.members, c.occurrences from compound_members as m
            join compounds as c on c.tenant_id = m.tenant_id and c.id = m.compound_id
            where m.tenant_id = $2 and m.node_id = seeds.id
            order by c.occurrences desc, c.id desc limit 50
        ) as compound
        cross join unnest(compound.members) as member
        where member <> seeds.id
    ), best as (
        select id, max(score) as score from scored group by id order by score desc, id limit $7
    )
    select ",
    node_columns!("n"),
    ", best.score from best join nodes as n on n.tenant_id = $2 and n.id = best.id
    order by best.score desc, n.id"
);

pub(super) async fn recall<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    text: &str,
    limit: Limit,
) -> Result<Vec<Recalled>, StorageError> {
    let terms = RecallTerms::of(text)?;
    let marks = TenantTerms::of(tenant);
    let mut grams = Vec::new();
    let (mut counts, mut ends) = (Vec::new(), Vec::new());
    for part in &terms.parts {
        let of_part = Wanted::grams(&marks, part);
        counts.push(length(&of_part));
        grams.extend(of_part);
        ends.push(length(&grams));
    }
    let texts = |list: &[String]| list.to_vec();
    let statement = Statement::reading("recalling", RECALL)
        .array::<Text, _>(texts(&terms.names))
        .text(tenant.as_str())
        .array::<Text, _>(texts(&terms.parts))
        .array::<Integer, _>(counts)
        .array::<Integer, _>(ends)
        .array::<Integer, _>(grams)
        .limit(limit);
    store
        .load::<(Nodes, Double), (NodeRow, f64)>(statement)
        .await?
        .into_iter()
        .map(|(node, score)| {
            Ok(Recalled {
                node: node.try_into()?,
                score,
            })
        })
        .collect()
}

/// At most 64 terms of 24 trigrams each.
fn length(grams: &[i32]) -> i32 {
    i32::try_from(grams.len()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use memory_domain::limits::{RECALL_COMPOUNDS, RECALL_LINKS, RECALL_NODES};
    use memory_domain::{RECALL_FADES, RECALL_NAME, RECALL_PART};

    use super::RECALL;

    #[test]
    fn scores_and_bounds_are_those_of_the_domain() {
        let [first, second] = RECALL_FADES;
        for (text, times) in [
            (format!("{RECALL_NAME}::double precision as score"), 1),
            (format!("{RECALL_PART}::double precision"), 1),
            (
                format!("when 1 then {first}::double precision else {second} end"),
                1,
            ),
            (format!("score desc, id limit {RECALL_NODES}\n"), 1),
            (format!("weight desc, id limit {RECALL_NODES}\n"), 1),
            (format!("strength desc, r.id limit {RECALL_LINKS}\n"), 2),
            (format!("c.id desc limit {RECALL_COMPOUNDS}\n"), 1),
        ] {
            assert_eq!(RECALL.matches(&text).count(), times, "{text}");
        }
    }
}
