//! The writer's side of a lease: serving one holder until it ends.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::job::{Job, Ran};
use super::lease::{Command, End, Lease, Reason, Request, Undo};
use super::thread::WriterThread;

/// The lease that is being served, for the store that is closed under it.
#[derive(Default)]
pub(super) struct Current {
    held: Mutex<Option<(Arc<End>, Sender<Command>)>>,
    cut: AtomicBool,
}

impl Current {
    /// Ends the lease that is being served, and whatever comes after it.
    pub(super) fn cut(&self) {
        self.cut.store(true, SeqCst);
        if let Some((end, commands)) = &*self.lock() {
            end.set(Reason::Closed);
            let _ = commands.send(Command::Abort);
        }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Arc<End>, Sender<Command>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WriterThread {
    /// Serves one unit of work until it ends.
    pub(super) fn lease(&mut self, request: Request) {
        let Request {
            claim,
            pass,
            idle,
            limits,
            grant,
        } = request;
        if let Err(error) = self.begin() {
            let _ = grant.send(Err(error));
            return;
        }
        let (sender, commands) = mpsc::channel();
        let end = Arc::<End>::default();
        let lease = Lease {
            commands: Mutex::new(sender.clone()),
            end: end.clone(),
            limits,
            meter: self.meter(),
        };
        *self.leases.lock() = Some((end.clone(), sender));
        let granted = !self.leases.is_cut() && claim.start() && claim.keep();
        // A grant that nobody takes is dropped, and that is a rollback among the commands.
        if granted && grant.send(Ok(lease)).is_ok() {
            self.serve(&commands, &end, idle);
        } else {
            self.roll_back();
        }
        *self.leases.lock() = None;
        drop(pass);
    }

    fn serve(&mut self, commands: &Receiver<Command>, end: &End, idle: Option<Duration>) {
        loop {
            let command = match idle {
                Some(idle) => commands.recv_timeout(idle),
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match command {
                Ok(_) if end.is_set() => return self.roll_back(),
                Ok(Command::Run(job, undo)) => {
                    if !self.in_lease(job, undo, end) {
                        return;
                    }
                }
                Ok(Command::Commit(reply)) => {
                    let done = self.commit().map_err(|undone| undone.error());
                    let _ = reply.send(done);
                    return;
                }
                Ok(Command::Checkpoint(reply)) => {
                    let committed = self.commit().map_err(|undone| undone.error());
                    let goes_on = committed.and_then(|()| self.begin());
                    let failed = goes_on.as_ref().err().map(ToString::to_string);
                    if let Some(problem) = &failed {
                        end.aborted(format!("a checkpoint failed: {problem}"));
                    }
                    let _ = reply.send(goes_on);
                    if failed.is_some() {
                        return;
                    }
                }
                Ok(Command::Rollback(reply)) => {
                    self.roll_back();
                    if let Some(reply) = reply {
                        let _ = reply.send(());
                    }
                    return;
                }
                Ok(Command::Abort) | Err(RecvTimeoutError::Disconnected) => {
                    return self.roll_back();
                }
                Err(RecvTimeoutError::Timeout) => {
                    end.aborted(format!("it was idle for {:?}", idle.unwrap_or_default()));
                    return self.roll_back();
                }
            }
        }
    }

    /// Runs one verb of a work, and says whether the work goes on.
    fn in_lease(&mut self, mut job: Box<dyn Job>, undo: Undo, end: &End) -> bool {
        if !job.start() {
            // Its caller went away, and left word of that.
            self.roll_back();
            return false;
        }
        let step = job.step();
        let guarded = undo == Undo::Verb;
        let begun = if guarded {
            self.execute("savepoint job")
        } else {
            Ok(())
        };
        let ran = match begun {
            Ok(()) => self.run_job(&mut *job),
            Err(error) => {
                end.aborted(format!("the database failed while {step}: {error}"));
                self.discard();
                job.fail(end.error());
                return false;
            }
        };
        let kept = job.keep();
        let settled = match ran {
            Ran::Well if kept && guarded => self.execute("release job"),
            Ran::Well if kept => Ok(()),
            Ran::Refused if kept && guarded => self
                .execute("rollback to job")
                .and_then(|()| self.execute("release job")),
            Ran::Well | Ran::Refused if !kept => {
                end.aborted("a verb was given up half way");
                self.roll_back();
                return false;
            }
            Ran::Well | Ran::Refused | Ran::Failed => {
                let who = if ran == Ran::Refused {
                    "store refused"
                } else {
                    "database failed"
                };
                end.aborted(format!("the {who} while {step}"));
                self.roll_back();
                job.answer();
                return false;
            }
        };
        if let Err(error) = settled {
            end.aborted(format!("the database failed while {step}: {error}"));
            self.discard();
            job.fail(end.error());
            return false;
        }
        job.answer();
        true
    }
}
