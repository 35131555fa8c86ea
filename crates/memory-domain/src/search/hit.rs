use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::query::SearchCursor;
use crate::{Message, Node, Timestamp};

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// A message.
    Message(Box<Message>),
    /// A node.
    Node(Box<Node>),
}

/// Where in a message or node something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchPlace {
    /// A node's name.
    Name,
    /// A node's summary.
    Summary,
    /// A node's tags.
    Tags,
    /// A message's text, or the values of a node's content.
    Content,
}

impl SearchPlace {
    /// Whether it is a title: a hit there comes first.
    pub const fn is_title(self) -> bool {
        matches!(self, SearchPlace::Name | SearchPlace::Summary)
    }
}

/// One hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The message or node, whole.
    pub found: Found,
    /// Whether everything that was asked for is in the name and summary.
    pub in_title: bool,
    /// Every place where something that was asked for is.
    pub places: BTreeSet<SearchPlace>,
}

impl SearchHit {
    /// Where a search goes on after this hit.
    pub fn cursor(&self) -> SearchCursor {
        let (created_at, id, is_node) = match &self.found {
            Found::Message(message) => (message.created_at, message.id.uuid(), false),
            Found::Node(node) => (node.created_at, node.id.uuid(), true),
        };
        SearchCursor {
            in_title: self.in_title,
            created_at,
            id,
            is_node,
        }
    }

    /// When what was found was created.
    pub fn created_at(&self) -> Timestamp {
        self.cursor().created_at
    }
}
