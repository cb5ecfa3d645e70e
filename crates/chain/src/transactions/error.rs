//! What can come of a transaction other than its effect.

use super::journal::JournalError;
use super::signing::SignError;
use crate::{CallError, Revert};
use alloy::primitives::B256;
use alloy::transports::{RpcError, TransportErrorKind};
use thiserror::Error;

/// The most gas that one transaction may have (EIP-7825).
pub const MAX_TRANSACTION_GAS: u64 = 16_777_216;

/// Why a transaction had no effect, or may have had one that is not known.
#[derive(Debug, Error)]
pub enum SendError {
    /// There is no key to sign with.
    #[error("no private key; name a file with --key-file or set PROOPHI_PRIVATE_KEY")]
    NoKey,
    /// The contract would refuse. Nothing was sent, or what was sent has been cancelled.
    #[error("{0}")]
    Refused(Revert),
    /// The contract refused when the transaction was mined. Gas was paid.
    #[error("transaction {hash} failed: {}", .revert.as_ref().map_or_else(|| "for no reason that can be found".to_owned(), ToString::to_string))]
    Failed {
        /// The transaction.
        hash: B256,
        /// The reason, if the same call at the end of its block shows one.
        revert: Option<Revert>,
    },
    /// It needs more gas than a transaction can have.
    #[error(
        "the call needs {needed} gas, more than the {MAX_TRANSACTION_GAS} that one transaction can have; make it smaller"
    )]
    TooMuchGas {
        /// Gas that it needs.
        needed: u64,
    },
    /// Gas costs more than may be paid. Nothing was sent.
    #[error(
        "gas costs {base_fee} wei, more than the {most} that may be offered for this; wait, or allow more (--max-fee-gwei, --max-cost-gwei)"
    )]
    TooDear {
        /// Base fee of the next block (wei per gas).
        base_fee: u128,
        /// Most that may be offered (wei per gas).
        most: u128,
    },
    /// Its effect is worth nothing any more. It was not sent, or has been cancelled.
    #[error("too late: the newest block is at {now}, and the call was of use before {until} only")]
    Outdated {
        /// Block time (seconds since the epoch).
        now: u64,
        /// The end of its use (seconds since the epoch).
        until: u64,
    },
    /// The node cannot be asked, or refused the transaction. Nothing was sent.
    #[error(transparent)]
    Call(CallError),
    /// The transaction cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It cannot be written down. Nothing was sent.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Another transaction of the same key took its place. Use a key in one program only.
    #[error("transaction {hash} was replaced by another with nonce {nonce}; use the key in one program only")]
    Replaced {
        /// The transaction, in its last form.
        hash: B256,
        /// Its nonce.
        nonce: u64,
    },
    /// The chain did not mine it in time. It is still seen to, and the same call later waits for it instead of sending another.
    #[error("transaction {hash} is not mined after {seconds} s; it may still be, look before sending again")]
    NotMined {
        /// The transaction, in its last form.
        hash: B256,
        /// How long was waited.
        seconds: u64,
    },
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Reverted(revert) => Self::Refused(revert),
            other => Self::Call(other),
        }
    }
}

impl From<RpcError<TransportErrorKind>> for SendError {
    fn from(error: RpcError<TransportErrorKind>) -> Self {
        CallError::from(error).into()
    }
}
