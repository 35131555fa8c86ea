//! Shows that a retry is the same write: ids are made by the caller, so sending the same message
//! again after a lost answer does not store it twice.

use std::error::Error;

use memory_core::{NewMessage, NewSession, StorageError};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let memory = memory_core::open("sqlite::memory:").await?;
    let ada = memory.tenant("ada")?;
    let session = ada.create_session(NewSession::new("")).await?.id;

    let message = NewMessage::user("Is anybody there?");
    let first = ada.append(session, message.clone()).await?;
    let again = ada.append(session, message.clone()).await?;
    println!(
        "sent twice, stored once: numbers {} and {}",
        first.number, again.number
    );

    // The same id with other content is a mistake, and is told.
    let other = NewMessage::user("Something else").with_id(message.id);
    match ada.append(session, other).await {
        Err(error @ StorageError::Conflict { .. }) => println!("refused: {error}"),
        other => return Err(format!("expected a conflict, got {other:?}").into()),
    }
    memory.close().await?;
    Ok(())
}
