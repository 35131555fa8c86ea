//! Goals: what somebody wants to reach, how much it matters and by when.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{GoalId, InvalidInput, TenantId, Timestamp, finite, free_text, key_text};

/// What has become of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalStatus {
    /// It is pursued.
    Active,
    /// It waits to be begun.
    Pending,
    /// It is being worked on.
    InProgress,
    /// It was reached.
    Completed,
    /// It was cut into smaller pieces.
    Scoped,
    /// It was put off.
    Deferred,
    /// It rests.
    Paused,
    /// It was given up.
    Cancelled,
}

impl GoalStatus {
    /// Every status, in the order of the definition.
    pub const ALL: [GoalStatus; 8] = [
        GoalStatus::Active,
        GoalStatus::Pending,
        GoalStatus::InProgress,
        GoalStatus::Completed,
        GoalStatus::Scoped,
        GoalStatus::Deferred,
        GoalStatus::Paused,
        GoalStatus::Cancelled,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            GoalStatus::Active => "active",
            GoalStatus::Pending => "pending",
            GoalStatus::InProgress => "in_progress",
            GoalStatus::Completed => "completed",
            GoalStatus::Scoped => "scoped",
            GoalStatus::Deferred => "deferred",
            GoalStatus::Paused => "paused",
            GoalStatus::Cancelled => "cancelled",
        }
    }
}

impl Display for GoalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for GoalStatus {
    type Err = InvalidInput;

    fn from_str(word: &str) -> Result<GoalStatus, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| {
                let words = Self::ALL.map(GoalStatus::as_str).join(", ");
                InvalidInput::new("status", word, format!("give one of {words}"))
            })
    }
}

/// What somebody wants to reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: GoalId,
    /// What is to be reached.
    pub description: String,
    /// How much it matters; the more, the greater.
    pub importance: i64,
    /// How hard it is, in the application's words.
    pub complexity: String,
    /// What reaching it is worth, in the application's measure.
    pub estimated_value: Option<f64>,
    /// What has become of it.
    pub status: GoalStatus,
    /// By when it is to be reached.
    pub deadline: Option<Timestamp>,
    /// When it was first saved.
    pub created_at: Timestamp,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

impl Goal {
    /// Where a listing by deadline goes on after this goal.
    pub fn cursor(&self) -> GoalCursor {
        GoalCursor {
            deadline: self.deadline,
            id: self.id,
        }
    }

    /// Where the listing of active goals goes on after this goal.
    pub fn active_cursor(&self) -> ActiveGoalCursor {
        ActiveGoalCursor {
            importance: self.importance,
            created_at: self.created_at,
            id: self.id,
        }
    }

    /// Sets the status; says whether anything changed. Becoming completed sets the time of
    /// completion, staying so keeps it, and any other status clears it.
    pub fn set_status(&mut self, status: GoalStatus, at: Timestamp) -> bool {
        let completed_at = match (self.status, status) {
            (GoalStatus::Completed, GoalStatus::Completed) => self.completed_at,
            (_, GoalStatus::Completed) => Some(at),
            _ => None,
        };
        let changes = self.status != status || self.completed_at != completed_at;
        self.status = status;
        self.completed_at = completed_at;
        changes
    }
}

/// A goal to be saved. What is saved under a known id replaces what was known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewGoal {
    /// Made by the caller, so that saving it again is the same goal and not a second one.
    pub id: GoalId,
    /// What is to be reached.
    pub description: String,
    /// How much it matters; the more, the greater.
    pub importance: i64,
    /// How hard it is, in the application's words; a key text.
    pub complexity: String,
    /// What reaching it is worth; stored to the bit.
    pub estimated_value: Option<f64>,
    /// What has become of it.
    pub status: GoalStatus,
    /// By when it is to be reached.
    pub deadline: Option<Timestamp>,
}

impl NewGoal {
    /// An active goal with a new id, without a value and a deadline.
    pub fn new(
        description: impl Into<String>,
        importance: i64,
        complexity: impl Into<String>,
    ) -> NewGoal {
        NewGoal {
            id: GoalId::generate(),
            description: description.into(),
            importance,
            complexity: complexity.into(),
            estimated_value: None,
            status: GoalStatus::Active,
            deadline: None,
        }
    }

    /// Sets the id, for a goal that is known or an import.
    pub fn with_id(mut self, id: GoalId) -> NewGoal {
        self.id = id;
        self
    }

    /// Sets what reaching it is worth.
    pub fn with_estimated_value(mut self, value: f64) -> NewGoal {
        self.estimated_value = Some(value);
        self
    }

    /// Sets the status.
    pub fn with_status(mut self, status: GoalStatus) -> NewGoal {
        self.status = status;
        self
    }

    /// Sets by when it is to be reached.
    pub fn with_deadline(mut self, deadline: Timestamp) -> NewGoal {
        self.deadline = Some(deadline);
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewGoal, InvalidInput> {
        free_text("description", &self.description)?;
        key_text("complexity", &self.complexity)?;
        self.estimated_value = self
            .estimated_value
            .map(|value| finite("estimated_value", value))
            .transpose()?;
        Ok(self)
    }

    /// The goal that stands when its id was not known before.
    pub fn into_goal(self, tenant_id: TenantId, at: Timestamp) -> Goal {
        Goal {
            tenant_id,
            id: self.id,
            description: self.description,
            importance: self.importance,
            complexity: self.complexity,
            estimated_value: self.estimated_value,
            status: self.status,
            deadline: self.deadline,
            created_at: at,
            completed_at: (self.status == GoalStatus::Completed).then_some(at),
        }
    }

    /// The goal that stands when `stands` was known under its id: its creation is kept, and its
    /// status is set as [`Goal::set_status`] does.
    pub fn replacing(self, stands: Goal, at: Timestamp) -> Goal {
        let status = self.status;
        let mut goal = Goal {
            created_at: stands.created_at,
            completed_at: stands.completed_at,
            status: stands.status,
            ..self.into_goal(stands.tenant_id, at)
        };
        goal.set_status(status, at);
        goal
    }
}

/// Which goals a listing by deadline gives: those that meet every condition that is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GoalFilter {
    /// Only goals of this status.
    pub status: Option<GoalStatus>,
    /// Only goals with a deadline at this moment or later.
    pub deadline_from: Option<Timestamp>,
    /// Only goals with a deadline at this moment or earlier.
    pub deadline_to: Option<Timestamp>,
    /// Only goals that come after this place.
    pub after: Option<GoalCursor>,
}

/// A place in the listing of goals by deadline: the earliest first, those without one last, then
/// the smaller id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoalCursor {
    /// The last goal's deadline.
    pub deadline: Option<Timestamp>,
    /// The last goal's id.
    pub id: GoalId,
}

/// A place in the listing of active goals: the most important first, then the newest, then the
/// greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveGoalCursor {
    /// How much the last goal matters.
    pub importance: i64,
    /// When the last goal was first saved.
    pub created_at: Timestamp,
    /// The last goal's id.
    pub id: GoalId,
}

#[cfg(test)]
mod tests {
    use super::{GoalStatus, NewGoal};
    use crate::{TenantId, Timestamp};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn later() -> Timestamp {
        Timestamp::from_micros(1).unwrap()
    }

    #[test]
    fn every_status_reads_back() {
        for status in GoalStatus::ALL {
            assert_eq!(status.as_str().parse::<GoalStatus>().unwrap(), status);
        }
        assert!("done".parse::<GoalStatus>().is_err());
    }

    #[test]
    fn completion_has_a_time_and_nothing_else_has() {
        let new = NewGoal::new("learn to swim", 3, "easy");
        let mut goal = new.into_goal(TenantId::new("ada").unwrap(), NOW);
        assert_eq!(goal.completed_at, None);
        assert!(goal.set_status(GoalStatus::Completed, NOW));
        assert_eq!(goal.completed_at, Some(NOW));
        assert!(!goal.set_status(GoalStatus::Completed, later()));
        assert_eq!(goal.completed_at, Some(NOW));
        assert!(goal.set_status(GoalStatus::Paused, later()));
        assert_eq!(goal.completed_at, None);
        assert!(!goal.set_status(GoalStatus::Paused, later()));
    }

    #[test]
    fn what_replaces_a_goal_keeps_its_creation_and_its_completion() {
        let new = NewGoal::new("a", 1, "easy").with_status(GoalStatus::Completed);
        let tenant = TenantId::new("ada").unwrap();
        let stands = new.clone().into_goal(tenant, NOW);
        assert_eq!(stands.completed_at, Some(NOW));
        assert_eq!(new.clone().replacing(stands.clone(), later()), stands);
        let other = NewGoal {
            description: "b".into(),
            status: GoalStatus::Active,
            ..new
        };
        let replaced = other.replacing(stands, later());
        assert_eq!((&*replaced.description, replaced.created_at), ("b", NOW));
        assert_eq!(replaced.completed_at, None);
    }

    #[test]
    fn complexity_is_a_key_text_and_a_value_finite() {
        let refused = |new: NewGoal| new.validated().unwrap_err().field;
        assert_eq!(refused(NewGoal::new("a", 1, "")), "complexity");
        assert_eq!(refused(NewGoal::new("\u{0}", 1, "c")), "description");
        let endless = NewGoal::new("a", 1, "c").with_estimated_value(f64::INFINITY);
        assert_eq!(refused(endless), "estimated_value");
        let long = NewGoal::new("", i64::MIN, "x".repeat(512)).with_estimated_value(-0.0);
        let value = long.validated().unwrap().estimated_value;
        assert!(value.unwrap().is_sign_positive());
        assert_eq!(refused(NewGoal::new("a", 1, "x".repeat(513))), "complexity");
    }
}
