use std::collections::BTreeSet;

use memory_domain::{
    AgeFrom, CompoundCursor, CompoundFilter, CompoundId, Concept, ContextType, Direction,
    EntityKey, EntityType, JsonObject, Limit, MessageCursor, MessageId, MessageRange, NewCompound,
    NewMessage, NewNode, NewRelationship, NewSession, NodeCursor, NodeFilter, NodeId, NodePatch,
    Reinforcement, RelationshipCursor, RelationshipFilter, RelationshipId, RelationshipKind,
    Retention, Role, SearchCursor, SearchFilter, SearchMode, SearchQuery, SearchScope,
    SessionCursor, SessionId, Timestamp, TraverseOptions, Turn, TurnDecision, TurnId,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Operation, activity, goals, recorded};
use crate::support::{at, object};

/// The tenants who act; few, so that they meet.
pub(crate) const TENANTS: [&str; 3] = ["a", "B", "é"];

/// The longest sequence of calls, apart from those that it begins with.
const CALLS: usize = 80;

/// Sequences of calls over small sets of ids, keys and tenants, so that calls meet what earlier
/// ones left.
pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let first = beginnings();
    let count = first.len();
    (subsequence(first, 0..=count), vec(operation(), 1..CALLS))
        .prop_map(|(first, then)| [first, then].concat())
}

/// What most sequences begin with, so that later calls find something.
fn beginnings() -> Vec<Operation> {
    let sessions = IDS[..SESSIONS].iter().map(|id| {
        let id = SessionId::from_uuid(Uuid::from_u128(*id));
        Call::CreateSession(NewSession::new("").with_id(id))
    });
    let nodes = IDS[..NODES].iter().map(|id| {
        let id = NodeId::from_uuid(Uuid::from_u128(*id));
        Call::Remember(vec![
            NewNode::new(ContextType::ConversationFact).with_id(id),
        ])
    });
    let id = |id: &u128| Uuid::from_u128(*id);
    let members = IDS[..2].iter().map(id).map(NodeId::from_uuid);
    let compound = NewCompound::new("x", members).with_id(CompoundId::from_uuid(id(&IDS[0])));
    let first = |call| Operation {
        tenant: 0,
        days: 0,
        call,
    };
    sessions
        .chain(nodes)
        .chain([Call::RecordCompound(compound)])
        .chain(activity::beginnings())
        .map(first)
        .collect()
}

fn operation() -> impl Strategy<Value = Operation> {
    // Whole days, in which decay by halves is exact, so that doubles are equal to the bit.
    let days = prop_oneof![3 => Just(0_i64), 1 => 1..3_i64];
    let tenant = prop_oneof![6 => Just(0), 1 => 1..TENANTS.len()];
    (tenant, days, call()).prop_map(|(tenant, days, call)| Operation { tenant, days, call })
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        2 => works(),
        3 => tenants(),
        6 => conversation_writes(),
        3 => conversation_reads(),
        6 => node_writes(),
        6 => link_writes(),
        4 => graph_reads(),
        4 => learning(),
        4 => recorded::recorded(),
        8 => activity::tasks(),
        4 => activity::missions(),
        4 => activity::patches(),
        3 => goals::goals(),
        2 => goals::agency(),
    ]
}

/// What changes messages and nodes.
pub(crate) fn writes() -> impl Strategy<Value = Call> {
    prop_oneof![
        2 => conversation_writes(),
        4 => node_writes(),
        1 => learning(),
        1 => activity::missions(),
    ]
}

fn works() -> impl Strategy<Value = Call> {
    select(vec![
        Call::Begin,
        Call::Begin,
        Call::Commit,
        Call::Rollback,
        Call::Drop,
    ])
}

fn tenants() -> BoxedStrategy<Call> {
    prop_oneof![
        4 => json().prop_map(Call::CreateTenant),
        4 => json().prop_map(Call::SetTenantMetadata),
        4 => Just(Call::Tenant),
        4 => Just(Call::TenantStats),
        1 => Just(Call::EraseTenant),
    ]
    .boxed()
}

fn conversation_writes() -> BoxedStrategy<Call> {
    let new_session = (session(), text(), json()).prop_map(|(id, title, metadata)| {
        NewSession::new(title).with_id(id).with_metadata(metadata)
    });
    prop_oneof![
        4 => new_session.prop_map(Call::CreateSession),
        1 => (session(), text()).prop_map(|(id, title)| Call::RenameSession(id, title)),
        1 => (session(), json()).prop_map(|(id, json)| Call::SetSessionMetadata(id, json)),
        1 => session().prop_map(Call::DeleteSession),
        1 => session().prop_map(Call::ClearSession),
        6 => (session(), vec(new_message(), 1..4)).prop_map(|(id, batch)| Call::Append(id, batch)),
    ]
    .boxed()
}

fn conversation_reads() -> BoxedStrategy<Call> {
    let after = (moment(), session()).prop_map(|(updated_at, id)| SessionCursor { updated_at, id });
    let cursor =
        (moment(), message()).prop_map(|(created_at, id)| MessageCursor { created_at, id });
    let range = (
        moment(),
        moment(),
        option::of(session()),
        option::of(cursor),
    )
        .prop_map(|(from, to, session, after)| MessageRange {
            from,
            to,
            session,
            after,
        });
    prop_oneof![
        session().prop_map(Call::Session),
        (limit(), option::of(after)).prop_map(|(limit, after)| Call::Sessions(limit, after)),
        message().prop_map(Call::Message),
        (session(), limit(), option::of(-1..8_i64))
            .prop_map(|(id, limit, before)| Call::History(id, limit, before)),
        (range, limit()).prop_map(|(range, limit)| Call::MessagesBetween(range, limit)),
    ]
    .boxed()
}

fn node_writes() -> BoxedStrategy<Call> {
    prop_oneof![
        6 => vec(new_node(), 1..4).prop_map(Call::Remember),
        2 => (node(), patch()).prop_map(|(id, patch)| Call::UpdateNode(id, patch)),
        1 => node().prop_map(Call::ForgetNode),
        1 => retention().prop_map(Call::ForgetOlderThan),
        1 => node().prop_map(Call::RecordAccess),
    ]
    .boxed()
}

fn link_writes() -> BoxedStrategy<Call> {
    prop_oneof![
        5 => new_link().prop_map(Call::Relate),
        4 => reinforcement().prop_map(Call::Reinforce),
        2 => link().prop_map(Call::Unrelate),
        1 => select(vec![0.25, 0.5, 1.5, f64::NAN]).prop_map(Call::Prune),
    ]
    .boxed()
}

fn graph_reads() -> BoxedStrategy<Call> {
    let direction = select(vec![
        Direction::Outgoing,
        Direction::Incoming,
        Direction::Both,
    ]);
    prop_oneof![
        node().prop_map(Call::Node),
        key().prop_map(Call::NodeByKey),
        (node_filter(), limit()).prop_map(|(filter, limit)| Call::Nodes(filter, limit)),
        link().prop_map(Call::Relationship),
        (link_filter(), limit()).prop_map(|(filter, limit)| Call::Relationships(filter, limit)),
        (node(), direction, option::of(kind()), limit()).prop_map(
            |(node, direction, kind, limit)| Call::Neighbours(node, direction, kind, limit)
        ),
        traversal().prop_map(|(node, options)| Call::Traverse(node, options)),
        limit().prop_map(Call::Load),
        (search(), limit()).prop_map(|(query, limit)| Call::Search(query, limit)),
    ]
    .boxed()
}

fn search() -> impl Strategy<Value = SearchQuery> {
    let words = vec![
        "x", "y", "x fox", "é 🦀", "red fox", "blue", "t", "1", "re", "", "*",
    ];
    let modes = vec![
        SearchMode::Words,
        SearchMode::Phrase,
        SearchMode::Prefix,
        SearchMode::Substring,
    ];
    let scopes = vec![
        SearchScope::Everything,
        SearchScope::Messages,
        SearchScope::Nodes,
    ];
    let of_messages = (
        option::weighted(0.1, session()),
        option::weighted(0.1, Just(Role::USER)),
    );
    let of_nodes = (
        option::weighted(0.1, context_type()),
        option::weighted(0.1, Just(EntityType::FILE)),
        option::weighted(0.1, Just("t".to_owned())),
    );
    let times = (
        option::weighted(0.1, moment()),
        option::weighted(0.1, moment()),
    );
    let after = (any::<bool>(), moment(), uuid(IDS.len()), any::<bool>());
    let after = after.prop_map(|(in_title, created_at, id, is_node)| SearchCursor {
        in_title,
        created_at,
        id,
        is_node,
    });
    let how = (
        select(words),
        select(modes),
        select(scopes),
        option::weighted(0.2, after),
    );
    (how, of_messages, of_nodes, times).prop_map(|(how, of_messages, of_nodes, times)| {
        let (text, mode, scope, after) = how;
        SearchQuery {
            after,
            ..SearchQuery::words(text)
                .with_mode(mode)
                .with_scope(scope)
                .with_filter(SearchFilter {
                    session: of_messages.0,
                    role: of_messages.1,
                    context_type: of_nodes.0,
                    entity_type: of_nodes.1,
                    tag: of_nodes.2,
                    from: times.0,
                    to: times.1,
                })
        }
    })
}

fn retention() -> impl Strategy<Value = Retention> {
    let types = proptest::collection::btree_set(context_type(), 0..2);
    let age_from = select(vec![AgeFrom::LastAccess, AgeFrom::Creation]);
    // Early moments, so that most is kept.
    let before = (0..6_i64).prop_map(|days| at(days * 86_400));
    (age_from, before, types).prop_map(|(age_from, before, context_types)| Retention {
        age_from,
        before,
        context_types,
    })
}

fn traversal() -> impl Strategy<Value = (NodeId, TraverseOptions)> {
    let direction = select(vec![
        Direction::Outgoing,
        Direction::Incoming,
        Direction::Both,
    ]);
    let ways = (direction, option::of(kind()), option::of(strength()));
    (node(), 0..4_u32, ways, limit()).prop_map(|(node, depth, ways, limit)| {
        let (direction, kind, min_strength) = ways;
        let options = TraverseOptions {
            depth,
            direction,
            kind,
            min_strength,
            limit,
        };
        (node, options)
    })
}

fn learning() -> BoxedStrategy<Call> {
    prop_oneof![
        3 => new_compound().prop_map(Call::RecordCompound),
        4 => turn().prop_map(Call::Learn),
        1 => turn_id().prop_map(Call::Turn),
        2 => (select(vec!["n", "The N of x", "named y"]), limit())
            .prop_map(|(text, limit)| Call::Recall(text.to_owned(), limit)),
        2 => (compound_filter(), limit())
            .prop_map(|(filter, limit)| Call::Compounds(filter, limit)),
    ]
    .boxed()
}

fn compound() -> impl Strategy<Value = CompoundId> {
    uuid(LINKS).prop_map(CompoundId::from_uuid)
}

fn turn_id() -> impl Strategy<Value = TurnId> {
    uuid(LINKS).prop_map(TurnId::from_uuid)
}

fn compound_name() -> impl Strategy<Value = String> {
    select(vec!["x", "X", "n + x"]).prop_map(str::to_owned)
}

fn new_compound() -> impl Strategy<Value = NewCompound> {
    // Of few, so that they often stand.
    let member = prop_oneof![6 => uuid(2).prop_map(NodeId::from_uuid), 1 => node()];
    let members = proptest::collection::btree_set(member, 1..4);
    let few = uuid(2).prop_map(CompoundId::from_uuid);
    (few, compound_name(), members)
        .prop_map(|(id, name, members)| NewCompound::new(name, members).with_id(id))
}

fn compound_filter() -> impl Strategy<Value = CompoundFilter> {
    let after =
        (1..4_i64, compound()).prop_map(|(occurrences, id)| CompoundCursor { occurrences, id });
    (
        option::of(compound_name()),
        option::of(node()),
        option::of(after),
    )
        .prop_map(|(name, member, after)| CompoundFilter {
            name,
            member,
            after,
        })
}

fn turn() -> impl Strategy<Value = Turn> {
    let concept = select(vec!["n", "N", "x", "y"]).prop_map(Concept::new);
    let messages = vec(new_message(), 0..3);
    let numbers = (select(vec![0.0, 0.125, 0.5]), select(vec![1.0, 0.5, 0.0]));
    let decision = (text(), option::of(text())).prop_map(|(text, context)| TurnDecision {
        text,
        context,
        extracted_from: None,
    });
    let learned = (vec(concept, 0..4), vec(decision, 0..3));
    (turn_id(), session(), messages, learned, numbers).prop_map(
        |(id, session, messages, (concepts, decisions), (step, decay))| Turn {
            id,
            session,
            messages,
            concepts,
            decisions,
            step,
            decay,
        },
    )
}

/// Ids whose order by bytes differs from that of signed or reversed numbers.
pub(super) const IDS: [u128; 8] = [3, 1 << 127, 2, u128::MAX, 1, 1 << 64, 1 << 120, 255];
const SESSIONS: usize = 2;
const MESSAGES: usize = 8;
const NODES: usize = 4;
const LINKS: usize = 5;

pub(super) fn uuid(count: usize) -> impl Strategy<Value = Uuid> {
    select(IDS[..count].to_vec()).prop_map(Uuid::from_u128)
}

/// One of those that are there, mostly, and else one that never is.
pub(super) fn mostly(count: usize) -> impl Strategy<Value = Uuid> {
    prop_oneof![12 => uuid(count), 1 => Just(Uuid::from_u128(77))]
}

pub(super) fn session() -> impl Strategy<Value = SessionId> {
    mostly(SESSIONS).prop_map(SessionId::from_uuid)
}

pub(super) fn message() -> impl Strategy<Value = MessageId> {
    uuid(MESSAGES).prop_map(MessageId::from_uuid)
}

fn node() -> impl Strategy<Value = NodeId> {
    mostly(NODES).prop_map(NodeId::from_uuid)
}

fn link() -> impl Strategy<Value = RelationshipId> {
    uuid(LINKS).prop_map(RelationshipId::from_uuid)
}

pub(super) fn moment() -> impl Strategy<Value = Timestamp> {
    (0..20_i64).prop_map(|days| at(days * 86_400))
}

pub(super) fn limit() -> impl Strategy<Value = Limit> {
    let rows = prop_oneof![0..4_u32, Just(1_000)];
    rows.prop_map(|rows| Limit::new(rows).expect("at most 1,000"))
}

pub(super) fn text() -> impl Strategy<Value = String> {
    select(vec!["", "x", "X", "é 🦀", "red fox"]).prop_map(str::to_owned)
}

fn kind() -> impl Strategy<Value = RelationshipKind> {
    select(vec![RelationshipKind::ATTENTION, RelationshipKind::LED_TO])
}

fn key() -> impl Strategy<Value = EntityKey> {
    let parts = (select(vec!["file", "File"]), select(vec!["a", "é"]));
    parts.prop_map(|(system, id)| EntityKey::new(system, id).expect("both are short"))
}

fn strength() -> impl Strategy<Value = f64> {
    select(vec![0.0, 0.25, 0.5, 0.75, 1.0])
}

pub(super) fn json() -> impl Strategy<Value = JsonObject> {
    let values: Vec<Value> = vec![
        json!({}),
        json!({"a": 1}),
        json!({"a": 1.0, "b": null}),
        json!({"a": {"x": [1, "1"]}, "é": 0.1}),
        json!({"entity_data": {"a": 1, "n": null}}),
        json!({"entity_data": {"b": {"deep": 2}}, "a": [1, 2]}),
        json!({"entity_data": 7}),
        json!({"entity_data": {"a": "red fox", "b": 2}, "s": "blue"}),
        json!({"entity_data": {"a": ["blue"], "c": "x"}, "s": ["red", "fox"]}),
    ];
    select(values).prop_map(object)
}

fn part() -> impl Strategy<Value = JsonObject> {
    let values: Vec<Value> = vec![
        json!({}),
        json!({"a": 1}),
        json!({"a": [2]}),
        json!({"a": {"x": ["1"]}}),
        json!({"entity_data": {}}),
        json!({"entity_data": {"n": null}}),
    ];
    select(values).prop_map(object)
}

fn tags() -> impl Strategy<Value = BTreeSet<String>> {
    let tag = select(vec!["t", "T", "É"]).prop_map(str::to_owned);
    proptest::collection::btree_set(tag, 0..3)
}

fn context_type() -> impl Strategy<Value = ContextType> {
    select(vec![
        ContextType::DomainEntity,
        ContextType::ConversationFact,
    ])
}

fn new_message() -> impl Strategy<Value = NewMessage> {
    let role = select(vec![Role::USER, Role::ASSISTANT]);
    (message(), role, select(vec!["x", "y", "the red fox"]))
        .prop_map(|(id, role, content)| NewMessage::new(role, content).with_id(id))
}

fn new_node() -> impl Strategy<Value = NewNode> {
    let entity_type = option::of(select(vec![EntityType::FILE, EntityType::CONCEPT]));
    let name = option::of(select(vec!["n", "N", "named x"]).prop_map(str::to_owned));
    let words = (context_type(), option::of(key()), entity_type, name, text());
    let rest = (json(), tags(), json(), select(vec![0.5, 0.1]));
    (uuid(IDS.len()), words, rest).prop_map(|(id, words, rest)| {
        let (context_type, key, entity_type, name, summary) = words;
        let (content, tags, metadata, base_relevance) = rest;
        NewNode {
            id: NodeId::from_uuid(id),
            context_type,
            key,
            entity_type,
            name,
            content,
            summary,
            tags,
            metadata,
            base_relevance,
        }
    })
}

fn patch() -> impl Strategy<Value = NodePatch> {
    let entity_type = option::of(option::of(Just(EntityType::CONCEPT)));
    let name = option::of(option::of(Just("m".to_owned())));
    let words = (
        option::of(context_type()),
        entity_type,
        name,
        option::of(text()),
    );
    let relevance = option::of(select(vec![0.0, 1.0, 1.5]));
    let rest = (
        option::of(json()),
        option::of(tags()),
        option::of(json()),
        relevance,
    );
    (words, rest).prop_map(|(words, rest)| {
        let (context_type, entity_type, name, summary) = words;
        let (content, tags, metadata, base_relevance) = rest;
        NodePatch {
            context_type,
            entity_type,
            name,
            content,
            summary,
            tags,
            metadata,
            base_relevance,
        }
    })
}

fn new_link() -> impl Strategy<Value = NewRelationship> {
    let label = select(vec!["", "", "l"]);
    let rest = (label, any::<bool>(), strength(), json());
    (link(), node(), kind(), node(), rest).prop_map(|(id, from, kind, to, rest)| {
        let (label, directed, strength, metadata) = rest;
        NewRelationship {
            id,
            from,
            to,
            kind,
            label: label.to_owned(),
            directed,
            strength,
            metadata,
        }
    })
}

fn reinforcement() -> impl Strategy<Value = Reinforcement> {
    let numbers = (select(vec![0.0, 0.125, 0.5]), select(vec![1.0, 0.5]));
    // Two different nodes: a pair of one is refused, which is a scenario of its own.
    let pair = (node(), node()).prop_filter("two nodes", |(a, b)| a != b);
    (link(), pair, kind(), numbers).prop_map(|(id, (a, b), kind, (step, decay))| Reinforcement {
        id,
        a,
        b,
        kind,
        step,
        decay,
    })
}

fn node_filter() -> impl Strategy<Value = NodeFilter> {
    let after = (moment(), node()).prop_map(|(created_at, id)| NodeCursor { created_at, id });
    let words = (
        option::of(context_type()),
        option::of(Just(EntityType::FILE)),
        option::of(select(vec!["t", "é"]).prop_map(str::to_owned)),
    );
    let parts = (option::of(part()), option::of(part()));
    let times = (
        option::of(moment()),
        option::of(moment()),
        option::of(after),
    );
    (words, parts, times).prop_map(|(words, parts, times)| NodeFilter {
        context_type: words.0,
        entity_type: words.1,
        tag: words.2,
        metadata_contains: parts.0,
        content_contains: parts.1,
        created_from: times.0,
        created_to: times.1,
        after: times.2,
    })
}

fn link_filter() -> impl Strategy<Value = RelationshipFilter> {
    let after =
        (moment(), link()).prop_map(|(created_at, id)| RelationshipCursor { created_at, id });
    let ends = (option::of(node()), option::of(node()));
    (
        ends,
        option::of(kind()),
        option::of(strength()),
        option::of(after),
    )
        .prop_map(
            |((from, to), kind, min_strength, after)| RelationshipFilter {
                from,
                to,
                kind,
                min_strength,
                after,
            },
        )
}
