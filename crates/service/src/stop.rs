//! A clean stop.

use std::io;
use tracing::error;

/// [`shutdown`] for programs that stop as well if they cannot listen for signals.
pub async fn stop() {
    if let Err(error) = shutdown().await {
        error!(%error, "cannot listen for signals, stopping");
    }
}

/// Resolves when the process is asked to stop: SIGINT (Ctrl-C) or, on Unix, SIGTERM.
///
/// # Errors
/// The system's, if signals cannot be listened for.
pub async fn shutdown() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
