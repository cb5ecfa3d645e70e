//! The work itself, apart from the chain: reading what was published, and proving it.
//!
//! | module | what is in it |
//! |---|---|
//! | `pool` | [`Pool`]: threads that take one job each, away from the async runtime |
//! | `keys` | [`KeyRing`]: the proving keys of the circuits that the market's verifier knows |
//! | `statement` | [`Published`], what a bid put on chain, and whether it can be proved |

mod keys;
mod pool;
mod statement;

pub use keys::{KeyRing, KeyRingError, OnChainCircuit};
pub use pool::{Finished, Panicked, Pool, PoolError};
pub use statement::{ProofError, Published, Unprovable};
