use std::fmt::Display;

/// A change that the state of a thing does not allow: what it is now, and what it was to become.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {id} is {state}, so it cannot become {wanted}")]
pub struct WrongState {
    /// What was to be changed: `task`, `patch request`.
    pub what: &'static str,
    /// Its id.
    pub id: String,
    /// The state that it is in.
    pub state: String,
    /// The state that it was to get.
    pub wanted: String,
}

impl WrongState {
    /// Describes a change that is refused.
    pub fn new(
        what: &'static str,
        id: impl Display,
        state: impl Display,
        wanted: impl Display,
    ) -> WrongState {
        WrongState {
            what,
            id: id.to_string(),
            state: state.to_string(),
            wanted: wanted.to_string(),
        }
    }
}
