//! What is learned from conversations: concepts that occur together, and whole turns.

mod compound;
mod recall;
mod turn;

pub use compound::{Compound, CompoundCursor, CompoundFilter, NewCompound};
pub use recall::{RECALL_FADES, RECALL_NAME, RECALL_PART, RecallTerms, Recalled, compound_score};
pub use turn::{Concept, LearnedTurn, Turn, TurnDecision, TurnPlan};
