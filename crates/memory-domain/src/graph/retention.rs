use std::collections::BTreeSet;

use super::ContextType;
use crate::Timestamp;

/// Which nodes are old enough to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// From when a node's age is counted.
    pub age_from: AgeFrom,
    /// What is from before this moment is forgotten; what is from the moment itself stays.
    pub before: Timestamp,
    /// Only nodes of these context types are forgotten; if there are none, nodes of any.
    pub context_types: BTreeSet<ContextType>,
}

impl Retention {
    /// Forgets nodes of any type that were not accessed since a moment.
    pub const fn accessed_before(moment: Timestamp) -> Retention {
        Retention {
            age_from: AgeFrom::LastAccess,
            before: moment,
            context_types: BTreeSet::new(),
        }
    }

    /// Forgets nodes of any type that were first remembered before a moment.
    pub const fn created_before(moment: Timestamp) -> Retention {
        Retention {
            age_from: AgeFrom::Creation,
            before: moment,
            context_types: BTreeSet::new(),
        }
    }

    /// Also forgets nodes of this type, or only those, if it is the first that is named.
    pub fn of_type(mut self, context_type: ContextType) -> Retention {
        self.context_types.insert(context_type);
        self
    }
}

/// From when a node's age is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AgeFrom {
    /// From its last recorded access; remembering it is one.
    #[default]
    LastAccess,
    /// From when it was first remembered.
    Creation,
}
