//! The work itself, apart from the chain: reading what was published, and proving it.
//!
//! | module | what is in it |
//! |---|---|
//! | `pool` | [`Pool`]: threads that take one job each, away from the async runtime |
//! | `keys` | [`KeyRing`]: the proving keys of the circuits that the market's verifier knows |
//! | `queue` | [`Queue`]: the same on several machines |
//! | `trial` | [`trial`], a task of nobody's to measure the pace with |
//! | `statement` | [`Published`], what a bid put on chain, and whether it can be proved |

mod keys;
mod pool;
#[cfg(feature = "queue")]
mod queue;
mod statement;
mod trial;

pub use keys::{KeyRing, KeyRingError, OnChainCircuit};
pub use pool::{Finished, Panicked, Pool, PoolError};
#[cfg(feature = "queue")]
pub use queue::{Queue, QueueError, Remote};
pub use statement::{ProofError, Published, Unprovable};
pub use trial::trial;
