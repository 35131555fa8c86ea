use std::time::Duration;

use super::{ContextType, Node};
use crate::Timestamp;

/// What a node that was accessed this very moment gains.
const ACCESS_GAIN: f64 = 0.3;
/// The hours in which that gain halves.
const ACCESS_HALF_LIFE_HOURS: f64 = 2.0;
/// The hours after which an access counts no more.
const ACCESS_COUNTS_HOURS: f64 = 24.0;
/// The least relevance: nothing that is remembered is wholly irrelevant.
const RELEVANCE_MIN: f64 = 0.05;

impl ContextType {
    /// How long it takes until a node of this type has lost half of its relevance.
    pub const fn half_life(self) -> Duration {
        match self {
            ContextType::SearchResult => Duration::from_hours(6),
            ContextType::UserSelection => Duration::from_hours(36),
            ContextType::ToolOutput => Duration::from_hours(8),
            ContextType::DomainEntity => Duration::from_hours(48),
            ContextType::CompletedAction | ContextType::ConversationFact => {
                Duration::from_hours(24)
            }
            ContextType::TemporaryState => Duration::from_hours(3),
        }
    }
}

impl Node {
    /// How relevant the node is at a moment, from 0.05 to 1:
    /// `base × 0.5^(age / half-life) + 0.3 × 0.5^(hours since access / 2)`, where the second part
    /// counts within a day of the last access. Before its time of creation a node is as new.
    pub fn relevance(&self, now: Timestamp) -> f64 {
        let age = hours_since(now, self.created_at);
        let half_life = self.context_type.half_life().as_secs_f64() / 3_600.0;
        let aged = self.base_relevance * 0.5_f64.powf(age / half_life);
        let idle = hours_since(now, self.last_accessed_at);
        let gained = if idle <= ACCESS_COUNTS_HOURS {
            ACCESS_GAIN * 0.5_f64.powf(idle / ACCESS_HALF_LIFE_HOURS)
        } else {
            0.0
        };
        (aged + gained).clamp(RELEVANCE_MIN, 1.0)
    }
}

fn hours_since(now: Timestamp, earlier: Timestamp) -> f64 {
    now.days_since(earlier) * 24.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{ContextType, NewNode, Node, TenantId, Timestamp};

    fn node(context_type: ContextType, base: f64) -> Node {
        let mut new = NewNode::new(context_type);
        new.base_relevance = base;
        new.into_node(TenantId::new("t").unwrap(), Timestamp::UNIX_EPOCH)
    }

    fn after(hours: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH.after(Duration::from_hours(hours))
    }

    fn assert_close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    }

    #[test]
    fn half_lives_are_those_of_the_context_types() {
        let hours = ContextType::ALL.map(|of| of.half_life().as_secs() / 3_600);
        assert_eq!(hours, [6, 36, 8, 48, 24, 24, 3]);
    }

    #[test]
    fn a_new_node_has_its_base_and_the_gain_of_its_access() {
        assert_close(
            node(ContextType::DomainEntity, 0.5).relevance(after(0)),
            0.8,
        );
        assert_close(
            node(ContextType::DomainEntity, 0.0).relevance(after(0)),
            0.3,
        );
    }

    #[test]
    fn relevance_halves_with_the_half_life_and_access_with_two_hours() {
        // 0.5 × 0.5^(6/6) + 0.3 × 0.5^(6/2)
        assert_close(
            node(ContextType::SearchResult, 0.5).relevance(after(6)),
            0.2875,
        );
        // 0.8 × 0.5^(24/48) + 0.3 × 0.5^12
        let found = node(ContextType::DomainEntity, 0.8).relevance(after(24));
        assert_close(found, 0.565_758_667_136_738_2);
    }

    #[test]
    fn an_access_counts_within_a_day() {
        // 1 × 0.5^(48/48); the access is two days old.
        assert_close(
            node(ContextType::DomainEntity, 1.0).relevance(after(48)),
            0.5,
        );
        let mut accessed = node(ContextType::DomainEntity, 1.0);
        accessed.last_accessed_at = after(46);
        assert_close(accessed.relevance(after(48)), 0.65);
    }

    #[test]
    fn relevance_stays_within_a_twentieth_and_one() {
        assert_close(
            node(ContextType::UserSelection, 1.0).relevance(after(0)),
            1.0,
        );
        assert_close(
            node(ContextType::TemporaryState, 1.0).relevance(after(999)),
            0.05,
        );
        assert_close(
            node(ContextType::TemporaryState, 1.0).relevance(Timestamp::MAX),
            0.05,
        );
    }

    #[test]
    fn before_its_creation_a_node_is_as_new() {
        let mut node = node(ContextType::ToolOutput, 0.25);
        node.created_at = after(5);
        node.last_accessed_at = after(5);
        assert_close(node.relevance(after(0)), 0.55);
    }
}
