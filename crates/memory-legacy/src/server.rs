//! consultant's durable memory on a PostgreSQL server: one snapshot, each table through a bounded
//! cursor in the order of its key.

mod reading;
mod session;
mod tables;

use memory_storage::{RecordSource, SourceDescription, SourceError};
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::cells::NaiveTimes;
use crate::consultant::SERVER;
use crate::format::Format;
use crate::ids::check_source_name;
use crate::open::default_tenant;
use crate::source::{LegacySource, settings};
use crate::sqlite_file::unusable;
use crate::{LegacyKind, Options};

use reading::ServerJob;
use session::Session;
use tables::ServerTables;

/// Says whether a schema of a server is one of another system, by its tables and columns.
///
/// # Errors
/// [`SourceError::Failed`] if the server fails.
pub async fn recognise_server(
    client: &Client,
    location: &str,
    schema: &str,
) -> Result<Option<LegacyKind>, SourceError> {
    let tables = ServerTables::read(client, location, schema).await?;
    let missing = (&SERVER as &dyn Format).missing(&tables.catalog);
    Ok(missing.is_empty().then_some(LegacyKind::Consultant))
}

/// Begins to read another system's schema on a server, through a connection that is used for
/// nothing else.
///
/// Everything is read in one read-only transaction at REPEATABLE READ: whatever others write
/// meanwhile, one state comes out. `location` is what messages call the server, without a password.
/// A thread of its own reads and converts, a few batches ahead of [`RecordSource::next`]; the
/// runtime on which the connection is driven must live on. Dropping the source ends it.
///
/// # Errors
/// [`SourceError::Unusable`] if the schema lacks what the system's has; [`SourceError::Failed`] if
/// the server fails.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn open_server(
    client: Client,
    location: String,
    schema: &str,
    options: Options,
) -> Result<Box<dyn RecordSource>, SourceError> {
    let kind = options.kind.unwrap_or(LegacyKind::Consultant);
    if kind != LegacyKind::Consultant {
        let problem = format!("{kind} left files, and is not read from a server");
        return Err(unusable(&location, problem));
    }
    let name = options.name.unwrap_or_else(|| kind.to_string());
    check_source_name(&name).map_err(|error| unusable(&location, error.to_string()))?;
    session::begin(&client, &location).await?;
    let tables = ServerTables::read(&client, &location, schema).await?;
    let format: &'static dyn Format = &SERVER;
    let missing = format.missing(&tables.catalog);
    if !missing.is_empty() {
        let problem = format!(
            "its schema {schema} is none of {kind}: it lacks {}",
            missing.join(", ")
        );
        return Err(unusable(&location, problem));
    }
    let naive = NaiveTimes::new(options.timezone, format.documented_zone());
    let unnamed = options.tenant.unwrap_or_else(default_tenant);
    let description = SourceDescription {
        kind: kind.to_string(),
        name: name.clone(),
        location: location.clone(),
        settings: settings::of(naive, &unnamed, format),
    };
    let job = ServerJob {
        session: Session {
            client,
            location,
            runtime: Handle::current(),
        },
        tables,
        name,
        naive,
        unnamed,
    };
    // A statement ends with the connection, which the thread gives up when nobody listens.
    let interrupt = Box::new(|| {});
    let read = move |sink: &mut _| job.run(sink);
    Ok(Box::new(LegacySource::run(
        description,
        options.batch_size,
        interrupt,
        read,
    )?))
}
