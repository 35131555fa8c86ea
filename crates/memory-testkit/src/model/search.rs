use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use async_trait::async_trait;
use memory_domain::{
    Found, Limit, Message, Node, Requirement, Search, SearchHit, SearchPlace, SearchQuery,
    TenantId, Terms, Wanted, fold, message_values, node_values,
};
use memory_storage::{SearchStore, StorageError};

use super::{Model, page};

/// Looks at every text as a whole: no index, no parts.
#[async_trait]
impl SearchStore for Model {
    async fn search(
        &self,
        tenant: &TenantId,
        query: SearchQuery,
        limit: Limit,
    ) -> Result<Vec<SearchHit>, StorageError> {
        let search = query.prepared()?;
        let hits = self.read(tenant, |own| {
            let messages = own
                .messages
                .values()
                .filter(|one| takes_message(&search, one));
            let messages = messages.filter_map(|message| {
                let found = Found::Message(Box::new(message.clone()));
                hit(found, &message_values(&message.content), &search.wanted)
            });
            let nodes = own.nodes.values().filter(|one| takes_node(&search, one));
            let nodes = nodes.filter_map(|node| {
                let found = Found::Node(Box::new(node.clone()));
                hit(found, &node_values(node), &search.wanted)
            });
            let order = |hit: &SearchHit| {
                let place = hit.cursor();
                (
                    Reverse((place.in_title, place.created_at)),
                    (place.id, place.is_node),
                )
            };
            let after = search.after.map(|place| {
                (
                    Reverse((place.in_title, place.created_at)),
                    (place.id, place.is_node),
                )
            });
            page(messages.chain(nodes), order, after, limit)
        });
        Ok(hits.unwrap_or_default())
    }
}

fn takes_message(search: &Search, message: &Message) -> bool {
    let filter = &search.filter;
    search.messages()
        && filter.session.is_none_or(|id| id == message.session_id)
        && filter
            .role
            .as_ref()
            .is_none_or(|role| *role == message.role)
        && filter.from.is_none_or(|from| from <= message.created_at)
        && filter.to.is_none_or(|to| message.created_at <= to)
}

fn takes_node(search: &Search, node: &Node) -> bool {
    let filter = &search.filter;
    let entity_type = filter.entity_type.as_ref();
    search.nodes()
        && filter
            .context_type
            .is_none_or(|one| one == node.context_type)
        && entity_type.is_none_or(|one| Some(one) == node.entity_type.as_ref())
        && filter
            .tag
            .as_ref()
            .is_none_or(|tag| node.tags.contains(tag))
        && filter.from.is_none_or(|from| from <= node.created_at)
        && filter.to.is_none_or(|to| node.created_at <= to)
}

fn hit(found: Found, values: &[(SearchPlace, Cow<'_, str>)], wanted: &Wanted) -> Option<SearchHit> {
    let places = match wanted {
        Wanted::Nothing => return None,
        Wanted::Substring(text) => vec![places(values, |value| value.contains(text.as_str()))],
        Wanted::Words(requirements) => requirements
            .iter()
            .map(|one| places(values, |value| meets(&Terms::of(value), one)))
            .collect(),
    };
    if places.iter().any(BTreeSet::is_empty) {
        return None;
    }
    let in_title = |places: &BTreeSet<SearchPlace>| places.iter().any(|place| place.is_title());
    Some(SearchHit {
        found,
        in_title: places.iter().all(in_title),
        places: places.into_iter().flatten().collect(),
    })
}

fn places(
    values: &[(SearchPlace, Cow<'_, str>)],
    holds: impl Fn(&str) -> bool,
) -> BTreeSet<SearchPlace> {
    let holding = values.iter().filter(|(_, value)| holds(&fold(value)));
    holding.map(|(place, _)| *place).collect()
}

fn meets(terms: &Terms, requirement: &Requirement) -> bool {
    let same =
        |has: &str, wanted: &str, prefix: bool| has == wanted || prefix && has.starts_with(wanted);
    match requirement {
        Requirement::Mark { mark, prefix } => {
            terms.marks.iter().any(|has| same(has, mark, *prefix))
        }
        Requirement::Phrase { words, prefix } => {
            let last = words.len() - 1;
            terms.words.windows(words.len()).any(|has| {
                let pairs = has.iter().zip(words).enumerate();
                pairs
                    .into_iter()
                    .all(|(at, (has, wanted))| same(has, wanted, *prefix && at == last))
            })
        }
    }
}
