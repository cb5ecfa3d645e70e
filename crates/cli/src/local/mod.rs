//! What runs on this machine: a development chain, other programs of the market, keys in files.
//!
//! | module | what is in it |
//! |---|---|
//! | `anvil` | [`LocalChain`]: Anvil as a child process |
//! | `children` | [`Program`]: `relayer` and `prover-node` as child processes |
//! | `files` | directories of a run, key files that only their owner can read |
//! | `keys` | proving keys, with a progress bar while they are made |

mod anvil;
mod children;
mod files;
mod keys;

pub(crate) use anvil::{ChainOptions, LocalChain};
pub(crate) use children::Program;
pub(crate) use files::{RunDir, write_key};
pub(crate) use keys::{circuit_keys, load_keys};
