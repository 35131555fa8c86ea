//! Search.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::sqlite::SqliteConnection;
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::{
    EntityType, Found, IndexPlace, Limit, MessageId, NodeId, Requirement, Role, Search,
    SearchCursor, SearchHit, SearchPlace, SearchQuery, TenantId, TenantTerms, Wanted,
};
use memory_storage::{SearchStore, StorageError};

use crate::conversations::one_message;
use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::graph::one_node;
use crate::index::grams_text;
use crate::statement::Statement;

#[async_trait]
impl<E: Executor> SearchStore for Sqlite<E> {
    async fn search(
        &self,
        tenant: &TenantId,
        query: SearchQuery,
        limit: Limit,
    ) -> Result<Vec<SearchHit>, StorageError> {
        let search = query.prepared()?;
        let tenant = tenant.clone();
        // How many hits a common word has, nobody knows before.
        let reading = Reading::of("searching").snapshot().scan(true);
        self.0
            .read(reading, move |connection| {
                hits(connection, &tenant, &search, limit)
            })
            .await
    }
}

/// Finds which they are, in one statement, and then takes each whole.
fn hits(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    search: &Search,
    limit: Limit,
) -> Result<Vec<SearchHit>, Failure> {
    let Some(statement) = statement(tenant, search, limit) else {
        return Ok(Vec::new());
    };
    let mut hits = Vec::new();
    for row in statement.load::<HitRow>(connection)? {
        let found = if row.is_node {
            one_node(connection, tenant, NodeId::from_uuid(row.id.0))?
                .map(|node| Found::Node(Box::new(node)))
        } else {
            one_message(connection, tenant, MessageId::from_uuid(row.id.0))?
                .map(|message| Found::Message(Box::new(message)))
        };
        // The index goes with what is indexed, so it is there.
        let found = found.ok_or(diesel::result::Error::NotFound)?;
        hits.push(SearchHit {
            found,
            in_title: row.in_title,
            places: row.places(),
        });
    }
    Ok(hits)
}

#[derive(QueryableByName)]
struct HitRow {
    #[diesel(sql_type = Id)]
    id: IdValue,
    #[diesel(sql_type = Bool)]
    is_node: bool,
    #[diesel(sql_type = Bool)]
    in_title: bool,
    /// A bit for each place, by its number.
    #[diesel(sql_type = BigInt)]
    places: i64,
}

impl HitRow {
    fn places(&self) -> BTreeSet<SearchPlace> {
        IndexPlace::ALL
            .into_iter()
            .filter(|place| self.places & (1 << place.number()) != 0)
            .map(IndexPlace::of_hit)
            .collect()
    }
}

/// The whole search; none if there is nothing to be found. The conditions that are set are in the
/// text, and so is whether messages, nodes or both are looked at.
fn statement<'a>(tenant: &'a TenantId, search: &'a Search, limit: Limit) -> Option<Statement<'a>> {
    let lookup = Lookup::new(tenant, search)?;
    let mut statement = Statement::new("select id, is_node, in_title, places from (");
    if search.messages() {
        statement = messages(statement, tenant, search, &lookup);
    }
    if search.messages() && search.nodes() {
        statement = statement.then(" union all ");
    }
    if search.nodes() {
        statement = nodes(statement, tenant, search, &lookup);
    }
    if !search.messages() && !search.nodes() {
        return None;
    }
    statement = statement.then(")");
    if let Some(after) = search.after {
        statement = behind(statement, after);
    }
    let order = " order by in_title desc, created_at desc, id, is_node limit ?";
    Some(statement.then(order).number(limit.rows().into()))
}

/// What the indexes are asked.
enum Lookup<'a> {
    /// A JSON array of texts for FTS5, each a requirement, and how many they are.
    Words(String, i64),
    /// Trigrams, and the text that they are of.
    Grams(String, &'a str),
    /// A text of fewer than three characters.
    Scan(&'a str),
}

impl<'a> Lookup<'a> {
    fn new(tenant: &TenantId, search: &'a Search) -> Option<Lookup<'a>> {
        let terms = TenantTerms::of(tenant);
        match &search.wanted {
            Wanted::Nothing => None,
            Wanted::Words(requirements) => {
                let queries: Vec<String> = requirements
                    .iter()
                    .map(|requirement| fts_query(requirement, &terms))
                    .collect();
                let count = i64::try_from(queries.len()).unwrap_or(i64::MAX);
                let queries = serde_json::to_string(&queries).unwrap_or_default();
                Some(Lookup::Words(queries, count))
            }
            Wanted::Substring(text) => match Wanted::grams(&terms, text) {
                grams if grams.is_empty() => Some(Lookup::Scan(text)),
                grams => Some(Lookup::Grams(grams_text(&grams), text)),
            },
        }
    }

    fn from<'s>(&'s self, statement: Statement<'a>, owner: &Owner) -> Statement<'a> {
        let Owner {
            chunks,
            terms,
            grams,
            ..
        } = owner;
        // `cross join` holds the order: the index is asked, and then the chunks are taken.
        match self {
            Lookup::Words(queries, _) => statement
                .then(&format!(
                    " from json_each(?) as q cross join {terms} as t
                     cross join {chunks} as c on c.id = t.rowid"
                ))
                .owned_text(queries.clone()),
            Lookup::Grams(..) => statement.then(&format!(
                " from {grams} as t cross join {chunks} as c on c.id = t.rowid"
            )),
            Lookup::Scan(_) => statement.then(&format!(" from {chunks} as c")),
        }
    }

    fn conditions(&self, statement: Statement<'a>, owner: &Owner) -> Statement<'a> {
        let Owner {
            terms,
            grams: by_grams,
            ..
        } = owner;
        match self {
            Lookup::Words(..) => statement.then(&format!(" and t.{terms} match q.value")),
            Lookup::Grams(grams, text) => statement
                .then(&format!(
                    " and t.{by_grams} match ? and instr(c.text, ?) > 0"
                ))
                .owned_text(grams.clone())
                .text(text),
            Lookup::Scan(text) => statement.then(" and instr(c.text, ?) > 0").text(text),
        }
    }

    fn all_found(&self, statement: Statement<'a>) -> Statement<'a> {
        match self {
            Lookup::Words(_, count) => statement
                .then(" having count(distinct q.key) = ?")
                .number(*count),
            Lookup::Grams(..) | Lookup::Scan(_) => statement,
        }
    }
}

/// The tables of one kind.
struct Owner {
    chunks: &'static str,
    terms: &'static str,
    grams: &'static str,
}

const MESSAGES: Owner = Owner {
    chunks: "message_chunks",
    terms: "message_terms",
    grams: "message_grams",
};

const NODES: Owner = Owner {
    chunks: "node_chunks",
    terms: "node_terms",
    grams: "node_grams",
};

fn messages<'a>(
    statement: Statement<'a>,
    tenant: &'a TenantId,
    search: &'a Search,
    lookup: &Lookup<'a>,
) -> Statement<'a> {
    let filter = &search.filter;
    let mut statement = statement.then(
        "select c.message_id as id, false as is_node, c.created_at, false as in_title,
             8 as places",
    );
    statement = lookup.from(statement, &MESSAGES);
    if filter.session.is_some() || filter.role.is_some() {
        statement = statement
            .then(" cross join messages as m on m.tenant_id = c.tenant_id and m.id = c.message_id");
    }
    statement = statement
        .then(" where c.tenant_id = ?")
        .text(tenant.as_str());
    statement = lookup.conditions(statement, &MESSAGES);
    if let Some(session) = filter.session {
        statement = statement.then(" and m.session_id = ?").id(session.uuid());
    }
    if let Some(role) = &filter.role {
        statement = statement.then(" and m.role = ?").text(Role::as_str(role));
    }
    statement = between(statement, search).then(" group by c.message_id");
    lookup.all_found(statement)
}

fn nodes<'a>(
    statement: Statement<'a>,
    tenant: &'a TenantId,
    search: &'a Search,
    lookup: &Lookup<'a>,
) -> Statement<'a> {
    let filter = &search.filter;
    let mut statement = statement.then("select c.node_id as id, true as is_node, c.created_at, ");
    statement = match lookup {
        Lookup::Words(_, count) => statement
            .then("count(distinct iif(c.place <= 1, q.key, null)) = ?")
            .number(*count),
        Lookup::Grams(..) | Lookup::Scan(_) => statement.then("max(c.place <= 1)"),
    };
    statement = statement.then(
        " as in_title,
         max(c.place = 0) + 2 * max(c.place = 1) + 4 * max(c.place = 2) + 8 * max(c.place >= 3)
             as places",
    );
    statement = lookup.from(statement, &NODES);
    if filter.context_type.is_some() || filter.entity_type.is_some() {
        statement = statement
            .then(" cross join nodes as n on n.tenant_id = c.tenant_id and n.id = c.node_id");
    }
    if filter.tag.is_some() {
        statement = statement.then(
            " cross join node_tags as g on g.tenant_id = c.tenant_id and g.node_id = c.node_id
             and g.created_at = c.created_at",
        );
    }
    statement = statement
        .then(" where c.tenant_id = ?")
        .text(tenant.as_str());
    statement = lookup.conditions(statement, &NODES);
    if let Some(context_type) = filter.context_type {
        statement = statement.then(" and n.context_type = ?");
        statement = statement.text(context_type.as_str());
    }
    if let Some(entity_type) = &filter.entity_type {
        statement = statement.then(" and n.entity_type = ?");
        statement = statement.text(EntityType::as_str(entity_type));
    }
    if let Some(tag) = &filter.tag {
        statement = statement.then(" and g.tag = ?").text(tag);
    }
    statement = between(statement, search).then(" group by c.node_id");
    lookup.all_found(statement)
}

fn between<'a>(mut statement: Statement<'a>, search: &Search) -> Statement<'a> {
    if let Some(from) = search.filter.from {
        statement = statement.then(" and c.created_at >= ?").at(from);
    }
    if let Some(to) = search.filter.to {
        statement = statement.then(" and c.created_at <= ?").at(to);
    }
    statement
}

fn behind(statement: Statement<'_>, after: SearchCursor) -> Statement<'_> {
    statement
        .then(
            " where (in_title < ?
                 or in_title = ? and (created_at < ?
                     or created_at = ? and (id, is_node) > (?, ?)))",
        )
        .number(after.in_title.into())
        .number(after.in_title.into())
        .at(after.created_at)
        .at(after.created_at)
        .id(after.id)
        .number(after.is_node.into())
}

/// A phrase for FTS5. No term has a quotation mark in it, nor anything else that separates.
fn fts_query(requirement: &Requirement, tenant: &TenantTerms) -> String {
    let (terms, prefix) = requirement.led(tenant);
    let star = if prefix { " *" } else { "" };
    format!("\"{}\"{star}", terms.join(" "))
}
