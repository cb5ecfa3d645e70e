//! What every program of the market shares, so that it is written once.
//!
//! | module | what is in it |
//! |---|---|
//! | `config` | [`load_config`]: file, environment and flags, one over the other; an unknown key is an error |
//! | `urls` | [`serialize_urls`], [`deserialize_urls`]: one endpoint or several |
//! | `key` | [`load_key`]: the private key from a file only its owner can read, plain or encrypted, or from the environment |
//! | `kms` | [`load_signer`]: the same, or a key in AWS KMS |
//! | [`openings`] | openings of sealed bids and asks, kept safe until they are revealed |
//! | `logs` | [`init_tracing`]: logs on stderr, for people or as JSON |
//! | [`ops`] | metrics, health and readiness, for whoever watches a program |
//! | `trouble` | what can go wrong, each kind with a stable code: [`Trouble`], [`trouble!`] |
//! | `secret` | what is never shown: [`hide`], [`hide_urls`] |
//! | `backoff` | [`Backoff`]: how long to wait after the n-th failure in a row |
//! | `patience` | [`patiently`]: a start that waits for a node that does not answer yet |
//! | `stop` | [`Stop`]: finish on the first SIGINT or SIGTERM, stop at once on the second; [`shutdown`], [`stop()`]: the first one only |
//! | `exit` | [`Exit`]: why a service ends, and the exit code that says so |

mod backoff;
mod config;
mod exit;
mod key;
#[cfg(feature = "kms")]
mod kms;
mod logs;
pub mod openings;
pub mod ops;
mod patience;
mod secret;
mod stop;
mod trouble;
mod urls;

pub use backoff::Backoff;
pub use config::{ConfigError, DEFAULT_RPC_URL, Sources, load_config};
pub use exit::{Exit, FAILED, NO_CONNECTION, WRONG_USAGE, exit};
pub use key::{
    KEY_VARIABLE, KeyError, PASSWORD_FILE_VARIABLE, PASSWORD_VARIABLE, load_key, load_key_if_any, load_signer,
};
pub use logs::{LogsError, init_tracing};
pub use patience::patiently;
pub use secret::{hide, hide_urls, without_secrets};
pub use stop::{Stop, shutdown, stop};
pub use trouble::*;
pub use urls::{deserialize_urls, serialize_urls};
