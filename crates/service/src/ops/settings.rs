//! Settings of what operators look at and of stops, the same for all programs that run for long.

use clap::Args;
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;

/// Flags. What is not given is not serialized, so that the layer below counts.
#[derive(Debug, Default, Clone, Args, Serialize)]
#[command(next_help_heading = "Operation")]
pub struct OpsFlags {
    /// Serve /metrics, /health/live and /health/ready at this address, as in 127.0.0.1:9464; for operators, not for the world [default: do
    /// not]
    #[arg(long, global = true, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ops_listen: Option<SocketAddr>,
    /// /health/ready says yes while the newest block that was read is at most so many seconds old [default: 120]
    #[arg(long, global = true, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_within: Option<u64>,
    /// Asked to stop (SIGTERM, Ctrl-C), finish what is under way for at most so many seconds; a second signal stops at once [default: 30]
    #[arg(long, global = true, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_within: Option<u64>,
}

/// The settings of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpsSettings {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Oldest head with which the program is ready (seconds).
    pub ready_within: u64,
    /// Most time for a stop.
    pub stop_within: Duration,
}

impl OpsSettings {
    /// What was set, and defaults for the rest (seconds).
    #[must_use]
    pub fn new(listen: Option<SocketAddr>, ready_within: Option<u64>, stop_within: Option<u64>) -> Self {
        Self {
            listen,
            ready_within: ready_within.unwrap_or(120),
            stop_within: Duration::from_secs(stop_within.unwrap_or(30)),
        }
    }
}
