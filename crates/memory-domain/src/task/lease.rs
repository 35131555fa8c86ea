use std::collections::BTreeSet;
use std::time::Duration;

use crate::{InvalidInput, Timestamp, key_text};

/// A worker's hold on a task: who, and for how long. When it runs out, another may take the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who works; a key text. Two workers must not share a name.
    pub worker: String,
    /// How long the task is theirs, from the moment of the call; at least a microsecond.
    pub duration: Duration,
}

impl Lease {
    /// A lease of a worker.
    pub fn new(worker: impl Into<String>, duration: Duration) -> Lease {
        Lease {
            worker: worker.into(),
            duration,
        }
    }

    /// Checks both fields.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(self) -> Result<Lease, InvalidInput> {
        key_text("worker", &self.worker)?;
        if self.duration < Duration::from_micros(1) {
            let shown = format!("{:?}", self.duration);
            return Err(InvalidInput::new(
                "lease",
                shown,
                "give at least a microsecond",
            ));
        }
        Ok(self)
    }

    /// When it runs out if it is given now.
    pub fn until(&self, at: Timestamp) -> Timestamp {
        at.after(self.duration)
    }
}

/// What a worker that has nothing to do asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskClaim {
    /// The lease that it gets.
    pub lease: Lease,
    /// Only tasks of these types; of every type, if it is empty.
    pub task_types: BTreeSet<String>,
}

impl TaskClaim {
    /// A claim on tasks of every type.
    pub fn new(worker: impl Into<String>, duration: Duration) -> TaskClaim {
        TaskClaim {
            lease: Lease::new(worker, duration),
            task_types: BTreeSet::new(),
        }
    }

    /// Adds a type of task that the worker can do.
    pub fn of_type(mut self, task_type: impl Into<String>) -> TaskClaim {
        self.task_types.insert(task_type.into());
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<TaskClaim, InvalidInput> {
        self.lease = self.lease.validated()?;
        for task_type in &self.task_types {
            key_text("task_types", task_type)?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Lease, TaskClaim};
    use crate::Timestamp;

    #[test]
    fn a_lease_lasts_a_microsecond_or_longer() {
        let lease = |duration| Lease::new("w", duration).validated();
        assert_eq!(lease(Duration::ZERO).unwrap_err().field, "lease");
        assert!(lease(Duration::from_nanos(999)).is_err());
        assert!(lease(Duration::from_micros(1)).is_ok());
        assert_eq!(
            lease(Duration::MAX).unwrap().until(Timestamp::UNIX_EPOCH),
            Timestamp::MAX
        );
    }

    #[test]
    fn a_worker_and_a_type_are_key_texts() {
        let second = Duration::from_secs(1);
        assert_eq!(
            Lease::new("", second).validated().unwrap_err().field,
            "worker"
        );
        let claim = TaskClaim::new("w", second).of_type("");
        assert_eq!(claim.validated().unwrap_err().field, "task_types");
        let claim = TaskClaim::new("w", second).of_type("x".repeat(512));
        assert!(claim.validated().is_ok());
    }
}
