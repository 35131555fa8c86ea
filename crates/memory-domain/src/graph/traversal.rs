use serde::{Deserialize, Serialize};

use super::{Direction, Node};
use crate::limits::{TRAVERSE_DEPTH_DEFAULT, TRAVERSE_DEPTH_MAX};
use crate::{InvalidInput, Limit, RelationshipKind, unit_interval};

/// How far and along which relationships a traversal goes.
#[derive(Debug, Clone, PartialEq)]
pub struct TraverseOptions {
    /// How many relationships lie between the start and the furthest node: 0, which gives nothing,
    /// to 10; by default 2.
    pub depth: u32,
    /// Which way relationships are followed, by default either.
    pub direction: Direction,
    /// Only relationships of this kind are followed.
    pub kind: Option<RelationshipKind>,
    /// Only relationships at least this strong, from 0 to 1, are followed.
    pub min_strength: Option<f64>,
    /// How many nodes are given.
    pub limit: Limit,
}

impl Default for TraverseOptions {
    fn default() -> Self {
        TraverseOptions {
            depth: TRAVERSE_DEPTH_DEFAULT,
            direction: Direction::Both,
            kind: None,
            min_strength: None,
            limit: Limit::default(),
        }
    }
}

impl TraverseOptions {
    /// Checks depth and strength.
    ///
    /// # Errors
    /// The first that is refused.
    pub fn validated(mut self) -> Result<TraverseOptions, InvalidInput> {
        if self.depth > TRAVERSE_DEPTH_MAX {
            let problem = format!("go at most {TRAVERSE_DEPTH_MAX} relationships deep");
            return Err(InvalidInput::new("depth", self.depth, problem));
        }
        self.min_strength = self
            .min_strength
            .map(|strength| unit_interval("min_strength", strength))
            .transpose()?;
        Ok(self)
    }
}

/// A node that a traversal came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// The node.
    pub node: Node,
    /// The fewest relationships that lead to it, from 1.
    pub depth: u32,
    /// The weight of the best way to it, from 0 to 1: the product of the strengths along it.
    pub weight: f64,
}

/// What remains of the weight of a way when one more relationship is followed: the product.
///
/// Where a factor is below 10⁻¹⁵⁰ it is zero, because PostgreSQL refuses an underflow.
pub fn path_weight(weight: f64, strength: f64) -> f64 {
    if weight < 1e-150 || strength < 1e-150 {
        0.0
    } else {
        weight * strength
    }
}

#[cfg(test)]
mod tests {
    use super::{TraverseOptions, path_weight};

    #[test]
    fn a_traversal_goes_at_most_10_deep() {
        let deep = |depth| TraverseOptions {
            depth,
            ..TraverseOptions::default()
        };
        assert!(deep(10).validated().is_ok());
        assert_eq!(deep(11).validated().unwrap_err().field, "depth");
    }

    #[test]
    fn the_least_strength_is_from_0_to_1() {
        let options = TraverseOptions {
            min_strength: Some(1.5),
            ..TraverseOptions::default()
        };
        assert_eq!(options.validated().unwrap_err().field, "min_strength");
    }

    #[test]
    fn a_weight_never_underflows() {
        assert!((path_weight(0.5, 0.25) - 0.125).abs() < 1e-12);
        assert!(path_weight(1e-200, 1e-200) == 0.0);
        assert!(path_weight(1.0, 0.0) == 0.0);
    }
}
