use std::future::Future;
use std::time::{Duration, Instant};

use memory_domain::{
    ContextType, Direction, EntityKey, Limit, NewMessage, NewNode, NewRelationship, NewSession,
    NodeId, NodePatch, RelationshipKind, TenantId, Timestamp,
};
use memory_storage::{Storage, StorageError};
use serde::Serialize;

/// What came of a whole round through a store.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// What was done, in its order, with how long it took.
    pub steps: Vec<CheckStep>,
    /// What went wrong; the steps end with the one that did.
    pub problem: Option<String>,
}

/// One step of a round.
#[derive(Debug, Clone, Serialize)]
pub struct CheckStep {
    /// What was done.
    pub step: &'static str,
    /// How long it took.
    pub took: Duration,
}

/// Writes, reads, changes and deletes one thing of each sort, in a tenant of its own that nobody has,
/// and erases that tenant at the end, whatever came of it.
pub async fn check_round(storage: &dyn Storage, at: Timestamp) -> CheckReport {
    // A new id, so that no two checks meet, and none meets a tenant that somebody has.
    let name = format!("memory-check-{}", NodeId::generate());
    let mut round = Round {
        report: CheckReport {
            steps: Vec::new(),
            problem: None,
        },
    };
    let tenant = match TenantId::new(name) {
        Ok(tenant) => tenant,
        Err(error) => {
            round.report.problem = Some(error.to_string());
            return round.report;
        }
    };
    let went = round.go(storage, &tenant, at).await;
    let erased = round
        .step(
            "erasing the tenant of the check",
            storage.erase_tenant(&tenant),
        )
        .await;
    if let Err(error) = went.and(erased.map(drop)) {
        let problem = round.report.problem.get_or_insert_with(String::new);
        *problem = error;
    }
    round.report
}

struct Round {
    report: CheckReport,
}

impl Round {
    async fn step<T>(
        &mut self,
        step: &'static str,
        doing: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, String> {
        let begun = Instant::now();
        let result = doing.await;
        self.report.steps.push(CheckStep {
            step,
            took: begun.elapsed(),
        });
        result.map_err(|error| {
            let cause = std::error::Error::source(&error);
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{step} failed: {error}{cause}")
        })
    }

    async fn go(
        &mut self,
        storage: &dyn Storage,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<(), String> {
        self.conversation(storage, tenant, at).await?;
        self.graph(storage, tenant, at).await
    }

    async fn conversation(
        &mut self,
        storage: &dyn Storage,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<(), String> {
        let session = NewSession::new("check");
        let id = session.id;
        let create = storage.create_session(tenant, session, at);
        self.step("creating a session", create).await?;
        let said = vec![NewMessage::user("안녕 \"check\" 🦀")];
        let append = storage.append(tenant, id, said.clone(), at);
        self.step("appending a message", append).await?;
        let history = storage.history(tenant, id, Limit::MAX, None);
        let history = self.step("reading the history", history).await?;
        expect(
            "the message that was read",
            history.len() == 1 && history[0].content == said[0].content,
        )?;
        let rename = storage.rename_session(tenant, id, "checked".to_owned(), at);
        self.step("renaming the session", rename).await?;
        let found = self
            .step("reading the session", storage.session(tenant, id))
            .await?;
        expect(
            "the session that was read",
            found.is_some_and(|session| session.title == "checked" && session.message_count == 1),
        )?;
        let delete = storage.delete_session(tenant, id, at);
        self.step("deleting the session", delete).await?;
        let found = self
            .step("reading the session again", storage.session(tenant, id))
            .await?;
        expect("the session that was deleted", found.is_none())
    }

    async fn graph(
        &mut self,
        storage: &dyn Storage,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<(), String> {
        let key = EntityKey::new("memory", "check").map_err(|error| error.to_string())?;
        let one = NewNode::new(ContextType::DomainEntity).with_key(key.clone());
        let other = NewNode::new(ContextType::ToolOutput).with_summary("check");
        let link = NewRelationship::new(one.id, RelationshipKind::RELATES_TO, other.id);
        let (one_id, other_id) = (one.id, other.id);
        let remember = storage.remember(tenant, vec![one, other], at);
        self.step("remembering two nodes", remember).await?;
        let patch = NodePatch {
            summary: Some("checked".to_owned()),
            ..NodePatch::default()
        };
        let update = storage.update_node(tenant, one_id, patch, at);
        self.step("updating a node", update).await?;
        self.step("relating them", storage.relate(tenant, link, at))
            .await?;
        let found = storage.node_by_key(tenant, &key);
        let found = self.step("looking a node up", found).await?;
        expect(
            "the node that was read",
            found.is_some_and(|node| node.id == one_id && node.summary == "checked"),
        )?;
        let near = storage.neighbours(tenant, one_id, Direction::Both, None, Limit::MAX);
        let near = self.step("reading its neighbours", near).await?;
        expect("its neighbours", near.len() == 1)?;
        let forget = storage.forget_node(tenant, other_id, at);
        self.step("forgetting a node", forget).await?;
        let near = storage.neighbours(tenant, one_id, Direction::Both, None, Limit::MAX);
        let near = self.step("reading its neighbours again", near).await?;
        expect("the neighbours that are left", near.is_empty())
    }
}

fn expect(what: &str, holds: bool) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what} is not what was written"))
    }
}
