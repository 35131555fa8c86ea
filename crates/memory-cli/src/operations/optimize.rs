//! `memory optimize`.

use std::error::Error;
use std::fmt::{self, Display, Write};

use clap::Args;
use memory_core::migrate::schema;
use memory_core::{SchemaPolicy, StorageError};
use serde_json::json;

use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::migrate::remedy;
use crate::outcome::Outcome;
use crate::store;

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct OptimizeArgs {
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Only lists what would be done
    #[arg(long)]
    dry_run: bool,
}

/// What somebody else kept from its end.
#[derive(Debug)]
struct Unfinished(StorageError);

impl Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store is in use, so what was deleted may still stand in it")
    }
}

impl Error for Unfinished {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

pub(crate) async fn run(args: &OptimizeArgs) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(args.url.as_deref())?;
    // Whatever the indexes are: to mend them is what this is for.
    let config = store::existing(config)?.with_schema(SchemaPolicy::Ignore);
    let storage = store::open(&config).await?;
    let status = schema::status(storage.as_ref()).await?;
    if let Some(remedy) = remedy(&status, &config) {
        store::close(storage.as_ref()).await;
        let (unknown, pending) = (status.unknown().next(), status.pending().next());
        let problem = match (unknown, pending) {
            (Some(unknown), _) => {
                format!("the schema has {}, newer than this program", unknown.name)
            }
            (None, Some(pending)) => format!("the schema lacks {}", pending.name),
            (None, None) => "the schema is another one".to_owned(),
        };
        return Err(Failure::could_not_run(problem).with_remedy(remedy));
    }
    let steps = storage.maintenance().optimize(args.dry_run).await;
    store::close(storage.as_ref()).await;
    let steps = steps.map_err(|error| match error {
        // Some of it may be done, so it is not as if the command had not run.
        error @ StorageError::Busy { .. } => Failure::finding(Unfinished(error))
            .with_remedy("run it again when nobody else reads or writes for long"),
        error => Failure::store("optimizing the store", error),
    })?;
    let mut text = format!("{config}\n");
    for step in &steps {
        let _ = writeln!(text, "  {}: {}", step.step, step.reason);
    }
    text.push_str(if args.dry_run {
        "nothing was done: this is what would be\n"
    } else {
        "done\n"
    });
    let document = json!({
        "store": config.to_string(),
        "dry_run": args.dry_run,
        "steps": steps,
    });
    Ok(Outcome::new(0, text, "optimize", document).with_notes(notes))
}
