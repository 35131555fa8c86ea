//! The transfer: from any source of records into any store.

mod accounts;
mod carrier;
mod checkpoint;
mod course;
mod insert;
mod messages;
mod readback;
mod tally;
#[cfg(test)]
mod tests;
mod waves;

use std::time::Instant;

use memory_domain::JsonObject;
use memory_storage::{
    RecordSource, RecordWriter, RunStatus, SourceDescription, Storage, StorageError, TransferRun,
};

use self::accounts::Accounts;
use self::carrier::Carrier;
use self::course::Course;
use crate::progress::{Meter, rate};
use crate::quarantine::Quarantine;
use crate::report::{Outcome, Report, Timings};
use crate::schema;
use crate::{MigrateError, OnProgress, Phase, TransferOptions};

/// Carries every row of a source into a store, in one transaction that is verified before it is made
/// to last, and accounts for each of them.
///
/// With [`TransferOptions::resumable`] what is carried is made to last batch by batch, with a
/// checkpoint in the same transaction; a run that was cut off is gone on with by the next transfer
/// from the same source, and all of it is verified at the end.
///
/// Rows that stand in the target are never changed. The target remembers the run and what it
/// inserted, so that [`rollback`](crate::rollback) can take exactly that back; a run that has
/// nothing to carry leaves no trace. Dropping the future undoes everything.
///
/// # Errors
/// Nothing was carried, and the target is as it was: the source or the target failed, a table's
/// classes do not add up to its rows, or what was read back is not what the source held. Rows that
/// cannot be carried are no error: the [`Report`] names them, and its exit status is 1. Of a resumable
/// run everything up to its last checkpoint stands, which `Stopped` says; a run that cannot be gone on
/// with is `NotResumable`, `SourceChanged`, `TakenOver` or `UnderWay`, and where an unfinished one from
/// the same source stands, any other transfer from there is `RunUnfinished`.
pub async fn transfer(
    source: Box<dyn RecordSource>,
    target: &dyn Storage,
    options: TransferOptions,
    progress: OnProgress<'_>,
) -> Result<Report, MigrateError> {
    options.check()?;
    prepare_schema(target, &options).await?;
    let info = target
        .info()
        .await
        .map_err(MigrateError::store("asking the target what it is"))?;
    let writer = target.writer().await.map_err(MigrateError::store(
        "beginning the transaction of the transfer",
    ))?;
    carry(source, writer, info.location, &options, progress).await
}

/// The transfer itself, once the target's transaction is open.
async fn carry(
    source: Box<dyn RecordSource>,
    writer: Box<dyn RecordWriter>,
    target: String,
    options: &TransferOptions,
    progress: OnProgress<'_>,
) -> Result<Report, MigrateError> {
    let mut options = options.clone();
    let mut course = None;
    let carried = carry_on(source, writer, target, &mut options, &mut course, progress).await;
    carried.map_err(|error| match course {
        Some(course) if course.has_lasting => error.stopped(options.run),
        _ => error,
    })
}

/// Carries everything in the run of the options, or in the unfinished one that it goes on with, which
/// it then enters in their place. Fills in the course of a resumable run.
async fn carry_on(
    mut source: Box<dyn RecordSource>,
    mut writer: Box<dyn RecordWriter>,
    target: String,
    options: &mut TransferOptions,
    course: &mut Option<Course>,
    progress: OnProgress<'_>,
) -> Result<Report, MigrateError> {
    let began = Instant::now();
    let description = source.description().clone();
    let tables = source.tables().await?;
    let unfinished = checkpoint::unfinished(writer.as_mut(), options, &description).await?;
    if let Some((run, _)) = &unfinished {
        options.run = run.id;
    }
    let options = &*options;
    if options.resumable {
        *course = Some(Course::new(
            options,
            &description,
            &tables,
            unfinished.as_ref(),
        )?);
    }
    let accounts = Accounts::new(tables, options)?;
    let kept = unfinished
        .as_ref()
        .and_then(|(_, from)| from.quarantine.as_ref());
    let quarantine = Quarantine::open(options, &description, &target, kept)?;
    // What is off while others are kept out must not be seen by them at a checkpoint.
    if !options.resumable {
        let expected = accounts.totals().iter().map(|(_, rows)| rows).sum();
        writer
            .expect(expected)
            .await
            .map_err(MigrateError::store("preparing the target"))?;
    }
    if unfinished.is_none() {
        open_run(writer.as_mut(), options, &description).await?;
    }

    let meter = Meter::begin(Phase::Carrying, accounts.totals(), &mut *progress);
    let mut carrier = Carrier::new(
        writer,
        accounts,
        quarantine,
        meter,
        options,
        course.as_mut(),
    );
    let started_at = match unfinished {
        Some((run, from)) => {
            carrier.go_on(from);
            run.started_at
        }
        None => options.at,
    };
    while let Some(rows) = source.next().await? {
        carrier.take(rows).await?;
    }
    let mut all = carrier.finish().await?;
    // The source's read transaction is not needed for what follows.
    drop(source);
    all.accounts.check()?;

    let reading_back = Instant::now();
    let verification = if options.verify {
        let page = options.batch_size;
        let writer = all.writer.as_mut();
        Some(readback::read_back(writer, options.run, page, &all.tally, progress).await?)
    } else {
        None
    };

    let timings = Timings {
        carrying_seconds: all.carrying.as_secs_f64(),
        verifying_seconds: reading_back.elapsed().as_secs_f64(),
        rows_per_second: rate(all.rows, all.carrying),
    };
    let (tables, rules) = all.accounts.into_report();
    let report = Report {
        run: options.run,
        outcome: Outcome::of(&tables, options.dry_run),
        source: description,
        target,
        resumed: course.as_ref().and_then(|course| course.resumed),
        started_at,
        finished_at: options.at.after(began.elapsed()),
        timings,
        tenant: options.tenant.clone(),
        tables,
        rules,
        on_conflict: options.on_conflict,
        conflicts: all.conflicts,
        quarantined: all.quarantined,
        // The file is whole and has its name before the target remembers a run that tells of it.
        quarantine_file: all.quarantine.finish()?,
        quarantine_allowed: options.allow_quarantine,
        verification,
    };
    conclude(all.writer, &report, options.resumable).await?;
    Ok(report)
}

/// Enters the run in the target.
async fn open_run(
    writer: &mut dyn RecordWriter,
    options: &TransferOptions,
    source: &SourceDescription,
) -> Result<(), MigrateError> {
    let run = TransferRun {
        id: options.run,
        source_kind: source.kind.clone(),
        source_name: source.name.clone(),
        source_location: source.location.clone(),
        started_at: options.at,
        finished_at: None,
        status: RunStatus::Running,
        report: JsonObject::new(),
    };
    writer
        .open_run(&run)
        .await
        .map_err(MigrateError::store("entering the run in the target"))
}

/// Enters the report and makes everything last, or undoes it if that is the outcome.
async fn conclude(
    mut writer: Box<dyn RecordWriter>,
    report: &Report,
    resumable: bool,
) -> Result<(), MigrateError> {
    let told = checkpoint::stored(report)?;
    let closed = writer
        .close_run(report.run, RunStatus::Completed, report.finished_at, told)
        .await
        .map_err(checkpoint::refused(
            report.run,
            "entering the run's report in the target",
        ));
    let ended = match closed {
        // Also a dry run comes this far, so that it fails where the real one would.
        Ok(()) if report.outcome == Outcome::Committed => writer
            .commit()
            .await
            .map_err(MigrateError::store("committing the transfer")),
        closed => closed,
    };
    if let (Err(error), Some(path)) = (&ended, &report.quarantine_file)
        // A resumable run goes on with it.
        && !resumable
        && !matches!(
            error,
            MigrateError::Store {
                source: StorageError::OutcomeUnknown { .. },
                ..
            }
        )
    {
        // Nothing was carried, so nothing is to be mended.
        let _ = std::fs::remove_file(path);
    }
    ended
}

async fn prepare_schema(
    target: &dyn Storage,
    options: &TransferOptions,
) -> Result<(), MigrateError> {
    if options.create_schema && !options.dry_run {
        schema::up(target).await?;
        return Ok(());
    }
    let states = schema::migrations(target).await?;
    let pending = states.into_iter().filter(|migration| !migration.applied);
    let pending: Vec<String> = pending.map(|migration| migration.name).collect();
    if pending.is_empty() {
        return Ok(());
    }
    let info = target
        .info()
        .await
        .map_err(MigrateError::store("asking the target what it is"))?;
    Err(MigrateError::SchemaPending {
        target: info.location,
        pending,
    })
}
