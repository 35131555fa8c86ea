//! `memory verify`.

use clap::Args;
use memory_core::TenantId;
use memory_core::migrate::{self, Progress};
use serde_json::json;

use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::progress::Display;
use crate::store;

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct VerifyArgs {
    /// One store: a path or a URL
    a: String,
    /// The other store
    b: String,
    /// Compares only what belongs to this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
}

pub(crate) async fn run(args: &VerifyArgs, json: bool) -> Result<Outcome, Failure> {
    let a = store::open_for_reading(&args.a).await?;
    let b = store::open_for_reading(&args.b).await?;
    let mut display = Display::new(json);
    let mut progress = |progress: &Progress<'_>| display.show(progress);
    let tenant = args.tenant.as_ref();
    let report = migrate::verify(a.as_ref(), b.as_ref(), tenant, &mut progress).await;
    drop(display);
    store::close(a.as_ref()).await;
    store::close(b.as_ref()).await;
    let report = report?;
    let status = report.exit_status();
    Ok(Outcome::new(
        status,
        report.to_string(),
        "verify",
        json!(report),
    ))
}
