//! The native rollup: what the circuits prove, computed directly.
//!
//! * `account`: [`Account`], [`AccountIndex`], [`RollupId`] and how an account becomes a leaf.
//! * `transfer`: [`Transfer`], [`Batch`], the signed message, and why a transfer may be refused.
//! * `state`: [`State`], all accounts under one root, and the single step that both execution and proving follow.
//! * `demo`: [`Demo`], reproducible states and batches from a seed.

mod account;
mod demo;
mod state;
mod transfer;

pub use account::{Account, AccountIndex, RollupId};
pub use demo::Demo;
pub use state::State;
pub use transfer::{Batch, BatchError, Transfer, TransferError};

pub use crate::schnorr::{KeyPair, PublicKey, SIGNATURE_BYTES, Signature};

pub(crate) use account::leaf_offset;
pub(crate) use state::{Ledger, Step};
pub(crate) use transfer::{message_tag, offset, power_of_two};
