//! Search.

use async_trait::async_trait;
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use memory_diesel::{MessageRow, NodeRow};
use memory_domain::{
    EntityType, Found, IndexPlace, Limit, Requirement, Role, Search, SearchCursor, SearchHit,
    SearchQuery, TenantId, TenantTerms, Wanted,
};
use memory_storage::{SearchStore, StorageError};

use crate::columns::{Messages, Nodes, message_columns, node_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

// `offset 0` keeps the index's condition by itself: nothing is known of a value that comes with each
// call, and beside the tenant's condition, which the terms carry already, the planner takes the
// primary key and reads every chunk of the tenant.

const MESSAGES_BY_WORDS: &str = " select c.message_id as id, false as is_node, c.created_at,
        false as in_title, 8 as places
    from unnest($1::text[]) with ordinality as q (query, number)
    cross join lateral (
        select tenant_id, message_id, created_at from message_chunks
        where words @@ q.query::tsquery offset 0
    ) as c";

const NODES_BY_WORDS: &str = " select c.node_id as id, true as is_node, c.created_at,
        count(distinct q.number) filter (where c.place <= 1) = cardinality($1::text[]) as in_title,
        bit_or(1 << least(c.place, 3)) as places
    from unnest($1::text[]) with ordinality as q (query, number)
    cross join lateral (
        select tenant_id, node_id, created_at, place from node_chunks
        where words @@ q.query::tsquery offset 0
    ) as c";

const MESSAGES_BY_GRAMS: &str = " select c.message_id as id, false as is_node, c.created_at,
        false as in_title, 8 as places
    from (
        select tenant_id, message_id, created_at, text from message_chunks
        where grams @> $1::integer[] offset 0
    ) as c";

const NODES_BY_GRAMS: &str = " select c.node_id as id, true as is_node, c.created_at,
        bool_or(c.place <= 1) as in_title, bit_or(1 << least(c.place, 3)) as places
    from (
        select tenant_id, node_id, created_at, place, text from node_chunks
        where grams @> $1::integer[] offset 0
    ) as c";

// Every text of the tenant; $1 is mentioned so that the others keep their numbers.
const MESSAGES_BY_SCAN: &str = " select c.message_id as id, false as is_node, c.created_at,
        false as in_title, 8 as places
    from (select * from message_chunks where cardinality($1::integer[]) = 0) as c";

const NODES_BY_SCAN: &str = " select c.node_id as id, true as is_node, c.created_at,
        bool_or(c.place <= 1) as in_title, bit_or(1 << least(c.place, 3)) as places
    from (select * from node_chunks where cardinality($1::integer[]) = 0) as c";

const PAGE: &str = concat!(
    ")
    select p.in_title, p.places, ",
    message_columns!("m"),
    ", ",
    node_columns!("n"),
    " from page as p
    left join messages as m on not p.is_node and m.tenant_id = $2 and m.id = p.id
    left join nodes as n on p.is_node and n.tenant_id = $2 and n.id = p.id
    order by p.in_title desc, p.created_at desc, p.id, p.is_node"
);

#[async_trait]
impl<E: Executor> SearchStore for Postgres<E> {
    async fn search(
        &self,
        tenant: &TenantId,
        query: SearchQuery,
        limit: Limit,
    ) -> Result<Vec<SearchHit>, StorageError> {
        let search = query.prepared()?;
        let Some(statement) = statement(tenant, &search, limit) else {
            return Ok(Vec::new());
        };
        let rows = self.load::<HitSql, Hit>(statement).await?;
        rows.into_iter()
            .filter_map(|row| hit(row).transpose())
            .collect()
    }
}

type HitSql = (Bool, Integer, Nullable<Messages>, Nullable<Nodes>);
type Hit = (bool, i32, Option<MessageRow>, Option<NodeRow>);

fn hit((in_title, places, message, node): Hit) -> Result<Option<SearchHit>, StorageError> {
    let found = match (message, node) {
        (Some(message), _) => Found::Message(Box::new(message.try_into()?)),
        (None, Some(node)) => Found::Node(Box::new(node.try_into()?)),
        // The index goes with what is indexed, so one of them is there.
        (None, None) => return Ok(None),
    };
    let places = IndexPlace::ALL
        .into_iter()
        .filter(|place| places & (1 << place.number()) != 0)
        .map(IndexPlace::of_hit)
        .collect();
    Ok(Some(SearchHit {
        found,
        in_title,
        places,
    }))
}

/// The whole search; none if there is nothing to be found. The conditions that are set are in the
/// text, and so is whether messages, nodes or both are looked at.
fn statement<'a>(tenant: &'a TenantId, search: &'a Search, limit: Limit) -> Option<Statement<'a>> {
    let (messages, nodes) = (search.messages(), search.nodes());
    if !messages && !nodes {
        return None;
    }
    let terms = TenantTerms::of(tenant);
    let statement = Statement::reading(
        "searching",
        "with page as materialized (select id, is_node, created_at, in_title, places from (",
    );
    // The first mention of a parameter comes with the part that stands first.
    let mut statement = match &search.wanted {
        Wanted::Nothing => return None,
        Wanted::Words(requirements) => {
            let queries: Vec<String> = requirements
                .iter()
                .map(|requirement| ts_query(requirement, &terms))
                .collect();
            Parts {
                messages: messages.then_some(MESSAGES_BY_WORDS),
                nodes: nodes.then_some(NODES_BY_WORDS),
                having: Some(" having count(distinct q.number) = cardinality($1::text[])"),
            }
            .write(statement.array::<Text, _>(queries), tenant, search, None)
        }
        Wanted::Substring(text) => {
            let grams = Wanted::grams(&terms, text);
            let parts = if grams.is_empty() {
                Parts {
                    messages: messages.then_some(MESSAGES_BY_SCAN),
                    nodes: nodes.then_some(NODES_BY_SCAN),
                    having: None,
                }
            } else {
                Parts {
                    messages: messages.then_some(MESSAGES_BY_GRAMS),
                    nodes: nodes.then_some(NODES_BY_GRAMS),
                    having: None,
                }
            };
            parts.write(
                statement.array::<Integer, _>(grams),
                tenant,
                search,
                Some(text),
            )
        }
    };
    statement = statement.then(") as hits");
    if let Some(after) = search.after {
        statement = behind(statement, after);
    }
    let statement = statement
        .then(" order by in_title desc, created_at desc, id, is_node limit ")
        .parameter()
        .limit(limit);
    Some(statement.then(PAGE))
}

struct Parts {
    messages: Option<&'static str>,
    nodes: Option<&'static str>,
    having: Option<&'static str>,
}

impl Parts {
    fn write<'a>(
        self,
        statement: Statement<'a>,
        tenant: &'a TenantId,
        search: &'a Search,
        text: Option<&'a str>,
    ) -> Statement<'a> {
        let having = self.having.unwrap_or_default();
        let both = self.messages.is_some() && self.nodes.is_some();
        let mut statement = statement;
        let mut bound = false;
        if let Some(messages) = self.messages {
            statement = of_messages(statement.then(messages), search);
            statement = self::tenant(statement, tenant, text, bound);
            statement = message_conditions(statement, search);
            statement = between(statement, search).then(" group by c.message_id, c.created_at");
            statement = statement.then(having);
            bound = true;
        }
        if both {
            statement = statement.then(" union all");
        }
        if let Some(nodes) = self.nodes {
            statement = of_nodes(statement.then(nodes), search);
            statement = self::tenant(statement, tenant, text, bound);
            statement = node_conditions(statement, search);
            statement = between(statement, search).then(" group by c.node_id, c.created_at");
            statement = statement.then(having);
        }
        statement
    }
}

fn tenant<'a>(
    statement: Statement<'a>,
    tenant: &'a TenantId,
    text: Option<&'a str>,
    bound: bool,
) -> Statement<'a> {
    let mut statement = statement.then(" where c.tenant_id = $2");
    if !bound {
        statement = statement.text(tenant.as_str());
    }
    if let Some(text) = text {
        statement = statement.then(" and position($3 in c.text) > 0");
        if !bound {
            statement = statement.text(text);
        }
    }
    statement
}

fn of_messages<'a>(statement: Statement<'a>, search: &Search) -> Statement<'a> {
    let filter = &search.filter;
    if filter.session.is_none() && filter.role.is_none() {
        return statement;
    }
    statement.then(" join messages as m on m.tenant_id = c.tenant_id and m.id = c.message_id")
}

fn message_conditions<'a>(mut statement: Statement<'a>, search: &'a Search) -> Statement<'a> {
    if let Some(session) = search.filter.session {
        statement = statement.then(" and m.session_id = ").parameter();
        statement = statement.id(session.uuid());
    }
    if let Some(role) = &search.filter.role {
        statement = statement.then(" and m.role = ").parameter();
        statement = statement.text(Role::as_str(role));
    }
    statement
}

fn of_nodes<'a>(statement: Statement<'a>, search: &Search) -> Statement<'a> {
    let filter = &search.filter;
    if filter.context_type.is_none() && filter.entity_type.is_none() && filter.tag.is_none() {
        return statement;
    }
    statement.then(" join nodes as n on n.tenant_id = c.tenant_id and n.id = c.node_id")
}

fn node_conditions<'a>(mut statement: Statement<'a>, search: &'a Search) -> Statement<'a> {
    if let Some(context_type) = search.filter.context_type {
        statement = statement.then(" and n.context_type = ").parameter();
        statement = statement.text(context_type.as_str());
    }
    if let Some(entity_type) = &search.filter.entity_type {
        statement = statement.then(" and n.entity_type = ").parameter();
        statement = statement.text(EntityType::as_str(entity_type));
    }
    if let Some(tag) = &search.filter.tag {
        statement = statement.then(" and n.tags @> array[").parameter();
        statement = statement.text(tag).then("]");
    }
    statement
}

fn between<'a>(mut statement: Statement<'a>, search: &Search) -> Statement<'a> {
    if let Some(from) = search.filter.from {
        statement = statement.then(" and c.created_at >= ").parameter();
        statement = statement.at(from);
    }
    if let Some(to) = search.filter.to {
        statement = statement.then(" and c.created_at <= ").parameter();
        statement = statement.at(to);
    }
    statement
}

fn behind(statement: Statement<'_>, after: SearchCursor) -> Statement<'_> {
    let statement =
        statement.then(" where (not in_title, -extract(epoch from created_at), id, is_node) > (");
    let statement = statement.parameter().bind::<Bool, _>(!after.in_title);
    let statement = statement.then(", -extract(epoch from ").parameter();
    let statement = statement.at(after.created_at).then("::timestamptz), ");
    let statement = statement.parameter().id(after.id).then(", ");
    statement
        .parameter()
        .bind::<Bool, _>(after.is_node)
        .then(")")
}

/// A phrase for `tsquery`, whose terms are quoted so that nothing in them is read as an operator.
fn ts_query(requirement: &Requirement, tenant: &TenantTerms) -> String {
    let (terms, prefix) = requirement.led(tenant);
    let quoted = |term: &String| format!("'{}'", term.replace('\\', "\\\\").replace('\'', "''"));
    let phrase = terms.iter().map(quoted).collect::<Vec<_>>().join(" <-> ");
    if prefix { phrase + ":*" } else { phrase }
}
