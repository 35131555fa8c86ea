//! Group commit: the jobs that wait share a transaction, each under its own savepoint.

use std::time::{Duration, Instant};

use memory_storage::StorageError;

use super::job::{Job, Ran, Undone};
use super::thread::WriterThread;

/// The most jobs of one transaction: the first one waits for the last one's answer.
const GROUP_MAX: usize = 256;

/// How long after its first job a group takes others in: far below any statement timeout, which a
/// caller's own job may not pass only because others stand behind it.
#[cfg(not(test))]
const GROUP_TIME: Duration = Duration::from_millis(50);

/// The tests say themselves who is in a group, and the machine may be busy with others of them.
#[cfg(test)]
const GROUP_TIME: Duration = Duration::from_mins(1);

impl WriterThread {
    /// Runs a job and those that wait behind it, commits once, and then answers each.
    pub(super) fn group(&mut self, first: Box<dyn Job>) {
        if let Err(error) = self.begin() {
            return first.fail(error);
        }
        let mut ran = Vec::new();
        let mut others_since = None;
        let mut next = Some(first);
        while let Some(mut job) = next {
            if self.leases.is_cut() {
                job.fail(StorageError::Closed);
            } else if job.start() {
                let outcome = self.attempt(&mut *job, ran.is_empty());
                ran.push(job);
                match outcome {
                    Ok(Attempt::InGroup) => {}
                    Ok(Attempt::UndoneWhole) => return answer(ran),
                    Err(undone) => {
                        self.discard();
                        return fail(ran, &undone);
                    }
                }
            }
            let since = others_since.get_or_insert_with(Instant::now);
            next = if ran.len() < GROUP_MAX && since.elapsed() < GROUP_TIME {
                self.next_write()
            } else {
                None
            };
        }
        // A refusal is answered after the commit too: it may rest on what another job did.
        match self.commit() {
            Ok(()) => answer(ran),
            Err(undone) => fail(ran, &undone),
        }
    }

    /// Runs one job. The first one of a group needs no savepoint: if it fails, nothing else is
    /// undone with the whole transaction.
    ///
    /// # Errors
    /// SQLite itself undid the whole transaction, as it may when the disk is full: then the
    /// savepoint is gone too.
    fn attempt(&mut self, job: &mut dyn Job, first: bool) -> Result<Attempt, Undone> {
        if first {
            let ran = self.run_job(job);
            if ran == Ran::Well && job.keep() {
                return Ok(Attempt::InGroup);
            }
            self.roll_back();
            return Ok(Attempt::UndoneWhole);
        }
        self.execute("savepoint job")
            .map_err(|error| gone(job, &error))?;
        let ran = self.run_job(job);
        if ran != Ran::Well || !job.keep() {
            self.execute("rollback to job")
                .map_err(|error| gone(job, &error))?;
        }
        self.execute("release job")
            .map_err(|error| gone(job, &error))?;
        Ok(Attempt::InGroup)
    }
}

/// What became of a job that ran.
enum Attempt {
    /// It is part of the group, with what it did or, undone, without.
    InGroup,
    /// It was undone, and the transaction with it.
    UndoneWhole,
}

/// The transaction is gone, most likely by what the job's own body met.
fn gone(job: &dyn Job, error: &diesel::result::Error) -> Undone {
    let cause = job.problem().unwrap_or_else(|| error.to_string());
    let message = format!("{}: {cause}", job.step());
    Undone::new("writing together with others", &message)
}

fn answer(jobs: Vec<Box<dyn Job>>) {
    for job in jobs {
        job.answer();
    }
}

fn fail(jobs: Vec<Box<dyn Job>>, undone: &Undone) {
    for job in jobs {
        job.fail(undone.error());
    }
}
