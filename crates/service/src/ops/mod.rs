//! What operators look at: metrics for Prometheus, and whether the program lives and does its work.
//!
//! | module | what is in it |
//! |---|---|
//! | [`metric`] | every [`Metric`](metric::Metric), by name, kind, labels and meaning |
//! | `health` | [`Health`], [`Readiness`] |
//! | `journal` | a journal whose failures show in the health |
//! | `settings` | [`OpsFlags`], [`OpsSettings`]: how programs are told, the same for all of them |
//! | `server` | `/metrics`, `/health/live` and `/health/ready`, where that is asked for |
//! | `watch` | [`Watch`]: how far a program has read the chain |
//! | `wallet` | what the key's account holds, asked now and then |
//!
//! Without `--ops-listen` nothing listens and nothing is counted.

mod health;
mod journal;
pub mod metric;
mod server;
mod settings;
mod wallet;
mod watch;

pub use health::{Health, Readiness, Seen, metric_value};
pub use server::{Ops, OpsError};
pub use settings::{OpsFlags, OpsSettings};
pub use wallet::{watch_wallet, wei_value};
pub use watch::Watch;
