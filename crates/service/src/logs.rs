//! Logs on stderr, so that stdout stays free for what a program was asked for.

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
/// logged (`info` if it is not set, or not valid).
///
/// # Errors
/// [`LogsError`] if the process logs already.
pub fn init_tracing(json: bool) -> Result<(), LogsError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = SubscriberBuilder::default()
        .with_env_filter(quick(filter))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    if json {
        builder.json().flatten_event(true).finish().try_init()?;
    } else {
        builder.with_target(false).finish().try_init()?;
    }
    Ok(())
}

/// `filter` without the spans of the libraries that circuits are written with, whatever it says of them: they write out
/// the whole constraint system at every step, which turns a proof of a second into one of many minutes.
fn quick(filter: EnvFilter) -> EnvFilter {
    QUIET.iter().filter_map(|directive| directive.parse().ok()).fold(filter, EnvFilter::add_directive)
}

const QUIET: [&str; 2] = ["gr1cs=off", "r1cs=off"];

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{Level, enabled, subscriber::with_default};

    #[test]
    fn spans_of_constraint_systems_are_off_whatever_is_asked_for() {
        for asked in ["info", "trace", "gr1cs=trace,r1cs=info,info"] {
            let subscriber = SubscriberBuilder::default().with_env_filter(quick(EnvFilter::new(asked)));
            with_default(subscriber.finish(), || {
                assert!(enabled!(target: "prover_node", Level::INFO), "{asked}");
                assert!(!enabled!(target: "gr1cs", Level::ERROR), "{asked}");
                assert!(!enabled!(target: "r1cs", Level::ERROR), "{asked}");
            });
        }
    }
}
