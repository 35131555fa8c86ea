//! Being told to stop: by Ctrl-C or by the system.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long what is under way has to go away, before the process does.
const GRACE: Duration = Duration::from_secs(2);

/// The signal that told the program to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped(u8);

impl Stopped {
    const INTERRUPT: Stopped = Stopped(2);

    /// What shells make of a signal.
    fn status(self) -> u8 {
        128 + self.0
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(self.status())
    }
}

/// Runs a command until a signal comes: then it is dropped, which undoes its transaction and removes
/// its temporary files.
pub(crate) async fn unless_stopped<T>(command: impl Future<Output = T>) -> Result<T, Stopped> {
    let (tell, told) = oneshot::channel();
    // Apart from the command, whose thread may be held up by a pipe that nobody reads.
    tokio::spawn(async move {
        let Ok(stopped) = signal().await else {
            // Without a handler a signal ends the process, as ever.
            return;
        };
        let _ = tell.send(stopped);
        // Who is asked twice does not wait either.
        let _ = timeout(GRACE, signal()).await;
        std::process::exit(stopped.status().into());
    });
    tokio::select! {
        ended = command => Ok(ended),
        Ok(stopped) = told => Err(stopped),
    }
}

#[cfg(unix)]
async fn signal() -> io::Result<Stopped> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = interrupt.recv() => Ok(Stopped::INTERRUPT),
        _ = terminate.recv() => Ok(Stopped(15)),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<Stopped> {
    tokio::signal::ctrl_c().await?;
    Ok(Stopped::INTERRUPT)
}
