//! The knowledge graph: nodes and the relationships between them.

mod filter;
mod key;
mod node;
mod relationship;
mod relevance;
mod retention;
mod traversal;

pub use filter::{Direction, NodeCursor, NodeFilter, RelationshipCursor, RelationshipFilter};
pub use key::{ContextType, EntityKey};
pub use node::{NewNode, Node, NodePatch};
pub use relationship::{NewRelationship, Reinforcement, Relationship, decayed_strength};
pub use retention::{AgeFrom, Retention};
pub use traversal::{Reached, TraverseOptions, path_weight};

use serde::{Deserialize, Serialize};

/// What a session starts with: nodes and the relationships among them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// The newest nodes, newest first, then the greater id.
    pub nodes: Vec<Node>,
    /// The relationships whose two ends are both in `nodes`, newest first, then the greater id.
    pub relationships: Vec<Relationship>,
}

/// A node next to another, and what joins the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The relationship that leads there.
    pub relationship: Relationship,
    /// The node at its other end.
    pub node: Node,
}
