mod activity;
mod goals;
mod missions;
mod patches;
mod tasks;

use std::collections::BTreeSet;

use memory_domain::{
    CompoundFilter, CompoundId, Concept, ContextType, Direction, EntityKey, EntityType, Limit,
    MessageId, MessageRange, NewCompound, NewMessage, NewNode, NewRelationship, NewSession,
    NodeFilter, NodeId, NodePatch, Reinforcement, RelationshipFilter, RelationshipId,
    RelationshipKind, Retention, SearchQuery, SessionId, TenantId, Timestamp, TraverseOptions,
    Turn, TurnDecision, TurnId,
};
use memory_storage::{MemoryStore, StorageError};
use serde_json::json;

use crate::support::{
    at, compound_id, file_key, message_id, node_id, object, relationship_id, session_id, turn_id,
};

/// Defines the verbs with the list of all of them.
macro_rules! verbs {
    ($($verb:ident)*) => {
        /// Every verb of `TenantStore`, `ConversationStore`, `GraphStore` and `LearningStore`.
        /// Every verb of `TenantStore`, `ConversationStore`, `GraphStore` and `SearchStore`.
        ///
        /// [`Recorder`](crate::Recorder) implements those traits, so a verb that they gain does not
        /// compile until it is handled there; and the isolation scenario asserts that calling each of
        /// [`Verb::ALL`] reaches just the method of that name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verb {
            $(
                #[doc = concat!("The verb `", stringify!($verb), "`.")]
                $verb,
            )*
        }

        impl Verb {
            /// Every verb.
            pub const ALL: &[Verb] = &[$(Verb::$verb),*];
        }
    };
}

verbs! {
    CreateTenant Tenant Tenants SetTenantMetadata TenantStats TenantUsage EraseTenant
    CreateSession Session Sessions RenameSession SetSessionMetadata DeleteSession ClearSession
    Append Message History MessagesBetween
    Remember Node NodeByKey Nodes UpdateNode ForgetNode ForgetOlderThan RecordAccess
    RecordFeedback Feedback
    RecordDecision Decision Decisions
    RecordEvents AuditEvents
    Relate Reinforce Relationship Relationships Unrelate Prune Neighbours Traverse Load
    CreateTask Task TaskByExternalId Tasks ClaimTask StartTask ExtendLease FinishTask FailTask
    CancelTask DeleteFinishedTasks
    LogMission Mission Missions
    RecordFileSnapshot FileHistory MissionSnapshots FilesOfMission MissionsOfFile RiskyFiles
    KnowledgeStats
    RequestPatch Patch Patches ReviewPatch ApplyPatch FailPatch
    SaveGoal Goal Goals ActiveGoals SetGoalStatus
    RecordAgencySnapshot LatestAgencySnapshot AgencySnapshots
    RecordCompound Compounds Learn Turn Recall
    Search
}

pub use goals::GivenGoals;
pub use missions::GivenMissions;
pub use patches::GivenPatches;
pub use tasks::GivenTasks;

/// The text that everything of [`given`] holds somewhere, so that it is seen where it must not be.
pub const SECRET: &str = "the secret of its owner";

pub use activity::GivenActivity;

/// The ids with which verbs are called: what stands, and what a creating verb would create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// A session that stands.
    pub session: SessionId,
    /// The first of its two messages.
    pub message: MessageId,
    /// A node that stands without a key.
    pub node: NodeId,
    /// A node that stands under `key`.
    pub keyed_node: NodeId,
    /// A node that is related to no other.
    pub lone_node: NodeId,
    /// The key of `keyed_node`.
    pub key: EntityKey,
    /// A weak relationship from `node` to `keyed_node`.
    pub relationship: RelationshipId,
    /// Feedback, decisions and audit events.
    pub activity: GivenActivity,
    /// The session to be created.
    pub new_session: SessionId,
    /// The message to be appended.
    pub new_message: MessageId,
    /// The node to be remembered beside the one of `key`.
    pub new_node: NodeId,
    /// The relationship to be recorded.
    pub new_relationship: RelationshipId,
    /// A compound of `node` and `keyed_node`.
    pub compound: CompoundId,
    /// The compound to be recorded.
    pub new_compound: CompoundId,
    /// A turn that was learned, in which nothing was said.
    pub turn: TurnId,
    /// The turn to be learned.
    pub new_turn: TurnId,
    /// Tasks.
    pub tasks: GivenTasks,
    /// Missions and files.
    pub missions: GivenMissions,
    /// Patch requests.
    pub patches: GivenPatches,
    /// Goals and agency snapshots.
    pub goals: GivenGoals,
}

impl Default for Given {
    fn default() -> Self {
        Given {
            session: session_id(1),
            message: message_id(1),
            node: node_id(1),
            keyed_node: node_id(2),
            lone_node: node_id(3),
            key: file_key("known"),
            relationship: relationship_id(1),
            activity: GivenActivity::default(),
            new_session: session_id(11),
            new_message: message_id(11),
            new_node: node_id(11),
            new_relationship: relationship_id(11),
            compound: compound_id(1),
            new_compound: compound_id(11),
            turn: turn_id(1),
            new_turn: turn_id(11),
            tasks: GivenTasks::default(),
            missions: GivenMissions::default(),
            patches: GivenPatches::default(),
            goals: GivenGoals::default(),
        }
    }
}

impl Given {
    /// The same, but that creating verbs are called with ids that stand already.
    pub(crate) fn taken(self) -> Given {
        Given {
            activity: self.activity.taken(),
            new_session: self.session,
            new_message: self.message,
            new_node: self.node,
            new_relationship: self.relationship,
            new_compound: self.compound,
            new_turn: self.turn,
            tasks: self.tasks.taken(),
            missions: self.missions.taken(),
            patches: self.patches.taken(),
            goals: self.goals.taken(),
            ..self
        }
    }
}

/// Writes what every verb needs to succeed, and returns its ids.
pub async fn given(store: &dyn MemoryStore, tenant: &TenantId) -> Given {
    let given = Given::default();
    let secret = || object(json!({"text": SECRET}));
    let session = NewSession::new(SECRET).with_id(given.session);
    store.create_session(tenant, session, at(0)).await.unwrap();
    let messages = vec![
        NewMessage::user(SECRET).with_id(given.message),
        NewMessage::assistant(SECRET).with_id(message_id(2)),
    ];
    store
        .append(tenant, given.session, messages, at(0))
        .await
        .unwrap();
    let fact = |id| NewNode::new(ContextType::ConversationFact).with_id(id);
    let nodes = vec![
        fact(given.node).with_summary(SECRET),
        fact(given.keyed_node)
            .with_key(given.key.clone())
            .with_content(secret()),
        fact(given.lone_node).with_summary(SECRET).with_tag("lone"),
    ];
    store.remember(tenant, nodes, at(0)).await.unwrap();
    let link = NewRelationship::new(given.node, RelationshipKind::LED_TO, given.keyed_node)
        .with_id(given.relationship)
        .with_strength(0.25)
        .with_metadata(secret());
    store.relate(tenant, link, at(0)).await.unwrap();
    let compound = NewCompound::new(SECRET, [given.node, given.keyed_node]);
    let compound = compound.with_id(given.compound);
    store
        .record_compound(tenant, compound, at(0))
        .await
        .unwrap();
    let turn = Turn::new(given.session).with_id(given.turn);
    store.learn(tenant, turn, at(0)).await.unwrap();
    given.activity.write(store, tenant).await;
    given.tasks.write(store, tenant).await;
    given.missions.write(store, tenant, &given).await;
    given.patches.write(store, tenant).await;
    given.goals.write(store, tenant).await;
    given
}

/// What a verb gave, for a person to read.
fn shown(outcome: impl std::fmt::Debug) -> String {
    format!("{outcome:?}")
}

impl Verb {
    /// Whether it writes.
    pub const fn changes(self) -> bool {
        !matches!(
            self,
            Verb::Tenant
                | Verb::Tenants
                | Verb::TenantStats
                | Verb::TenantUsage
                | Verb::Session
                | Verb::Sessions
                | Verb::Message
                | Verb::History
                | Verb::MessagesBetween
                | Verb::Node
                | Verb::NodeByKey
                | Verb::Nodes
                | Verb::Relationship
                | Verb::Relationships
                | Verb::Neighbours
                | Verb::Traverse
                | Verb::Load
                | Verb::Compounds
                | Verb::Turn
                | Verb::Feedback
                | Verb::Decision
                | Verb::Decisions
                | Verb::AuditEvents
                | Verb::Task
                | Verb::TaskByExternalId
                | Verb::Tasks
                | Verb::Mission
                | Verb::Missions
                | Verb::FileHistory
                | Verb::MissionSnapshots
                | Verb::FilesOfMission
                | Verb::MissionsOfFile
                | Verb::RiskyFiles
                | Verb::KnowledgeStats
                | Verb::Patch
                | Verb::Patches
                | Verb::Goal
                | Verb::Goals
                | Verb::ActiveGoals
                | Verb::LatestAgencySnapshot
                | Verb::AgencySnapshots
                | Verb::Recall
                | Verb::Search
        )
    }

    /// Whether it changes or refers to what must be there, and so fails on nothing.
    pub const fn needs_something(self) -> bool {
        self.changes()
            && !matches!(
                self,
                Verb::CreateTenant
                    | Verb::CreateSession
                    | Verb::Remember
                    | Verb::ForgetOlderThan
                    | Verb::Prune
                    | Verb::Learn
                    | Verb::RecordFeedback
                    | Verb::RecordDecision
                    | Verb::RecordEvents
                    | Verb::CreateTask
                    | Verb::ClaimTask
                    | Verb::DeleteFinishedTasks
                    | Verb::LogMission
                    | Verb::RecordFileSnapshot
                    | Verb::RequestPatch
                    | Verb::SaveGoal
                    | Verb::RecordAgencySnapshot
            )
    }

    /// Calls the verb with those ids, and shows what it gave.
    ///
    /// # Errors
    /// What the verb returned.
    pub async fn call(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        match self {
            Verb::CreateTenant
            | Verb::Tenant
            | Verb::Tenants
            | Verb::SetTenantMetadata
            | Verb::TenantStats
            | Verb::TenantUsage
            | Verb::EraseTenant => self.call_of_tenants(store, tenant, at).await,
            Verb::CreateSession
            | Verb::Session
            | Verb::Sessions
            | Verb::RenameSession
            | Verb::SetSessionMetadata
            | Verb::DeleteSession
            | Verb::ClearSession
            | Verb::Append
            | Verb::Message
            | Verb::History
            | Verb::MessagesBetween => self.call_of_conversations(store, tenant, given, at).await,
            Verb::Remember
            | Verb::Node
            | Verb::NodeByKey
            | Verb::Nodes
            | Verb::UpdateNode
            | Verb::ForgetNode
            | Verb::ForgetOlderThan
            | Verb::RecordAccess => self.call_of_nodes(store, tenant, given, at).await,
            Verb::Relate
            | Verb::Reinforce
            | Verb::Relationship
            | Verb::Relationships
            | Verb::Unrelate
            | Verb::Prune
            | Verb::Neighbours
            | Verb::Traverse
            | Verb::Load => self.call_of_links(store, tenant, given, at).await,
            Verb::RecordCompound | Verb::Compounds | Verb::Learn | Verb::Turn | Verb::Recall => {
                self.call_of_learning(store, tenant, given, at).await
            }
            Verb::RecordFeedback
            | Verb::Feedback
            | Verb::RecordDecision
            | Verb::Decision
            | Verb::Decisions
            | Verb::RecordEvents
            | Verb::AuditEvents => self.call_of_activity(store, tenant, given, at).await,
            Verb::CreateTask
            | Verb::Task
            | Verb::TaskByExternalId
            | Verb::Tasks
            | Verb::ClaimTask
            | Verb::StartTask
            | Verb::ExtendLease
            | Verb::FinishTask
            | Verb::FailTask
            | Verb::CancelTask
            | Verb::DeleteFinishedTasks => self.call_of_tasks(store, tenant, given, at).await,
            Verb::LogMission
            | Verb::Mission
            | Verb::Missions
            | Verb::RecordFileSnapshot
            | Verb::FileHistory
            | Verb::MissionSnapshots
            | Verb::FilesOfMission
            | Verb::MissionsOfFile
            | Verb::RiskyFiles
            | Verb::KnowledgeStats => self.call_of_missions(store, tenant, given, at).await,
            Verb::RequestPatch
            | Verb::Patch
            | Verb::Patches
            | Verb::ReviewPatch
            | Verb::ApplyPatch
            | Verb::FailPatch => self.call_of_patches(store, tenant, given, at).await,
            Verb::SaveGoal
            | Verb::Goal
            | Verb::Goals
            | Verb::ActiveGoals
            | Verb::SetGoalStatus
            | Verb::RecordAgencySnapshot
            | Verb::LatestAgencySnapshot
            | Verb::AgencySnapshots => self.call_of_goals(store, tenant, given, at).await,
            Verb::Search => {
                let query = SearchQuery::words(SECRET);
                Ok(shown(store.search(tenant, query, Limit::MAX).await?))
            }
        }
    }

    async fn call_of_tenants(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let none = object(json!({}));
        let metadata = object(json!({"new": 1}));
        Ok(match self {
            Verb::CreateTenant => shown(store.create_tenant(tenant, none, at).await?),
            Verb::Tenants => shown(store.tenants(Limit::MAX, None).await?),
            Verb::SetTenantMetadata => {
                shown(store.set_tenant_metadata(tenant, metadata, at).await?)
            }
            Verb::TenantStats => shown(store.tenant_stats(tenant).await?),
            Verb::TenantUsage => shown(store.tenant_usage(at, Limit::MAX, None).await?),
            Verb::EraseTenant => shown(store.erase_tenant(tenant).await?),
            _ => shown(store.tenant(tenant).await?),
        })
    }

    async fn call_of_conversations(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let id = given.session;
        let metadata = object(json!({"new": 1}));
        Ok(match self {
            Verb::CreateSession => {
                let session = NewSession::new("new").with_id(given.new_session);
                shown(store.create_session(tenant, session, at).await?)
            }
            Verb::Sessions => shown(store.sessions(tenant, Limit::MAX, None).await?),
            Verb::RenameSession => shown(store.rename_session(tenant, id, "new".into(), at).await?),
            Verb::SetSessionMetadata => {
                shown(store.set_session_metadata(tenant, id, metadata, at).await?)
            }
            Verb::DeleteSession => shown(store.delete_session(tenant, id, at).await?),
            Verb::ClearSession => shown(store.clear_session(tenant, id, at).await?),
            Verb::Append => {
                let messages = vec![NewMessage::user("new").with_id(given.new_message)];
                shown(store.append(tenant, id, messages, at).await?)
            }
            Verb::Message => shown(store.message(tenant, given.message).await?),
            Verb::History => shown(store.history(tenant, id, Limit::MAX, None).await?),
            Verb::MessagesBetween => {
                let range = MessageRange::between(Timestamp::MIN, Timestamp::MAX);
                shown(store.messages_between(tenant, range, Limit::MAX).await?)
            }
            _ => shown(store.session(tenant, id).await?),
        })
    }

    async fn call_of_nodes(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let id = given.node;
        Ok(match self {
            Verb::Remember => {
                let fact = |id| NewNode::new(ContextType::ConversationFact).with_id(id);
                let known = fact(given.keyed_node)
                    .with_key(given.key.clone())
                    .with_content(object(json!({"new": 1})))
                    .with_tag("new");
                let nodes = vec![fact(given.new_node).with_summary("new"), known];
                shown(store.remember(tenant, nodes, at).await?)
            }
            Verb::NodeByKey => shown(store.node_by_key(tenant, &given.key).await?),
            Verb::Nodes => shown(
                store
                    .nodes(tenant, NodeFilter::default(), Limit::MAX)
                    .await?,
            ),
            Verb::UpdateNode => {
                let patch = NodePatch {
                    entity_type: Some(Some(EntityType::CONCEPT)),
                    summary: Some("new".into()),
                    tags: Some(BTreeSet::from(["new".into()])),
                    ..NodePatch::default()
                };
                shown(store.update_node(tenant, id, patch, at).await?)
            }
            Verb::ForgetNode => shown(store.forget_node(tenant, id, at).await?),
            Verb::ForgetOlderThan => {
                let retention = Retention::accessed_before(Timestamp::MAX);
                let retention = retention.of_type(ContextType::ConversationFact);
                shown(store.forget_older_than(tenant, retention, at).await?)
            }
            Verb::RecordAccess => shown(store.record_access(tenant, id, at).await?),
            _ => shown(store.node(tenant, id).await?),
        })
    }

    async fn call_of_links(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let (node, id) = (given.node, given.relationship);
        Ok(match self {
            Verb::Relate => {
                let link = NewRelationship::new(given.keyed_node, RelationshipKind::REFINES, node);
                let link = link.with_id(given.new_relationship);
                shown(store.relate(tenant, link, at).await?)
            }
            Verb::Reinforce => {
                let step = Reinforcement {
                    id: given.new_relationship,
                    ..Reinforcement::new(node, given.keyed_node)
                };
                shown(store.reinforce(tenant, step, at).await?)
            }
            Verb::Relationships => {
                let any = RelationshipFilter::default();
                shown(store.relationships(tenant, any, Limit::MAX).await?)
            }
            Verb::Unrelate => shown(store.unrelate(tenant, id, at).await?),
            Verb::Prune => shown(store.prune(tenant, 0.5, at).await?),
            Verb::Neighbours => {
                let both = Direction::Both;
                shown(
                    store
                        .neighbours(tenant, node, both, None, Limit::MAX)
                        .await?,
                )
            }
            Verb::Traverse => {
                let options = TraverseOptions::default();
                shown(store.traverse(tenant, node, options).await?)
            }
            Verb::Load => shown(store.load(tenant, Limit::MAX).await?),
            _ => shown(store.relationship(tenant, id).await?),
        })
    }

    async fn call_of_learning(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        Ok(match self {
            Verb::RecordCompound => {
                let members = [given.node, given.keyed_node];
                let compound = NewCompound::new("new", members).with_id(given.new_compound);
                shown(store.record_compound(tenant, compound, at).await?)
            }
            Verb::Compounds => {
                let any = CompoundFilter::default();
                shown(store.compounds(tenant, any, Limit::MAX).await?)
            }
            Verb::Learn => {
                let turn = Turn::new(given.session)
                    .with_id(given.new_turn)
                    .saying(NewMessage::user("new").with_id(given.new_message))
                    .about(Concept::new("Rust"))
                    .about(Concept::new("async"))
                    .deciding(TurnDecision::new("new"));
                shown(store.learn(tenant, turn, at).await?)
            }
            Verb::Recall => shown(store.recall(tenant, SECRET, Limit::MAX).await?),
            _ => shown(store.turn(tenant, given.turn).await?),
        })
    }
}
