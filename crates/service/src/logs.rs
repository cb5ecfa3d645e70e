//! Logs on stderr, so that stdout stays free for what a program was asked for.

use crate::secret::Masked;
use std::io::{self, IsTerminal};
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs were set up twice in one process.
#[derive(Debug, Error)]
#[error("cannot start logging: {0}")]
pub struct LogsError(#[from] tracing_subscriber::util::TryInitError);

/// Starts logging: one line per event for people, or with `json` one object per line. `RUST_LOG` chooses what is
/// logged (`info` if it is not set, or not valid). What is hidden ([`crate::hide`]) is not shown, whoever logs it.
///
/// # Errors
/// [`LogsError`] if the process logs already.
pub fn init_tracing(json: bool) -> Result<(), LogsError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = SubscriberBuilder::default()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(|| Masked(io::stderr()));
    if json {
        builder.json().flatten_event(true).finish().try_init()?;
    } else {
        builder.with_target(false).finish().try_init()?;
    }
    Ok(())
}
